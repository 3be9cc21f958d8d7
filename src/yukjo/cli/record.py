"""The ledger of a project, for commands that find something in it and never make it."""

from pathlib import Path
from typing import TYPE_CHECKING

from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.ledger.store import Ledger


def existing(project: Path) -> "Ledger":
    """The project's ledger, to be closed; LedgerError where there is none yet."""
    from yukjo import pipeline
    from yukjo.config import load
    from yukjo.errors import LedgerError
    from yukjo.ledger.store import Ledger

    path = pipeline.ledger_file(pipeline.runs_folder(project, load(project)))
    if not path.exists():
        raise LedgerError(
            say("there is no ledger yet"), where=str(path), fix=say("start `yukjo run`")
        )
    return Ledger(path)
