"""A Croissant description has what version 1.1 of the specification asks for."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from sample import EXAMPLE
from toys import Yukjo
from yukjo.data.exports.croissant import About, croissant
from yukjo.data.read import read
from yukjo.data.versions import version
from yukjo.errors import DataError
from yukjo.records import SIX, Message, Picture, Sample

PRACTICE = EXAMPLE / "data" / "practice.jsonl"
ABOUT = About(
    name="연습", description="여섯 에이전트의 연습 자료", url="https://example.org/yukjo",
    creator="한빛시", published=date(2026, 3, 2),
)  # fmt: skip

REQUIRED = (
    "@context", "@type", "conformsTo", "description", "license", "name", "url", "creator",
    "datePublished", "distribution",
)  # fmt: skip
"""Of a dataset, in 1.1."""


@pytest.fixture
def made() -> dict[str, Any]:
    samples = read([PRACTICE], agents=SIX).samples
    return croissant({PRACTICE: samples}, ABOUT, out=EXAMPLE / "croissant.json")


def ids(value: object) -> list[str]:
    """Every `@id` that is defined; a reference has no other key."""
    if isinstance(value, list):
        return [found for one in value for found in ids(one)]
    if not isinstance(value, dict):
        return []
    own = [value["@id"]] if len(value) > 1 and isinstance(value.get("@id"), str) else []
    inner = [v for key, v in value.items() if key != "@context"]
    return own + ids(inner)


def references(value: object) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if not isinstance(value, dict):
        return []
    if value.keys() == {"@id"}:
        return [value["@id"]]
    return references([v for key, v in value.items() if key != "@context"])


def test_nothing_that_is_required_is_missing(made: dict[str, Any]) -> None:
    assert [name for name in REQUIRED if not made.get(name)] == []
    assert made["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert made["@type"] == "sc:Dataset"
    assert made["license"] == ["https://creativecommons.org/licenses/by/4.0/"]
    assert made["datePublished"] == "2026-03-02"


def test_a_file_is_known_by_place_size_and_hash(made: dict[str, Any]) -> None:
    (file,) = made["distribution"]
    assert (EXAMPLE / unquote(file["contentUrl"])).samefile(PRACTICE)
    assert file["sha256"] == sha256(PRACTICE.read_bytes()).hexdigest()
    assert file["contentSize"] == f"{PRACTICE.stat().st_size} B"


def test_every_field_of_a_line_is_described_and_every_line_counted(made: dict[str, Any]) -> None:
    (records,) = made["recordSet"]
    keys = {key for line in PRACTICE.read_text("utf-8").splitlines() for key in json.loads(line)}
    assert {field["name"] for field in records["field"]} == keys
    counts = {one["name"]: one["value"] for one in records["annotation"]}
    assert counts["data/practice/count"] == 288
    assert sum(n for name, n in counts.items() if name.count("/") == 3) == 288


def test_earlier_turns_are_a_list_with_fields_of_its_own(tmp_path: Path) -> None:
    turns = (Message(role="user", content="어디서?"), Message(role="assistant", content="민원실"))
    sample = Sample(
        instruction="몇 시?", output="9시", agent_type="rag", license="MIT", messages=turns
    )
    (tmp_path / "a.jsonl").touch()
    made = croissant({tmp_path / "a.jsonl": [sample]}, ABOUT, out=tmp_path / "c.json")
    field = next(f for f in made["recordSet"][0]["field"] if f["name"] == "messages")
    assert field["isArray"]
    assert [part["@id"] for part in field["subField"]] == ["a/messages/role", "a/messages/content"]
    assert made["license"] == ["https://opensource.org/license/mit"]


def test_images_are_refused_by_name(tmp_path: Path) -> None:
    picture = Picture(path=tmp_path / "a.png", sha256="0" * 64)
    sample = Sample(instruction="읽기", output="9시", agent_type="rag", license="MIT", id="그림",
                    images=(picture,))  # fmt: skip
    with pytest.raises(DataError, match="이미지") as refused:
        croissant({tmp_path / "a.jsonl": [sample]}, ABOUT, out=tmp_path / "c.json")
    assert refused.value.where == "그림"


def test_ids_are_unique_and_references_lead_somewhere(made: dict[str, Any]) -> None:
    defined = ids(made)
    assert len(defined) == len(set(defined))
    assert set(references(made)) <= set(defined)


def test_every_key_has_a_meaning_in_the_context(made: dict[str, Any]) -> None:
    context = made["@context"]
    for term in ("recordSet", "field", "source", "extract", "column", "fileObject", "annotation"):
        assert context[term] == f"cr:{term}"
    assert context["conformsTo"] == "dct:conformsTo"
    assert {"cr", "sc", "dct"} <= context.keys()


def test_the_version_names_the_content(made: dict[str, Any]) -> None:
    samples = read([PRACTICE], agents=SIX).samples
    assert made["version"] == f"1.0.0+{version(samples)[:16]}"


def test_a_sample_without_a_licence_is_refused() -> None:
    sample = Sample(instruction="질문?", output="답", agent_type="rag", id="r1")
    with pytest.raises(DataError, match="라이선스") as refused:
        croissant({PRACTICE: [sample]}, ABOUT, out=EXAMPLE / "croissant.json")
    assert refused.value.where == "r1"


def test_it_is_valid_to_the_reference_library(made: dict[str, Any], tmp_path: Path) -> None:
    library = pytest.importorskip("mlcroissant")
    path = EXAMPLE / "croissant.json"
    out = tmp_path / path.name
    out.write_text(json.dumps(made), encoding="utf-8")
    assert not library.Dataset(jsonld=out).metadata.issues.errors


def test_what_only_a_person_knows_is_asked_for(tmp_path: Path, yukjo: Yukjo) -> None:
    words = ("data", "export", PRACTICE, "--format", "croissant", "--out", tmp_path / "c.json",
             "--name", "연습", "--description", "자료", "--url", "https://a.example")  # fmt: skip
    said = yukjo(*words)
    assert (said.code, "--creator" in said.err) == (2, True)
    assert yukjo(*words, "--creator", "한빛시", "--date", "내일").code == 2
    assert yukjo(*words, "--creator", "한빛시", "--date", "2026-03-02").code == 0
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["datePublished"] == "2026-03-02"
