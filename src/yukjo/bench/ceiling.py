"""How many GFLOP/s this machine reaches at most, as `python -m yukjo.bench.ceiling TASK`.

bf16 matmuls on all threads: the model's own shapes and a large square, with plain and with
prepacked weights. The best of them is the ceiling; a share of it is never flattered.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from yukjo.bench.flops import shape_of
from yukjo.bench.task import Task

_ROWS = 2048
_SECONDS = 0.25
"""Of each shape, and at least three times."""


def main(file: Path) -> None:
    """Measure for the task in `file` and print one line of JSON."""
    task = Task.model_validate_json(file.read_bytes())
    shape = shape_of(Path(task.model))
    sizes = [
        (shape.hidden, shape.inner),
        (shape.inner, shape.hidden),
        (shape.hidden, min(shape.vocabulary, 16_384)),
        (2048, 2048),
    ]
    print(json.dumps({"gflops": max(measure(*size, threads=task.threads) for size in sizes)}))  # noqa: T201


def measure(into: int, out: int, *, threads: int) -> float:
    """GFLOP/s of [2048, into] x [into, out], the faster of plain and prepacked weights."""
    import torch

    torch.set_num_threads(threads)
    rows = torch.randn(_ROWS, into).bfloat16()
    weight = torch.randn(out, into).bfloat16()
    ways: list[Callable[[], object]] = [lambda: torch.nn.functional.linear(rows, weight)]
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)  # noqa: SLF001 - no other name
        ways.append(
            lambda: torch.ops.mkldnn._linear_pointwise(rows, packed, None, "none", [], "")  # noqa: SLF001
        )
    return 2e-9 * _ROWS * into * out / min(map(_fastest, ways))


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several goes."""
    work()
    best, began, goes = float("inf"), time.perf_counter(), 0
    while goes < 3 or time.perf_counter() - began < _SECONDS:  # noqa: PLR2004 - see _SECONDS
        start = time.perf_counter()
        work()
        best, goes = min(best, time.perf_counter() - start), goes + 1
    return best


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
