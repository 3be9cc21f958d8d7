"""Make the sample workbook.

    python examples/gov/tables/make.py

Needs openpyxl.
"""

from datetime import datetime
from pathlib import Path

import openpyxl

ROWS = (
    ("분기", "부서", "예산액(천원)", "집행액(천원)"),
    ("2025년 1분기", "교통정책과", 420000, 310500),
    ("2025년 1분기", "노인복지과", 655000, 602300),
    ("2025년 1분기", "도로관리과", 880000, 214000),
    ("2025년 2분기", "교통정책과", 430000, 402100),
    ("2025년 2분기", "노인복지과", 655000, 640800),
    ("2025년 2분기", "도로관리과", 910000, 733400),
    ("2025년 3분기", "교통정책과", 415000, 398700),
    ("2025년 3분기", "노인복지과", 670000, 661200),
    ("2025년 3분기", "도로관리과", 940000, 915600),
)


def make(path: Path) -> None:
    """One sheet, values only."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = datetime(2026, 1, 2)  # noqa: DTZ001 - openpyxl wants it bare
    sheet = book.active
    sheet.title = "집행"
    for row in ROWS:
        sheet.append(row)
    book.save(path)


if __name__ == "__main__":
    make(Path(__file__).parent / "부서별 예산 집행.xlsx")
