"""The eight questions of data quality (G9): what the program says, what people confirmed.

1. Every question is answered for every agent: by the program, by people, or by both.
2. A program's answer names its checks, those that found nothing too; a finding is counted once a
   line and check.
3. People's answers are approvals in the ledger: an item of a sample is confirmed when as many
   people as the sample needs have confirmed it. Where nobody has, it is open, and said so.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, computed_field

from yukjo.agents import Role
from yukjo.data.check import check
from yukjo.data.findings import RULES, Finding
from yukjo.data.lines import name_of, read_lines
from yukjo.data.parse import parse
from yukjo.data.plan import DIFFICULTY, AgentPlan, plan
from yukjo.data.read import read
from yukjo.data.stats import uses_tools
from yukjo.data_review.book import Book
from yukjo.data_review.records import ITEMS, Item, Subject
from yukjo.evaluate.conformance import broken
from yukjo.files import hash_json, sha256_file
from yukjo.records import Frozen, Sample

RECORDED = "data-checklist"
"""The kind of the ledger's entry of a checklist that was recorded."""

Question = Literal[
    "accuracy", "relevance", "diversity", "difficulty", "format", "natural", "length", "tools"
]
QUESTIONS: tuple[Question, ...] = get_args(Question)

OFF_BALANCE = 5
"""Percentage points by which a difficulty's share may differ from the plan's."""

_DIVERSITY = {"near-duplicate", "duplicate-line", "other-answer"}
_NATURAL = {"not-korean", "mixed-politeness", "foreign-word"}
_LENGTH = {"short-output", "long-output"}
_ACCURACY = {
    "not-supported", "percent-point", "impossible-date", "wrong-sum", "wrong-rate", "wrong-share",
    "wrong-weekday", "wrong-period", "wrong-deadline", "quote-not-found", "source-not-shown",
    "law-not-shown", "article-not-shown",
}  # fmt: skip


