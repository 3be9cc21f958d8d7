"""The same run again: the same adapters, or a plain word on what is other."""

import json
from pathlib import Path
from typing import Any

import pytest

from toys import Yukjo
from yukjo.ledger.store import Ledger
from yukjo.pipeline.reproduce import Pair, differences
from yukjo.train.memory import record, recorded

TRAIN = ("train.max_steps=3", "train.accumulate=1")


def trained(project: Path, yukjo: Yukjo, *more: str) -> str:
    changes = [part for change in TRAIN for part in ("--set", change)]
    said = yukjo("train", "-p", project, *changes, *more)
    assert said.code == 0, said.err
    return said.out.strip()


def recorded_otherwise(project: Path, change: Any) -> None:
    """Append the run's entry again, changed: the newest counts."""
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        (entry,) = ledger.entries(kind="train")
        body = json.loads(json.dumps(entry.body))
        change(body)
        ledger.append("train", entry.run, body)


def test_a_run_is_trained_again_to_the_same_bits_and_that_is_recorded(
    project: Path, yukjo: Yukjo
) -> None:
    run = trained(project, yukjo, "--deterministic")
    for name in (run, "latest"):  # the second finds the run, not its reproduction
        said = yukjo("reproduce", name, "-p", project, "--json")
        assert said.code == 0, said.err
        document: Any = said.json()
        assert (document["reproduces"], document["same"], document["differs"]) == (run, True, {})
        assert all(pair["recorded"] == pair["found"] for pair in document["compared"].values())
        assert document["compared"].keys() == {"rag", "review"}
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        entry = ledger.entries(kind="reproduce")[0]
    assert entry.body["reproduces"] == run
    assert entry.body["versions"]["threads"] == "1"
    assert entry.body["config"]["train"]["deterministic"] is True
    listed: Any = yukjo("adapter", "list", "-p", project, "--json").json()["adapters"]
    assert {a["run"] for a in listed} == {run}
    assert {a["versions"]["threads"] for a in listed} == {"1"}


def test_it_is_trained_again_in_the_packs_that_the_machine_then_allowed(
    project: Path, yukjo: Yukjo
) -> None:
    run = trained(project, yukjo)
    agreed = recorded(project / "runs" / run)
    assert agreed
    fewer = agreed.model_copy(update={"pack_tokens": agreed.pack_tokens // 2})
    record(fewer, project / "runs" / run)
    made: Any = yukjo("reproduce", run, "-p", project, "--json").json()
    packed = recorded(project / "runs" / made["run"])
    assert packed
    assert packed.pack_tokens == fewer.pack_tokens


def test_another_adapter_ends_with_1_and_what_differs_is_named(project: Path, yukjo: Yukjo) -> None:
    trained(project, yukjo)

    def other(body: dict[str, Any]) -> None:
        body["adapters"]["rag"]["id"] = "0" * 64
        body["versions"] |= {"torch": "1.0", "threads": "7"}
        body["machine"]["cpu"] = "abacus"

    recorded_otherwise(project, other)
    said = yukjo("reproduce", "latest", "-p", project)
    assert said.code == 1
    (rag,) = [line for line in said.out.splitlines() if "rag" in line]
    (review,) = [line for line in said.out.splitlines() if "review" in line]
    assert "다름" in rag
    assert "같음" in review
    for name, was in (("torch", "1.0"), ("threads", "7"), ("cpu", "abacus")):
        assert f"{name}: 기록은 {was}, 지금은" in said.out


@pytest.mark.parametrize("spoil", ["changed", "gone"])
def test_other_data_is_refused_by_name(project: Path, yukjo: Yukjo, spoil: str) -> None:
    trained(project, yukjo)
    data = project / "data.jsonl"
    if spoil == "gone":
        data.unlink()
    else:
        data.write_text(data.read_text(encoding="utf-8").replace("도로", "철도"), encoding="utf-8")
    said = yukjo("reproduce", "latest", "-p", project)
    assert (said.code, said.out) == (2, "")
    assert "data.jsonl" in said.err


@pytest.mark.parametrize(
    ("part", "named"),
    [(("base", "hash"), "베이스"), (("template_hash",), "채팅 템플릿"),
     (("adapters", "rag", "prompt_hash"), "rag")],
)  # fmt: skip
def test_another_base_or_other_words_are_refused_by_name(
    project: Path, yukjo: Yukjo, part: tuple[str, ...], named: str
) -> None:
    trained(project, yukjo)

    def other(body: dict[str, Any]) -> None:
        for key in part[:-1]:
            body = body[key]
        body[part[-1]] = "other"

    recorded_otherwise(project, other)
    said = yukjo("reproduce", "latest", "-p", project)
    assert said.code == 2
    assert f"달라졌습니다: {named}" in said.err.replace("[agents] ", "")


def test_a_run_that_never_ended_has_nothing_to_compare_with(project: Path, yukjo: Yukjo) -> None:
    run = project / "runs" / "20260101-000000-000000"
    run.mkdir(parents=True)
    (run / "plan.json").write_text("{}")
    said = yukjo("reproduce", "latest", "-p", project)
    assert said.code == 2
    assert "--resume" in said.err


def test_differences_are_of_versions_and_machine_and_lack_is_one() -> None:
    then = {"versions": {"torch": "1", "peft": "2"}, "machine": {"cores": 2, "memory_gb": 4}}
    now = {"versions": {"torch": "1", "threads": "2"}, "machine": {"cores": 4, "memory_gb": 4.0}}
    assert differences(then, now) == {
        "peft": Pair("2", None),
        "threads": Pair(None, "2"),
        "cores": Pair("2", "4"),
    }
