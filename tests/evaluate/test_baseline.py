"""The general-ability set, and what it makes of losses that can be read by eye."""

import json
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import pytest

from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.data.render import template_of
from yukjo.errors import RunError
from yukjo.evaluate import baseline
from yukjo.evaluate.baseline import Tried, compared, items, metrics, read, set_hash, try_out
from yukjo.ports import Request
from yukjo.records import Answer, Example

KINDS = {"reading", "arithmetic", "instruction", "summary", "translation", "format", "refusal"}


class Biased:
    """Costs a nat a token, twice as much under the adapter called "bad"."""

    base_hash = "b"

    def __init__(self) -> None:
        self.tokens = 0

    def load(self, adapter: str, folder: Path) -> None: ...

    def unload(self, adapter: str) -> None: ...

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        raise AssertionError(requests)  # nothing is generated

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        self.tokens += sum(len(example.tokens) for _, example in pack)
        return [(2.0 if adapter == "bad" else 1.0) * e.learned for adapter, e in pack]

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        raise AssertionError(adapter, prompts)


def tried(agent: str, item: str, *losses: float) -> Tried:
    return Tried(agent=agent, item=item, losses=losses, learned=(1,) * len(losses))


def test_sixty_items_of_seven_kinds_none_twice() -> None:
    every = items(None)
    assert len(every) == len({item.id for item in every}) == 60
    assert {item.kind for item in every} == KINDS
    assert len({item.question for item in every}) == 60
    assert all(item.id.startswith(f"{item.kind}-") for item in every)


def test_the_kinds_take_turns_so_that_any_number_of_items_is_a_mixture() -> None:
    assert {item.kind for item in items(7)} == KINDS
    counts = [sum(item.kind == kind for item in items(28)) for kind in KINDS]
    assert counts == [4] * 7


def test_wrong_answers_are_wrong_and_the_json_is_json() -> None:
    for item in items(None):
        assert item.reference not in item.wrong
        assert (
            len(set(item.wrong))
            == len(item.wrong)
            == (2 if item.kind in {"reading", "arithmetic", "refusal"} else 0)
        )
        if item.reference.startswith(("{", "[")):
            json.loads(item.reference)


def test_the_readme_counts_what_is_there_and_names_the_licence() -> None:
    page = resources.files(baseline).joinpath("README.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| {kind} (" in page
        (line,) = [line for line in page.splitlines() if line.startswith(f"| {kind} (")]
        assert f" {sum(item.kind == kind for item in items(None))} |" in line
    assert "CC BY 4.0" in page


def test_another_number_of_items_is_another_metric() -> None:
    assert set_hash(10) != set_hash(11)
    assert set_hash(60) == set_hash(None)
    ids = [metrics(n)["baseline_perplexity"].metric_id for n in (10, 11)]
    assert ids[0] != ids[1]


def test_every_answer_is_tried_under_the_bare_base_and_every_adapter(
    tiny: Callable[[str], Path],
) -> None:
    engine, tokenizer = Biased(), HfTokenizer(tiny("qwen3"))
    found = try_out(
        engine, tokenizer, template_of(tokenizer), adapters={"rag": "good", "review": "bad"},
        most=7, pack_tokens=512,
    )  # fmt: skip
    assert [(one.agent, one.item) for one in found[:2]] == [("", "reading-1"), ("", "arithmetic-1")]
    assert [sum(one.agent == agent for one in found) for agent in ("", "rag", "review")] == [7] * 3
    rows = compared(found, most=7, resamples=100, seed=0)
    assert rows["rag"][0].difference == 0
    assert rows["review"][0].before == pytest.approx(2.718, abs=1e-3)
    assert rows["review"][0].after == pytest.approx(7.389, abs=1e-3)
    assert rows["review"][0].verdict == "worse"


def test_a_choice_is_right_where_the_reference_costs_least_a_token() -> None:
    assert tried("", "a", 1.0, 2.0, 1.5).right == 1
    assert tried("", "a", 1.6, 2.0, 1.5).right == 0
    assert Tried(agent="", item="a", losses=(9.0, 5.0), learned=(10, 5)).right == 1


def test_forgotten_choices_are_counted_item_by_item() -> None:
    rows = [tried("", f"i{n}", 1.0, 2.0) for n in range(8)]
    rows += [tried("rag", f"i{n}", 3.0 if n < 7 else 1.0, 2.0) for n in range(8)]
    accuracy = compared(rows, most=8, resamples=200, seed=0)["rag"][1]
    assert (accuracy.name, accuracy.before, accuracy.after) == ("baseline_accuracy", 1, 1 / 8)
    assert (accuracy.verdict, accuracy.test) == ("worse", "mcnemar")


def test_items_without_wrong_answers_have_no_accuracy() -> None:
    rows = [tried(agent, f"i{n}", 1.0) for agent in ("", "rag") for n in range(3)]
    assert [row.name for row in compared(rows, most=3, resamples=10, seed=0)["rag"]] == [
        "baseline_perplexity"
    ]


def test_kept_rows_come_back_and_a_broken_one_is_named() -> None:
    one = tried("rag", "i1", 1.0, 2.0)
    assert read([one.model_dump_json()], where="baseline.jsonl") == [one]
    with pytest.raises(RunError) as said:
        read([one.model_dump_json(), "{"], where="baseline.jsonl")
    assert said.value.where == "baseline.jsonl:2"