class Answer(Frozen):
    """One question's answer for one agent."""

    checks: dict[str, int]
    """Check of the program -> how many lines (or parts of the plan) it found wrong."""
    asked: int = 0
    """Samples that people are asked about; 0 where the question is the program's alone."""
    confirmed: int = 0
    returned: int = 0
    confirmed_by: dict[str, int] = Field(default_factory=dict)
    """Reviewer -> how many samples they confirmed it of."""

    @computed_field  # type: ignore[prop-decorator]  # mypy/issues/14461
    @property
    def open(self) -> int:
        """Samples of which nobody has said anything yet, or not enough people have."""
        return self.asked - self.confirmed - self.returned

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether the program found nothing and people have confirmed all they are asked."""
        return not any(self.checks.values()) and self.confirmed == self.asked


class AgentList(Frozen):
    """The eight answers for one agent."""

    samples: int
    answers: dict[Question, Answer]


class Checklist(Frozen):
    """The eight answers for each agent that has samples."""

    files: dict[str, str]
    """File -> SHA-256."""
    samples_sha256: str
    """Hash over the sorted hashes of the samples."""
    agents: dict[str, AgentList]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def done(self) -> bool:
        """Whether nothing is wrong or open."""
        return all(a.ok for each in self.agents.values() for a in each.answers.values())


def checklist(
    files: Sequence[Path],
    *,
    known: Mapping[str, Role],
    book: Book,
    contacts: Collection[str] = (),
) -> Checklist:
    """Put the eight questions to the program and to what people said in `book`.

    `contacts` may stand in the texts, as `[data] allowed_contacts` has them.
    DataError where a line has an error: what can't be read can't be judged.
    """
    samples = read(files, agents=known, contacts=contacts).samples
    by_agent = {name: [s for s in samples if s.agent_type == name] for name in known}
    by_agent = {name: own for name, own in by_agent.items() if own}
    found = _found(files, known, contacts)
    tooled = [name for name, role in known.items() if role.tools]
    gaps = plan(samples, agents=tuple(by_agent), tooled=tooled).agents
    return Checklist(
        files={name_of(file): sha256_file(file) for file in files},
        samples_sha256=hash_json(sorted(sample.hash for sample in samples)),
        agents={
            name: AgentList(
                samples=len(own),
                answers=_answers(own, known[name], found.get(name, {}), gaps[name], book),
            )
            for name, own in by_agent.items()
        },
    )


def question_of(code: str) -> Question:
    """The question that a code of `yukjo data check` belongs to."""
    if code in _DIVERSITY:
        return "diversity"
    if code in _NATURAL:
        return "natural"
    if code in _ACCURACY:
        return "accuracy"
    return "length" if code in _LENGTH else "format"


def _found(
    files: Sequence[Path], agents: Collection[str], contacts: Collection[str]
) -> dict[str, Counter[str]]:
    """Agent -> code -> lines on which `check` found it."""
    seen: set[tuple[str, int, str]] = set()

    def note(finding: Finding) -> None:
        seen.add((finding.file, finding.line, finding.code))

    check(files, agents=agents, contacts=contacts, each=note)
    places = {(file, line) for file, line, _ in seen}
    whose = {place: agent for place, agent in _agents(files) if place in places}
    counts: dict[str, Counter[str]] = {}
    for file, line, code in seen:
        # What is wrong with a file as a whole is wrong for all who have lines in it.
        for agent in [whose[file, line]] if (file, line) in whose else sorted(agents):
            counts.setdefault(agent, Counter())[code] += 1
    return counts


def _agents(files: Sequence[Path]) -> Iterator[tuple[tuple[str, int], str]]:
    """The agent of each line."""
    for file in files:
        for line in read_lines(file):
            record = parse(line.data or b"")
            if isinstance(record, dict):
                yield (name_of(file), line.number), str(record.get("agent_type"))


def _answers(
    samples: Sequence[Sample], role: Role, codes: Mapping[str, int], gap: AgentPlan, book: Book
) -> dict[Question, Answer]:
    """The eight answers for one agent."""
    checks: dict[Question, dict[str, int]] = {question: {} for question in QUESTIONS}
    for code in [*RULES, *(code for code in codes if code not in RULES)]:
        if code not in RULES or RULES[code].level == "warning":
            checks[question_of(code)][code] = codes.get(code, 0)
    checks["diversity"] |= {
        "topic-absent": len(gap.absent),
        "exception-kind-absent": sum(kind.have == 0 for kind in gap.kinds.values()),
    }
    checks["difficulty"] = {"difficulty-off": _off_balance(gap)}
    rules = Counter(rule for s in samples for rule in broken(role, s, s.output))
    checks["format"] |= {f"rule-{rule}": rules[rule] for rule in role.rules}
    checks["tools"] = dict(_tools(samples, role))
    return {question: _answer(question, checks[question], samples, book) for question in QUESTIONS}


def _off_balance(gap: AgentPlan) -> int:
    """How many difficulties are too far from their share of the plan."""
    total = sum(part.have for part in gap.difficulty.values())
    shares = {name: 100 * part.have / max(total, 1) for name, part in gap.difficulty.items()}
    return sum(abs(shares[name] - DIFFICULTY[name]) > OFF_BALANCE for name in shares)


def _answer(
    question: Question, checks: dict[str, int], samples: Sequence[Sample], book: Book
) -> Answer:
    """The program's findings, and people's words where they are asked."""
    item: Item | None = next((item for item in ITEMS if item == question), None)
    if item is None:
        return Answer(checks=checks)
    asked = confirmed = returned = 0
    by: Counter[str] = Counter()
    for sample in samples:
        subject = book.subjects.get(sample.hash) or Subject.of(sample)
        if item not in subject.asked:
            continue
        asked += 1
        last = book.last(sample.hash)
        words = [said.decision for said in last.values()]
        if any(word.verdict == "return" for word in words):
            returned += 1
            continue
        people = [word.reviewer for word in words if item in word.items]
        by.update(people)
        confirmed += len(people) >= subject.needed
    return Answer(
        checks=checks, asked=asked, confirmed=confirmed, returned=returned,
        confirmed_by=dict(sorted(by.items())),
    )  # fmt: skip


def _tools(samples: Sequence[Sample], role: Role) -> Counter[str]:
    """Tools called that the agent doesn't have, calls without a result, results without a call.

    And an agent with tools of which no sample shows a result.
    """
    found = Counter({"tool-unknown": 0, "tool-unanswered": 0, "tool-uncalled": 0})
    found["tool-results-absent"] = bool(role.tools) and not any(map(uses_tools, samples))
    for sample in samples:
        called = False
        for turn in sample.messages:
            call = called_tool(turn.content) if turn.role == "assistant" else None
            found["tool-unanswered"] += called and turn.role != "tool"
            found["tool-uncalled"] += not called and turn.role == "tool"
            found["tool-unknown"] += call is not None and call not in role.tools
            called = call is not None
        found["tool-unanswered"] += called
    return found


def called_tool(text: str) -> str | None:
    """The tool that a turn calls as the model writes it; None where it is no call.

    >>> called_tool('{"tool": "calculator", "arguments": {"expression": "1 + 1"}}')
    'calculator'
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        call: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    named = isinstance(call, dict) and isinstance(call.get("arguments"), dict)
    return str(call["tool"]) if named and "tool" in call else None
