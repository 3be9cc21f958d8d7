"""Bring files of others in: chats and tables become samples, documents drafts of samples.

1. Imported and refused rows together are the rows read; a refused row is named with its reason.
2. A sample that comes out has no error that `data check` knows, and its id once.
3. Personal data is masked before anything is written or shown (`masking`).
4. Where a row came from stands in its `source`, unless it says so itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yukjo.data import personal
from yukjo.data.findings import Fault, explain, level
from yukjo.data.imports import drafts
from yukjo.data.imports.chats import LABELS, Made, NotTaken, format_of, made
from yukjo.data.imports.columns import mapping
from yukjo.data.imports.masking import Masker
from yukjo.data.imports.report import FileCount, Kind, Refusal, Report, SheetColumns, Tally
from yukjo.data.imports.rows import JSON, Head, Row, json_rows, table_rows
from yukjo.data.judge import fields, judge
from yukjo.data.lines import name_of
from yukjo.errors import DataError
from yukjo.files import sorted_json
from yukjo.korean.text import shown
from yukjo.reading.cells import TABLES
from yukjo.reading.documents import DOCUMENTS
from yukjo.reading.sandbox import Sandbox, opened
from yukjo.records import Sample
from yukjo.words import say

SUFFIXES = (*JSON, *TABLES, *DOCUMENTS)

SECONDS = 120.0
"""For one file, in the reader's process."""

