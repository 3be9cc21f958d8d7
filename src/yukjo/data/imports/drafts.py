"""Drafts: passages of documents that wait for a person's question and answer.

A draft file, `*.drafts.jsonl`, holds one object a line with `"draft": 1` first. Its fields have
other names than a sample's, so that no draft passes for one, whatever its file is called.

1. `question` and `answer` are empty until a person writes them; `material` is the passage.
2. A draft with both is finished: it becomes a sample if `data check` finds no error in it.
3. A draft file is refused by name wherever samples are read (`data.lines`).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from yukjo.data.lines import DRAFTS, Line, name_of, read_lines
from yukjo.data.parse import parse
from yukjo.errors import DataError
from yukjo.reading import documents
from yukjo.reading.documents import Document
from yukjo.reading.passages import passages
from yukjo.reading.sandbox import Sandbox
from yukjo.words import say

PASSAGE = 600
"""Characters that a draft's material is filled up to."""

FIELDS = (
    "draft", "question", "answer", "material", "agent_type", "difficulty", "topic", "exception",
    "title", "source", "license",
)  # fmt: skip
"""Of a draft's line, in their order."""

_TO_SAMPLE = {"question": "instruction", "material": "input", "answer": "output"}
_LABELS = ("agent_type", "difficulty", "topic", "exception", "source", "license")


def is_draft(row: Mapping[str, Any]) -> bool:
    """Whether a line is a draft."""
    return "draft" in row


def line(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A draft with all its fields, in their order."""
    return {"draft": 1} | {name: fields.get(name, "") for name in FIELDS if name != "draft"}


def text_of(row: Mapping[str, Any]) -> bytes:
    """A draft as one line of a file."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def document_json(path: Path) -> str:
    """For the sandbox: a document as JSON."""
    return documents.read(path).model_dump_json()


def of_file(path: Path, sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """The passages of a document as drafts; DataError where it can't be read.

    Where a passage comes from is an address with a page (RFC 8118) or a paragraph.
    """
    document = Document.model_validate_json(sandbox.run(document_json, path))
    for passage in passages(document.blocks, length=PASSAGE):
        paged = passage.page is not None
        place = f"『{document.title}』 {passage.page}쪽" if paged else f"『{document.title}』"
        at = f"page={passage.page}" if paged else f"paragraph={passage.paragraph}"
        yield {
            "material": f"{place}: {passage.text}",
            "title": document.title,
            "source": f"{path.name}#{at}",
        }


def read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and fields of each draft; DataError for a file of something else."""
    found = False
    for one in read_lines(path, drafts=True):
        if one.data is not None and not one.data.strip():
            continue
        found = True
        yield one.number, _draft(one, path)
    if not found:
        raise _no_draft(path, 1)


def _draft(one: Line, path: Path) -> dict[str, Any]:
    record = parse(one.data) if one.data is not None else None
    if not isinstance(record, dict) or not is_draft(record):
        raise _no_draft(path, one.number)
    return record


def _no_draft(path: Path, number: int) -> DataError:
    return DataError(
        say("the line is no draft"),
        where=f"{name_of(path)}:{number}",
        fix=say("name a file that `yukjo data import` made of documents (*{suffix})",
                suffix=DRAFTS),
    )  # fmt: skip


def is_finished(draft: Mapping[str, Any]) -> bool:
    """Whether a person wrote a question and an answer."""
    said = (draft.get("question"), draft.get("answer"))
    return all(isinstance(text, str) and text.strip() for text in said)


def sample_of(draft: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a sample in a finished draft: empty labels are absent."""
    fields = {own: draft[name] for name, own in _TO_SAMPLE.items() if name in draft}
    return fields | {name: draft[name] for name in _LABELS if draft.get(name)}
