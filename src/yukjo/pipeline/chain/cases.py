"""The cases of a chain: which ones each stage learns from, is chosen by and is measured on.

A case is a sample of the first stage; its output is the true analysis. The second stage's samples
are made of it, with the truth or with what the first stage read in the place of the analysis.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from yukjo.chain.facts import Fields, Look, facts_of, look
from yukjo.chain.recipe import summary_sample
from yukjo.config.chain import of_stage
from yukjo.data.read import read
from yukjo.data.split import Split
from yukjo.errors import ConfigError, DataError
from yukjo.files import hash_json, sha256_file
from yukjo.pipeline.chain.stage import Chain, Stage
from yukjo.pipeline.prepare import Source, source
from yukjo.records import Sample
from yukjo.words import say

Cases = tuple[Sample, ...]


@dataclass(frozen=True)
class Drawn:
    """The cases of a run, each side in the order of their hashes."""

    first: Source
    """What the first stage is tuned and measured on."""
    learn: Cases
    """Cases the second stage learns from."""
    choose: Cases
    """Held-out cases by which its checkpoint and its final adapter are chosen."""
    kept: Cases
    """Cases the first stage's base could read before."""
    files: Mapping[str, str]
    """Name of every data file -> SHA-256."""
    fields: Fields

    @property
    def every(self) -> Cases:
        """All cases."""
        return (*self.first.split.train, *self.first.split.valid, *self.first.split.test,
                *self.learn, *self.kept)  # fmt: skip

    @cached_property
    def look(self) -> Look:
        """What is looked for in summaries: every name that stands in a case is known."""
        return look(self.fields, [facts_of(case.output, self.fields) for case in self.every])

    @property
    def hash(self) -> str:
        """Of what is measured on."""
        return hash_json(sorted(case.hash for case in (*self.first.split.test, *self.kept)))


def draw(chain: Chain) -> Drawn:
    """Read and check all cases; DataError names the one whose analysis lacks a field."""
    settings, (name, _) = chain.config.chain, chain.names
    config = of_stage(chain.config, name)
    if config.data.reviewed == "approved" and (settings.files or settings.kept_files):
        raise ConfigError(
            say("the cases of [chain] files can't be held to approval"),
            where="yukjo.toml [chain] files, kept_files",
            fix=say('leave them out, or set [data] reviewed to "any"'),
        )
    given = source(chain.project, config, chain.roles)
    if not given.split.test:
        raise DataError(
            say("the test split holds no case"),
            where=f"yukjo.toml [stage.{name}.data]",
            fix=say("hold out a larger share, or add samples"),
        )
    learn, kept = (_read(chain, files) for files in (settings.files, settings.kept_files))
    found = Drawn(
        first=given,
        learn=_some(learn or given.split.train, settings.learn),
        choose=_some(given.split.valid, settings.choose),
        kept=kept,
        files=dict(given.files) | {str(file): sha256_file(chain.project / file)
                                   for file in (*settings.files, *settings.kept_files)},
        fields=settings.fields,
    )  # fmt: skip
    _refuse_gaps(chain, found.every)
    _refuse_seen(learn, (*given.split.valid, *given.split.test))
    return found


def tested(chain: Chain, drawn: Drawn, answered: Mapping[str, str]) -> Cases:
    """The test cases that go through the whole chain: of those that the first stage answered."""
    found = [case for case in drawn.first.split.test if case.hash in answered]
    return _some(found, chain.config.chain.cases)


def summaries(chain: Chain, drawn: Drawn, test: Cases, *, first: Stage, side: str) -> Source:
    """The second stage's samples, with the first's reading of a case, or the truth, to sum up."""

    def made(cases: Cases) -> Cases:
        samples = [second_sample(chain, drawn, case, first.read(case, side)) for case in cases]
        return tuple({sample.hash: sample for sample in samples}.values())

    return Source(
        split=Split(train=made(drawn.learn), valid=made(drawn.choose), test=made(test)),
        files=dict(drawn.files),
        dropped=0,
    )


def second_sample(chain: Chain, drawn: Drawn, case: Sample, reading: str) -> Sample:
    """What the second stage is asked of a case that was read as `reading`."""
    return summary_sample(case, reading, role=chain.names[1], config=chain.config.chain,
                          names=drawn.look.names, seed=chain.config.seed)  # fmt: skip


def _read(chain: Chain, files: Sequence[Path]) -> Cases:
    if not files:
        return ()
    found = read([chain.project / file for file in files], agents=chain.roles,
                 contacts=chain.config.data.allowed_contacts)  # fmt: skip
    return tuple(case for case in found.samples if case.agent_type == chain.names[0])


def _some(cases: Iterable[Sample], most: int | None) -> Cases:
    return tuple(sorted(cases, key=lambda case: case.hash)[:most])


def _refuse_gaps(chain: Chain, cases: Iterable[Sample]) -> None:
    fields = chain.config.chain.fields
    for case in cases:
        gaps = [field for field, value in facts_of(case.output, fields).items() if not value]
        if gaps:
            raise DataError(
                say("the analysis of `{name}` lacks {fields}, or has it malformed",
                    name=case.name, fields=", ".join(gaps)),
                where="yukjo.toml [chain] fields",
                fix=say("write the output as lines `field: value`, one for each of {fields}",
                        fields=", ".join(fields)),
            )  # fmt: skip


def _refuse_seen(learn: Cases, held: Cases) -> None:
    """DataError where a case that is learned from is also measured on or chosen by."""
    known = {case.hash for case in held}
    for case in learn:
        if case.hash in known:
            raise DataError(
                say("sample `{name}` is on two sides: {sides}", name=case.name,
                    sides="[chain] files, [data]"),
                where="yukjo.toml [chain] files",
                fix=say("take it out of one of the files"),
            )  # fmt: skip