_DIFFICULTY = {
    "하": "쉬움", "중": "보통", "상": "어려움", "easy": "쉬움", "medium": "보통", "normal": "보통",
    "hard": "어려움",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the importer was told."""

    license: str
    agents: tuple[str, ...]
    """The agents that may occur."""
    agent: str | None = None
    """Of rows that name none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field -> column, where it isn't to be guessed."""
    sheet: str | None = None
    mask: bool = True
    contacts: tuple[str, ...] = ()
    """Of offices: they are not masked."""


def kind_of(files: Sequence[Path]) -> Kind:
    """What the files become; DataError for a file of no known format, and for a mix."""
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            raise DataError(
                say("files of this kind can't be imported"),
                where=name_of(file),
                fix=say("save it as one of: {known}", known=", ".join(SUFFIXES)),
            )
    kinds: set[Kind] = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise DataError(
            say("documents become drafts, the other files samples; one import makes one of them"),
            where=", ".join(name_of(file) for file in files if _kind(file) == "drafts"),
            fix=say("import the documents on their own"),
        )
    return kinds.pop() if kinds else "samples"


def _kind(file: Path) -> Kind:
    return "drafts" if file.suffix.lower() in DOCUMENTS else "samples"


class Import:
    """One import: `rows` reads, and `report` says afterwards what became of what was read."""

    def __init__(
        self, files: Sequence[Path], asked: Asked, *, sandbox: Sandbox | None = None
    ) -> None:
        """A `sandbox` of the caller's stays open; else one is there while rows are read."""
        self._sandbox = sandbox
        self.kind: Kind = self._kind_of(files)
        self._files, self._asked = files, asked
        self._masker = Masker(on=asked.mask, contacts=asked.contacts)
        self._tally = Tally()
        self._owners: dict[str, str] = {}
        """Id -> hash of its sample."""

    def _kind_of(self, files: Sequence[Path]) -> Kind:
        return kind_of(files)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row that is taken, as a line of the file to be written."""
        with nullcontext(self._sandbox) if self._sandbox else opened(seconds=SECONDS) as sandbox:
            for file in self._files:
                self._tally.files.append(FileCount(name_of(file)))
                try:
                    yield from self._of_file(file, sandbox)
                except DataError as fault:
                    self._refuse(Row(0, {}, ""), NotTaken("not-readable", fault.what))

    def report(self, out: Path | None) -> Report:
        """What was done so far."""
        return self._tally.made(
            self.kind,
            None if out is None else name_of(out),
            masking=self._asked.mask,
            personal_data=self._masker.counts(),
        )

    def _of_file(self, file: Path, sandbox: Sandbox) -> Iterator[dict[str, Any]]:
        if self.kind == "drafts":
            yield from self._drafts(file, sandbox)
            return
        if file.suffix.lower() in JSON:
            read: Iterable[Head | Row] = json_rows(file)
        else:
            asked = self._asked
            read = table_rows(file, sandbox, named=asked.columns, only=asked.sheet)
        for row in read:
            if isinstance(row, Head):
                self._note(row)
                continue
            try:
                sample = self._sample(row, file)
            except NotTaken as reason:
                self._refuse(row, reason)
                continue
            self._take(sample.agent_type)
            yield line_of(sample)

    def _drafts(self, file: Path, sandbox: Sandbox) -> Iterator[dict[str, Any]]:
        for draft in drafts.of_file(file, sandbox):
            self._tally.files[-1].formats[file.suffix.lower().lstrip(".")] += 1
            safe = self._masker.fields(draft)
            self._take(self._asked.agent or "")
            labels = {"license": self._asked.license, "agent_type": self._asked.agent or ""}
            yield drafts.line(safe | labels)

    def _note(self, head: Head) -> None:
        """Keep which columns a sheet's rows are made of."""
        count = self._tally.files[-1]
        count.sheets.append(
            SheetColumns(sheet=head.sheet, header=head.row, above=head.above, columns=head.columns)
        )
        count.unused |= dict.fromkeys(head.unused)

    def _refuse(self, row: Row, reason: NotTaken) -> None:
        file = self._tally.files[-1].file
        said = self._masker.text(reason.message)  # it may quote a cell
        self._tally.refuse(
            Refusal(file=file, sheet=row.sheet, row=row.number, code=reason.code, message=said)
        )
        self._masker.row_ends(taken=False)

    def _take(self, agent: str) -> None:
        self._masker.row_ends(taken=True)
        self._tally.files[-1].imported += 1
        self._tally.agents[agent] += 1

    def _sample(self, row: Row, file: Path) -> Sample:
        """The sample in a row; NotTaken where there is none."""
        if isinstance(row.value, NotTaken):
            raise row.value
        found = self._made(row.value, is_table="row=" in row.place)
        # Counted now: a row that is refused later was still of this format.
        self._tally.files[-1].formats[found.format or file.suffix.lower().lstrip(".")] += 1
        # Masked first: what is judged is what is written.
        record = self._masker.fields(self._completed(found.fields, f"{file.name}#{row.place}"))
        if wrong := self._wrong(record):
            raise NotTaken(
                wrong[0].code,
                "; ".join(explain(fault, file="", line=0).message for fault in wrong[:3]),
            )
        own = "license" in found.fields and record["license"] != self._asked.license
        sample = Sample.model_validate(fields(record))
        self._claim(sample)
        self._tally.dropped += found.dropped
        self._tally.mended += row.mended
        self._tally.own_licences.update([record["license"]] if own else [])
        self._tally.files[-1].unused |= dict.fromkeys(shown(name) for name in found.unused)
        return sample

    def _wrong(self, record: dict[str, Any]) -> list[Fault]:
        """The errors of a record; personal data is none where it is to be kept."""
        asked = self._asked
        found = judge(record, agents=asked.agents, allowed=personal.allowed(asked.contacts))
        errors = [fault for fault in found if level(fault) == "error"]
        return [fault for fault in errors if asked.mask or fault.code not in personal.CODES]

    def _made(self, value: Mapping[str, Any], *, is_table: bool) -> Made:
        """The fields of a row, by its format or by its columns."""
        if is_table:
            return Made("", dict(value))
        format_ = format_of(value)
        named = self._asked.columns
        if format_ is not None:
            found = made(value, format_)
            for name in LABELS:
                if named.get(name) in value:
                    found.fields[name] = value[named[name]]
            return found
        keys = list(value)
        columns = mapping(keys, named)
        if not {"instruction", "output"} <= columns.keys():
            raise NotTaken("unknown-format", say(
                "none of ChatML, ShareGPT and Alpaca, and no column for a question and an answer"
                " (keys: {keys})", keys=", ".join(shown(key, limit=20) for key in keys[:10]) or "-",
            ))  # fmt: skip
        taken = {name: value[keys[at]] for name, at in columns.items()}
        unused = [key for at, key in enumerate(keys) if at not in columns.values()]
        return Made("columns", taken, unused)

    def _completed(self, found: dict[str, Any], source: str) -> dict[str, Any]:
        """A record with what the row left to the importer: line ends, labels, where it is from."""
        record = {key: _plain(value) for key, value in found.items()}
        for name in LABELS:
            value = record.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                record[name] = str(value)
            elif value is None or (isinstance(value, str) and not value.strip()):
                record.pop(name, None)
        said = record.get("difficulty")
        if isinstance(said, str):
            record["difficulty"] = _DIFFICULTY.get(said.strip().lower(), said.strip())
        if "agent_type" not in record and self._asked.agent is not None:
            record["agent_type"] = self._asked.agent
        return {"license": self._asked.license, "source": source} | record

    def _claim(self, sample: Sample) -> None:
        """NotTaken where another sample of this import has the id."""
        if sample.id and self._owners.setdefault(sample.id, sample.hash) != sample.hash:
            raise NotTaken(
                "duplicate-id", say("another row of this import has the id `{id}`",
                                    id=shown(sample.id)),
            )  # fmt: skip


def _plain(value: object) -> object:
    """A text with line feeds alone at its line ends; the texts of turns too."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, list):
        return [{k: _plain(v) for k, v in one.items()} if isinstance(one, dict) else one
                for one in value]  # fmt: skip
    return value


def line_of(sample: Sample) -> dict[str, Any]:
    """A sample as a line: absent fields left out, `input` always there."""
    row: dict[str, Any] = sample.model_dump(mode="json", exclude_defaults=True)
    return row | {"input": sample.input}


def text_of(row: Mapping[str, Any]) -> bytes:
    """A row as one line of a file; a draft keeps the order of its fields."""
    if drafts.is_draft(row):
        return drafts.text_of(row)
    return sorted_json(row).encode() + b"\n"
