"""What the operating system says of memory, processor and disk; standard library only.

Linux tells all of it. Elsewhere the resident memory is the highest so far, which overstates.
"""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_MIB = 2**20
_SELF = Path("/proc/self")
_SYS = Path("/sys/fs/cgroup")
_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""Names of a control group's limit, its usage, and the file cache it gives up under pressure."""


def resident_mb() -> float:
    """Resident memory of this process now, in MiB; some microseconds."""
    try:
        pages = int((_SELF / "statm").read_text().split()[1])
    except OSError:
        return _highest_mb()
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def resident_mb_of(pid: int) -> float | None:
    """Resident memory of process `pid` now, in MiB; None where there is none."""
    try:
        pages = int((_SELF.parent / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return None if _SELF.exists() else _told_by_ps(pid)
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
    """The tightest limit of a control group around this process, and what counts against it.

    In MiB; the limit is infinite where there is none.
    """
    found = [(float("inf"), 0.0)]
    for place, (limit, usage, cache) in _cgroups():
        try:
            most = float((place / limit).read_text().replace("max", "inf")) / _MIB
            used = int((place / usage).read_text()) / _MIB
        except (OSError, ValueError):
            continue
        if most < total_mb():
            kept = [int(row.split()[1]) / _MIB for row in _lines(place / "memory.stat")
                    if row.split()[0] == cache]  # fmt: skip
            found.append((most, used - sum(kept)))
    return min(found, key=lambda pair: pair[0] - pair[1])


def _cgroups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The control groups that may limit memory: this process's own and those around it."""
    for row in _lines(_SELF / "cgroup"):
        _, kinds, path = row.split(":", 2)
        if not kinds or "memory" in kinds.split(","):
            mount, names = (_SYS / "memory", _V1) if kinds else (_SYS, _V2)
            own = mount / path.lstrip("/")
            yield from ((p, names) for p in (own, *own.parents) if p.is_relative_to(mount))


def processor() -> str:
    """The processor's name."""
    names = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo"))
             if line.startswith("model name")]  # fmt: skip
    return names[0] if names else platform.processor() or platform.machine()


def _told_by_ps(pid: int) -> float | None:
    """The same where there is no /proc."""
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, check=False).stdout.split()  # noqa: S603
    return int(said[0]) / 1024 if said else None


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
