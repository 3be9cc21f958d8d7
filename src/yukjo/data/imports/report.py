"""What an import took, refused and changed: every row is in it, none with its text."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from yukjo.records import Frozen

LISTED = 10_000
"""Refused rows that a report names; the others are counted."""

Kind = Literal["samples", "drafts"]


class Refusal(Frozen):
    """A row that was not taken, and why."""

    file: str
    sheet: str
    row: int
    """Line, row, page or element, 1-based; 0 is the file or the sheet as a whole."""
    code: str
    message: str


class SheetColumns(Frozen):
    """Where the fields of a table's rows came from."""

    sheet: str
    header: int
    """Its row."""
    above: int
    """Rows above it, which are no samples."""
    columns: dict[str, str]
    """Field -> column."""


class FileRead(Frozen):
    """What became of one file; `read` is `imported` and `refused` together."""

    file: str
    formats: dict[str, int]
    """Format -> rows of it."""
    read: int
    imported: int
    refused: int
    sheets: tuple[SheetColumns, ...] = ()
    unused: tuple[str, ...] = ()
    """Columns and keys that are no part of a sample."""


class Report(Frozen):
    """What an import did; `read` is `imported` and `refused` together."""

    kind: Kind
    out: str | None
    """None where nothing was written."""
    read: int
    imported: int
    refused: int
    refusals: tuple[Refusal, ...]
    omitted: int
    """Refusals counted above and not listed."""
    files: tuple[FileRead, ...]
    agents: dict[str, int]
    system_messages: int
    """Dropped: an agent's role has its own."""
    tool_calls: int
    """Dropped: what they gave became the input."""
    mended: int
    """Rows out of which invisible characters were taken, or whose Korean was put together (NFC)."""
    own_licences: dict[str, int]
    """Licences that rows name themselves."""
    masking: bool
    personal_data: dict[str, int]
    """Kind -> how many were masked."""


@dataclass(slots=True)
class FileCount:
    """A `FileRead` in the making."""

    file: str
    formats: Counter[str] = field(default_factory=Counter)
    imported: int = 0
    refused: int = 0
    sheets: list[SheetColumns] = field(default_factory=list)
    unused: dict[str, None] = field(default_factory=dict)

    def made(self) -> FileRead:
        """As it stands."""
        return FileRead(
            file=self.file,
            formats=dict(self.formats),
            read=self.imported + self.refused,
            imported=self.imported,
            refused=self.refused,
            sheets=tuple(self.sheets),
            unused=tuple(self.unused),
        )


@dataclass(slots=True)
class Tally:
    """A `Report` in the making."""

    files: list[FileCount] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    omitted: int = 0
    agents: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    mended: int = 0
    own_licences: Counter[str] = field(default_factory=Counter)

    def refuse(self, refusal: Refusal) -> None:
        """Count and name a row of the last file that is not taken."""
        self.files[-1].refused += 1
        if len(self.refusals) < LISTED:
            self.refusals.append(refusal)
        else:
            self.omitted += 1

    def made(self, kind: Kind, out: str | None, **masked: Any) -> Report:  # noqa: ANN401
        """As it stands."""
        files = tuple(file.made() for file in self.files)
        return Report(
            kind=kind,
            out=out,
            read=sum(file.read for file in files),
            imported=sum(file.imported for file in files),
            refused=sum(file.refused for file in files),
            refusals=tuple(self.refusals),
            omitted=self.omitted,
            files=files,
            agents=dict(self.agents),
            system_messages=self.dropped["system"],
            tool_calls=self.dropped["calls"],
            mended=self.mended,
            own_licences=dict(self.own_licences),
            **masked,
        )
