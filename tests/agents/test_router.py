import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.agents.router import Lesson, Router, learn, lessons, open_router
from yukjo.agents.router_files import Asked, read_asked
from yukjo.agents.router_fit import fit, held_out, softmax, surprise, temperature
from yukjo.agents.router_report import blind_cost, evaluate, expected_cost, share
from yukjo.agents.router_views import ENDS, grams, learn_terms, plain
from yukjo.config import load
from yukjo.config.models import RouterConfig
from yukjo.data.duplicates import near_groups
from yukjo.data.read import read
from yukjo.data.split import split
from yukjo.errors import ConfigError, DataError
from yukjo.records import SIX

GOV = Path(__file__).parents[2] / "examples/gov"
DATA = GOV / "data"
TWO = ("ask", "write")
CONFIG = RouterConfig(fallback="ask", abstain=0.6)


def toy() -> list[Lesson]:
    places = ("공원", "도로", "하천", "시장", "학교", "버스", "광장", "체육관", "도서관", "주차장")
    return [
        *(Lesson(f"{place} 어디에 있나요", "ask", place) for place in places),
        *(Lesson(f"{place} 계획서를 써 주세요", "write", place) for place in places),
    ]


@pytest.fixture(scope="module")
def small() -> Router:
    return learn(toy(), agents=TWO, config=CONFIG)


@pytest.fixture(scope="module")
def six() -> Router:
    """The example project's router."""
    return open_router(load(GOV), GOV)


def test_it_tells_apart_what_it_learned(small: Router) -> None:
    assert small.choose("놀이터 어디에 있나요?").agent == "ask"
    assert small.choose("놀이터 계획서를 써 주세요").agent == "write"


