"""A corpus of broken files: each line is found out, with the code that names what is wrong."""

from pathlib import Path

import pytest

from yukjo.data import personal
from yukjo.data.check import check
from yukjo.data.findings import RULES
from yukjo.korean.rules import CODES

FOLDER = Path(__file__).parent / "bad"

EXPECTED: dict[str, list[tuple[int, str]]] = {
    "bidi": [(1, "bidi")],
    "blank-line": [(2, "blank-line"), (3, "blank-line")],
    "bom": [(1, "bom")],
    "control-character": [(line, "control-character") for line in range(1, 4)],
    "cp949": [(1, "not-utf8")],
    "crlf": [(1, "crlf")],
    "duplicate-id": [(2, "duplicate-id")],
    "duplicate-key": [(1, "duplicate-key")],
    "duplicate-line": [(2, "duplicate-line"), (3, "duplicate-line")],
    "empty-file": [(0, "empty-file")],
    "empty-text": [(1, "empty-text"), (2, "empty-text"), (3, "empty-text")],
    "huge-number": [(1, "not-json")],
    "lone-surrogate": [(1, "lone-surrogate"), (2, "unknown-field"), (3, "duplicate-line")],
    "long-output": [(1, "long-output")],
    "missing-field": [(1, "missing-field"), (2, "missing-field"), (3, "missing-field"),
                      (4, "missing-field"), (4, "missing-field"), (4, "missing-field")],
    "missing-input-is-fine": [],
    "near-duplicate": [(2, "near-duplicate")],
    "no-final-newline-is-fine": [],
    "not-finite": [(1, "not-finite"), (2, "not-finite"), (3, "not-finite")],
    "not-json": [(line, "not-json") for line in range(1, 7)],
    "not-korean": [(1, "not-korean"), (2, "not-korean")],
    "not-nfc": [(1, "not-nfc")],
    "not-object": [(line, "not-object") for line in range(1, 6)],
    "not-utf8": [(2, "not-utf8")],
    "null-labels-are-fine": [],
    "short-output": [(1, "short-output")],
    "unknown-agent": [(1, "unknown-agent"), (2, "empty-text")],
    "unknown-field": [(1, "unknown-field"), (2, "unknown-field")],
    "utf16": [(1, "not-utf8")],
    "wrong-type": [(line, "wrong-type") for line in range(1, 8)],
    "wrong-value": [(1, "wrong-value"), (2, "wrong-value")],
    "zero-width": [(1, "zero-width"), (2, "zero-width"), (2, "near-duplicate")],
}  # fmt: skip

MADE_IN_TESTS = {"line-too-long", "too-deep", "near-duplicates-unsought"}
IMAGES = {
    "too-many-images", "image-path", "image-missing", "image-too-large", "image-too-thin",
    "not-image", "image-broken", "image-frames", "image-mode", "other-answer",
}  # fmt: skip
"""Found in `test_images`."""
PERSONAL = set(personal.CODES)
"""Found in `test_check_pii`."""

OF_KOREAN = set(CODES)
"""Found in `test_check_rules`."""


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_finds_what_is_wrong(name: str) -> None:
    report = check([FOLDER / f"{name}.jsonl"])
    assert [(found.line, found.code) for found in report.findings] == EXPECTED[name]


def test_every_file_is_expected() -> None:
    assert {file.stem for file in FOLDER.glob("*.jsonl")} == set(EXPECTED)


def test_every_code_has_a_file() -> None:
    found = {code for codes in EXPECTED.values() for _, code in codes}
    assert found | MADE_IN_TESTS | IMAGES | PERSONAL | OF_KOREAN == set(RULES)


def test_all_files_at_once_find_the_same_and_more_duplicates() -> None:
    files = sorted(FOLDER.glob("*.jsonl"))
    report = check(files)
    alone = [(file.name, *found) for file in files for found in EXPECTED[file.stem]]
    together = [(Path(found.file).name, found.line, found.code) for found in report.findings]
    compared = {"duplicate-line", "near-duplicate", "duplicate-id"}
    assert sorted(f for f in together if f[2] not in compared) == sorted(
        f for f in alone if f[2] not in compared
    )


def test_says_that_a_file_looks_like_cp949() -> None:
    (found,) = check([FOLDER / "cp949.jsonl"]).findings
    assert "CP949" in found.fix


def test_names_the_nearest_agent_and_field() -> None:
    agent = check([FOLDER / "unknown-agent.jsonl"]).findings[0]
    field = check([FOLDER / "unknown-field.jsonl"]).findings[0]
    assert "citizen_support" in agent.fix
    assert "instruction" in field.fix


def test_every_message_can_be_printed() -> None:
    for found in check(sorted(FOLDER.glob("*.jsonl"))).findings:
        text = found.message + found.fix + (found.field or "")
        assert text.isprintable(), found
        assert "{" not in found.message, found
