"""A run seen from outside: what its events say, whatever state its file and process are in."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.errors import RunError
from yukjo.train import sessions
from yukjo.train.checkpoints import START, Best
from yukjo.train.events import Events
from yukjo.train.loop import Job, Stopped, train
from yukjo.train.watching import POINTS, SILENT_SECONDS, RunState, Watch, curve, sampled, state

PLAN = {
    "config": {"train": {"memory_limit_gb": 2.0}},
    "plan": {"steps": 100, "agents": [{"adapter": "rag", "steps": 100},
                                      {"adapter": "review", "steps": 3}]},
}  # fmt: skip
BEGIN = {"event": "begin", "host": "here", "pid": 7, "started": "1", "time": 1000.0,
         "resumed": 0, "seconds": 0.0, "steps": 100}  # fmt: skip


def step(number: int, **more: Any) -> dict[str, Any]:
    losses = {"rag": 5.0 - number / 100} | ({"review": 2.0} if number <= 3 else {})
    rates = dict.fromkeys(losses, 0.1)
    made = {"event": "step", "step": number, "losses": losses, "rates": rates,
            "tokens": 50 * number, "seconds": 2.0 * number, "memory_mb": 1,
            "peak_mb": 900 + number}  # fmt: skip
    return made | more


def valid(number: int, loss: float) -> dict[str, Any]:
    return {"event": "valid", "step": number, "losses": {"rag": loss}}


def end(how: str, **more: Any) -> dict[str, Any]:
    return {"event": "end", "how": how, "time": 1.0, **more}


def seen(*events: dict[str, Any], now: float = 1010.0, alive: bool | None = True) -> RunState:
    return state("run", PLAN, events, now=now, alive=alive, memory_mb=700.0, resumable=True)


def test_a_run_at_work_shows_where_it_is() -> None:
    run = seen(BEGIN, *(step(n) for n in range(1, 5)), valid(2, 4.5), valid(4, 4.6))
    assert (run.condition, run.step, run.steps, run.tokens, run.seconds) == (
        "running", 4, 100, 200, 8.0,
    )  # fmt: skip
    assert (run.tokens_per_s, run.recent_tokens_per_s) == (25.0, 25.0)
    assert run.seconds_left == 96 * 2.0
    assert run.silent_seconds == 2.0
    assert (run.memory_mb, run.peak_memory_mb, run.memory_limit_mb) == (700.0, 904, 2048.0)
    rag, review = run.adapters
    assert (rag.step, rag.loss, rag.learning_rate) == (4, 4.96, 0.1)
    assert rag.best == Best(step=2, loss=4.5)
    assert rag.held_out == ((2, 4.5), (4, 4.6))
    assert (review.step, review.steps, review.loss, review.best) == (3, 3, 2.0, None)


def test_time_left_follows_the_present_speed_not_that_of_a_slow_beginning() -> None:
    steps = [step(n, seconds=100.0 + n) for n in range(1, 31)]
    assert seen(BEGIN, *steps).seconds_left == 70.0


@pytest.mark.parametrize(
    ("events", "alive", "condition"),
    [
        ([], False, "preparing"),
        ([BEGIN | {"resumed": None}], True, "preparing"),
        ([BEGIN | {"resumed": None}], False, "dead"),
        ([BEGIN], True, "running"),
        ([BEGIN, step(1)], False, "dead"),
        ([BEGIN, step(1), end("stopped", why="asked")], False, "stopped"),
        ([BEGIN, step(1), end("failed", why="full")], False, "failed"),
        ([BEGIN, step(1), end("failed"), BEGIN | {"resumed": 1}], True, "running"),
        ([BEGIN, step(1), end("failed"), BEGIN | {"resumed": 1}], False, "dead"),
        ([BEGIN, step(100), end("finished")], False, "finished"),
        ([step(100)], False, "finished"),
    ],
)
def test_the_condition_of_a_run(events: list[Any], alive: bool, condition: str) -> None:  # noqa: FBT001
    run = seen(*events, alive=alive)
    assert run.condition == condition
    assert run.resumable == (condition in {"stopped", "failed", "dead"})
    assert (run.seconds_left is not None) == (condition == "running" and run.step > 0)


@pytest.mark.parametrize(("silent", "condition"), [(-1, "running"), (1, "dead")])
def test_a_run_of_another_machine_is_dead_after_a_long_silence(silent: int, condition: str) -> None:
    begun = BEGIN | {"resumed": 3, "seconds": 6.0}
    last = BEGIN["time"] + (step(5)["seconds"] - 6.0)  # type: ignore[operator]
    run = seen(begun, step(5), now=last + SILENT_SECONDS + silent, alive=None)
    assert run.condition == condition


@given(st.lists(st.sampled_from(["begin", "step", "valid", "end"]), max_size=40), st.booleans())
@settings(deadline=None)
def test_any_order_of_events_has_a_state(kinds: list[str], alive: bool) -> None:  # noqa: FBT001
    made = {"begin": lambda n: BEGIN | {"resumed": n}, "step": step,
            "valid": lambda n: valid(n, 1.0), "end": lambda _: end("stopped")}  # fmt: skip
    run = seen(*(made[kind](n) for n, kind in enumerate(kinds, 1)), alive=alive)
    assert json.loads(run.model_dump_json())["step"] <= len(kinds)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=400))
@settings(deadline=None)
def test_a_curve_keeps_its_mean_and_its_length_is_bounded(losses: list[float]) -> None:
    points = list(enumerate(losses, 1))
    joined = curve(points)
    assert len(joined) <= POINTS
    assert joined[-1][0] == len(losses)
    assert min(losses) - 1e-9 <= min(y for _, y in joined)
    assert max(y for _, y in joined) <= max(losses) + 1e-9


# From the file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


def test_what_is_added_is_read_on_and_a_half_written_line_waits(folder: Path) -> None:
    watch = Watch(folder)
    assert watch.look().step == 0
    with Events(folder / "events.jsonl") as events:
        events.write("step", **{k: v for k, v in step(1).items() if k != "event"})
        assert watch.look().step == 1
    with (folder / "events.jsonl").open("a") as file:
        line = json.dumps(step(2))
        file.write(line[:20])
        file.flush()
        assert watch.look().step == 1
        file.write(line[20:] + "\n")
    assert watch.look().step == 2


def test_a_run_that_is_gone_on_with_is_read_anew(folder: Path) -> None:
    path, watch = folder / "events.jsonl", Watch(folder)
    path.write_text("".join(json.dumps(step(n)) + "\n" for n in range(1, 6)) + '{"event":"st')
    assert watch.look().step == 5
    with Events(path, upto_step=3):
        assert watch.look().step == 3


def test_a_hundred_thousand_steps_are_read_well_under_a_second_and_no_look_is_missed(
    folder: Path,
) -> None:
    six = ",".join(f'"{agent}":0.123456789012345' for agent in ("rag", "b", "c", "d", "e", "f"))
    with (folder / "events.jsonl").open("w") as file:
        for n in range(1, 100_001):
            file.write(
                f'{{"event":"step","losses":{{{six}}},"memory_mb":9,"peak_mb":9,"norms":{{{six}}},'
                f'"rates":{{{six}}},"seconds":{2 * n},"step":{n},"tokens":{50 * n}}}\n'
            )
            if n == 77_777:
                file.write(json.dumps(valid(n, 0.5)) + "\n")
    watch, began = Watch(folder), time.process_time()
    run = watch.look()
    assert time.process_time() - began < 1
    assert (run.step, run.adapters[0].best) == (100_000, Best(step=77_777, loss=0.5))
    assert run.recent_tokens_per_s == 25.0


@given(st.integers(0, 5000))
@settings(deadline=None)
def test_a_sample_keeps_every_event_but_steps_and_the_last_step(number: int) -> None:
    lines = [b'{"event":"step","step":%d}' % n for n in range(number)]
    kept = sampled([*lines, b'{"event":"valid"}', b"torn"])
    assert kept[-2:] == [b'{"event":"valid"}', b"torn"]
    assert len(kept) <= 2100
    assert not lines or kept[-3] == lines[-1]


# Processes


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_process_has_a_mark_while_it_lives_and_none_when_it_is_dead_though_not_buried(
    sleeper: subprocess.Popen[bytes],
) -> None:
    assert sessions.started(sleeper.pid)
    assert sessions.started(sleeper.pid) != sessions.started(os.getpid())
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert sessions.started(sleeper.pid) is None
    sleeper.wait()
    assert sessions.started(sleeper.pid) is None


def begun_by(process: int, path: Path, **more: Any) -> None:
    import platform

    values = {"host": platform.node(), "pid": process, "started": sessions.started(process),
              "time": 0.0, "resumed": 0, "seconds": 0.0}  # fmt: skip
    with Events(path) as events:
        events.write("begin", **(values | more))


def test_a_run_at_work_elsewhere_on_this_machine_is_not_gone_on_with(
    folder: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    path = folder / "events.jsonl"
    begun_by(sleeper.pid, path)
    assert Watch(folder).look().condition == "running"
    with pytest.raises(RunError, match=str(sleeper.pid)):
        sessions.refuse_second(path)
    sleeper.kill()
    sleeper.wait()
    sessions.refuse_second(path)
    assert Watch(folder).look().condition == "dead"


def test_a_number_given_to_another_process_is_not_the_one_that_began(
    folder: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    begun_by(sleeper.pid, folder / "events.jsonl", started="1")
    assert Watch(folder).look().condition == "dead"
    sessions.refuse_second(folder / "events.jsonl")


def test_another_machines_run_is_judged_by_its_silence(folder: Path) -> None:
    begun_by(os.getpid(), folder / "events.jsonl", host="elsewhere")
    assert Watch(folder).look().condition == "dead"
    begun_by(1, folder / "events.jsonl", host="elsewhere", time=time.time())
    assert Watch(folder).look().condition == "running"


# In the loop


@pytest.mark.parametrize(("spoils", "how"), [({}, "finished"), ({"rag": 2}, "failed")])
def test_a_run_says_how_it_ended(
    job: Callable[..., Job], learner: Callable[..., Any], spoils: dict[str, int], how: str
) -> None:
    one = job({"rag": 20})
    one.folder.mkdir()
    (one.folder / "plan.json").write_text(json.dumps(PLAN))
    with suppress(RunError):
        train(learner(one, spoils=spoils), one)
    run = Watch(one.folder).look()
    assert run.condition == how
    assert ("`rag`" in (run.why or "")) == (how == "failed")


def test_a_stop_is_no_failure_and_leaves_its_words(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with (
        pytest.raises(Stopped),
        Events(path) as events,
        sessions.session(events, resumed=START, steps=3, stops=(Stopped,)),
    ):
        raise Stopped("enough", where="", fix="")
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["how"], last["why"]) == ("stopped", "enough")
