"""Over Kiwi itself, and held against the scorer that others use."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from yukjo.evaluate import rouge, tasks
from yukjo.evaluate.rouge import common, rouge_2, rouge_l
from yukjo.korean.morphemes import morphemes

# Content morphemes: 민원 접수 처리 기한 7
GOOD = "민원을 접수하고 처리 기한은 7일입니다."


def test_the_words_of_the_examples() -> None:
    assert morphemes("민원 접수 결과 통보") == ["민원", "접수", "결과", "통보"]


@pytest.mark.parametrize(
    ("text", "reference", "l", "two"),
    [
        ("민원 접수 결과 통보", "민원 접수 결과 통보", 1, 1),
        ("민원을 접수", "민원이 접수", 1, 1),  # particles don't count
        ("민원 접수", "민원 접수 결과 통보", 2 * 2 / 6, 2 * 1 / 4),
        ("통보 결과 접수 민원", "민원 접수 결과 통보", 2 * 1 / 8, 0),  # turned round
        ("민원 결과", "민원 접수 결과 통보", 2 * 2 / 6, 0),
        ("도로 보수", "민원 접수", 0, 0),
        ("민원", "민원", 1, 0),  # one word has no pair
        ("", "민원 접수", 0, 0),
        ("은 는 이 가", "", 0, 0),
    ],
)
def test_both_measures_by_hand(text: str, reference: str, l: float, two: float) -> None:  # noqa: E741
    assert rouge_l(text, reference) == pytest.approx(l)
    assert rouge_2(text, reference) == pytest.approx(two)


class Words:
    """The usual scorer's tokenizer: our morphemes."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


words = st.lists(st.sampled_from("가나다라마"), max_size=12)
USUAL = RougeScorer(["rougeL", "rouge2"], tokenizer=Words())


@given(words, words)
def test_the_usual_scorer_says_the_same(said: list[str], asked: list[str]) -> None:
    usual = USUAL.score(" ".join(asked), " ".join(said))
    assert rouge._f1(common(tuple(said), tuple(asked)), len(said), len(asked)) == pytest.approx(
        usual["rougeL"].fmeasure
    )
    a, b = rouge._pairs(tuple(said)), rouge._pairs(tuple(asked))
    assert rouge._f1((a & b).total(), a.total(), b.total()) == pytest.approx(
        usual["rouge2"].fmeasure
    )


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(alphabet="민원접수 \ud800\x00."))
def test_any_text_stays_in_range_whatever_its_encoding(text: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    for measure in (rouge_l, rouge_2):
        assert 0 <= measure(text, GOOD) <= 1
        assert measure(text, GOOD) == measure(GOOD, text) == measure(apart, GOOD)
    assert rouge_l(text, text) in {0, 1}


def test_without_kiwi_both_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks.left_out() == []
    monkeypatch.setattr(rouge, "kiwi", lambda: None)
    assert tasks.left_out() == ["rouge_l", "rouge_2"]
    assert "rouge_l" not in tasks.metrics([])
