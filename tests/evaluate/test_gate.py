"""The gate's rules one by one, on figures that can be read by eye."""

from typing import Any

import pytest

from yukjo.config import GateConfig
from yukjo.config.gate import TargetConfig
from yukjo.config.targets import PRESETS, targets
from yukjo.evaluate.gate import Level, decide, decision_for, share_level, tail_level
from yukjo.records import Comparison, Decision, Ruled


def row(name: str = "perplexity", **changes: Any) -> Comparison:
    """Perplexity that fell from 20 to 10, plainly."""
    fields: dict[str, Any] = {
        "name": name, "metric_id": "m", "before": 20.0, "after": 10.0, "difference": -10.0,
        "low": -12.0, "high": -8.0, "n": 40, "verdict": "better", "improvement_percentage": -50.0,
        "improvement_low": -60.0, "improvement_high": -40.0, "clusters": 40, "test": "wilcoxon",
        "p": 1e-6, "higher_is_better": False,
    }  # fmt: skip
    return Comparison(**(fields | changes))


WORSE = {
    "after": 30.0, "difference": 10.0, "low": 8.0, "high": 12.0, "verdict": "worse",
    "improvement_percentage": 50.0, "improvement_low": 40.0, "improvement_high": 60.0,
}  # fmt: skip
SLIGHT = {
    "after": 20.2, "difference": 0.2, "low": -0.4, "high": 0.8, "verdict": "unclear", "p": 0.4,
    "improvement_percentage": 1.0, "improvement_low": -2.0, "improvement_high": 4.0,
}  # fmt: skip
NOT_WORSE = TargetConfig(metric="perplexity", bar=-5)
BETTER = TargetConfig(metric="perplexity")


def ruled(
    target: TargetConfig, comparison: Comparison | None = None, *levels: Level, sealed: bool = True
) -> Decision:
    comparisons = {"rag": [comparison]} if comparison else {}
    return decide({"it": target}, comparisons, levels, agents=["rag"], confidence=0.95,
                  sealed=sealed)  # fmt: skip


def only(decision: Decision) -> Ruled:
    (line,) = decision.lines
    return line


def test_a_plain_gain_passes_and_shows_its_figures_as_gains() -> None:
    decision = ruled(BETTER, row())
    assert (decision.verdict, decision.rule) == ("pass", "")
    line = only(decision)
    assert (line.before, line.after, line.low, line.high, line.why) == (20, 10, 40, 60, "met")


def test_a_plain_loss_is_a_regression_and_names_its_rule() -> None:
    decision = ruled(NOT_WORSE, row(**WORSE))
    assert (decision.verdict, decision.rule) == ("regression", "it/rag")
    assert only(decision).low == -60


def test_a_loss_shown_to_lie_within_the_margin_passes() -> None:
    small = {"improvement_percentage": 2.0, "improvement_low": 1.0, "improvement_high": 3.0}
    assert ruled(NOT_WORSE, row(**WORSE | small)).verdict == "pass"
    assert ruled(BETTER, row(**WORSE | small)).verdict == "regression"


def test_a_loss_that_may_or_may_not_lie_within_the_margin_is_a_hold() -> None:
    around = {"improvement_percentage": 10.0, "improvement_low": 3.0, "improvement_high": 19.0}
    assert only(ruled(NOT_WORSE, row(**WORSE | around))).why == "few"
    assert ruled(BETTER, row(**WORSE | around)).verdict == "regression"


def test_no_visible_change_passes_a_margin_and_not_a_target_of_better() -> None:
    assert ruled(NOT_WORSE, row(**SLIGHT)).verdict == "pass"
    assert only(ruled(BETTER, row(**SLIGHT))).why == "few"


def test_a_margin_that_the_interval_crosses_is_a_hold_that_says_how_many_cases() -> None:
    line = only(ruled(NOT_WORSE, row(**SLIGHT | {"improvement_high": 12.0})))
    assert (line.ruling, line.why) == ("hold", "few")
    assert line.needed is not None
    assert 200 < line.needed < 220


def test_a_gain_below_its_bar_is_missed_and_one_around_it_needs_cases() -> None:
    bar = TargetConfig(metric="perplexity", bar=70)
    assert only(ruled(bar, row())).why == "missed"
    line = only(ruled(bar.model_copy(update={"bar": 45.0}), row()))
    assert (line.why, line.ruling) == ("few", "hold")
    assert only(ruled(bar.model_copy(update={"bar": 55.0}), row())).needed is None


def test_a_gain_must_clear_its_bar_with_the_bound_unless_the_point_was_asked_for() -> None:
    target = TargetConfig(metric="perplexity", bar=45)
    assert ruled(target, row()).verdict == "hold"
    assert ruled(target.model_copy(update={"by": "point"}), row()).verdict == "pass"


def test_what_one_comparison_shows_alone_may_not_hold_among_many() -> None:
    once = row(p=0.02)
    assert ruled(BETTER, once).verdict == "pass"
    family = {agent: [row(p=0.02)] for agent in "abcd"}
    decision = decide({"it": BETTER}, family, (), agents="abcd", confidence=0.95, sealed=True)
    assert decision.verdict == "hold"
    assert all(line.why == "few" for line in decision.lines)


def test_a_loss_that_does_not_hold_among_many_is_a_hold() -> None:
    family = {agent: [row(**WORSE | {"p": 0.02})] for agent in "abcd"}
    decision = decide({"it": NOT_WORSE}, family, (), agents="abcd", confidence=0.95, sealed=True)
    assert decision.verdict == "hold"


