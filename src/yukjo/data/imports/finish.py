"""Finished drafts become samples; those that wait for a person are counted and left alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from yukjo.data.imports import Asked, Import, line_of
from yukjo.data.imports.chats import NotTaken
from yukjo.data.imports.drafts import is_finished, read, sample_of
from yukjo.data.imports.report import Kind
from yukjo.data.imports.rows import Row
from yukjo.reading.sandbox import Sandbox
from yukjo.words import say


class Finish(Import):
    """An import of draft files; a draft's own licence and source stay."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        agents: tuple[str, ...],
        mask: bool = True,
        contacts: tuple[str, ...] = (),
    ) -> None:
        asked = Asked(license="", agents=agents, mask=mask, contacts=contacts)
        super().__init__(files, asked)
        self.unfinished = 0
        """Drafts without a question or an answer; they are not among the rows read."""

    def _kind_of(self, files: Sequence[Path]) -> Kind:  # noqa: ARG002 - drafts have one kind
        return "samples"

    def _of_file(self, file: Path, sandbox: Sandbox) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        for number, draft in read(file):
            if not is_finished(draft):
                self.unfinished += 1
                continue
            bare = NotTaken("no-license", say("the draft names no `license`"))
            fields = sample_of(draft) if draft.get("license") else bare
            row = Row(number, fields, f"line={number}")
            try:
                sample = self._sample(row, file)
            except NotTaken as reason:
                self._refuse(row, reason)
                continue
            self._take(sample.agent_type)
            yield line_of(sample)
