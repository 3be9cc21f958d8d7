"""A project opened for work: what every part of the story needs at hand."""

from dataclasses import dataclass
from pathlib import Path

from yukjo.config import YukjoConfig
from yukjo.ledger.store import Ledger
from yukjo.pipeline.parts import Parts, Watcher
from yukjo.pipeline.prepare import Prepared
from yukjo.runs import RunFolder


@dataclass(frozen=True, slots=True)
class Work:
    """One run of one project, begun or gone on with."""

    project: Path
    parts: Parts
    config: YukjoConfig
    prepared: Prepared
    folder: RunFolder
    ledger: Ledger
    watch: Watcher
