"""Near duplicates: the sketches against the exact shares, the groups against all pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data.duplicates import NEAR, alike, grams, near_groups, near_rows, sketches
from yukjo.korean.text import fold

PLAN = (
    "한빛시는 2026년 도로 보수 계획에 따라 새봄동 일대의 낡은 보도를 정비하고 안내판을 새로 세운다."
)
NOTICE = "가온군 평생학습관은 봄학기 수강 신청을 누리집에서 선착순으로 받고 결과를 문자로 알린다."

words = st.lists(st.sampled_from(["도로", "보수", "계획", "예산", "설명회", "한빛시", "12월"]))
texts = st.lists(words.map(" ".join), max_size=8)
odd = st.text(
    alphabet=st.sampled_from("가각ㄱㅏ\u1100\u1161\u11a8e\u0301Éﬁ㈜½①Ａ𝐀😀ß\u0130.- \x00\ud800"),
    max_size=12,
)


def _gram_sets(text: str) -> set[str]:
    folded = fold(text)
    return {folded[i : i + 4] for i in range(len(folded) - 3)}


def _exactly_alike(one: str, other: str) -> float:
    a, b = _gram_sets(one), _gram_sets(other)
    return len(a & b) / len(a | b) if a | b else 0.0


def test_spacing_and_punctuation_do_not_matter() -> None:
    assert alike(PLAN, PLAN.replace(" ", "").upper() + "!!") == 1


def test_short_texts_are_near_nothing_but_their_like() -> None:
    assert near_groups(["가", "나", "가.", "", "", "가나다"]) == [0, 1, 0, 3, 3, 5]


def test_groups_reach_through_others() -> None:
    first = f"{PLAN} {NOTICE}"
    between = first.replace("안내판", "가로등")
    far = between.replace("봄학기", "여름학기")
    assert alike(first, far) < NEAR <= min(alike(first, between), alike(between, far))
    assert near_groups([first, far, "아주 다른 이야기입니다", between]) == [0, 0, 2, 0]


@given(texts=st.lists(odd | words.map(" ".join), min_size=1, max_size=5))
@settings(deadline=None)
def test_grams_of_a_batch_are_those_of_the_folded_text(texts: list[str]) -> None:
    for text in texts:
        assert len(grams(text)) == len(_gram_sets(text))
    together = sketches(texts)
    for i, text in enumerate(texts):
        assert (together[i] == sketches([text])[0]).all()


@given(texts=texts)
@settings(deadline=None)
def test_groups_are_the_connected_components_of_all_near_pairs(texts: list[str]) -> None:
    heads = list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        if fold(texts[i]) == fold(texts[j]) or _exactly_alike(texts[i], texts[j]) >= NEAR:
            old, new = max(heads[i], heads[j]), min(heads[i], heads[j])
            heads = [new if head == old else head for head in heads]
    assert near_groups(texts) == heads


@pytest.mark.parametrize("size", [5, 10, 35, 45, 100])
def test_the_border_is_met_to_the_gram(size: int) -> None:
    """Of `size` grams in all, exactly 80 % in common is near; one less is not."""
    letters = [chr(0xAC00 + i) for i in range(1000)]
    common = size * 4 // 5
    one = "".join(letters[: common + 3])
    other = one + "".join(letters[500 : 500 + size - common])
    more = other + letters[900]
    assert near_groups([one, other]) == [0, 0]
    assert near_groups([one, more]) == [0, 1]


def test_sketches_agree_as_the_texts_do() -> None:
    rng = np.random.default_rng(0)
    vocabulary = ["".join(rng.choice(list("가나다라마바사아자차카타파하"), 3)) for _ in range(500)]
    gaps = []
    for changed in range(0, 60, 2):
        base = list(rng.choice(vocabulary, 100))
        other = [*base[changed:], *rng.choice(vocabulary, changed)]
        one, two = sketches([" ".join(base), " ".join(other)])
        gaps.append(float((one == two).mean()) - alike(" ".join(base), " ".join(other)))
    assert abs(np.mean(gaps)) < 0.02
    assert np.std(gaps) < 0.06


def test_near_rows_point_at_the_earlier_row_of_the_same_group() -> None:
    rows = [PLAN, NOTICE, PLAN + " 끝.", PLAN + " 마침."]
    chunks = [sketches(rows[:2]), sketches(rows[2:])]
    found = near_rows(chunks, np.array([0, 0, 0, 1], dtype=np.uint8))
    assert {later: earlier for later, (earlier, _) in found.items()} == {2: 0}
    assert found[2][1] >= 80


def test_nothing_is_near_in_no_rows() -> None:
    assert near_rows([], np.empty(0, dtype=np.uint8)) == {}
    assert near_rows([sketches(["", "가"])], np.zeros(2, dtype=np.uint8)) == {}


def test_nearly_all_near_rows_are_found_among_many() -> None:
    rng = np.random.default_rng(1)
    vocabulary = ["".join(rng.choice(list("가나다라마바사아자차카타파하"), 3)) for _ in range(2000)]
    texts = [" ".join(rng.choice(vocabulary, 60)) for _ in range(300)]
    copies = [text.replace(" ", " 새말 ", 2) for text in texts]
    found = near_rows([sketches(texts), sketches(copies)], np.zeros(600, dtype=np.uint8))
    assert {later: earlier for later, (earlier, _) in found.items()} == {
        300 + i: i for i in range(300)
    }


def test_a_copy_is_found_behind_many_texts_that_are_only_half_like_it() -> None:
    rng = np.random.default_rng(2)
    vocabulary = ["".join(rng.choice(list("가나다라마바사아자차카타파하"), 3)) for _ in range(900)]
    base = list(rng.choice(vocabulary, 100))
    halves = [[*base[:k], *rng.choice(vocabulary, 15), *base[k + 15 :]] for k in range(0, 85, 2)]
    texts = [" ".join(words) for words in (base, *halves, [*base, "새말"])]
    found = near_rows([sketches(texts)], np.zeros(len(texts), dtype=np.uint8))
    assert found[len(texts) - 1][0] == 0
