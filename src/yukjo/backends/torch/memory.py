"""Memory of this process, as the operating system counts it."""

import resource
import sys


def peak_mb() -> float:
    """Peak resident memory so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
