"""Toys for the tests of the data stage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ANSWER = (
    "접수일부터 7일 안에 처리 결과를 문자로 알려 드립니다. 처리 기간이 길어지면 늘어난 까닭과 "
    "새 처리 예정일을 미리 알려 드리며, 진행 상황은 누리집에서 언제든지 확인하실 수 있습니다."
)


@pytest.fixture(scope="session")
def record() -> Callable[..., dict[str, Any]]:
    """A line without a flaw, with some fields changed; None takes a field out."""

    def make(**changes: Any) -> dict[str, Any]:
        whole = {"instruction": "처리 기간은?", "input": "", "output": ANSWER, "agent_type": "rag"}
        return {key: value for key, value in (whole | changes).items() if value is not None}

    return make


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """A JSONL file of records; bytes stand as they are."""

    def make(path: Path, *rows: Any) -> Path:
        lines = [
            r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in rows
        ]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return make
