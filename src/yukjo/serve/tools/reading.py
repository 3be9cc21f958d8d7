"""Read one file of a folder as a document or as a law; the text of a law is its articles.

Runs in a process of its own (`reader`).
"""

from pathlib import Path

from yukjo.reading import documents
from yukjo.reading.documents import Block
from yukjo.serve.tools.statutes import Law, read_law

LAWS = (".xml", ".txt")


class Document(documents.Document):
    """What a file holds."""

    law: Law | None = None
    """For a law; its articles are the blocks, in their order."""


def read(path: Path, *, law: bool) -> Document:
    """The document, or the law, in a file; DataError where it can't be read."""
    if law:
        documents.weigh(path)
        return _of_law(read_law(path))
    found = documents.read(path)
    return Document(title=found.title, blocks=found.blocks)


def _of_law(law: Law) -> Document:
    blocks = [
        Block(text="" if article.deleted else article.text, paragraph=place)
        for place, article in enumerate(law.articles, 1)
    ]
    return Document(title=law.name, blocks=tuple(blocks), law=law)
