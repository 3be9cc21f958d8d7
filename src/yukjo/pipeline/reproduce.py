"""Train a recorded run again, and see whether the same adapters come out, to the bit.

1. It is trained as it was asked (`plan.json`), on the same data, base and words: where one of
   them is another now, that is refused by name, for the answer would mean nothing.
2. Versions, machine and threads may differ: they are named beside the answer, whichever it is.
3. Only hashes are kept: no adapter is added to the store.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from yukjo import runs
from yukjo.adapters.store import content_id
from yukjo.config import YukjoConfig
from yukjo.errors import RunError
from yukjo.files import canonical_json, hash_json, sha256_file
from yukjo.ledger.store import Ledger
from yukjo.pipeline import learn
from yukjo.pipeline.prepare import ask_plan
from yukjo.pipeline.record import body
from yukjo.pipeline.work import Work
from yukjo.records import Entry
from yukjo.runs import RunFolder
from yukjo.train import memory
from yukjo.train.choose import chosen
from yukjo.words import say

_MADE = ("run", "train")


@dataclass(frozen=True, slots=True)
class Pair:
    """Something as it was recorded and as it is now; None where there is none."""

    recorded: str | None
    found: str | None

    @property
    def same(self) -> bool:
        """Whether they are equal."""
        return self.recorded == self.found


def recorded(place: Path, name: str, ledger: Ledger) -> tuple[RunFolder, Entry]:
    """The run called `name` below `place`, and its entry; RunError where it was never recorded."""
    made = [e for e in ledger.entries() if e.kind in _MADE]
    # The newest folder may be a reproduction, or of a run that was killed.
    meant = made[-1].run if made and name == runs.LATEST else name
    folder = runs.find(place, meant, having=runs.TRAINED)
    own = [e for e in made if e.run == folder.id]
    if not own:
        raise RunError(
            say("the run is not recorded in the ledger: it never ended"),
            where=str(folder.path),
            fix=say("go on with --resume {run}", run=folder.id),
        )
    return folder, own[-1]


def asked(folder: RunFolder, entry: Entry, *, project: YukjoConfig) -> YukjoConfig:
    """The settings of the run, but for [project] and [ledger]; threads as many as it then had."""
    try:
        config = YukjoConfig.model_validate(json.loads(folder.plan.read_bytes())["config"])
    except (OSError, KeyError, ValidationError, ValueError) as fault:
        raise RunError(
            say("the run's plan can't be read: {fault}", fault=fault),
            where=str(folder.plan),
            fix=say("restore the file, or use the version of yukjo that made it"),
        ) from fault
    threads = config.train.threads or entry.body.get("versions", {}).get("threads")
    train = config.train.model_copy(update={"threads": int(threads) if threads else None})
    return config.model_copy(
        update={"project": project.project, "ledger": project.ledger, "train": train}
    )


def refuse_other_data(project: Path, entry: Entry) -> None:
    """RunError where a data file of the run is gone or has changed."""
    then = {f["name"]: f["sha256"] for f in entry.body["data"]["files"]}
    now = {n: sha256_file(project / n) if (project / n).is_file() else None for n in then}
    _refuse({name: Pair(then[name], now[name]) for name in then}, entry)


def reproduce(work: Work, entry: Entry) -> Entry:
    """Train it again in `work.folder`, and record how the adapters compare."""
    then, now = entry.body, body(work, {})
    _refuse(
        {
            say("base"): Pair(then["base"]["hash"], now["base"]["hash"]),
            say("chat template"): Pair(then["template_hash"], now["template_hash"]),
            _lines_word(work.config): Pair(
                *(hash_json(side["data"]["lines"]) for side in (then, now))
            ),
            **{f"[agents] {name}": Pair(made["prompt_hash"], work.prepared.roles[name].prompt_hash)
               for name, made in then["adapters"].items()},
        },
        entry,
    )  # fmt: skip
    if packed := memory.recorded(work.folder.path.parent / entry.run):
        memory.record(packed, work.folder.path)  # other packs would draw other dropout masks
    plan = ask_plan(work.config, work.prepared, work.folder, parts=work.parts)
    work.watch.stage("train")
    kept = chosen(plan, learn(work, plan))
    adapters = {
        name: Pair(made["id"], content_id(work.folder.best / kept[name].adapter))
        for name, made in then["adapters"].items()
    }
    found = {
        "reproduces": entry.run,
        "same": all(pair.same for pair in adapters.values()),
        "compared": {name: _shown(pair) for name, pair in adapters.items()},
        "differs": {name: _shown(pair) for name, pair in differences(then, now).items()},
    }
    return work.ledger.append("reproduce", work.folder.id, now | found)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Pair]:
    """Versions, threads and parts of the machine that are no longer what they were."""
    pairs = {}
    for part in ("versions", "machine"):
        known = then.get(part, {}), now[part]
        for name in sorted({*known[0], *known[1]}):
            pairs[name] = Pair(*(_text(side.get(name)) for side in known))
    return {name: pair for name, pair in pairs.items() if not pair.same}


def _refuse(pairs: Mapping[str, Pair], entry: Entry) -> None:
    """RunError that names all that is not what it was."""
    others = [name for name, pair in pairs.items() if not pair.same]
    if others:
        raise RunError(
            say("not what the run was made with: {names}", names=", ".join(others)),
            where=say("run {run}", run=entry.run),
            fix=say("put them back as they were; only the same things can make the same adapters"),
        )


def _lines_word(config: YukjoConfig) -> str:
    """What else the lines of the same files hang on: their images, or who approved them."""
    return say("images") if config.data.reviewed == "any" else say("approved samples")


def _text(value: object) -> str | None:
    # The record writes 4.0 as 4 (RFC 8785), so numbers are compared as it writes them.
    return value if value is None or isinstance(value, str) else canonical_json(value)


def _shown(pair: Pair) -> dict[str, str | bool | None]:
    return {"recorded": pair.recorded, "found": pair.found, "same": pair.same}
