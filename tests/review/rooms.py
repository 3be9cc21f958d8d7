"""Sessions made by hand: answers that say which they are, raters who say what they are told."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from yukjo.ledger.store import Ledger
from yukjo.records import Answer, Sample
from yukjo.review import Contest, Opinion, Room, Seal, Session, Terms, start
from yukjo.review.draw import draw
from yukjo.review.rating import Rating, Sheet
from yukjo.review.room import Started

BASE, TUNED = "", "ab" * 32


def sample(agent: str, number: int) -> Sample:
    return Sample(instruction=f"{number}번 도로의 점검 결과는?", input=f"점검표 {number}쪽",
                  output=f"기준 답 {number}", agent_type=agent)  # fmt: skip


def answer(case: Sample, text: str, adapter: str, repeat: int = 0) -> Answer:
    return Answer(case=case.hash, agent=case.agent_type, adapter=adapter, repeat=repeat, text=text,
                  tokens=3, seconds=0.1, finish="stop")  # fmt: skip


def contests(**counts: int) -> list[Contest]:
    """So many cases of each agent."""
    cases = [sample(agent, n) for agent, count in counts.items() for n in range(count)]
    return [
        Contest(case, answer(case, f"옛 답 {case.name}", BASE),
                answer(case, f"새 답 {case.name}", TUNED))
        for case in cases
    ]  # fmt: skip


def drawn(terms: Terms | None = None, **counts: int) -> tuple[Session, Seal]:
    return draw(contests(**counts), terms or Terms(), session="s1", run="r1")


def opinion(left: int = 3, right: int = 3, prefer: str = "", **more: Any) -> Opinion:
    """The side scored higher is preferred unless another is named."""
    better = "left" if left > right else "right" if right > left else "tie"
    return Opinion(left=left, right=right, prefer=prefer or better, **more)


def sided(seal: Seal, pair: str, before: int, after: int, **more: Any) -> Opinion:
    """An opinion by what stands on the sides."""
    left, right = (after, before) if seal.after[pair] == "left" else (before, after)
    return opinion(left, right, **more)


def sheet_of(said: Iterable[tuple[str, str, Opinion]]) -> Sheet:
    """A sheet of (rater, pair, opinion), none amended."""
    ratings = {
        (rater, pair): Rating(pair=pair, rater=rater, opinion=each, seconds=30)
        for rater, pair, each in said
    }
    return Sheet(first=dict(ratings), last=dict(ratings))


def ledger_of(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "runs" / "ledger.sqlite")


def started(tmp_path: Path, terms: Terms | None = None, raters: int = 2, **counts: int) -> Started:
    with ledger_of(tmp_path) as ledger:
        return start(tmp_path / "runs" / "reviews", contests(**counts), terms or Terms(),
                     run="r1", raters=raters, ledger=ledger)  # fmt: skip


def rate_all(room: Room, rater: str, say: Callable[[str], Opinion]) -> int:
    """Rate whatever waits for `rater`; how many that were."""
    count = 0
    while pair := room.show(rater):
        room.rate(rater, pair.id, say(pair.id))
        count += 1
    return count
