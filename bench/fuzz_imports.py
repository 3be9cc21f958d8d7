"""Mutate real files of every format for a while and import them; prints a table of what happened.

    python bench/fuzz_imports.py --minutes 10 [--seed 0]

Each round takes a format in turn, damages a real file of it (bytes flipped, cut, doubled or cut
out; for zips also members: replaced, renamed, claimed larger, XML entities, far rows and columns;
for text also encodings, quotes, brackets) and imports it. What may happen: rows are taken, or
refused by name. What may not: any other exception, more than `SLOW` seconds, a row that is neither
imported nor refused. The first of those ends the run with exit code 1 and keeps the file.
"""

import argparse
import io
import json
import random
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import openpyxl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from hwp5 import hwp5  # noqa: E402 - the tests' writer of HWP 5
from yukjo.data.imports import SECONDS, Asked, Import  # noqa: E402
from yukjo.data.imports.write import preview  # noqa: E402
from yukjo.errors import YukjoError  # noqa: E402
from yukjo.reading.sandbox import Sandbox, opened  # noqa: E402
from yukjo.records import SIX, Sample  # noqa: E402

SLOW = SECONDS + 30
GOV = ROOT / "examples" / "gov"
A = "한빛시청 1층 민원실에서 평일 9시부터 18시까지 신청하실 수 있습니다. 문의: 성명 김○○"

Mutation = Callable[[bytes, random.Random], bytes]


def seeds() -> dict[str, list[bytes]]:
    """Format -> real files of it."""
    documents = GOV / "documents"
    practice = (GOV / "data" / "practice.jsonl").read_text("utf-8").splitlines()[:12]
    rows = [json.loads(line) for line in practice]
    turns = [[("user", row["instruction"]), ("assistant", row["output"])] * 2 for row in rows]
    chatml = [{"messages": [{"role": r, "content": c} for r, c in said]} for said in turns]
    sharegpt = [{"conversations": [{"from": r, "value": c} for r, c in said]} for said in turns]
    csv = "질문,답변,분야\r\n" + "".join(f'질문 {n}?,"{A}",행정\r\n' for n in range(9))
    every = [rows, chatml, sharegpt]
    return {
        "jsonl": ["".join(f"{line(row)}\n" for row in one).encode() for one in every],
        "json": [line(one).encode() for one in every],
        "csv": [csv.encode(), csv.encode("cp949"), csv.replace(",", ";").encode("utf-8-sig")],
        "tsv": [csv.replace(",", "\t").encode()],
        "xlsx": [workbook(), next((GOV / "tables").glob("*.xlsx")).read_bytes()],
        "hwpx": [next(documents.glob("*.hwpx")).read_bytes()],
        "hwp": [hwp5(["누리구 주차 안내", "주차장은 9시에 엽니다.", A])],
        "pdf": [next(documents.glob("*.pdf")).read_bytes()],
        "txt": [file.read_bytes() for file in sorted(documents.glob("*.txt"))],
        "md": [file.read_bytes() for file in sorted(documents.glob("*.md"))],
    }


def line(value: object) -> str:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def workbook() -> bytes:
    """Two sheets of questions and answers."""
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("복지")):
        sheet.append(["연번", "질문", "답변", "난이도"])
        for n in range(20):
            sheet.append([n, f"질문 {n}?", A, "하"])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


# Any bytes


