"""`yukjo doctor --mlx`: what this machine shows of MLX, and what only a Mac can show."""

import platform
import shutil
import subprocess
from collections.abc import Iterator

from yukjo.cli.doctor import Finding
from yukjo.words import say

_PACKAGES = ("mlx", "mlx-lm", "mlx-vlm")
_SEEN = 0.9
"""Less of MLX's memory than that is seen from outside: then its own count is watched."""


def findings() -> Iterator[Finding]:
    """The machine, the packages, and a tiny training, twice."""
    from yukjo import wiring

    yield from _apple()
    yield from _packages()
    if wiring.has_mlx():
        yield from _trial()


def _apple() -> Iterator[Finding]:
    """Chip, unified memory and how much of it may be wired, by `sysctl`."""
    if platform.system() != "Darwin":
        yield Finding(
            "apple",
            "ok",
            say("no Mac: Metal's speed, wired memory and whether Metal gives the same bits twice"
                " can't be shown here"),
            say("run `yukjo doctor --mlx` and `make test-mlx` on the Mac"),
        )  # fmt: skip
        return
    memory = int(_sysctl("hw.memsize") or 0) / 2**30
    wired = int(_sysctl("iogpu.wired_limit_mb") or 0)
    yield Finding("chip", "ok", _sysctl("machdep.cpu.brand_string") or "?")
    yield Finding(
        "unified memory",
        "ok",
        say("{memory:.0f} GiB, of which the GPU may wire {wired}", memory=memory,
            wired=f"{wired / 1024:.1f} GiB" if wired else say("what the system chooses")),
        figures={"memory_gb": memory, "wired_limit_mb": wired},
    )  # fmt: skip


def _sysctl(name: str) -> str:
    """What the system says of itself; "" where it doesn't."""
    program = shutil.which("sysctl")
    if not program:
        return ""
    asked = [program, "-n", name]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _packages() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    for name in _PACKAGES:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            needed = name != "mlx-vlm"
            yield Finding(
                name,
                "error" if needed else "ok",
                say("not installed"),
                "pip install 'yukjo[torch,mlx]'",
            )


def _trial() -> Iterator[Finding]:
    from yukjo import wiring

    tried = wiring.mlx_trial()
    same = len(set(tried.hashes)) == 1
    yield Finding(
        "device",
        "ok" if tried.device == "metal" or platform.system() != "Darwin" else "warning",
        tried.device,
        figures={"device": tried.device},
    )
    yield Finding(
        "same bits twice",
        "ok" if same else "warning",
        say("two trainings gave the same adapter: {hash}", hash=tried.hashes[0][:12]) if same
        else say("two trainings gave two adapters: {first} and {second}",
                 first=tried.hashes[0][:12], second=tried.hashes[1][:12]),
        "" if same else say("runs of this machine can't be reproduced to the bit"),
        {"hashes": list(tried.hashes)},
    )  # fmt: skip
    yield Finding(
        "speed",
        "ok",
        say("{speed:,.0f} tokens a second on a model of 4.5 M numbers", speed=tried.tokens_per_s),
        figures={"tokens_per_s": round(tried.tokens_per_s)},
    )
    seen = tried.seen >= _SEEN
    yield Finding(
        "memory seen from outside",
        "ok" if seen else "warning",
        say("{share:.0%} of what MLX takes", share=tried.seen),
        "" if seen else say("the memory line is then held by MLX's own count, between two passes"),
        {"share": round(tried.seen, 3)},
    )
