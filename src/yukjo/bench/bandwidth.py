"""How many GB/s this machine reads from memory, as `python -m yukjo.bench.bandwidth THREADS`.

A sum over far more than its caches hold, on all threads; the fastest of several goes.
"""

import json
import time

_BYTES = 2**30
_GOES = 7


def main(threads: int) -> None:
    """Measure and print one line of JSON."""
    print(json.dumps({"read_gb_per_s": measure(threads)}))  # noqa: T201 - how a side answers


def measure(threads: int) -> float:
    """GB/s read while summing 1 GiB."""
    import torch

    torch.set_num_threads(threads)
    row = torch.ones(_BYTES // 4)
    taken = []
    for _ in range(_GOES):
        began = time.perf_counter()
        row.sum()
        taken.append(time.perf_counter() - began)
    return _BYTES / min(taken) / 1e9


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]))
