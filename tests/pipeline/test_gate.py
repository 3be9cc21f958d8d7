"""The gate as a user meets it: sealed targets, a verdict, promotion through it, the way back."""

import json
import math
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tampering import execute, unguarded
from toys import Yukjo
from yukjo.adapters.store import PRODUCTION, Store
from yukjo.ledger.store import Ledger
from yukjo.records import Entry

EASY = """
[gate]
preset = "none"
[gate.targets.fine]
metric = "perplexity"
kind = "difference"
bar = -1e9
least = 1
[gate.targets.memory]
metric = "memory_gb"
agent = "all"
kind = "level"
bar = 20
least = 1
"""
"""Targets that any adapter of a toy reaches."""
BRIEF = ("--set", "train.max_steps=1")


@pytest.fixture(scope="module")
def kept() -> dict[str, Path]:
    """Projects that were run once, to be copied."""
    return {}


@pytest.fixture
def ran(
    kept: dict[str, Path], project_in: Callable[[Path], Path], yukjo: Yukjo, tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:  # fmt: skip
    """A project with these settings beside the usual ones, after `yukjo run`."""

    def made(settings: str) -> Path:
        if settings not in kept:
            project = project_in(tmp_path_factory.mktemp("kept"))
            with (project / "yukjo.toml").open("a", encoding="utf-8") as file:
                file.write(settings)
            said = yukjo("run", "-p", project, *BRIEF)
            assert said.code == 0, said.err
            kept[settings] = project
        return Path(shutil.copytree(kept[settings], tmp_path / "ran"))

    return made


def entries(project: Path, kind: str | None = None) -> list[Entry]:
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        return ledger.entries(kind)


def adapters(project: Path) -> dict[str, str]:
    return {m.agent: m.id for m in reversed(Store(project / "runs" / "adapters").all())}


def pointer(project: Path) -> Any:
    return json.loads((project / "runs" / "adapters" / PRODUCTION).read_text(encoding="utf-8"))


def test_a_run_is_sealed_before_it_trains_and_judged_after(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    seal, run, verdict = entries(project)
    assert (seal.kind, run.kind, verdict.kind) == ("seal", "run", "verdict")
    assert seal.body["steps"] == 0
    assert seal.body["targets"][0]["name"] == "perplexity"
    assert {"cases", "baseline", "metrics", "hash"} <= seal.body.keys()
    assert (verdict.body["seal"], verdict.body["entry"]) == (seal.number, run.number)
    assert verdict.body["adapters"] == adapters(project)
    shown: Any = yukjo("ledger", "show", "-p", project, "--json").json()
    assert shown["gate"]["rule"] == "perplexity/rag"  # the first rule in the preset's order
    assert shown["gate"]["verdict"] == verdict.body["verdict"] == "hold"
    assert set(shown) >= {"run", "agents", "entry"}
    lines = {(line["target"], line["agent"]): line for line in shown["gate"]["lines"]}
    assert lines["quality", "rag"]["why"] == lines["speed", "all"]["why"] == "absent"
    assert lines["memory", "all"]["ruling"] == "pass"
    names = {m["name"] for m in shown["agents"]["rag"]["metrics"]}
    assert {"baseline_perplexity", "baseline_accuracy"} <= names
    (page,) = (project / "runs").glob("*/report.html")
    assert "△ 보류" in page.read_text(encoding="utf-8")


def test_a_verdict_is_given_again_when_people_have_judged(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    held = yukjo("gate", "latest", "-p", project)
    assert held.code == 1
    assert "판정: 보류" in held.out
    quality = {"before": 2.0, "after": 4.5, "low": 4.2, "high": 4.8, "n": 30}
    with Ledger(project / "runs" / "ledger.sqlite") as ledger:
        scored = {"rag": {"quality": quality}, "review": {"quality": quality | {"low": 3.1}}}
        ledger.append("review", "r", {"adapters": adapters(project), "agents": scored})
        ledger.append("latency", "r", {"adapters": adapters(project), "seconds": [1.5] * 59})
    judged: Any = yukjo("gate", "-p", project, "--json").json()
    lines = {(line["target"], line["agent"]): line for line in judged["lines"]}
    assert lines["quality", "rag"]["ruling"] == lines["speed", "all"]["ruling"] == "pass"
    assert lines["quality", "review"]["ruling"] == "hold"
    assert len(entries(project, "verdict")) == 3
    assert yukjo("gate", "nothing", "-p", project).code == 2


def test_a_held_adapter_is_not_promoted_and_the_rule_is_named(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    said = yukjo("promote", "rag", "-p", project)
    assert said.code == 1
    assert "speed 보류" in said.err
    assert not (project / "runs" / "adapters" / PRODUCTION).exists()
    assert entries(project, "promote") == []


def test_a_passed_adapter_goes_into_production_and_back_out(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project, reason = ran(EASY), ("--reason", "2분기 배포")
    store, ids = Store(project / "runs" / "adapters"), adapters(project)
    assert [m.agent for m in store.serving()] == ["rag", "review"]  # nothing was promoted yet
    assert yukjo("promote", "rag", *reason, "-p", project).code == 0
    assert yukjo("promote", ids["rag"][:10], "-p", project).code == 0  # it stands already
    (entry,) = entries(project, "promote")
    assert entry.body == {
        "agent": "rag", "adapter": ids["rag"], "reason": "2분기 배포", "from": None,
        "verdict": entries(project, "verdict")[-1].number,
    }  # fmt: skip
    assert pointer(project) == {"rag": ids["rag"]}
    assert [m.id for m in store.serving()] == [ids["rag"]]
    undone: Any = yukjo("rollback", "rag", "-p", project, "--json").json()
    assert (undone["adapter"], undone["from"]) == (None, ids["rag"])
    assert pointer(project) == {}
    assert store.serving() == []  # a rollback to nothing must not serve what was rolled back
    assert yukjo("rollback", "rag", "-p", project).code == 2
    assert yukjo("ledger", "verify", "-p", project).code == 0


def test_a_verdict_edited_behind_the_ledgers_back_promotes_nobody(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    file = project / "runs" / "ledger.sqlite"
    unguarded(file)
    execute(file, """UPDATE entries SET body = replace(body, '"hold"', '"pass"')""")
    for command in (("promote", "rag"), ("gate", "latest")):
        said = yukjo(*command, "-p", project)
        assert said.code == 2
        assert "기록한 뒤에 내용이 바뀌었습니다" in said.err
    assert not (project / "runs" / "adapters" / PRODUCTION).exists()


def test_a_rollback_leads_to_the_adapter_before(ran: Callable[[str], Path], yukjo: Yukjo) -> None:
    project = ran(EASY)
    first = adapters(project)["rag"]
    assert yukjo("promote", "rag", "-p", project).code == 0
    assert yukjo("run", "-p", project, *BRIEF, "--set", "seed=1").code == 0
    second = adapters(project)["rag"]
    assert yukjo("promote", "rag", "-p", project).code == 0
    assert pointer(project) == {"rag": second}
    assert yukjo("rollback", "rag", "-p", project).code == 0
    assert pointer(project) == {"rag": first}
    assert [m.id for m in Store(project / "runs" / "adapters").serving()] == [first]


@pytest.mark.parametrize("left", [None, "{}"])
def test_a_step_killed_before_the_pointer_is_ended_by_the_same_command(
    left: str | None, ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    """The entry is written first: what a kill leaves is the old pointer."""
    project = ran(EASY)
    file = project / "runs" / "adapters" / PRODUCTION
    assert yukjo("promote", "rag", "-p", project).code == 0
    after = file.read_text(encoding="utf-8")
    _put(file, left)
    assert yukjo("promote", "rag", "-p", project).code == 0
    assert file.read_text(encoding="utf-8") == after
    assert len(entries(project, "promote")) == 1
    assert yukjo("rollback", "rag", "-p", project).code == 0
    _put(file, after)
    assert yukjo("rollback", "rag", "-p", project).code == 0
    assert pointer(project) == {}
    assert len(entries(project, "rollback")) == 1


def _put(file: Path, text: str | None) -> None:
    file.unlink() if text is None else file.write_text(text, encoding="utf-8")


def test_a_pointer_that_is_no_pointer_is_refused(ran: Callable[[str], Path], yukjo: Yukjo) -> None:
    project = ran(EASY)
    assert yukjo("promote", "rag", "-p", project).code == 0
    _put(project / "runs" / "adapters" / PRODUCTION, "[1")
    said = yukjo("rollback", "rag", "-p", project)
    assert said.code == 2
    assert PRODUCTION in said.err


def test_targets_moved_after_the_training_can_not_pass(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran(EASY)
    same: Any = yukjo("evaluate", "-p", project, "--json").json()
    assert (same["gate"]["verdict"], same["gate"]["seal"]) == ("pass", 1)
    assert same["gate"]["lines"][1]["ruling"] == "pass"  # the memory of the run that trained them
    moved = ("--set", "gate.targets.fine.bar=-2e9")
    found: Any = yukjo("evaluate", "-p", project, *moved, "--json").json()
    assert (found["gate"]["verdict"], found["gate"]["rule"]) == ("hold", "seal/all")
    assert yukjo("promote", "rag", "-p", project).code == 1


def test_targets_moved_in_the_middle_of_a_run_are_a_new_seal_that_can_not_pass(
    project: Path, yukjo: Yukjo
) -> None:
    with (project / "yukjo.toml").open("a", encoding="utf-8") as file:
        file.write(EASY)
    assert yukjo("train", "-p", project, *BRIEF).code == 0  # it has not been measured yet
    moved = ("--set", "gate.targets.fine.bar=-2")
    said = yukjo("run", "-p", project, "--resume", "latest", *BRIEF, *moved, "--json")
    document: Any = said.json()
    assert document["gate"]["rule"] == "seal/all"
    first, second = entries(project, "seal")
    assert first.body["steps"] == 0 < second.body["steps"]
    assert first.body["hash"] != second.body["hash"]


def test_an_adapter_that_forgets_is_a_regression_and_ends_the_run_with_1(
    project: Path, yukjo: Yukjo
) -> None:
    strong = ("--set", "train.learning_rate=0.3", "--set", "evaluate.baseline_cases=20")
    said = yukjo("run", "-p", project, *strong, "--json")
    assert said.code == 1, said.err
    gate: Any = said.json()["gate"]
    assert (gate["verdict"], gate["rule"]) == ("regression", "baseline/rag")
    assert yukjo("promote", "rag", "-p", project).code == 1


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ('gate.targets={x={metric="perplexty"}}', "perplexity"),
        ('gate.targets={x={metric="chrf", agent="ragg"}}', "rag"),
        ('gate.targets={x={metric="chrf", kind="more"}}', "kind"),
        ('gate.preset="goverment"', "preset"),
    ],
)
def test_a_target_of_nothing_is_refused_before_the_training(
    setting: str, word: str, project: Path, yukjo: Yukjo
) -> None:
    said = yukjo("run", "-p", project, "--set", setting)
    assert said.code == 2
    assert word in said.err
    assert list((project / "runs").glob("*/best")) == []


def test_the_plan_says_how_many_cases_are_needed(project: Path, yukjo: Yukjo) -> None:
    plan: Any = yukjo("evaluate", "--plan", "-p", project, "--json").json()
    assert plan["comparisons"] == 6  # three targets of gains, two agents
    assert set(plan["agents"]) == {"rag", "review"}
    needs = {(row["target"], row["agent"]): row for row in plan["targets"]}
    assert needs["speed", "all"]["needed"] == 59
    assert 270 <= needs["selection", "all"]["needed"] <= 310
    assert needs["baseline", "rag"]["cases"] == 2
    table = yukjo("evaluate", "--plan", "-p", project)
    assert table.code == 0
    assert "필요한 사례" in table.out
    assert yukjo("evaluate", "--plan", "--cross", "-p", project).code == 2


def test_every_adapter_is_tried_on_every_case_and_the_results_are_a_page(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    router = ("--set", "router.fallback=rag")
    found: Any = yukjo("evaluate", "--cross", "-p", project, *router, "--json").json()
    cells = found["cells"]
    assert {owner: set(row) for owner, row in cells.items()} == {
        "rag": {"rag", "review"}, "review": {"rag", "review"}
    }  # fmt: skip
    for owner, row in cells.items():
        own: Any = entries(project, "run")[-1].body["agents"][owner]["metrics"][0]
        assert row[owner]["n"] == own["n"]
        # Asked of its own agent, a case loses what the run measured.
        gained = math.log(own["after"] / own["before"])
        assert row[owner]["difference"] == pytest.approx(gained, abs=1e-4)
    own_loss, chosen = found["oracle"]["difference"], found["router"]["difference"]
    assert found["misroute"]["difference"] == pytest.approx(chosen - own_loss)
    assert found["routed"]["n"] == sum(row["rag"]["n"] for row in cells.values())
    (entry,) = entries(project, "cross")
    assert entry.body["cells"] == cells
    table = yukjo("evaluate", "--cross", "-p", project, *router)
    assert "사례의 주인" in table.out
    page = yukjo("report", "latest", "--markdown", "-p", project)
    assert page.code == 0
    for part in (
        "# 결과",
        "판정: 보류",
        "일반 능력 문항의 퍼플렉시티",
        "## 모든 어댑터와 모든 사례",
    ):
        assert part in page.out
    assert page.out == yukjo("report", "latest", "--markdown", "-p", project).out
    assert "<!DOCTYPE html>" in yukjo("report", "-p", project).out


def test_a_run_killed_before_its_verdict_is_judged_when_it_is_gone_on_with(
    ran: Callable[[str], Path], yukjo: Yukjo
) -> None:
    project = ran("")
    with closing(sqlite3.connect(project / "runs" / "ledger.sqlite")) as file, file:
        triggers = file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            file.execute(f"DROP TRIGGER {name}")
        file.execute("DELETE FROM entries WHERE kind = 'verdict'")
    assert [entry.kind for entry in entries(project)] == ["seal", "run"]
    for _ in range(2):
        assert yukjo("run", "-p", project, "--resume", "latest", *BRIEF).code == 0
    assert [entry.kind for entry in entries(project)] == ["seal", "run", "verdict"]