@settings(max_examples=60, deadline=None)
@given(text=st.text())
def test_scores_of_any_text_are_shares_of_one(small: Router, text: str) -> None:
    route = small.choose(text)
    assert tuple(route.scores) == TWO
    assert all(0 <= score <= 1 for score in route.scores.values())
    assert sum(route.scores.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x07", "?!", "🙏🙏", "\u200b"])
def test_a_text_that_says_nothing_goes_to_the_fallback(small: Router, text: str) -> None:
    route = small.choose(text)
    assert (route.agent, route.abstained) == ("ask", True)
    assert set(route.scores.values()) == {0.5}


@pytest.mark.parametrize("text", ["가" * 2**20, "\ud800 계획서를 써 주세요", "a\x00" * 5000])
def test_a_hostile_text_has_an_answer(small: Router, text: str) -> None:
    assert small.choose(text).agent in TWO


def test_only_below_the_line_does_it_abstain(small: Router) -> None:
    text = "계획서를 어디에 써"
    best = small.choose(text).scores["write"]
    for line, abstained in ((best, False), (best + 1e-9, True)):
        config = RouterConfig(fallback="ask", abstain=line)
        other = Router(small.agents, small.views, small.weights, config=config)
        route = other.choose(text)
        assert (route.abstained, route.agent) == (abstained, "ask" if abstained else "write")


def test_order_and_repeats_of_the_lessons_change_no_bit(small: Router) -> None:
    mixed = [*toy(), *toy()[:7]]
    random.Random(1).shuffle(mixed)
    again = learn(mixed, agents=TWO, config=CONFIG)
    for one, other in zip(small.weights, again.weights, strict=True):
        assert np.array_equal(one, other)


def test_a_text_is_routed_alone_as_beside_others(small: Router) -> None:
    texts = ["놀이터 어디", "계획서", "써 주세요 그리고 어디"]
    together = small.choose_all(texts)
    for text, route in zip(texts, together, strict=True):
        alone = small.choose(text)
        assert alone.agent == route.agent
        assert alone.scores == pytest.approx(route.scores, abs=1e-6)


def test_a_lone_lesson_is_enough_for_a_lone_agent() -> None:
    router = learn(toy()[:1], agents=("ask",), config=CONFIG)
    assert router.choose("공원 계획서").scores == {"ask": 1.0}


def test_an_agent_nobody_asked_is_named() -> None:
    with pytest.raises(DataError, match="review"):
        learn(toy(), agents=(*TWO, "review"), config=CONFIG)


def test_a_long_text_is_read_at_both_ends() -> None:
    filler = "나" * 10 * ENDS
    assert plain(f"앞 {filler} 뒤").startswith("앞")
    assert plain(f"앞 {filler} 뒤").endswith("뒤")
    assert len(plain(filler)) <= 2 * ENDS + 1


def test_numbers_are_alike_and_rare_terms_weigh_more() -> None:
    assert set(grams("12명")) == set(grams("3명"))
    seen = learn_terms("words", str.split, ["도로 보수", "도로 청소", "도로 보수 청소", "하나"])
    assert set(seen.known) == {"도로", "보수", "청소"}
    row = dict(zip(seen.known, seen.rows(["도로 보수"])[0].tolist(), strict=True))
    assert row["보수"] > row["도로"] > row["청소"] == 0


def test_the_fit_is_where_its_loss_is_least() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(40, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    classes = draw.integers(0, 3, size=40)
    likeness = rows @ rows.T
    made = fit(likeness, classes, count=3, decay=1e-2)
    slope = (softmax(likeness @ made) - np.eye(3)[classes]) / 40 + 1e-2 * made
    assert np.abs(slope).max() < 1e-4


def test_a_held_out_score_never_saw_its_text() -> None:
    classes = np.array([0, 0, 1, 1])
    folds = np.array([0, 1, 0, 1])
    apart = held_out(np.eye(4), classes, folds, count=2, decay=1e-2)
    assert np.array_equal(apart, np.zeros((4, 2)))


def test_the_temperature_mends_scores_that_are_too_sure() -> None:
    draw = np.random.default_rng(0)
    true = draw.normal(size=(4000, 3)) * 2
    classes = np.array([draw.choice(3, p=row) for row in softmax(true)])
    assert temperature(true * 3, classes) == pytest.approx(3, rel=0.1)
    assert surprise(true, classes) < surprise(true * 3, classes)


def test_lessons_hold_the_training_split_and_the_named_files_only() -> None:
    config = load(GOV)
    samples = read([DATA / "practice.jsonl"], agents=SIX).samples
    sides = split(samples, valid=config.data.valid, test=config.data.test)
    texts = {lesson.text for lesson in lessons(config, GOV)}
    assert {sample.instruction for sample in sides.train} <= texts
    assert not {sample.instruction for sample in (*sides.valid, *sides.test)} & texts
    assert {one.text for one in read_asked(DATA / "router/train.jsonl", agents=SIX)} <= texts


def test_no_question_of_one_set_is_nearly_one_of_another() -> None:
    sets = {
        name: [one.text for one in read_asked(DATA / f"router/{name}.jsonl", agents=SIX)]
        for name in ("train", "dev", "hard")
    }
    sets["practice"] = [s.instruction for s in read([DATA / "practice.jsonl"], agents=SIX).samples]
    texts = [text for each in sets.values() for text in each]
    assert len(set(near_groups(texts))) == len(texts)


@pytest.mark.parametrize(("name", "least"), [("train", 40), ("dev", 10), ("hard", 20)])
def test_each_set_asks_every_agent_often_enough(name: str, least: int) -> None:
    asked = read_asked(DATA / f"router/{name}.jsonl", agents=SIX)
    assert all(sum(one.agent == agent for one in asked) >= least for agent in SIX)
    assert len({one.text for one in asked}) == len(asked)


def test_the_hard_set_is_written_in_real_manners() -> None:
    asked = read_asked(DATA / "router/hard.jsonl", agents=SIX)
    wanted = {"오타", "은어", "서술어 없음", "사투리", "두 의도", "화남", "음성 받아쓰기", "이모지",
              "짧음", "긺", "경계"}  # fmt: skip
    for agent in SIX:
        assert wanted <= {one.manner for one in asked if one.agent == agent}


def test_the_hard_set_is_routed_well_enough(six: Router) -> None:
    report = evaluate(six, read_asked(DATA / "router/hard.jsonl", agents=SIX))
    assert report.accuracy.value >= 0.85
    assert report.strict.value >= 0.85
    assert report.calibration_error < 0.1


def test_a_report_counts_by_eye(small: Router) -> None:
    asked = [
        Asked(text="놀이터 어디에 있나요", agent="ask", manner="짧음"),
        Asked(text="놀이터 계획서를 써 주세요", agent="write"),
        Asked(text="보고서 계획서를 써 주세요", agent="ask", acceptable=("ask", "write")),
        Asked(text="?", agent="write"),
    ]
    report = evaluate(small, asked)
    assert (report.accuracy.right, report.strict.right, report.accuracy.n) == (3, 2, 4)
    assert report.confusion == {"ask": {"ask": 1, "write": 1}, "write": {"ask": 1, "write": 1}}
    assert (report.agents["ask"].right, report.agents["write"].right) == (2, 1)
    assert (report.abstained, report.manners["짧음"].n) == (1, 1)
    assert report.sure
    assert (report.sure.right, report.sure.n) == (3, 3)  # what it left to the fallback was wrong
    assert 0 < report.brier < 2


def test_an_interval_holds_its_share() -> None:
    found = share(123, 132)
    assert found.low < found.value < found.high
    assert (share(0, 5).low, share(5, 5).high) == (pytest.approx(0), pytest.approx(1))


def test_the_expected_cost_weighs_each_mistake_by_how_often_it_is_made() -> None:
    confusion = {"a": {"a": 8, "b": 2}, "b": {"a": 0, "b": 10}}
    cost = {"a": {"a": 0.0, "b": 0.5}, "b": {"a": 9.0, "b": 0.0}}
    assert expected_cost(confusion, cost) == pytest.approx(0.05)
    assert expected_cost(confusion, {"a": cost["a"]}) == pytest.approx(0.1)  # b has no case
    assert blind_cost(cost) == pytest.approx(9.5 / 4)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "JSON"),
        (b"[1]", "객체"),
        (b'{"agent": "rag"}', "text"),
        (b'{"text": 3, "agent": "rag"}', "text"),
        (b'{"text": "a", "agent": "rag", "acceptible": []}', "acceptible"),
        (b'{"text": "a", "agent": "nobody"}', "nobody"),
        (b'{"text": "a"}', "``"),
        (b'{"text": "a", "agent": "rag", "acceptable": ["x"]}', "x"),
        (b'{"text": "' + b"a" * (1 << 20) + b'"}', "1,048,576"),
        (b"\xb0\xa1", "UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_bytes(b'{"text": "a", "agent": "rag"}\n' + line + b"\n")
    with pytest.raises(DataError) as raised:
        read_asked(file, agents=SIX)
    assert said in raised.value.what
    assert raised.value.where.endswith("asked.jsonl:2")
    assert raised.value.fix


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    for name in ("empty.jsonl", "missing.jsonl"):
        with pytest.raises(DataError):
            read_asked(tmp_path / name, agents=SIX)


def test_a_fallback_that_is_no_agent_is_refused() -> None:
    config = load(GOV, {"router.fallback": "nobody"})
    with pytest.raises(ConfigError, match="nobody"):
        open_router(config, GOV)
