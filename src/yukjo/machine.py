"""What the operating system says of memory, processor and disk; standard library only.

Linux tells all of it. Elsewhere the resident memory is the highest so far, which overstates.
"""

import os
import platform
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_MIB = 2**20
_SELF = Path("/proc/self")
_CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file"),
)  # fmt: skip
"""Version 2, then 1: mount, limit, usage, and the file cache that is given up under pressure."""


def resident_mb() -> float:
    """Resident memory of this process now, in MiB; some microseconds."""
    try:
        pages = int((_SELF / "statm").read_text().split()[1])
    except OSError:
        return _highest_mb()
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def peak_mb() -> float:
    """Peak resident memory of this process since `forget_peak`, in MiB."""
    try:
        status = (_SELF / "status").read_text()
    except OSError:
        return _highest_mb()
    return next(_kib(line) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def forget_peak() -> None:
    """Let the peak begin from now. Where the system won't, it stays the highest so far."""
    try:
        (_SELF / "clear_refs").write_text("5")
    except OSError:
        return


def mapped_mb(suffix: str) -> tuple[float, float]:
    """Size of the files of this suffix that are mapped into this process, and what is resident.

    A mapped weight takes memory when it is first read.
    """
    size = held = 0.0
    ours = False
    for line in _lines(_SELF / "smaps"):
        if "-" in line.split(" ", 1)[0]:  # the head of a mapping: addresses, rights, its file
            ours = line.endswith(suffix)
        elif ours and line.startswith("Size:"):
            size += _kib(line) / 1024
        elif ours and line.startswith("Rss:"):
            held += _kib(line) / 1024
    return size, held


def available_mb() -> float:
    """What this process can still take before the machine or its container runs out, in MiB."""
    free = [_kib(line) / 1024 for line in _lines(Path("/proc/meminfo")) if "MemAvailable" in line]
    limit, used = cgroup_mb()
    return min([*free, limit - used])


def total_mb() -> float:
    """Memory of the machine, in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB


def cgroup_mb() -> tuple[float, float]:
    """The container's limit (infinite where there is none) and what it can't give up, in MiB."""
    for mount, limit, usage, cache in _CGROUPS:
        try:
            most = float((mount / limit).read_text().replace("max", "inf")) / _MIB
            used = int((mount / usage).read_text()) / _MIB
        except (OSError, ValueError):
            continue
        given_up = [int(row.split()[1]) / _MIB for row in _lines(mount / "memory.stat")
                    if row.split()[0] == cache]  # fmt: skip
        return (most if most < total_mb() else float("inf")), used - sum(given_up)
    return float("inf"), 0.0


def processor() -> str:
    """The processor's name."""
    names = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo"))
             if line.startswith("model name")]  # fmt: skip
    return names[0] if names else platform.processor() or platform.machine()


def _highest_mb() -> float:
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (_MIB if sys.platform == "darwin" else 1024)


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(errors="replace").splitlines()
    except OSError:
        return


def _kib(line: str) -> int:
    """`Rss:   12 kB` -> 12."""
    return int(line.split()[1])
