"""The split's laws: by content, near duplicates together, in proportion on average."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.data.duplicates import NEAR, alike
from yukjo.data.split import SIDES, said, split
from yukjo.errors import DataError
from yukjo.records import SIX, Sample

WORDS = (
    "도로",
    "보수",
    "계획",
    "예산",
    "주민",
    "설명회",
    "한빛시",
    "가온군",
    "복지",
    "교육",
    "환경",
)


def _sample(text: str, *, agent: str = "rag", name: str | None = None) -> Sample:
    return Sample(instruction=text, output="답변입니다.", agent_type=agent, id=name)


def _random(count: int, *, seed: int = 0) -> list[Sample]:
    rng = random.Random(seed)
    return [
        _sample(" ".join(rng.choices(WORDS, k=20)), agent=rng.choice(SIX)) for _ in range(count)
    ]


def _sides(samples: list[Sample], *, valid: float = 0.1, test: float = 0.2) -> dict[str, str]:
    made = split(samples, valid=valid, test=test)
    return {sample.hash: side for side in SIDES for sample in made.side(side)}


# Lists in which copies and near copies are frequent.
lines = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["", ".", "  !", " 추가", " 다른 말"]),
        st.sampled_from(SIX[:2]), st.sampled_from([None, "a"]),
    ),
    max_size=12,
).map(lambda rows: [
    _sample(said(_random(6)[number]) + end, agent=agent, name=name)
    for number, end, agent, name in rows
])  # fmt: skip


@given(samples=lines, shuffle=st.randoms())
@settings(deadline=None)
def test_order_does_not_matter(samples: list[Sample], shuffle: random.Random) -> None:
    other = list(samples)
    shuffle.shuffle(other)
    assert _sides(samples) == _sides(other)


@given(samples=lines)
@settings(deadline=None)
def test_every_sample_stands_on_one_side_in_its_order(samples: list[Sample]) -> None:
    made = split(samples, valid=0.3, test=0.3)
    assert sum(len(made.side(side)) for side in SIDES) == len(samples)
    for side in SIDES:
        places = iter(samples)
        assert all(any(sample is other for other in places) for sample in made.side(side))


@given(samples=lines, valid=st.floats(0, 0.49), test=st.floats(0, 0.49))
@settings(deadline=None)
def test_near_duplicates_never_stand_on_both_sides(
    samples: list[Sample], valid: float, test: float
) -> None:
    sides = _sides(samples, valid=valid, test=test)
    for one in samples:
        for other in samples:
            if alike(said(one), said(other)) >= NEAR:
                assert sides[one.hash] == sides[other.hash]


@given(samples=lines, name=st.text(max_size=3), source=st.text(max_size=3))
@settings(deadline=None)
def test_ids_and_labels_do_not_matter(samples: list[Sample], name: str, source: str) -> None:
    relabelled = [
        s.model_copy(update={"id": name, "source": source, "difficulty": "쉬움"}) for s in samples
    ]
    assert _sides(samples) == _sides(relabelled)


def test_adding_unlike_samples_moves_nothing() -> None:
    samples = _random(300)
    before, after = _sides(samples), _sides([*_random(300, seed=1), *samples])
    assert all(after[key] == side for key, side in before.items())


@given(low=st.floats(0, 0.4), high=st.floats(0, 0.4), valid=st.floats(0, 0.4))
@settings(deadline=None, max_examples=20)
def test_a_larger_share_only_takes_from_training(low: float, high: float, valid: float) -> None:
    samples = _random(60)
    small = _sides(samples, valid=valid, test=min(low, high))
    large = _sides(samples, valid=valid, test=max(low, high))
    moved = {(small[key], large[key]) for key in small if small[key] != large[key]}
    assert moved <= {("train", "test")}


def test_every_agent_is_in_proportion_on_average() -> None:
    made = split(_random(3000), valid=0.1, test=0.2)
    for shares in made.shares.values():
        assert shares["test"] == pytest.approx(0.2, abs=0.07)  # 4 standard deviations of 500
        assert shares["valid"] == pytest.approx(0.1, abs=0.055)


def test_large_groups_are_not_drawn_to_one_side() -> None:
    """The least of ten hashes is small; were it the key, nearly all groups would be tests."""
    ends = ["", ".", "!", "?", " .", " !", " ?", "..", "!!", "??"]
    groups = [[_sample(said(s) + end) for end in ends] for s in _random(200)]
    made = split([sample for group in groups for sample in group], valid=0.0, test=0.2)
    assert len(made.test) / 2000 == pytest.approx(0.2, abs=0.12)


def test_shares_and_bare_sides_are_reported() -> None:
    made = split([_sample("도로 보수 계획을 알려 주세요")], valid=0, test=0)
    assert made.shares == {"rag": {"train": 1.0, "valid": 0.0, "test": 0.0}}
    assert made.bare == (("rag", "valid"), ("rag", "test"))


@pytest.mark.parametrize(
    ("valid", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.2, 1.0), (float("nan"), 0)]
)
def test_shares_that_leave_nothing_to_train_on_are_refused(valid: float, test: float) -> None:
    with pytest.raises(DataError):
        split([], valid=valid, test=test)


def test_a_side_never_changes_between_versions() -> None:
    """Fixed sides of fixed lines: a change here spoils every comparison with older runs."""
    samples = [_sample(f"고정된 문장 {n}") for n in range(12)]
    sides = _sides(samples, valid=0.2, test=0.3)
    assert "".join(sides[sample.hash][1] for sample in samples) == "rrerreereaer"
