"""How what crosses to the worker is spelled."""

from collections.abc import Sequence
from typing import TypedDict

from yukjo.ports import Piece, Request
from yukjo.records import Example, Picture


class Image(TypedDict):
    """A picture."""

    path: str
    sha256: str


class Row(TypedDict):
    """An example: its tokens, the places of those that are learned, what it shows."""

    tokens: list[int]
    learned: list[int]
    images: list[Image]


class Part(TypedDict):
    """A piece of a pack."""

    adapter: str
    rows: list[Row]
    denominator: int
    noise: int


class Ask(TypedDict):
    """A question to the engine."""

    adapter: str
    tokens: list[int]
    stop: list[int]
    max_tokens: int
    temperature: float
    seed: int
    images: list[Image]


def row(example: Example) -> Row:
    """An example on its way to the worker."""
    learned = [place for place, learn in enumerate(example.learn) if learn]
    return Row(tokens=list(example.tokens), learned=learned, images=images(example.images))


def images(pictures: Sequence[Picture]) -> list[Image]:
    """Pictures on their way to the worker, which reads the files itself."""
    return [Image(path=str(picture.path), sha256=picture.sha256) for picture in pictures]


def parts(pack: Sequence[Piece]) -> list[Part]:
    """A pack on its way to the worker."""
    return [
        Part(adapter=piece.adapter, rows=[row(e) for e in piece.examples],
             denominator=piece.denominator, noise=piece.noise)
        for piece in pack
    ]  # fmt: skip


def ask(request: Request) -> Ask:
    """A request on its way to the worker."""
    return Ask(
        adapter=request.adapter, tokens=list(request.tokens), stop=sorted(request.stop),
        max_tokens=request.max_tokens, temperature=request.temperature, seed=request.seed,
        images=images(request.images),
    )  # fmt: skip
