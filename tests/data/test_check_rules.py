"""Rules by line in the check of data: every code, for the agents that it concerns."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.agents import roles
from yukjo.data.check import check
from yukjo.data.findings import RULES, explain, level
from yukjo.data.rule_words import RULE_WORDS
from yukjo.data.rules import EVERY, GROUPS, MOST, broken
from yukjo.korean.rules import CODES
from yukjo.korean.rules import GROUPS as FINDERS
from yukjo.records import SIX

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
LABELLED = [
    json.loads(line)
    for line in (ROOT / "bench/checks/rules.jsonl").read_text(encoding="utf-8").splitlines()
]


def codes(record: dict[str, Any]) -> list[str]:
    return [fault.code for fault in broken(record)]


def test_a_broken_rule_is_a_warning_with_its_place_and_its_mend(
    tmp_path: Path, record: Record, write: Write
) -> None:
    line = record(output=f"{record()['output']} 2026. 3. 5.(수)에 알려 드립니다.")
    report = check([write(tmp_path / "a", line)])
    (found,) = report.findings
    assert (report.errors, found.code, found.level, found.field) == (
        0, "wrong-weekday", "warning", "output",
    )  # fmt: skip
    assert "`수`" in found.message
    assert "`목`" in found.fix


def test_agents_are_held_to_what_their_role_demands() -> None:
    concerned = {
        "politeness": {"polite", "plain_words", "practical_use"},
        "sources": {"cites_source"},
        "citations": {"cites_article", "cites_source"},
        "document": {"six_sections"},
        "commas": {"thousands_separators", "six_sections"},
    }
    for name, rules in concerned.items():
        demanding = {role.name for role in roles().values() if rules & set(role.rules)}
        assert {agent for agent, groups in GROUPS.items() if name in groups} == demanding


def test_all_six_are_held_to_numbers_and_days_and_so_is_any_other() -> None:
    assert set(GROUPS) == set(SIX)
    assert all(set(EVERY) <= set(groups) <= set(FINDERS) for groups in GROUPS.values())
    assert codes({"agent_type": "own", "output": "3+4=8, 2026. 3. 5.(수), 3월 5일"}) == [
        "wrong-sum",
        "wrong-weekday",
    ]


def test_every_code_has_words() -> None:
    assert set(RULE_WORDS) == set(CODES)
    assert all(RULES[code].level == "warning" for code in CODES)


def test_a_line_has_few_faults_of_one_code() -> None:
    many = {"agent_type": "rag", "output": "3+4=8, " * 40}
    assert codes(many) == ["wrong-sum"] * MOST


def test_material_are_the_question_the_input_and_earlier_turns() -> None:
    record = {
        "agent_type": "rag",
        "instruction": "2,500원이면 되나요?",
        "input": "",
        "messages": [{"role": "tool", "content": "이용료 7,100원"}],
        "output": "이용료는 7,100원이고 2,500원으로는 모자랍니다.",
    }
    assert codes(record) == []
    assert codes(record | {"output": "이용료는 9,876원입니다."}) == ["not-supported"]
    assert codes(record | {"output": "이용료는 9,876원입니다.", "messages": []}) == []


@pytest.mark.parametrize("split", ["seen", "held"])
def test_on_the_labelled_set_no_rule_is_often_wrong(split: str) -> None:
    spec = importlib.util.spec_from_file_location("checks_rules", ROOT / "bench/checks_rules.py")
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    table = bench.measured([row for row in LABELLED if row["split"] == split])
    assert table["all"]["precision"] >= 0.95
    assert table["all"]["recall"] >= 0.85


def test_the_labelled_set_is_what_its_readme_says() -> None:
    assert len(LABELLED) >= 220
    assert len({(row["agent"], row["text"], row.get("material")) for row in LABELLED}) == len(
        LABELLED
    )
    assert {code for row in LABELLED for code in row["faults"]} == set(CODES)
    clean = sum(not row["faults"] for row in LABELLED)
    assert 0.4 < clean / len(LABELLED) < 0.6
    assert {row["agent"] for row in LABELLED} <= set(SIX)


@pytest.mark.parametrize("name", ["practice", "example"])
def test_the_data_of_the_example_breaks_no_rule(name: str) -> None:
    file = ROOT / "examples/gov/data" / f"{name}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [(n, codes(json.loads(line))) for n, line in enumerate(lines, 1)
            if codes(json.loads(line))] == []  # fmt: skip


JSON = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
FIELDS = ("output", "input", "instruction", "messages", "agent_type")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from([*SIX, [{"content": "1"}]])))
def test_any_record_can_be_judged(record: dict[str, Any]) -> None:
    for fault in broken(record):
        assert level(fault) == "warning"
        assert explain(fault, file="", line=1).message
