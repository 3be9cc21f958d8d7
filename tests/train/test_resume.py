"""Stopped, killed or torn, at any moment: a run that goes on ends as if nothing had happened."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.config.models import SweepConfig
from yukjo.train.checkpoints import START, Best, Checkpoints, Progress
from yukjo.train.events import Events, read
from yukjo.train.loop import Job, Stopped, train

MakeJob = Callable[..., Job]
MakeLearner = Callable[..., Any]

RUN = {"rag": 6, "review": 13}
SHAPE = {"epochs": 2, "evaluate_every": 2, "checkpoint_every": 3}
STEPS = 7
CLOCKED = {"seconds", "memory_mb", "peak_mb"}


def outcome(job: Job, learner: Any) -> tuple[Any, ...]:
    """All that a run leaves, but for its clock."""
    best = {p.parent.name: p.read_text() for p in (job.folder / "best").glob("*/*")}
    seen = [
        {key: value for key, value in e.items() if key not in CLOCKED}
        for e in read(job.folder / "events.jsonl")
        if e["event"] not in {"begin", "end"}  # of the processes, not of the training
    ]
    last = max((job.folder / "checkpoints").glob("step-*"))
    state = (last / "state.safetensors").read_text()
    progress = json.loads((last / "progress.json").read_text())
    return learner.weights, learner.speed, best, seen, state, progress | {"seconds": 0}


@pytest.fixture
def uninterrupted(job: MakeJob, learner: MakeLearner) -> tuple[Any, ...]:
    one = job(RUN, **SHAPE)
    made = learner(one)
    train(made, one)
    assert one.plan.steps == STEPS
    return outcome(one, made)


class Asked:
    """A stop asked for while step `step` was being taken."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.reached = 0

    def see(self, report: Any) -> None:
        self.reached = report.step

    def __call__(self) -> bool:
        return self.reached >= self.step


# Asked to stop


@pytest.mark.parametrize("step", range(1, STEPS))
def test_stopped_after_any_step_it_goes_on_as_if_it_had_not(
    job: MakeJob, learner: MakeLearner, uninterrupted: tuple[Any, ...], step: int
) -> None:
    one, asked = job(RUN, **SHAPE), Asked(step)
    with pytest.raises(Stopped) as stopped:
        train(learner(one), one, stop=asked, shown=asked.see)
    assert f"{STEPS}단계 가운데 {step}단계" in stopped.value.what
    assert one.folder.name in stopped.value.fix
    assert (one.folder / "checkpoints" / f"step-{step:06d}" / "progress.json").exists()
    again = learner(one)
    train(again, one, resume=True)
    assert outcome(one, again) == uninterrupted


def test_stopped_after_every_step_it_still_ends_the_same(
    job: MakeJob, learner: MakeLearner, uninterrupted: tuple[Any, ...]
) -> None:
    one = job(RUN, **SHAPE)
    for _ in range(1, STEPS):
        with pytest.raises(Stopped):
            train(learner(one), one, resume=True, stop=lambda: True)
    last = learner(one)
    train(last, one, resume=True, stop=lambda: True)
    assert outcome(one, last) == uninterrupted


def test_asked_to_stop_in_its_last_step_a_run_is_simply_done(
    job: MakeJob, learner: MakeLearner
) -> None:
    one, asked = job(RUN, **SHAPE), Asked(STEPS)
    assert train(learner(one), one, stop=asked, shown=asked.see).step == STEPS


@given(answers=st.lists(st.booleans(), max_size=2 * STEPS))
@settings(max_examples=100, deadline=None)
def test_whenever_the_stop_is_asked_for_the_step_it_names_is_checkpointed(
    job: MakeJob, learner: MakeLearner, answers: list[bool]
) -> None:
    one, left = job(RUN, **(SHAPE | {"checkpoint_every": 100})), iter(answers)
    try:
        done = train(learner(one), one, stop=lambda: next(left, False)).step
    except Stopped:
        done = max(e.get("step", 0) for e in read(one.folder / "events.jsonl"))
    assert max(p.name for p in (one.folder / "checkpoints").iterdir()) == f"step-{done:06d}"


def test_a_finished_run_that_is_resumed_does_nothing_more(
    job: MakeJob, learner: MakeLearner, uninterrupted: tuple[Any, ...]
) -> None:
    one = job(RUN, **SHAPE)
    train(learner(one), one)
    again = learner(one)
    assert train(again, one, resume=True).step == STEPS
    assert again.calls == 0
    assert outcome(one, again) == uninterrupted


# Killed


