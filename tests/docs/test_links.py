"""Every relative link and every path of the repository named in a page leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "docs", "examples", "src", "tests")
"""A path in backticks that starts with one of these is a path of the repository."""

_LINK = re.compile(r"!?\[[^\[\]]*\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_DEFINED = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(rf"(?<![\w./-])((?:{'|'.join(FOLDERS)})/[\w./*-]*)(?:::(\w+))?")
_SKIPPED = {"runs", "node_modules", "build", "dist"}


def pages() -> list[Path]:
    found = (page.relative_to(ROOT) for page in ROOT.rglob("*.md"))
    return sorted(p for p in found if not any(s.startswith(".") or s in _SKIPPED for s in p.parts))


def faults(page: Path, text: str) -> list[str]:
    """The links and paths in the text of `page` that lead nowhere."""
    return [*_bad_links(page, _CODE.sub("", _FENCE.sub("", text))), *_bad_paths(page, text)]


def _bad_links(page: Path, text: str) -> Iterator[str]:
    for target in [*_LINK.findall(text), *_DEFINED.findall(text)]:
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, heading = target.partition("#")
        place = page.parent / path if path else page
        if not place.exists():
            yield f"{target}: no such file"
        elif heading and heading not in anchors(place.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


def _bad_paths(page: Path, text: str) -> Iterator[str]:
    for path, name in _PATH.findall(" ".join(_CODE.findall(_FENCE.sub("", text)))):
        trimmed = path.rstrip(".")
        found = [p for base in (ROOT, page.parent) for p in base.glob(trimmed)]
        if not found:
            yield f"{path}: no such path"
        elif name and f"def {name}(" not in found[0].read_text(encoding="utf-8"):
            yield f"{path}::{name}: no such test"


def anchors(text: str) -> set[str]:
    """The headings of a page as GitHub names them."""
    heads = re.findall(r"^#+\s+(.*?)\s*$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_a_page_leads_nowhere_that_is_not_there(page: Path) -> None:
    found = faults(ROOT / page, (ROOT / page).read_text(encoding="utf-8"))
    assert not found, found


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("[a](b.md)", ["b.md: no such file"]),
        ("[a](b.md 'title')", []),  # no link at all
        ('[a](b.md "title")', ["b.md: no such file"]),
        ("[a]: ../b.md", ["../b.md: no such file"]),
        ("![picture](b.png)", ["b.png: no such file"]),
        ("[a](https://example.org/b.md) [b](mailto:a@example.org)", []),
        ("`[a](b.md)` and\n```\n[a](b.md)\n```", []),
        ("`src/yukjo/nowhere.py`", ["src/yukjo/nowhere.py: no such path"]),
        ("`python docs/nowhere.py --print`", ["docs/nowhere.py: no such path"]),
        ("`src/yukjo` `tests/docs/*.py` `yukjo/src/x`", []),
        ("`tests/docs/test_links.py::pages`", []),
        ("`tests/docs/test_links.py::no`", ["tests/docs/test_links.py::no: no such test"]),
    ],
)
def test_what_is_found_in_a_page(text: str, bad: list[str]) -> None:
    assert faults(ROOT / "docs" / "page.md", text) == bad


def test_headings_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](#first-part) [b](#육조-설정) [c](#none)\n# First part\n## 육조: 설정\n")
    assert faults(page, page.read_text()) == ["#none: no such heading"]


def test_the_pages_were_found() -> None:
    assert Path("docs/reference.md") in pages()
