"""Every row that was asked for has its line, with one of three states."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"
ROWS = [*(f"G{n}" for n in range(1, 16)), *(f"C{n}" for n in range(1, 12))]
STATE = re.compile(r"(works|partly|not yet)\b")


def lines() -> list[list[str]]:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [row for row in cells if row[0] != "row"]


def test_every_row_stands_once_in_its_order() -> None:
    names = [row[0] for row in lines()]
    assert names[: len(ROWS)] == ROWS
    assert len(set(names)) == len(names)


def test_every_row_has_five_cells_and_a_state() -> None:
    for row in lines():
        assert len(row) == 5, row
        assert STATE.match(row[4]), row


def test_what_works_in_any_part_says_where_and_by_what_it_is_shown() -> None:
    for row in lines():
        if not row[4].startswith("not yet"):
            assert row[2].count("`") >= 2 or row[2].startswith("as "), row
            assert row[3].count("`") >= 2 or row[3].startswith("as "), row