def calls_of_a_whole_run(job: MakeJob, learner: MakeLearner) -> int:
    one = job(RUN, **SHAPE)
    made = learner(one)
    train(made, one)
    calls: int = made.calls
    return calls


def test_killed_in_any_call_it_goes_on_as_if_it_had_not(
    job: MakeJob, learner: MakeLearner, fell: type[Exception], uninterrupted: tuple[Any, ...]
) -> None:
    for call in range(1, calls_of_a_whole_run(job, learner) + 1):
        one = job(RUN, **SHAPE)
        with pytest.raises(fell):
            train(learner(one, falls_at=call), one)
        tear(one.folder / "events.jsonl")
        again = learner(one)
        train(again, one, resume=True)
        assert outcome(one, again) == uninterrupted, call


def test_a_run_killed_twice_goes_on_too(
    job: MakeJob, learner: MakeLearner, fell: type[Exception], uninterrupted: tuple[Any, ...]
) -> None:
    one = job(RUN, **SHAPE)
    for call in (20, 8):
        with pytest.raises(fell):
            train(learner(one, falls_at=call), one, resume=True)
    again = learner(one)
    train(again, one, resume=True)
    assert outcome(one, again) == uninterrupted


def tear(path: Path) -> None:
    """The last write of a killed process, half on disk, in the middle of a letter."""
    with path.open("ab") as file:
        file.write('{"event":"step","losses":{"육'.encode()[:-1])


LIVELY: dict[str, Any] = {
    "epochs": 12, "evaluate_every": 1, "checkpoint_every": 3, "patience": 3,
    "sweep": SweepConfig(learning_rate=(0.05, 1.0)),
}  # fmt: skip


def test_a_sweep_with_early_stops_goes_on_as_if_it_had_not_been_killed(
    job: MakeJob, learner: MakeLearner, fell: type[Exception]
) -> None:
    whole = job({"rag": 3, "review": 5}, **LIVELY)
    made = learner(whole)
    done = train(made, whole)
    assert list(done.stopped.values()) == [7]  # its looks went bad before and after a checkpoint
    for call in range(1, made.calls, 7):
        one = job({"rag": 3, "review": 5}, **LIVELY)
        with pytest.raises(fell):
            train(learner(one, falls_at=call), one)
        again = learner(one)
        train(again, one, resume=True)
        assert outcome(one, again) == outcome(whole, made), call


# Checkpoints


def test_only_the_newest_checkpoints_are_kept(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 10}, epochs=4, checkpoint_every=1, keep=3)
    train(learner(one), one)
    names = sorted(p.name for p in (one.folder / "checkpoints").iterdir())
    assert names == ["step-000008", "step-000009", "step-000010"]


def test_checkpoints_fall_on_their_beat_and_on_the_end(job: MakeJob, learner: MakeLearner) -> None:
    one = job({"rag": 11}, epochs=4, checkpoint_every=4, keep=9)
    train(learner(one), one)
    names = sorted(p.name for p in (one.folder / "checkpoints").iterdir())
    assert names == ["step-000004", "step-000008", "step-000011"]


PROGRESS = Progress(step=4, best={"rag": Best(step=2, loss=0.5)}, tokens=9, seconds=1.5)


def test_what_is_written_is_restored(job: MakeJob, learner: MakeLearner, tmp_path: Path) -> None:
    one, checkpoints = job({"rag": 3}), Checkpoints(tmp_path, keep=1)
    wrote, fresh = learner(one), learner(one)
    wrote.weights["rag"][0] = 7.25
    checkpoints.save_best("rag", wrote)
    place = checkpoints.write(PROGRESS, wrote)
    assert place == tmp_path / "checkpoints" / "step-000004"
    assert checkpoints.restore(fresh) == PROGRESS
    assert fresh.weights == wrote.weights


def test_without_a_checkpoint_a_run_begins_at_the_beginning(
    job: MakeJob, learner: MakeLearner, tmp_path: Path
) -> None:
    assert Checkpoints(tmp_path / "none", keep=1).restore(learner(job({"rag": 3}))) == START


def test_a_checkpoint_half_written_is_ignored_and_written_anew(
    job: MakeJob, learner: MakeLearner, fell: type[Exception], tmp_path: Path
) -> None:
    one, checkpoints = job({"rag": 3}), Checkpoints(tmp_path, keep=2)
    checkpoints.save_best("rag", learner(one))
    checkpoints.write(PROGRESS, learner(one))
    later = PROGRESS.model_copy(update={"step": 6})
    with pytest.raises(fell):
        checkpoints.write(later, learner(one, falls_at=1))
    (tmp_path / "checkpoints" / ".DS_Store").touch()  # not ours to remove
    (tmp_path / "checkpoints" / ".step-000006" / "state.safetensors").write_text("[")
    assert checkpoints.restore(learner(one)) == PROGRESS
    checkpoints.write(later, learner(one))
    assert checkpoints.restore(learner(one)) == later
    kept = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert kept == [".DS_Store", "step-000004", "step-000006"]


