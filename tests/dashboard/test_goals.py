"""Targets in groups, on one axis each, and every mark inside its box."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.test_verdict import gate, line
from yukjo.dashboard import trust
from yukjo.dashboard.goals import WIDTH, gain_of, groups, is_guard
from yukjo.ledger.body import RunBody
from yukjo.records import Entry


def test_what_must_only_not_get_worse_is_a_guard_rail() -> None:
    asked = [line(), line(metric="failure_rate", bar=-0.05, kind="difference", target="f"),
             line(metric="chrf", bar=-5.0, target="c"),
             line(metric="memory_gb", bar=20.0, kind="level", target="m"),
             line(metric="quality", bar=4.0, kind="level", target="q")]  # fmt: skip
    assert [is_guard(one) for one in asked] == [False, True, True, True, False]
    found = gate(*asked)
    assert [g.target for g in groups(found, guards=True)] == ["f", "c", "m"]
    assert [g.target for g in groups(found, guards=False)] == ["it", "q"]


def test_a_gain_is_above_0_whichever_way_is_good() -> None:
    assert gain_of(line(before=20.0, after=16.0)) == 20.0
    assert gain_of(line(metric="chrf", before=20.0, after=16.0)) == -20.0
    assert gain_of(line(kind="difference", before=3.0, after=1.0)) == 2.0
    assert gain_of(line(kind="level", before=None, after=4.5)) == 4.5
    assert gain_of(line(before=0.0)) is None
    assert gain_of(line(after=None)) is None


FLOAT = st.floats(-1e9, 1e9)


@given(low=FLOAT, high=FLOAT, bar=FLOAT, after=FLOAT)
def test_every_mark_stays_inside_the_box(low: float, high: float, bar: float, after: float) -> None:
    given_line = line(kind="level", low=min(low, high), high=max(low, high), bar=bar, after=after)
    [group] = groups(gate(given_line), guards=False)
    drawn = group.rows[0].strip
    assert drawn
    places = [drawn.bar, drawn.point, drawn.low, drawn.high]
    assert all(0 < place < WIDTH for place in places if place is not None)


def test_a_target_that_was_not_measured_has_no_picture() -> None:
    [group] = groups(gate(line(before=None, after=None, low=None, high=None, why="absent")),
                     guards=False)  # fmt: skip
    assert group.absent
    assert group.rows[0].strip is None
    assert group.passed == 0


def review(**body: Any) -> Entry:
    return Entry(number=9, kind="review", run="r", created="", body=body, previous="", hash="")


def test_trust_is_said_with_a_mark_and_a_word() -> None:
    body = RunBody.model_validate({"data": {"lines": {"train": ["a", "b"], "test": ["c"]}}})
    assert [m.state for m in trust.strip(body, gate(), None, None)] == ["ok", "none", "ok", "none"]
    leaky = RunBody.model_validate({"data": {"lines": {"train": ["a"], "test": ["a"]}}})
    marks = trust.strip(leaky, None, None, review(alpha=0.5, ratings=10))
    assert [m.state for m in marks] == ["warn", "none", "warn", "warn"]
    assert "1건" in marks[2].text
    good = trust.strip(body, gate(), None, review(alpha=0.85, ratings=10))[3]
    alone = trust.strip(body, gate(), None, review(alpha=None))[3]
    assert (good.state, alone.state) == ("ok", "none")
    assert all(m.sign and m.text for m in marks)
