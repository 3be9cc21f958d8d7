"""Write what an import takes, whole or not at all; nothing is overwritten unasked."""

from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from yukjo.data.imports import Import, text_of
from yukjo.data.imports.report import Kind, Report
from yukjo.data.lines import DRAFTS, name_of
from yukjo.errors import DataError
from yukjo.files import writing_whole
from yukjo.words import say


class _Nothing(Exception):
    """No row was taken: the file is not written."""


def write(work: Import, out: Path, *, force: bool) -> Report:
    """Write every row that is taken to `out`; no file where none is."""
    refuse_place(out, kind=work.kind, force=force)
    try:
        with writing_whole(out) as file:
            _write_all(work, file)
    except _Nothing:
        return work.report(None)
    except OSError as fault:
        raise unwritable(out, fault) from None
    return work.report(out)


def _write_all(work: Import, file: BinaryIO) -> None:
    taken = 0
    for row in work.rows():
        taken += 1
        file.write(text_of(row))
    if not taken:
        raise _Nothing


def preview(work: Import, count: int) -> tuple[list[dict[str, Any]], Report]:
    """The first `count` rows that would be written, and what would be done; nothing is written."""
    rows = work.rows()
    first = list(islice(rows, count))
    for _ in rows:
        pass
    return first, work.report(None)


def refuse_place(out: Path, *, kind: Kind, force: bool) -> None:
    """DataError where a file of that kind can't go to `out`."""
    drafts = out.name.lower().endswith(DRAFTS)
    if kind == "drafts" and not drafts:
        raise DataError(
            say("documents become drafts, whose file is called *{suffix}", suffix=DRAFTS),
            where=name_of(out),
            fix=say("write --out {name}", name=name_of(out.with_name(out.stem + DRAFTS))),
        )
    if kind == "samples" and drafts:
        raise DataError(
            say("samples are no drafts: the name *{suffix} is for those", suffix=DRAFTS),
            where=name_of(out),
            fix=say("choose another name with --out"),
        )
    refuse_taken(out, force=force)


def refuse_taken(out: Path, *, force: bool) -> None:
    """DataError where something stands at `out` that may not be overwritten."""
    try:
        taken = out.exists() and (out.is_dir() or not force)
    except (OSError, ValueError) as fault:
        raise unwritable(out, fault) from None
    if taken:
        raise DataError(
            say("something stands there already"),
            where=name_of(out),
            fix=say("choose another name with --out, or overwrite the file with --force"),
        )


def unwritable(out: Path, fault: OSError | ValueError) -> DataError:
    """What the disk refuses, as an error that says so."""
    reason = fault.strerror if isinstance(fault, OSError) else None
    return DataError(
        say("the file can't be written: {reason}", reason=reason or fault),
        where=name_of(out),
        fix=say("choose another name with --out"),
    )
