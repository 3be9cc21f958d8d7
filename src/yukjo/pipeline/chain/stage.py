"""One stage of a chain: its own base opened, tuned and measured as a project of one agent is.

Bases are held one after another, never side by side: when a stage is over, all that the next one
needs stands in its `stage.json`, and its base is let go. A stage that is over is never opened
again, so a run that was killed goes on with the one it was in.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yukjo import machine
from yukjo.agents import Role
from yukjo.agents.roles import pick
from yukjo.config import YukjoConfig
from yukjo.config.chain import of_stage
from yukjo.evaluate.raw import read as read_raw
from yukjo.files import write_whole
from yukjo.ledger.store import Ledger
from yukjo.pipeline import begun, tuned
from yukjo.pipeline.answering import answer_all
from yukjo.pipeline.parts import Parts, Watcher
from yukjo.pipeline.prepare import Source, rendered
from yukjo.pipeline.work import Work
from yukjo.records import Answer, Frozen, Sample
from yukjo.runs import RunFolder
from yukjo.words import say


@dataclass(frozen=True, slots=True)
class Chain:
    """A run of a chain project, begun or gone on with."""

    project: Path
    config: YukjoConfig
    roles: Mapping[str, Role]
    folder: RunFolder
    ledger: Ledger
    watch: Watcher
    open_parts: Callable[[YukjoConfig, Path], Parts]

    @property
    def names(self) -> tuple[str, str]:
        """The two stages."""
        first, second = self.config.chain.stages
        return first, second

    def role(self, name: str) -> Role:
        """The role of a stage; ConfigError where it has none."""
        return pick(self.roles, name)


class Stage(Frozen):
    """A stage that is over: `stage.json`."""

    body: dict[str, Any]
    """What the ledger's entry would be if it had been a run by itself."""
    before: dict[str, str]
    """Hash of a sample -> the bare base's greedy answer."""
    after: dict[str, str]
    """The same with the adapter."""
    memory: dict[str, float]
    """MiB of this process: `held_before` the base was opened, at the `peak` of training, and
    `held_after` it was let go."""

    @property
    def adapter(self) -> str:
        """Content hash of the adapter it made."""
        (manifest,) = self.body["adapters"].values()
        return str(manifest["id"])

    def read(self, case: Sample, side: str) -> str:
        """What was read of a case: `before`, `after`, or the `truth`; "" where it wasn't asked."""
        known = {"before": self.before, "after": self.after, "truth": {case.hash: case.output}}
        return known[side].get(case.hash, "")


def stage(
    chain: Chain,
    role: str,
    given: Source,
    *,
    folder: str,
    both: Sequence[Sample] = (),
    after: Sequence[Sample] = (),
) -> Stage:
    """Tune the stage called `role` in its `folder` of the run; what is over is only read.

    Beside its own test cases it answers `both` by the bare base and by the adapter, and `after` by
    the adapter alone.
    """
    place = RunFolder(chain.folder.path / folder, run=chain.folder.id)
    kept = place.path / "stage.json"
    if kept.exists():
        return Stage.model_validate_json(kept.read_bytes())
    place.path.mkdir(exist_ok=True)
    place.clear()
    chain.watch.note(say("stage {name}", name=folder))
    held = machine.resident_mb()
    asked = [*((sample, False) for sample in both),
             *((sample, True) for sample in (*both, *after))]  # fmt: skip
    made = _tune(chain, role, given, place, asked)
    gc.collect()  # modules and their hooks refer to one another
    memory = {"held_before": round(held), "peak": made.body["train"]["peak_memory_mb"],
              "held_after": round(machine.resident_mb())}  # fmt: skip
    made = made.model_copy(update={"memory": memory})
    write_whole(kept, made.model_dump_json())
    return made


def _tune(
    chain: Chain, role: str, given: Source, folder: RunFolder, asked: Sequence[tuple[Sample, bool]]
) -> Stage:
    """The stage, with its answers to what is `asked`, tuned or not; the base dies with it."""
    config = of_stage(chain.config, role)
    parts = opened(chain, config)
    prepared = rendered(given, config, parts.tokenizer, chain.roles)
    for refusal in prepared.refused:
        chain.watch.note(
            say("left out: {name} ({reason})", name=refusal.name, reason=refusal.reason)
        )
    work = Work(chain.project, parts, config, prepared, folder, chain.ledger, chain.watch)
    body = tuned(work, begun(work))
    (manifest,) = body["adapters"].values()
    wanted = [(sample, manifest["id"] if adapted else "") for sample, adapted in asked]
    texts = answer_all(parts, config, chain.role(role), wanted)
    before, after = _measured(folder)
    for (sample, adapter), text in zip(wanted, texts, strict=True):
        (after if adapter else before)[sample.hash] = text
    return Stage(body=body, before=before, after=after, memory={})


def opened(chain: Chain, config: YukjoConfig) -> Parts:
    """A stage's base, loaded."""
    chain.watch.stage("base")
    parts = chain.open_parts(config, chain.project)
    chain.watch.note(parts.notice)
    return parts


def _measured(folder: RunFolder) -> tuple[dict[str, str], dict[str, str]]:
    """The greedy answers to the test cases, before and after."""
    with folder.answers.open(encoding="utf-8") as rows:
        raw = read_raw(rows, where=str(folder.answers))
    return _greedy(raw.before), _greedy(raw.after)


def _greedy(answers: Sequence[Answer]) -> dict[str, str]:
    return {answer.case: answer.text for answer in answers if answer.repeat == 0}
