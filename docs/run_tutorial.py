"""Run every ```sh block of docs/tutorial.md, in order, in an empty folder; stop at a failure.

A block is one bash script with `set -e`; what one block exports is gone in the next.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    """The exit code of the first block that fails, else 0."""
    blocks = _BLOCK.findall((_HERE / "tutorial.md").read_text(encoding="utf-8"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        for number, block in enumerate(blocks, 1):
            sys.stdout.write(f"--- block {number} of {len(blocks)}\n{block}")
            sys.stdout.flush()
            done = subprocess.run(  # noqa: S603 - the tutorial is ours
                ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607 - bash is on the path
                cwd=folder,
                env={**os.environ, "PATH": path},
                check=False,
            )
            if done.returncode:
                return done.returncode
    sys.stdout.write(f"tutorial: {len(blocks)} blocks ran\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
