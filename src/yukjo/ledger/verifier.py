"""Verify a ledger without Yukjo: this one file, Python 3.11 or newer, and `cryptography`.

    python verifier.py FILE [--checkpoint C]... [--public-key K]... [--lang en] [--json]

FILE is the ledger's SQLite file, or what `yukjo ledger export --format jsonl` wrote. C is a signed
checkpoint or a folder of them, K the signer's public key (PEM). Nothing is written. Exit codes:
0 whole, 1 not, 2 a file can't be used. Without checkpoints the standard library is enough.

What is checked:
1. Entries are numbered 1, 2, 3, ...; `previous` of each is the hash of the one before, "" at first.
2. `hash` is the SHA-256 of the canonical JSON of number, kind, run, created, body and previous.
   Canonical is RFC 8785. Ledgers begun before revision 0002 hold older entries in another form:
   keys by code point, numbers as Python's `json` writes them.
3. A checkpoint is {format, ledger, count, head, created, key, signature}: Ed25519 by `key` over the
   canonical JSON of the others. `ledger` is the first entry's hash, `head` that of entry `count`.

It shares no line of code with Yukjo, so that a fault of one is seen by the other.
"""

import argparse
import json
import math
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

SAFE = 2**53 - 1
MOST_DIGITS, MOST_ZEROS = 21, 6
"""Beyond these a number is written with an exponent."""
COLUMNS = ("number", "kind", "run", "created", "body", "previous", "hash")
FORMAT = "yukjo-ledger-checkpoint-1"
SHAPES = {"ledger": "[0-9a-f]{64}", "head": "[0-9a-f]{64}", "key": "[0-9a-f]{64}",
          "signature": "[0-9a-f]{128}"}  # fmt: skip
LONGEST = 1 << 16

WORDS = {
    "missing": ("entries before it are missing", "앞에 있어야 할 기록이 없습니다"),
    "unlinked": ("does not follow from the entry before it", "바로 앞 기록과 이어지지 않습니다"),
    "changed": ("was changed after it was written", "기록한 뒤에 내용이 바뀌었습니다"),
    "unreadable": ("can't be read", "읽을 수 없습니다"),
    "other-ledger": ("is not the first entry that was signed", "서명된 첫 기록이 아닙니다"),
    "cut": ("is gone, though it was signed", "서명된 기록인데 없어졌습니다"),
    "rewritten": ("or one soon after it was written anew", "이 기록이나 그 뒤가 다시 쓰였습니다"),
    "no-checkpoint": ("is no checkpoint", "체크포인트가 아닙니다"),
    "bad-signature": ("has a signature that does not hold", "서명이 맞지 않습니다"),
    "other-key": ("was signed with another key", "다른 키로 서명되었습니다"),
    "entry": ("entry {}", "{}번 기록"),
    "whole": ("whole: {} entries, {} checkpoints", "온전합니다: 기록 {}건, 체크포인트 {}건"),
    "unusable": ("can't be used: {}", "쓸 수 없습니다: {}"),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """`number` is the entry where it shows, 0 for a checkpoint file itself."""

    number: int
    code: str
    where: str = ""


# JSON in one form


def rfc8785(value: object) -> str:
    """The canonical text of a JSON value; ValueError where it has none.

    >>> rfc8785({"b": [1.0, 1e-7, 1e21], "a": "육조"})
    '{"a":"육조","b":[1,1e-7,1e+21]}'
    """
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16be"))
        return "{" + ",".join(f"{rfc8785(key)}:{rfc8785(inner)}" for key, inner in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(rfc8785, value)) + "]"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, str):
        value.encode()  # no lone surrogates
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > SAFE:
        raise ValueError("a whole number beyond 2^53")
    return json.dumps(value, ensure_ascii=False)


