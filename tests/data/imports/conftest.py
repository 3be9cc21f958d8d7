"""Files to import, made on the spot."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yukjo.data.imports import Asked, Import
from yukjo.data.imports.report import Report
from yukjo.records import SIX, Sample

ANSWER = (
    "접수일부터 7일 안에 처리 결과를 문자로 알려 드립니다. 처리 기간이 길어지면 늘어난 까닭과 "
    "새 처리 예정일을 미리 알려 드립니다."
)


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    """A file of JSON lines; bytes and texts stand as they are."""

    def make(*rows: Any, name: str = "대화.jsonl") -> Path:
        lines = [
            r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in rows
        ]
        (tmp_path / name).write_bytes(b"".join(line + b"\n" for line in lines))
        return tmp_path / name

    return make


@pytest.fixture
def taken() -> Iterator[Callable[..., tuple[list[Any], Report]]]:
    """Import files: the samples (or drafts) and the report; the sums are held to hold."""

    def run(*files: Path, **asked: Any) -> tuple[list[Any], Report]:
        told = {"license": "CC-BY-4.0", "agents": SIX, "agent": "rag"} | asked
        work = Import(files, Asked(**told))
        rows = list(work.rows())
        report = work.report(None)
        assert report.imported + report.refused == report.read
        assert report.imported == len(rows)
        assert len(report.refusals) + report.omitted == report.refused
        if work.kind == "drafts":
            return rows, report
        return [Sample.model_validate(row) for row in rows], report

    return run
