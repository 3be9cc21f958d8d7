"""All systems get the same tokens, in the same steps; and our own loop keeps to them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from toys import toy
from yukjo.bench.own import lay_out, settings
from yukjo.bench.systems import SYSTEMS, chosen
from yukjo.bench.task import Task, make_task
from yukjo.bench.tiny import tiny_task
from yukjo.errors import ConfigError
from yukjo.train.plan import step_samples
from yukjo.train.schedule import learning_rate


def test_a_task_survives_its_file(task: Callable[..., Task]) -> None:
    assert Task.model_validate_json(task().model_dump_json()) == task()


def test_steps_go_round_the_samples_of_the_agent_with_most(tmp_path: Path) -> None:
    examples = {"rag": toy(5, 6, 7, 8, 9), "review": toy(3)}
    made = make_task(examples, model=tmp_path, dtype="float32", steps=2, samples=3, dropout=0.1,
                     scratch=tmp_path)  # fmt: skip
    lengths = [[len(row.tokens) for row in step] for step in made.steps]
    assert lengths == [[5, 6, 7], [8, 9, 5], [6, 7, 8]]  # one to warm up, two counted
    assert (made.agent, made.batch, made.lora.dropout) == ("rag", 3, 0.1)


@pytest.mark.parametrize(("samples", "batch"), [(16, 4), (6, 3), (7, 1), (2, 2)])
def test_micro_batches_divide_a_step(samples: int, batch: int, tmp_path: Path) -> None:
    """A peer's Trainer knows no steps: a batch left over would carry into the next one."""
    made = make_task({"rag": toy(5)}, model=tmp_path, dtype="float32", steps=1, samples=samples,
                     dropout=0.0, scratch=tmp_path)  # fmt: skip
    assert made.batch == batch


def test_our_loop_sees_the_steps_as_they_were_laid_out(task: Callable[..., Task]) -> None:
    made = task()
    config = settings(made)
    planned, examples = lay_out(made, config)
    (agent,) = planned.agents
    for number, step in enumerate(made.steps):
        seen = [examples[i] for i in step_samples(agent, number, size=len(step))]
        assert [example.tokens for example in seen] == [row.tokens for row in step]
    assert planned.steps == len(made.steps)


def test_our_learning_rate_is_constant_as_the_others_is(task: Callable[..., Task]) -> None:
    (agent,) = lay_out(task(), settings(task()))[0].agents
    rates = {learning_rate(agent.pace, s, warmup=agent.warmup, total=agent.steps) for s in range(9)}
    assert rates == {task().learning_rate}


def test_the_tiny_task_keeps_lengths_and_one_learned_stretch(
    task: Callable[..., Task], tmp_path: Path
) -> None:
    big = task()
    patchy = big.steps[0][1].model_copy(
        update={"tokens": (1, 5000, 3, 4, 5, 6), "learn": (False, True, False, True, True, False)}
    )
    (folded,) = tiny_task(big.model_copy(update={"steps": ((patchy,),)}), tmp_path).steps[0]
    assert folded.tokens == (1, 5000 % 4096, 3, 4, 5)
    assert folded.learn == (False, False, False, True, True)


def test_only_the_systems_named_take_part_and_yukjo_always() -> None:
    assert [s.name for s in chosen(SYSTEMS, ["hf-bf16"])] == ["yukjo", "hf bf16"]
    assert "yukjo (tiny)" in [s.name for s in chosen(SYSTEMS, ["mlx-lm"])]
    assert len(chosen(SYSTEMS, [])) == len(SYSTEMS)
    with pytest.raises(ConfigError, match="hf-fp8"):
        chosen(SYSTEMS, ["hf-fp8"])