def double(number: float) -> str:
    """A number as ECMAScript writes it (ECMA-262, Number::toString).

    >>> double(1.0), double(1e-6), double(1.5e-7), double(123e18), double(-2.5e300)
    ('1', '0.000001', '1.5e-7', '123000000000000000000', '-2.5e+300')
    """
    if not math.isfinite(number):
        raise ValueError("no number")
    if number == 0:
        return "0"
    sign, figures, exponent = Decimal(repr(number)).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)
    if len(digits) <= point <= MOST_DIGITS:
        text = digits.ljust(point, "0")
    elif 0 < point <= MOST_DIGITS:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -MOST_ZEROS < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = f"{digits[0]}.{digits[1:]}".removesuffix(".") + f"e{point - 1:+d}"
    return "-" * sign + text


def older(value: object) -> str:
    """The form of entries before revision 0002."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"),
                      allow_nan=False)  # fmt: skip


def doubles(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of an RFC 8785 text."""
    return json.loads(text, parse_int=whole)


def whole(digits: str) -> int | float:
    """A whole number; beyond 2^53 it was a float."""
    number = float(digits)
    return int(digits) if abs(number) <= SAFE else number


FORMS: tuple[tuple[Callable[[object], str], Callable[[str], Any]], ...] = (
    (rfc8785, doubles),
    (older, json.loads),
)
BROKEN = (ValueError, RecursionError, AttributeError, TypeError)
"""What text from a stranger does to the functions above."""


# The chain

Row = tuple[Any, ...]
"""The seven columns, the body as text; None for a line that is no entry."""


def intact(row: Row) -> bool:
    """Whether a row's hash is that of its other fields, in one of the forms."""
    number, kind, run, created, body, previous, hash_ = row
    for text, value in FORMS:
        try:
            for part in (kind, run, created, previous, hash_):
                part.encode()
            content = value(body)
            fields = dict(zip(COLUMNS, (number, kind, run, created, content, previous),
                              strict=False))  # fmt: skip
            if (
                isinstance(content, dict)
                and text(content) == body
                and sha256(text(fields).encode()).hexdigest() == hash_
            ):
                return True
        except BROKEN:
            continue
    return False


def chain(rows: Iterable[Row | None], seen: dict[int, str]) -> Iterator[Fault]:
    """Every break; `seen` is filled with number -> hash."""
    number, head = 0, ""
    try:
        for row in rows:
            if row is None:
                yield Fault(number + 1, "unreadable")
                continue
            if row[0] != number + 1:
                yield Fault(row[0], "missing")
            if row[5] != head:
                yield Fault(row[0], "unlinked")
            if not intact(row):
                yield Fault(row[0], "changed")
            number, head = row[0], row[6]
            seen[number] = head
    except sqlite3.Error:
        yield Fault(max(seen, default=0) + 1, "unreadable")


def rows_of(path: Path) -> Iterator[Row | None]:
    """The rows of a SQLite file or an export, in order."""
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            file.seek(0)
            yield from map(exported, file)
            return
    with closing(opened(path)) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        yield from database.execute(f"SELECT {', '.join(COLUMNS)} FROM entries ORDER BY number")  # noqa: S608


def opened(path: Path) -> sqlite3.Connection:
    """A SQLite file, read only. Where nothing is pending beside it, SQLite makes no file either."""
    name = f"file:{quote(str(path.resolve()))}?mode=ro"
    pending = path.with_name(path.name + "-wal").exists()
    return sqlite3.connect(name if pending else f"{name}&immutable=1", uri=True)


def exported(line: bytes) -> Row | None:
    """The row of a line of an export; None where it is none."""
    for text, value in FORMS:
        try:
            written = line.decode().removesuffix("\n")
            fields = value(written)
            if text(fields) == written and sorted(fields) == sorted(COLUMNS):
                row = [fields[name] for name in COLUMNS]
                if type(row[0]) is int and all(isinstance(part, str) for part in row[5:]):
                    row[4] = text(row[4])
                    return tuple(row)
        except BROKEN:
            continue
    return None


# Checkpoints


