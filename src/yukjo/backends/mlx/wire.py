"""How what crosses to the worker is spelled."""

from collections.abc import Sequence
from typing import TypedDict

from yukjo.ports import Piece, Request
from yukjo.records import Example


class Row(TypedDict):
    """An example: its tokens, and the places of those that are learned."""

    tokens: list[int]
    learned: list[int]


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


def row(example: Example) -> Row:
    """An example on its way to the worker."""
    learned = [place for place, learn in enumerate(example.learn) if learn]
    return Row(tokens=list(example.tokens), learned=learned)


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
    )  # fmt: skip
