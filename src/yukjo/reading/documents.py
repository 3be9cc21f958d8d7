"""Read one document: its title and its text, piece by piece with page or paragraph.

Runs in a process of its own (`sandbox`), for the parsers below are written in C and Rust and the
files come from anywhere. Each fault is a DataError that names the file.

1. Text is NFC without invisible characters; nothing is executed, linked or fetched.
2. A zip (HWPX) is weighed by its own table of contents before a parser opens it.
"""

import re
import zipfile
from pathlib import Path

from yukjo.errors import DataError
from yukjo.korean.text import visible
from yukjo.records import Frozen
from yukjo.words import say

DOCUMENTS = (".hwpx", ".hwp", ".pdf", ".txt", ".md")

LARGEST_MB = 50
"""Of a file."""
MOST_CHARACTERS = 5_000_000
"""Of its text."""
MOST_PAGES = 5000
INFLATED_MB = 300
"""Of all members of a zip together, by its own account."""
MOST_MEMBERS = 5000

_TITLE = 80
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


class Block(Frozen):
    """A page, a paragraph, or an article of law."""

    text: str
    page: int | None = None
    """1-based; None where the format has no pages."""
    paragraph: int | None = None
    """1-based; None where there are pages."""


class Document(Frozen):
    """What a file holds."""

    title: str
    blocks: tuple[Block, ...]


def read(path: Path) -> Document:
    """The document in a file; DataError where it can't be read."""
    weigh(path)
    blocks = _READERS[path.suffix.lower()](path)
    if not blocks:
        raise refused(path, say("it holds no text; a scanned document needs OCR first"))
    return Document(title=_title(blocks[0].text) or path.stem, blocks=tuple(blocks))


def weigh(path: Path, *, most_mb: int = LARGEST_MB) -> None:
    """DataError where a file is larger than that."""
    if path.stat().st_size > most_mb * 2**20:
        raise refused(path, say("it is larger than {most} MB", most=most_mb))


def refused(path: Path, why: str) -> DataError:
    """A fault of a file."""
    return DataError(
        say("the file can't be read: {why}", why=why),
        where=str(path),
        fix=say("mend the file, or take it out of the folder"),
    )


def weigh_zip(path: Path, *, most_mb: int = INFLATED_MB) -> None:
    """DataError where a zip says itself that it is too large, or is no zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    # zipfile raises NotImplementedError for a version of the format it doesn't know.
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as fault:
        raise refused(path, say("it is damaged ({fault})", fault=fault)) from None
    inflated = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or inflated > most_mb * 2**20:
        raise refused(path, say("it unpacks to more than {most} MB", most=most_mb))


def decoded(path: Path, *, most: int = MOST_CHARACTERS) -> str:
    """The text of a file in UTF-8, or in CP949 as older Korean programs write it."""
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return _bounded(text, path, most)
    raise refused(path, say("it is neither UTF-8 nor CP949 text"))


def _text(path: Path) -> list[Block]:
    return _paragraphs(decoded(path))


def _hwp(path: Path) -> list[Block]:
    """HWP 5 and HWPX; tables become Markdown."""
    import unhwp

    if path.suffix.lower() == ".hwpx":
        weigh_zip(path)
    try:
        with unhwp.parse(path) as parsed:
            markdown = parsed.markdown
    except (unhwp.UnhwpError, UnicodeDecodeError) as fault:
        raise refused(path, say("it is damaged ({fault})", fault=fault)) from None
    return _paragraphs(_ESCAPED.sub(r"\1", _IMAGE.sub("", _bounded(markdown, path))))


def _pdf(path: Path) -> list[Block]:
    """The text layer, page by page."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path) as pdf:
            if len(pdf) > MOST_PAGES:
                raise refused(path, say("it has more than {most:,} pages", most=MOST_PAGES))
            said = [page.get_textpage().get_text_bounded() for page in pdf]
    except pypdfium2.PdfiumError as fault:
        raise refused(path, say("it is damaged ({fault})", fault=fault)) from None
    _bounded("".join(said), path)
    pages = (visible(text).strip() for text in said)
    return [Block(text=text, page=number) for number, text in enumerate(pages, 1) if text]


def _bounded(text: str, path: Path, most: int = MOST_CHARACTERS) -> str:
    if len(text) > most:
        raise refused(path, say("it holds more than {most:,} characters", most=most))
    return text


def _paragraphs(text: str) -> list[Block]:
    """What blank lines set apart."""
    found = (part.strip() for part in re.split(r"\n\s*\n", visible(text)))
    return [Block(text=part, paragraph=n) for n, part in enumerate(filter(None, found), 1)]


def _title(text: str) -> str:
    """The first line as a title; "" where it is rather a sentence."""
    line = text.split("\n", 1)[0].strip("#*= 『』").strip()
    return line if len(line) <= _TITLE else ""


_READERS = {".hwpx": _hwp, ".hwp": _hwp, ".pdf": _pdf, ".txt": _text, ".md": _text}