def gathered(places: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """File name and checkpoint, None where the file is none."""
    for place in places:
        for file in sorted(place.glob("*.json")) if place.is_dir() else [place]:
            with file.open("rb") as content:
                yield str(file), point_of(content.read(LONGEST + 1))


def point_of(data: bytes) -> dict[str, Any] | None:
    """The checkpoint in a file's bytes."""
    try:
        point = json.loads(data.decode())
        fits = (
            len(data) <= LONGEST
            and sorted(point) == sorted((*SHAPES, "format", "count", "created"))
            and point["format"] == FORMAT
            and type(point["count"]) is int
            and 0 < point["count"] <= SAFE
            and isinstance(point["created"], str)
            and all(re.fullmatch(shape, point[name]) for name, shape in SHAPES.items())
        )
        rfc8785(point)
    except BROKEN:
        return None
    return point if fits else None


def signed(point: dict[str, Any]) -> bool:
    """Whether the signature of a checkpoint holds."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    message = rfc8785({name: part for name, part in point.items() if name != "signature"})
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point["key"]))
        key.verify(bytes.fromhex(point["signature"]), message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def key_of(path: Path) -> str:
    """A public key's file as hex; ValueError where it is no Ed25519 key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except UnsupportedAlgorithm as fault:
        raise ValueError(fault) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004 - the value of a file
    return key.public_bytes_raw().hex()


def trusted(
    points: Iterable[tuple[str, dict[str, Any] | None]], keys: list[str], wrong: list[Fault]
) -> list[tuple[str, dict[str, Any]]]:
    """Those that hold, by one of `keys`, or all by one key where none is named; by count."""
    good: list[tuple[str, dict[str, Any]]] = []
    for where, point in points:
        if point is None:
            wrong.append(Fault(0, "no-checkpoint", where))
        elif not signed(point):
            wrong.append(Fault(0, "bad-signature", where))
        elif point["key"] not in (keys or [good[0][1]["key"] if good else point["key"]]):
            wrong.append(Fault(0, "other-key", where))
        else:
            good.append((where, point))
    return sorted(good, key=lambda one: one[1]["count"])


def against(points: list[tuple[str, dict[str, Any]]], seen: dict[int, str]) -> Iterator[Fault]:
    """What checkpoints show of the entries that are there."""
    last = max(seen, default=0)
    for where, point in points:
        count = point["count"]
        if 1 in seen and seen[1] != point["ledger"]:
            yield Fault(1, "other-ledger", where)
        elif count > last:
            yield Fault(last + 1, "cut", where)
        elif count in seen and seen[count] != point["head"]:
            earlier = [p["count"] for _, p in points if p["created"] < point["created"]
                       and p["count"] < count and seen.get(p["count"]) == p["head"]]  # fmt: skip
            yield Fault(max(earlier, default=0) + 1, "rewritten", where)


def verify(
    ledger: Path, checkpoints: Iterable[Path] = (), keys: Iterable[Path] = ()
) -> tuple[list[Fault], int, int]:
    """Faults by number, entries read, checkpoints that hold."""
    seen: dict[int, str] = {}
    faults: list[Fault] = []
    points = trusted(gathered(checkpoints), [key_of(key) for key in keys], faults)
    faults += chain(rows_of(ledger), seen)
    told: dict[tuple[int, str], Fault] = {}
    for fault in against(points, seen):
        told.setdefault((fault.number, fault.code), fault)
    faults += told.values()
    return sorted(faults, key=lambda fault: fault.number), len(seen), len(points)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--checkpoint", type=Path, action="append", default=[])
    parser.add_argument("--public-key", type=Path, action="append", default=[])
    parser.add_argument("--lang", choices=("en", "ko"), default="ko")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    say = {code: words[asked.lang == "ko"] for code, words in WORDS.items()}
    try:
        faults, entries, points = verify(asked.file, asked.checkpoint, asked.public_key)
    except (OSError, ValueError, ImportError) as reason:
        sys.stderr.write(say["unusable"].format(reason) + "\n")
        return 2
    if asked.json:
        listed = [asdict(fault) for fault in faults]
        sys.stdout.write(json.dumps({"ok": not faults, "faults": listed}) + "\n")
        return 1 if faults else 0
    for fault in faults:
        place = say["entry"].format(fault.number) if fault.number else fault.where
        sys.stdout.write(f"{place}: {say[fault.code]}\n")
    if not faults:
        sys.stdout.write(say["whole"].format(entries, points) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
