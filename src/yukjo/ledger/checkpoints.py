"""Signed statements of how far the ledger had come: what shows a cut or rewritten end.

1. A checkpoint says: the ledger whose first entry has hash `ledger` held `count` entries, and the
   last had hash `head`. Ed25519 over the canonical JSON of all its other fields.
2. A file of one checkpoint, or a folder of them, is carried off the machine; whoever verifies
   brings it back. A checkpoint that stayed beside the ledger proves less.
3. Where public keys are named, one of them must have signed; where none is, all checkpoints must
   be of one key, so that a forger must at least replace every one of them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from yukjo.errors import LedgerError
from yukjo.files import canonical_json, write_whole
from yukjo.ledger import faults, keys
from yukjo.ledger.faults import Fault
from yukjo.records import Frozen
from yukjo.words import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MOST_BYTES = 1 << 16
"""A checkpoint has some 600 bytes."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger has come."""

    ledger: str
    """Hash of the first entry: which ledger it is."""
    count: int
    hash: str
    """Of the last entry."""


class Checkpoint(Frozen):
    """A signed `Head`."""

    model_config = ConfigDict(strict=True)

    format: Literal["yukjo-ledger-checkpoint-1"]
    ledger: Hash
    count: Annotated[int, Field(gt=0, lt=2**53)]
    head: Hash
    created: str
    """ISO 8601, UTC; the signer's own clock."""
    key: Hash
    """Public key, hex."""
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]

    @property
    def message(self) -> bytes:
        """What is signed."""
        return canonical_json(self.model_dump(exclude={"signature"})).encode()


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint and the file it was read from."""

    where: str
    point: Checkpoint


def sign(head: Head, key: "Ed25519PrivateKey") -> Checkpoint:
    """A checkpoint of `head`, now."""
    created = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    unsigned = Checkpoint(
        format="yukjo-ledger-checkpoint-1",
        ledger=head.ledger,
        count=head.count,
        head=head.hash,
        created=created,
        key=keys.public_hex(key),
        signature="0" * 128,
    )
    return unsigned.model_copy(update={"signature": key.sign(unsigned.message).hex()})


def write(point: Checkpoint, path: Path) -> None:
    """Write a checkpoint, whole or not at all."""
    try:
        write_whole(path, point.model_dump_json(indent=2) + "\n")
    except OSError as fault:
        raise LedgerError(
            say("the checkpoint can't be written: {reason}", reason=fault.strerror or fault),
            where=str(path),
            fix=say("free some room, or name a file or folder that can be written; the entries"
                    " themselves are recorded"),
        ) from None  # fmt: skip


def name_of(point: Checkpoint) -> str:
    """The file a checkpoint gets in a folder of them; no other head ever takes its place."""
    return f"checkpoint-{point.count:06}-{point.head[:8]}.json"


def counted(name: str) -> int:
    """How many entries the checkpoint in a file of that name covers; 0 for another name.

    >>> counted("checkpoint-000012-3fa9c1d2.json"), counted("today.json")
    (12, 0)
    """
    parts = name.split("-")
    named = len(parts) == 3 and parts[0] == "checkpoint" and parts[1].isdecimal()  # noqa: PLR2004
    return int(parts[1]) if named else 0


def gather(places: Iterable[Path]) -> tuple[list[Found], list[Fault]]:
    """The checkpoints in files and folders, and what is no checkpoint."""
    found: list[Found] = []
    wrong: list[Fault] = []
    for place in places:
        for file in sorted(place.glob("*.json")) if place.is_dir() else [place]:
            try:
                found.append(Found(str(file), parse(_bytes(file))))
            except (ValueError, RecursionError) as fault:
                wrong.append(faults.no_checkpoint(str(file), _first(fault)))
    return found, wrong


def parse(data: bytes) -> Checkpoint:
    """The checkpoint in a file's bytes; ValueError where there is none."""
    if len(data) > _MOST_BYTES:
        raise ValueError(say("more than {most} bytes", most=_MOST_BYTES))
    point = Checkpoint.model_validate(json.loads(data.decode()))
    _ = point.message  # a text that is no Unicode has none
    return point


def trusted(found: Sequence[Found], allowed: Sequence[str]) -> tuple[list[Found], list[Fault]]:
    """The checkpoints whose signatures hold, by `allowed` public keys, or by one where none is."""
    good: list[Found] = []
    wrong: list[Fault] = []
    for one in found:
        if not keys.holds(one.point.key, one.point.signature, one.point.message):
            wrong.append(faults.bad_signature(one.where))
        elif one.point.key not in (allowed or [good[0].point.key if good else one.point.key]):
            wrong.append(faults.other_key(one.where, one.point.key))
        else:
            good.append(one)
    return good, wrong


def against(found: Iterable[Found], hashes: Mapping[int, str]) -> Iterator[Fault]:
    """What signed checkpoints show of a ledger with these entries: number -> hash.

    Of one kind of fault at one entry, only the first is told.
    """
    told: set[tuple[int, str]] = set()
    for fault in _against(sorted(found, key=lambda one: one.point.count), hashes):
        if (fault.number, fault.code) not in told:
            told.add((fault.number, fault.code))
            yield fault


def _against(found: Sequence[Found], hashes: Mapping[int, str]) -> Iterator[Fault]:
    last = max(hashes, default=0)
    for one in found:
        count, head = one.point.count, one.point.head
        if hashes.get(1, one.point.ledger) != one.point.ledger:
            yield faults.other_ledger(one.where)
        elif count > last:
            yield faults.cut(last + 1, count=count, where=one.where)
        elif hashes.get(count, head) != head:
            start = _agreed(found, hashes, before=one.point) + 1
            yield faults.rewritten(start, count=count, where=one.where)


def _agreed(found: Iterable[Found], hashes: Mapping[int, str], *, before: Checkpoint) -> int:
    """Up to which entry the ledger is what had been signed when `before` was.

    A later checkpoint may be of what was written anew, and says nothing of what was there.
    """
    earlier = [
        point.count
        for point in (one.point for one in found)
        if point.created < before.created
        and point.count < before.count
        and hashes.get(point.count) == point.head
    ]
    return max(earlier, default=0)


def _bytes(file: Path) -> bytes:
    """A file's bytes, no more than shows that it is too large."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError as fault:
        raise LedgerError(
            say("the checkpoint can't be read: {reason}", reason=fault.strerror or fault),
            where=str(file),
            fix=say("name a file or folder that `yukjo ledger checkpoint` wrote"),
        ) from None


def _first(fault: Exception) -> str:
    """The first thing that is wrong, on one line."""
    if isinstance(fault, ValidationError):
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(fault)
