"""The stage-1 set of examples/gov: its plan, its answers, and each tool result in it replayed.

1. A tool result stands in a sample as the service puts it there: by rule in `input`, or in a
   `tool` turn after a call that the service takes for one. Here the same code over the same
   material must give it again, letter by letter.
2. Passages are found by words alone: the index is made without vectors, so that no machine's
   rounding moves a passage, and a server with embeddings may rank them otherwise.
3. Where the day isn't in the call, it is the one that the result itself names.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from pathlib import Path

import pytest

from yukjo.agents import role
from yukjo.config.models import ToolsConfig
from yukjo.data.check import check
from yukjo.data.duplicates import near_groups
from yukjo.data.plan import plan
from yukjo.data.read import read
from yukjo.evaluate.conformance import broken
from yukjo.evaluate.reading import part, quotes
from yukjo.korean.days import days
from yukjo.korean.morphemes import morphemes
from yukjo.records import DIFFICULTIES, SIX, Message, Sample
from yukjo.serve import wire
from yukjo.serve.chat import called, offered
from yukjo.serve.tools import Toolbox, laws
from yukjo.serve.tools.index import build
from yukjo.serve.tools.means import Means

DATA = Path(__file__).parents[2] / "examples/gov/data"
STAGE1 = DATA / "stage1"
MATERIAL = STAGE1 / "material"
FILES = {path.stem: path for path in sorted(STAGE1.glob("*.jsonl"))}
SAMPLES = {agent: read([path], agents=SIX).samples for agent, path in FILES.items()}
EXCEPTIONS = {
    "정보 부족",
    "잘못된 전제",
    "범위 밖",
    "도구 오류",
    "화난 민원인",
    "거절",
    "자료 상충",
}
TOOL_LINES = {"rag": 35, "legal_research": 35, "data_analysis": 35}
NOTE = "; 도구 결과:"
"""In the `source` of a sample that holds what a tool gave."""


def test_the_sets_of_the_agents_with_material_are_there() -> None:
    assert {"rag", "legal_research"} <= FILES.keys() <= set(SIX)


@pytest.mark.parametrize("agent", FILES)
def test_a_set_is_what_stage_1_plans(agent: str) -> None:
    samples = SAMPLES[agent]
    assert [s.id for s in samples] == [f"{agent}-s{n:03d}" for n in range(1, 101)]
    assert {s.agent_type for s in samples} == {agent}
    planned = plan(samples, agents=[agent]).agents[agent]
    assert planned.done
    assert all(gap.have == gap.want for gap in planned.difficulty.values())
    assert all(gap.have == gap.want for gap in planned.topics.values())
    assert {s.difficulty for s in samples} == set(DIFFICULTIES)
    assert {s.exception for s in samples if s.exception} <= EXCEPTIONS
    assert sum(bool(s.messages) for s in samples) >= 12


@pytest.mark.parametrize("agent", FILES)
def test_every_answer_keeps_the_rules_of_its_role(agent: str) -> None:
    found = {s.name: broken(role(agent), s, s.output) for s in SAMPLES[agent]}
    assert not {name: rules for name, rules in found.items() if rules}


def test_no_line_has_an_error_or_a_warning() -> None:
    report = check([*FILES.values(), DATA / "practice.jsonl"], agents=SIX)
    assert not report.findings


def test_no_line_is_near_another_one() -> None:
    practice = read([DATA / "practice.jsonl"], agents=SIX).samples
    every = [*practice, *(sample for samples in SAMPLES.values() for sample in samples)]
    texts = [f"{s.instruction}\n{s.input}\n{s.output}" for s in every]
    first = near_groups(texts)
    near = [(every[a].name, every[b].name) for b, a in enumerate(first) if a != b]
    assert not near


@pytest.mark.parametrize("sample", SAMPLES.get("legal_research", ()), ids=lambda s: s.name)
def test_every_quotation_of_law_stands_in_its_material(sample: Sample) -> None:
    given: list[str] = []
    quoted = 0
    for turn in (*sample.messages, *_last_turn(sample)):
        if turn.role != "assistant":
            given.append(_squeezed(turn.content))
            continue
        for quote in quotes(part(turn.content, "[조문]")):
            quoted += 1
            assert any(_squeezed(quote) in text for text in given), quote
    assert quoted


# Tools


class _Today:
    """Stands for `datetime` where the tool asks for the day."""

    def __init__(self, day: date) -> None:
        self._day = day

    def now(self) -> datetime:
        return datetime.combine(self._day, time(12))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    """The tools over the material, as the service makes them."""
    place = tmp_path_factory.mktemp("index")
    folders = ToolsConfig(documents=Path("documents"), laws=Path("laws"))
    built = build(
        {"documents": MATERIAL / "documents", "laws": MATERIAL / "laws"},
        place,
        Means(morphemes, "kiwi"),
    )
    assert not built.faults
    tables = Path("tables") if (MATERIAL / "tables").is_dir() else None
    return Toolbox(folders.model_copy(update={"index": place, "tables": tables}), MATERIAL)


@pytest.mark.parametrize("agent", sorted(TOOL_LINES.keys() & FILES.keys()))
def test_enough_lines_hold_what_a_tool_gave(agent: str) -> None:
    marked = [s for s in SAMPLES[agent] if NOTE in (s.source or "")]
    assert len(marked) >= TOOL_LINES[agent]


@pytest.mark.parametrize("agent", FILES)
def test_what_tools_found_by_rule_is_what_they_find(
    agent: str, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = box.for_agent(role(agent))
    for sample in SAMPLES[agent]:
        if NOTE not in (sample.source or "") or _tool_turns(sample):
            continue
        _at_the_day_of(sample.input, monkeypatch)
        found = [one.text for one in own.by_rule(sample.instruction) if not one.failed]
        assert found, sample.name
        assert sample.input == "\n\n".join(found), sample.name


@pytest.mark.parametrize("agent", FILES)
def test_what_a_call_gave_is_what_it_gives(
    agent: str, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = box.for_agent(role(agent))
    request = {"model": agent, "messages": [{"role": "user", "content": "-"}]}
    functions = offered(
        wire.ChatRequest.model_validate({**request, "tools": own.schemas() or None})
    )
    for sample in SAMPLES[agent]:
        for call, gave in _tool_turns(sample):
            made = called(call.content, functions)
            assert made is not None, (sample.name, call.content)
            name, arguments = made.function.name, made.function.arguments
            written = f'{{"tool": {json.dumps(name)}, "arguments": {arguments}}}'
            assert call.content == written, sample.name
            _at_the_day_of(gave.content, monkeypatch)
            assert own.call(name, arguments).text == gave.content, sample.name


@pytest.mark.parametrize("agent", FILES)
def test_a_tool_result_is_marked_and_answered(agent: str) -> None:
    for sample in SAMPLES[agent]:
        turns = _tool_turns(sample)
        assert len(turns) == sum(turn.role == "tool" for turn in sample.messages), sample.name
        if turns or sample.input.startswith("`>`"):
            assert NOTE in (sample.source or ""), sample.name
        roles = [turn.role for turn in (*sample.messages, *_last_turn(sample))]
        for before, after in pairwise(roles):
            assert after == "assistant" or before == "assistant", sample.name
            assert not (before == after == "assistant"), sample.name


def _last_turn(sample: Sample) -> Iterator[Message]:
    yield Message(role="user", content=f"{sample.instruction}\n\n{sample.input}")
    yield Message(role="assistant", content=sample.output)


def _tool_turns(sample: Sample) -> Sequence[tuple[Message, Message]]:
    """Each call with what it gave."""
    turns = sample.messages
    return [
        (call, gave)
        for call, gave in pairwise(turns)
        if call.role == "assistant" and gave.role == "tool"
    ]


def _at_the_day_of(result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make today the day that a result of `legal_reference` was asked for."""
    for line in result.splitlines():
        if stated := re.search(r"^「.*, (\d{4}\. \d+\. \d+\.) 기준", line):
            monkeypatch.setattr(laws, "datetime", _Today(days(stated[1])[0]))
            return


def _squeezed(text: str) -> str:
    return "".join(text.split())
