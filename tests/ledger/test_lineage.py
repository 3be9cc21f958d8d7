"""`ledger trace`: from a score to its data lines and answers, and from a line to its adapters."""

import json
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo
from yukjo.errors import LedgerError
from yukjo.files import sha256_file
from yukjo.ledger.lineage import Files, files_of, trace
from yukjo.ledger.store import Ledger
from yukjo.records import Sample

SAMPLES = [
    Sample(instruction=f"물음 {number}", output=f"대답 {number}입니다.", agent_type=agent)
    for number, agent in enumerate(("rag", "rag", "review", "rag"))
]
HASHES = [one.hash for one in SAMPLES]
RAG, REVIEW = "aa" * 32, "bb" * 32
METRIC = {"name": "chrf", "metric_id": "m1", "before": 20.0, "after": 30.0, "n": 1,
          "verdict": "better"}  # fmt: skip


def adapter(id_: str, *data: str) -> dict[str, Any]:
    return {"id": id_, "run": "20260101-a", "base": "tiny", "base_hash": "b1", "seed": 3,
            "recipe": {"lora": {"rank": 16}}, "data": list(data)}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two lines train rag, one trains review, one is measured; another file repeats one."""
    (tmp_path / "yukjo.toml").write_text("[data]\nfiles = ['data/a.jsonl', 'data/b.jsonl']\n")
    data, answers = tmp_path / "data", tmp_path / "runs" / "20260101-a" / "answers.jsonl"
    for folder in (data, answers.parent):
        folder.mkdir(parents=True)
    lines = [one.model_dump_json(exclude_none=True, exclude={"messages"}) for one in SAMPLES]
    (data / "a.jsonl").write_text("\n".join(lines) + "\n")
    (data / "b.jsonl").write_text("{not json\n" + lines[0] + "\n")
    answers.write_text("raw")
    body = {
        "data": {
            "files": [{"name": "data/a.jsonl", "sha256": sha256_file(data / "a.jsonl")},
                      {"name": "data/gone.jsonl", "sha256": "00"}],
            "lines": {"train": HASHES[:3], "valid": [], "test": HASHES[3:]},
        },
        "adapters": {"rag": adapter(RAG, *HASHES[:2]), "review": adapter(REVIEW, HASHES[2])},
        "agents": {"rag": {"cases": 1, "metrics": [METRIC]},
                   "all": {"cases": 1, "metrics": [METRIC]}},
        "answers": {"sha256": sha256_file(answers)},
    }  # fmt: skip
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as ledger:
        ledger.append("run", "20260101-a", body)
        ledger.append("promote", "", {"agent": "rag", "moved": [{"to": RAG}]})
        ledger.append("evaluate", "20260102-b", body)
        ledger.append("verdict", "x", {"agents": "not a run's body"})
    return tmp_path


def traced(project: Path, thing: str) -> dict[str, Any]:
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        entries = ledger.entries()
    data = [Path("data/a.jsonl"), Path("data/b.jsonl")]
    files = files_of(project, project / "runs", data, {"rag", "review"})
    return trace(thing, entries, files)


def test_a_score_leads_to_adapter_recipe_data_lines_and_raw_answers(project: Path) -> None:
    found = traced(project, "20260101-a/rag/chrf")
    [score] = found["scores"]
    assert (score["before"], score["after"], score["improvement_percentage"]) == (20, 30, 50)
    [made] = found["adapters"]
    assert (made["id"], made["trained_in"], made["recipe"]) == (
        RAG, "20260101-a", {"lora": {"rank": 16}},
    )  # fmt: skip
    places = {line["hash"]: line["at"] for line in found["data"]["train"]}
    assert places == {
        HASHES[0]: ["data/a.jsonl:1", "data/b.jsonl:2"], HASHES[1]: ["data/a.jsonl:2"],
    }  # fmt: skip
    assert [line["at"] for line in found["data"]["test"]] == [["data/a.jsonl:4"]]
    assert [file["now"] for file in found["data"]["files"]] == ["same", "missing"]
    assert found["answers"]["now"] == "same"


def test_what_changed_since_is_said_and_a_line_that_moved_is_found(project: Path) -> None:
    file = project / "data" / "a.jsonl"
    first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([*rest, first]) + "\n")
    (project / "runs" / "20260101-a" / "answers.jsonl").write_text("other")
    found = traced(project, "20260101-a/rag")
    assert (found["answers"]["now"], found["data"]["files"][0]["now"]) == ("changed", "changed")
    places = {line["hash"]: line["at"] for line in found["data"]["train"]}
    assert places[HASHES[0]] == ["data/a.jsonl:4", "data/b.jsonl:2"]


def test_all_agents_together_rest_on_every_adapter(project: Path) -> None:
    found = traced(project, "latest/all")
    assert {made["id"] for made in found["adapters"]} == {RAG, REVIEW}
    assert {line["hash"] for line in found["data"]["train"]} == set(HASHES[:3])


@pytest.mark.parametrize("thing", [HASHES[0][:8], "data/a.jsonl:1", "data/b.jsonl:2"])
def test_a_line_leads_to_every_adapter_it_shaped(project: Path, thing: str) -> None:
    found = traced(project, thing)
    assert [(one["id"], one["agent"], one["run"]) for one in found["shaped"]] == [
        (RAG, "rag", "20260101-a")
    ]
    assert (found["measured_in"], found["held_out_in"]) == ([], [])


def test_a_line_leads_to_the_runs_it_measured(project: Path) -> None:
    found = traced(project, "data/a.jsonl:4")
    assert [one["run"] for one in found["measured_in"]] == ["20260101-a", "20260102-b"]
    assert found["shaped"] == []


def test_an_adapter_leads_to_its_runs_scores_and_whatever_names_it(project: Path) -> None:
    found = traced(project, RAG[:6])
    assert [one["of"] for one in found["runs"]] == ["run", "evaluate"]
    assert [one["metric"] for one in found["scores"]] == ["chrf", "chrf"]
    assert [one["of"] for one in found["named_in"]] == ["promote"]
    assert {line["hash"] for line in found["train"]} == set(HASHES[:2])


@pytest.mark.parametrize(
    ("thing", "named"),
    [("nothing", "RUN/AGENT"), ("2026", "20260101-a"), ("latest/rag/nope", "rag/chrf"),
     ("data/a.jsonl:99", "RUN/AGENT"), ("", "RUN/AGENT")],
)  # fmt: skip
def test_what_is_not_clear_is_refused_with_what_there_is(
    project: Path, thing: str, named: str
) -> None:
    from yukjo.words import speak

    speak("en")
    with pytest.raises(LedgerError) as caught:
        traced(project, thing)
    assert named in caught.value.fix


def test_a_ledger_alone_still_answers(project: Path) -> None:
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        entries = ledger.entries()
    found = trace("latest/rag", entries, Files(Path("/nowhere"), Path("/nowhere")))
    assert [line["at"] for line in found["data"]["train"]] == [[], []]
    assert found["answers"]["now"] == "missing"


def test_the_command_prints_a_tree_or_the_document(
    project: Path, yukjo: Yukjo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("ledger", "trace", "latest/rag/chrf", "--project", project)
    assert json.loads(yukjo(*asked, "--json").out)["kind"] == "score"
    assert RAG in yukjo(*asked).out
    monkeypatch.chdir(project / "data")
    line = yukjo("ledger", "trace", "a.jsonl:1", "--project", project, "--json").json()
    assert line["hash"] == HASHES[0], "a path as the shell completes it"