def test_a_step_written_twice_stands_once(
    job: MakeJob, learner: MakeLearner, tmp_path: Path
) -> None:
    one, checkpoints = job({"rag": 3}), Checkpoints(tmp_path, keep=2)
    checkpoints.save_best("rag", learner(one))
    for tokens in (1, 2):
        checkpoints.write(PROGRESS.model_copy(update={"tokens": tokens}), learner(one))
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-000004"]
    assert checkpoints.restore(learner(one)).tokens == 2


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize("spoil", [flip, cut, Path.unlink])
@pytest.mark.parametrize(
    "file", ["state.safetensors", "progress.json", "sums.json", "best/rag/weights.json"]
)
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_leads_to_the_same_end(
    job: MakeJob,
    learner: MakeLearner,
    uninterrupted: tuple[Any, ...],
    file: str,
    spoil: Callable[[Path], None],
) -> None:
    one, asked, said = job(RUN, **SHAPE), Asked(5), list[str]()
    with pytest.raises(Stopped):
        train(learner(one), one, stop=asked, shown=asked.see)
    newest = one.folder / "checkpoints" / "step-000005"
    spoil(newest / file)
    again = learner(one)
    train(again, one, resume=True, said=said.append)
    assert outcome(one, again) == uninterrupted
    assert "step-000005" in "".join(said)
    assert (one.folder / "checkpoints" / "damaged-step-000005").exists()


def test_where_every_checkpoint_is_damaged_a_run_begins_again_and_ends_the_same(
    job: MakeJob, learner: MakeLearner, uninterrupted: tuple[Any, ...]
) -> None:
    one, asked, said = job(RUN, **SHAPE), Asked(5), list[str]()
    with pytest.raises(Stopped):
        train(learner(one), one, stop=asked, shown=asked.see)
    for place in (one.folder / "checkpoints").iterdir():
        flip(place / "state.safetensors")
    again = learner(one)
    train(again, one, resume=True, said=said.append)
    assert len(said) == 2
    assert outcome(one, again) == uninterrupted


def test_what_was_best_after_the_checkpoint_is_forgotten_with_it(
    job: MakeJob, learner: MakeLearner, tmp_path: Path
) -> None:
    one, checkpoints = job({"rag": 3}), Checkpoints(tmp_path, keep=2)
    then, later = learner(one), learner(one)
    later.weights["rag"][0] = 7.25
    checkpoints.save_best("rag", then)
    checkpoints.write(PROGRESS, then)
    checkpoints.save_best("rag", later)
    checkpoints.restore(learner(one))
    best = tmp_path / "best" / "rag" / "weights.json"
    assert json.loads(best.read_text()) == then.weights["rag"]


# Events


def test_events_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    with Events(tmp_path / "run" / "events.jsonl") as events:
        events.write("note", text="육조")
        assert list(read(tmp_path / "run" / "events.jsonl")) == [{"event": "note", "text": "육조"}]


def test_a_run_that_wrote_nothing_has_no_events(tmp_path: Path) -> None:
    assert list(read(tmp_path / "events.jsonl")) == []


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with Events(path) as events:
        events.write("step", step=1)
    tear(path)
    assert list(read(path)) == [{"event": "step", "step": 1}]


def test_a_resumed_run_cuts_off_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with Events(path) as events:
        events.write("note", text="before")
        for step in (1, 2, 3):
            events.write("step", step=step)
    tear(path)
    with Events(path, upto_step=2) as events:
        events.write("step", step=3, again=True)
    assert path.read_text().splitlines() == [
        '{"event":"note","text":"before"}',
        '{"event":"step","step":1}',
        '{"event":"step","step":2}',
        '{"again":true,"event":"step","step":3}',
    ]


@given(whole=st.lists(st.dictionaries(st.text(), st.integers()), max_size=4), data=st.data())
def test_a_file_cut_anywhere_gives_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, whole: list[dict[str, int]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    with Events(path) as events:
        for values in whole:
            events.write("note", values=values)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    found = list(read(path))
    assert len(found) - content[:cut].count(b"\n") in (0, 1)  # a last line may lack its end only
    assert [e["values"] for e in found] == whole[: len(found)]
