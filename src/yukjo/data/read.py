"""Read data files for training: samples, or one error that names the first lines to mend.

1. What `check` calls an error is refused here; warnings pass.
2. A sample that repeats another exactly is dropped and counted: it would weigh double.
3. Samples keep the order of their files and lines.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from yukjo.data import personal
from yukjo.data.check import examine
from yukjo.data.findings import Fault, Finding, explain, level
from yukjo.data.judge import fields
from yukjo.data.lines import Line, name_of, read_lines
from yukjo.errors import DataError
from yukjo.records import Sample
from yukjo.words import say

NAMED = 3
"""Faulty lines that an error names; `yukjo data check` lists them all."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was read."""

    samples: tuple[Sample, ...]
    """All different in what is trained on."""
    dropped: int
    """Lines that repeated a sample exactly."""


def read(
    files: Sequence[Path], *, agents: Collection[str], contacts: Collection[str] = ()
) -> Dataset:
    """The samples in `files`; DataError where a line has an error or no sample is left.

    `contacts` may stand in the texts, as `[data] allowed_contacts` has them.
    """
    reading = _Reading(agents, contacts)
    for file in files:
        for line in read_lines(file):
            reading.take(line, file)
            if len(reading.wrong) >= NAMED:
                break
    if reading.wrong:
        raise _refused(reading.wrong, files)
    if not reading.samples:
        raise DataError(
            say("the data holds no sample"),
            where=", ".join(map(name_of, files)) or "yukjo.toml [data] files",
            fix=say("name at least one JSONL file with samples"),
        )
    return Dataset(samples=tuple(reading.samples.values()), dropped=reading.dropped)


class _Reading:
    """What was read so far."""

    def __init__(self, agents: Collection[str], contacts: Collection[str]) -> None:
        self.agents = agents
        self.allowed = personal.allowed(contacts)
        self.samples: dict[str, Sample] = {}
        self.places: dict[str, str] = {}
        """Where the sample of each id stands."""
        self.wrong: list[Finding] = []
        self.dropped = 0

    def take(self, line: Line, file: Path) -> None:
        """Keep the sample on a line, count it as a repeat, or note what is wrong with it."""
        record, faults = examine(line, agents=self.agents, folder=file.parent, allowed=self.allowed)
        place = f"{name_of(file)}:{line.number}"
        if record is not None:
            sample = Sample.model_validate(fields(record))
            if sample.hash in self.samples:
                self.dropped += 1
                return
            self.samples[sample.hash] = sample
            if sample.id and (other := self.places.setdefault(sample.id, place)) != place:
                faults = [Fault("duplicate-id", "id", {"other": other})]
        for fault in faults:
            if level(fault) == "error":
                self.wrong.append(explain(fault, file=name_of(file), line=line.number))


def _refused(wrong: Sequence[Finding], files: Sequence[Path]) -> DataError:
    """The first errors as one."""
    return DataError(
        "; ".join(found.message for found in wrong[:NAMED]),
        where=", ".join(f"{found.file}:{found.line}" for found in wrong[:NAMED]),
        fix=say(
            "{first} (all errors: `yukjo data check {files}`)",
            first=wrong[0].fix,
            files=" ".join(map(name_of, files)),
        ),
    )