def test_too_few_cases_do_not_pass_and_a_loss_among_them_still_counts() -> None:
    target = TargetConfig(metric="perplexity", least=50)
    assert only(ruled(target, row())).needed == 10
    assert ruled(target, row(**WORSE)).verdict == "regression"


def test_one_case_is_no_evidence() -> None:
    alone = {"n": 1, "low": None, "high": None, "improvement_low": None, "improvement_high": None}
    line = only(ruled(BETTER, row(**alone)))
    assert (line.ruling, line.why, line.needed) == ("hold", "few", 5)


def test_what_was_not_measured_is_held_by_name_whatever_the_rest() -> None:
    missing = TargetConfig(metric="quality", kind="level", bar=4)
    decision = decide({"it": BETTER, "people": missing}, {"rag": [row()]}, (), agents=["rag"],
                      confidence=0.95, sealed=True)  # fmt: skip
    assert (decision.verdict, decision.rule) == ("hold", "people/rag")
    assert decision.lines[1].why == "absent"


def test_regression_goes_before_hold_and_hold_before_pass() -> None:
    every = {"ok": BETTER, "people": TargetConfig(metric="quality", kind="level", bar=4)}
    comparisons = {"rag": [row()], "review": [row(**WORSE)]}
    decision = decide(every, comparisons, (), agents=["rag", "review"], confidence=0.95,
                      sealed=True)  # fmt: skip
    assert (decision.verdict, decision.rule) == ("regression", "ok/review")
    assert decision_for("rag", decision).verdict == "hold"
    assert decision_for("review", decision).verdict == "regression"


def test_without_a_seal_nothing_passes_and_a_regression_stays_one() -> None:
    decision = ruled(BETTER, row(), sealed=False)
    assert (decision.verdict, decision.rule) == ("hold", "seal/all")
    assert decision_for("rag", decision).verdict == "hold"
    assert ruled(NOT_WORSE, row(**WORSE), sealed=False).verdict == "regression"


def test_a_gate_that_asks_nothing_lets_nothing_pass() -> None:
    decision = decide({}, {}, (), agents=["rag"], confidence=0.95, sealed=True)
    assert decision.verdict == "hold"


SELECTION = TargetConfig(metric="agent_selection", agent="all", kind="level", bar=0.85)


@pytest.mark.parametrize(
    ("right", "n", "ruling", "why"),
    [(122, 132, "pass", "met"), (18, 20, "hold", "few"), (60, 100, "hold", "missed")],
)
def test_agent_selection_passes_by_its_lower_bound(
    right: int, n: int, ruling: str, why: str
) -> None:
    level = share_level("agent_selection", right, n, confidence=0.95)
    line = only(ruled(SELECTION, None, level))
    assert (line.ruling, line.why) == (ruling, why)
    assert (line.needed is not None) == (why == "few")


def test_a_p95_passes_from_fifty_nine_answers_without_a_miss() -> None:
    speed = TargetConfig(metric="p95_seconds", agent="all", kind="level", bar=3)
    for seconds, ruling, why in (
        ([2.0] * 59, "pass", "met"), ([2.0] * 58, "hold", "few"), ([4.0] * 59, "hold", "missed")
    ):  # fmt: skip
        line = only(ruled(speed, None, tail_level("p95_seconds", seconds, confidence=0.95)))
        assert (line.ruling, line.why) == (ruling, why)
    line = only(ruled(speed, None, tail_level("p95_seconds", [2.0] * 20, confidence=0.95)))
    assert line.needed == 39


def test_quality_by_people_is_held_against_its_bound() -> None:
    quality = TargetConfig(metric="quality", kind="level", bar=4)
    for low, ruling in ((4.1, "pass"), (3.9, "hold")):
        level = Level(metric="quality", agent="rag", value=4.3, low=low, high=4.6, n=30)
        assert ruled(quality, None, level).verdict == ruling


def test_memory_over_the_line_does_not_pass() -> None:
    line = TargetConfig(metric="memory_gb", agent="all", kind="level", bar=20, least=1)
    for taken, why in ((3.2, "met"), (21.0, "missed")):
        level = Level(metric="memory_gb", value=taken, low=taken, high=taken,
                      higher_is_better=False)  # fmt: skip
        assert only(ruled(line, None, level)).why == why


def test_a_metric_without_a_good_side_can_not_pass() -> None:
    described = row("length", higher_is_better=None)
    assert ruled(TargetConfig(metric="length"), described).verdict == "hold"


def test_the_presets_are_the_requirements() -> None:
    gov, chain = PRESETS["gov"], PRESETS["chain"]
    assert (gov["selection"].bar, gov["quality"].bar, gov["speed"].bar) == (0.85, 4.0, 3.0)
    assert [chain[name].bar for name in ("image", "summary", "chain")] == [15, 15, 20]
    assert gov["memory"].bar == chain["memory"].bar == 20
    assert {"perplexity", "baseline", "failures"} <= gov.keys()


def test_a_projects_target_takes_the_place_of_the_presets() -> None:
    own = TargetConfig(metric="perplexity", bar=10)
    made = targets(GateConfig(targets={"perplexity": own, "more": own}))
    assert made["perplexity"] == made["more"] == own
    assert made.keys() == PRESETS["gov"].keys() | {"more"}
    assert targets(GateConfig(preset="none")) == {}
