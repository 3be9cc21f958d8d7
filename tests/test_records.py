"""Records don't change, know no stranger, and a sample's hash is what is trained on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from yukjo.records import SIX, Comparison, Effect, Example, Message, Sample

texts = st.text(st.characters(codec="utf-8"), max_size=5)
messages = st.builds(
    Message, role=st.sampled_from(["system", "user", "assistant", "tool"]), content=texts
)
taught = {
    "instruction": texts,
    "input": texts,
    "output": texts,
    "agent_type": st.sampled_from(SIX),
    "messages": st.lists(messages, max_size=2).map(tuple),
}
samples = st.builds(Sample, **taught)
labels = st.fixed_dictionaries(
    {},
    optional={
        "id": texts, "difficulty": st.sampled_from(["쉬움", "보통", "어려움"]), "topic": texts,
        "exception": texts, "source": texts, "license": texts,
    },
)  # fmt: skip


@given(samples, labels)
def test_labels_do_not_change_what_a_sample_is(sample: Sample, labels: dict[str, Any]) -> None:
    assert sample.model_copy(update=labels).hash == sample.hash


@given(samples, samples)
def test_two_samples_share_a_hash_only_if_they_teach_the_same(a: Sample, b: Sample) -> None:
    same = all(getattr(a, field) == getattr(b, field) for field in taught)
    assert (a.hash == b.hash) == same


@given(samples, st.sampled_from(sorted(taught)), st.data())
def test_each_taught_field_changes_the_hash(
    sample: Sample, field: str, data: st.DataObject
) -> None:
    other = data.draw(taught[field].filter(lambda value: value != getattr(sample, field)))
    changed = Sample.model_validate(sample.model_dump(exclude={"hash"}) | {field: other})
    assert changed.hash != sample.hash


def test_text_cannot_slip_from_one_field_into_the_next() -> None:
    rows = [("ab", "", "c"), ("a", "b", "c"), ("a", "", "bc")]
    hashes = {Sample(instruction=i, input=n, output=o, agent_type="rag").hash for i, n, o in rows}
    assert len(hashes) == 3


@given(samples)
def test_asking_for_the_hash_changes_nothing(sample: Sample) -> None:
    untouched = Sample.model_validate(sample.model_dump())
    assert len(sample.hash) == 64
    assert sample == untouched
    assert sample.model_dump() == untouched.model_dump()


def test_a_sample_is_called_by_its_id_else_by_the_start_of_its_hash() -> None:
    named = Sample(instruction="i", output="o", agent_type="rag", id="n-1")
    nameless = named.model_copy(update={"id": None})
    assert named.name == "n-1"
    assert nameless.name == nameless.hash[:12]


def test_records_know_no_unknown_field_and_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Message(role="user", content="", tone="kind")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Message(role="robot", content="")  # type: ignore[arg-type]
    message = Message(role="user", content="a")
    with pytest.raises(ValidationError):
        message.content = "b"  # type: ignore[misc]


def test_an_example_counts_what_is_learned() -> None:
    assert Example("rag", "h", "n", (1, 2, 3), (False, True, True)).learned == 2


def test_records_survive_being_written_and_read() -> None:
    rows = (
        Effect(prompts=1, change=0.5, fingerprint="f"),
        Comparison(
            name="chrf", metric_id="chrf-1", before=0, after=1.5, difference=1.5, low=None,
            high=None, n=1, verdict="unclear", improvement_percentage=None,
        ),
    )  # fmt: skip
    for row in rows:
        assert type(row).model_validate_json(row.model_dump_json()) == row
