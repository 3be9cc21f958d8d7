"""`yukjo doctor --mlx`: what this machine shows, what a Mac would, and what is missing."""

import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo

pytestmark = pytest.mark.mlx


def found(yukjo: Yukjo) -> dict[str, dict[str, Any]]:
    document: Any = yukjo("doctor", "--mlx", "--json").json()
    return {finding["name"]: finding for finding in document["findings"]}


# On a Mac the command goes on to the chip and its memory, which docs/mlx.md has people look at.
@pytest.mark.skipif(sys.platform == "darwin", reason="on a Mac it says more")
def test_on_linux_it_trains_twice_to_the_same_bits_and_says_what_only_a_mac_shows(
    yukjo: Yukjo,
) -> None:
    said = found(yukjo)
    assert "make test-mlx" in said["apple"]["fix"]
    assert said["device"]["figures"]["device"] == "cpu"
    assert len(set(said["same bits twice"]["figures"]["hashes"])) == 1
    assert said["speed"]["figures"]["tokens_per_s"] > 0
    assert 0.9 < said["memory seen from outside"]["figures"]["share"] < 1.2
    assert {f["level"] for f in said.values()} == {"ok"}


def test_on_a_mac_it_tells_chip_unified_memory_and_what_may_be_wired(
    yukjo: Yukjo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a `sysctl` that answers as a Mac's does: a real one was not at hand."""
    from yukjo import wiring

    program = tmp_path / "sysctl"
    program.write_text(
        "#!/bin/sh\ncase $2 in\nhw.memsize) echo 68719476736;;\n"
        "machdep.cpu.brand_string) echo Apple M9 Max;;\niogpu.wired_limit_mb) echo 49152;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(wiring, "has_mlx", lambda: False)
    said = found(yukjo)
    assert said["chip"]["what"] == "Apple M9 Max"
    assert said["unified memory"]["figures"] == {"memory_gb": 64, "wired_limit_mb": 49152}
    assert "48.0 GiB" in said["unified memory"]["what"]