def flipped(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed."""
    made = bytearray(data)
    for _ in range(dice.randrange(1, 40)):
        made[dice.randrange(len(made))] = dice.randrange(256)
    return bytes(made)


def cut(data: bytes, dice: random.Random) -> bytes:
    """The beginning, or the end."""
    place = dice.randrange(len(data))
    return data[:place] if dice.randrange(3) else data[place:]


def moved(data: bytes, dice: random.Random) -> bytes:
    """A stretch doubled, taken out, or put elsewhere."""
    start = dice.randrange(len(data))
    end = start + dice.randrange(1, 2000)
    piece, place = data[start:end], dice.randrange(len(data))
    way = dice.randrange(3)
    if way == 0:
        return data[:end] + piece * dice.randrange(1, 50) + data[end:]
    return data[:start] + data[end:] if way == 1 else data[:place] + piece + data[place:]


def odd(data: bytes, dice: random.Random) -> bytes:
    """What parsers trip over, put somewhere."""
    pieces = (
        b"\0", b"\xff\xfe", b'"', b'""', b"\r", b"[" * 5000, b'{"a":' * 3000, b"9" * 5000,
        b"1e999", b"NaN", b"\\ud800", b"\xed\xa0\x80", "\u202e\u200b".encode(), b"=cmd|' /C'!A0",
        b"," * 500, b"\n" * 2000, b"&x;", b"<!DOCTYPE a>", b"endobj", b"\x1b[2J", b"%PDF-9.9",
    )  # fmt: skip
    place = dice.randrange(len(data) + 1)
    return data[:place] + dice.choice(pieces) + data[place:]


# Zips


def rebuilt(change: Callable[[dict[str, bytes], random.Random], None]) -> Mutation:
    """A zip whose members were changed."""

    def mutate(data: bytes, dice: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts, dice)
        held = io.BytesIO()
        with zipfile.ZipFile(
            held, "w", dice.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        ) as new:
            for name, part in parts.items():
                new.writestr(name, part)
        return held.getvalue()

    return mutate


def member_damaged(parts: dict[str, bytes], dice: random.Random) -> None:
    """One member mutated as bytes."""
    name = dice.choice([name for name, part in parts.items() if part])
    parts[name] = dice.choice(PLAIN)(parts[name], dice)


def member_gone(parts: dict[str, bytes], dice: random.Random) -> None:
    """A member missing, emptied or in another's place."""
    one, other = dice.choice(list(parts)), dice.choice(list(parts))
    way = dice.randrange(3)
    if way == 0:
        del parts[one]
    else:
        parts[one] = b"" if way == 1 else parts[other]


def entities(parts: dict[str, bytes], dice: random.Random) -> None:
    """A document type with entities: of files, and such that grow."""
    grown = "".join(f"<!ENTITY x{n} '{(f'&x{n - 1};' if n else 'x') * 10}'>" for n in range(9))
    doctype = dice.choice([
        f"<!DOCTYPE a [{grown}]>", '<!DOCTYPE a [<!ENTITY x8 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    ])  # fmt: skip
    name = dice.choice([name for name in parts if name.endswith((".xml", ".hpf", ".rels"))])
    head, close, rest = parts[name].partition(b"?>")
    body = rest if close else head
    place = body.find(b">", dice.randrange(len(body) + 1)) + 1
    body = body[:place] + b"&x8;" + body[place:]
    parts[name] = b'<?xml version="1.0"?>' + doctype.encode() + body


def far(parts: dict[str, bytes], dice: random.Random) -> None:
    """A sheet with dimensions, rows or columns that nobody filled, or far too many."""
    for name in [name for name in parts if "sheet" in name and name.endswith(".xml")]:
        old, new = dice.choice([
            (b'<row r="3"', b'<row r="%d"' % dice.choice([2**20, 2**31, 10**12, 0])),
            (b'r="B3"', b'r="%s3"' % dice.choice([b"XFD", b"ZZZZZZ", b"", b"A"])),
            (b'<dimension ref="', b'<dimension ref="A1:XFD1048576" a="'),
            (b"<sheetData>", b"<sheetData>" + b"<row/>" * dice.randrange(10**5)),
            (b"<c ", b"<c/>" * dice.randrange(10**4) + b"<c "),
            (b't="s"', b't="%s"' % dice.choice([b"n", b"d", b"e", b"b", b"inlineStr", b"str"])),
        ])  # fmt: skip
        parts[name] = parts[name].replace(old, new, dice.choice([1, -1]))


def lying(data: bytes, dice: random.Random) -> bytes:
    """A zip whose own account of a member's size, place or method is wrong."""
    made = bytearray(data)
    marks = [i for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
             for i in range(len(made)) if made.startswith(mark, i)]  # fmt: skip
    for _ in range(dice.randrange(1, 5)):
        place = dice.choice(marks) + dice.randrange(4, 46)
        if place < len(made):
            made[place] = dice.choice([0, 1, 255, dice.randrange(256)])
    return bytes(made)


PLAIN: tuple[Mutation, ...] = (flipped, cut, moved, odd)
ZIPS: tuple[Mutation, ...] = (
    *PLAIN, lying, *map(rebuilt, (member_damaged, member_damaged, member_gone, entities)),
)  # fmt: skip
SHEETS: tuple[Mutation, ...] = (*ZIPS, rebuilt(far))
MUTATIONS = {"xlsx": SHEETS, "hwpx": ZIPS}


def tried(path: Path, sandbox: Sandbox) -> str:
    """Import a file; what became of it. AssertionError or any other exception is a find."""
    work = Import([path], Asked(license="CC-BY-4.0", agents=SIX, agent="rag"), sandbox=sandbox)
    begun = time.monotonic()
    try:
        rows, report = preview(work, 10**6)
    except YukjoError:
        return "refused"
    took = time.monotonic() - begun
    assert took < SLOW, f"{took:.0f} s"
    assert report.imported + report.refused == report.read
    assert len(rows) == report.imported
    assert "root:x:0" not in line(rows), "a file from outside came in"
    if work.kind == "samples":
        for row in rows:
            Sample.model_validate(row)
    if report.imported:
        return "taken" if not report.refused else "taken in part"
    return "refused"


BROKEN = (
    zipfile.BadZipFile, zlib.error, ArithmeticError, EOFError, LookupError, NotImplementedError,
    OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What Python's zipfile raises of a zip that it can't take apart any more: NotImplementedError
for a compression, or a version of the format, that it doesn't know."""


def main() -> None:
    """Mutate and import until the time is up; print counts by format."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    dice, files = random.Random(asked.seed), seeds()  # noqa: S311 - damages, no secrets
    counts = {name: Counter[str]() for name in files}
    slowest = 0.0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, opened(seconds=SECONDS) as sandbox:
        while time.monotonic() - begun < 60 * asked.minutes:
            for name, real in files.items():
                data = dice.choice(real)
                for _ in range(dice.choice([1, 1, 1, 2, 3])):
                    mutation = dice.choice(MUTATIONS.get(name, PLAIN))
                    try:
                        data = mutation(data, dice) or b"\0"
                    except BROKEN:
                        break  # a zip that is damaged already can't be rebuilt
                path = Path(folder) / f"a.{name}"
                path.write_bytes(data)
                start = time.monotonic()
                try:
                    counts[name][tried(path, sandbox)] += 1
                except BaseException:
                    kept = Path(tempfile.gettempdir()) / f"fuzz-find.{name}"
                    kept.write_bytes(data)
                    print(f"FIND: kept as {kept}", file=sys.stderr)
                    raise
                slowest = max(slowest, time.monotonic() - start)
    show(counts, seconds=time.monotonic() - begun, slowest=slowest)


def show(counts: dict[str, Counter[str]], *, seconds: float, slowest: float) -> None:
    """A table and a last line."""
    fates = ("taken", "taken in part", "refused")
    print("| format | files |", " | ".join(fates), "|")
    print("|---|---:|" + "---:|" * len(fates))
    for name, found in counts.items():
        print(f"| {name} | {found.total():,} |", " | ".join(f"{found[f]:,}" for f in fates), "|")
    total = sum(found.total() for found in counts.values())
    print(f"\n{total:,} damaged files in {seconds / 60:.1f} minutes, the slowest {slowest:.1f} s; "
          "no crash, no hang, no row lost")  # fmt: skip


if __name__ == "__main__":
    main()
