"""`data_analysis`: sums by group, change over time, two groups side by side, of a project's table.

1. The result is a Markdown table and a chart; each cell that came from the file is one short line
   in which nothing can end the cell, and which no spreadsheet takes for a formula.
2. A percentage is averaged, never summed, and differs from another in %p.
3. At most `SHOWN` rows are shown; how many there are is said.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from yukjo.errors import DataError
from yukjo.korean.numbers import written
from yukjo.korean.text import fold
from yukjo.serve.tools.chart import chart
from yukjo.serve.tools.quoting import inline
from yukjo.serve.tools.reader import opened
from yukjo.serve.tools.tables import Table, called, table_of, tables
from yukjo.serve.tools.tool import Arguments, Result, Source, Tool
from yukjo.words import say

SHOWN = 30
"""Rows of a result."""
CELL = 40
"""Characters of a cell of a result."""

Operation = Literal["aggregate", "trend", "compare"]
How = Literal["sum", "mean", "count", "min", "max"]
Unit = Literal["", "%"]
Name = Annotated[str, StringConstraints(max_length=200)]

_TIME = re.compile(
    r"연도|년도|연월|년월|일자|날짜|분기|^[연년월]$|\b(?:year|month|quarter|date)\b", re.IGNORECASE
)
"""Names of columns of time: 월 is one, 월세 is none."""
_TREND = re.compile(r"추이|추세|변화|증감|늘었|줄었|연도별|월별|분기별")
_COMPARE = re.compile(r"비교|차이|견주|대비")
_MEAN = re.compile(r"평균")


class AnalysisArguments(Arguments):
    """[data_analysis]"""

    table: Name
    """Name of the table: its file's name."""
    operation: Operation = "aggregate"
    """aggregate: by group; trend: over time with change; compare: two groups side by side."""
    value: Name = ""
    """Numeric column; the first one where it is left out."""
    by: Name = ""
    """Column of the groups, or of the time for a trend."""
    how: How = "sum"
    """What is made of a group's figures."""
    first: Name = ""
    """For compare: the group to start from."""
    second: Name = ""
    """For compare: the group to compare it with."""
    period: Name = ""
    """Only rows of this time; all where it is left out."""


class DataAnalysis(Tool[AnalysisArguments]):
    """Reads a table of a folder when it is called for, and again when its file has changed."""

    name = "data_analysis"
    arguments = AnalysisArguments

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def about(self) -> str:
        """What it does."""
        known = ", ".join(inline(name, limit=CELL) for name in list(tables(self._folder))[:SHOWN])
        return say("Analyse a table: sums by group, change over time, comparison of two groups,"
                   " with a chart. Tables: {known}", known=known or "-")  # fmt: skip

    def run(self, asked: AnalysisArguments) -> Result:
        """A Markdown table, and a chart as SVG."""
        path = called(asked.table, tables(self._folder))
        table, when = _within(read_table(path), asked.period)
        value, by = _columns(table, asked)
        _refuse_sum_of_shares(table, value, asked.how)
        grouped = _grouped(table, value, by, asked.how)
        unit: Unit = "%" if value in table.percent and asked.how != "count" else ""
        name = say("{value} by {by}", value=inline(value or say("count")), by=inline(by))
        head, rows = _OPERATIONS[asked.operation](grouped, asked, unit)
        shown = rows[:SHOWN]
        about = ", ".join(filter(None, [_how(asked.how), when if not _is_time(by) else ""]))
        text = "\n".join([f"{inline(path.stem)}: {name}, {about}", "",
                          *_markdown([inline(by), *head], shown)])  # fmt: skip
        if len(rows) > SHOWN:
            text += "\n\n" + say("{shown} of {count} rows", shown=SHOWN, count=len(rows))
        labels, values = zip(*((label, grouped[label]) for label, *_ in shown), strict=True)
        return Result(
            tool=self.name,
            text=text,
            sources=(Source(title=inline(path.stem), place=name, file=self._named(path)),),
            extra={
                "columns": [by, *head],
                "groups": dict(zip(labels, values, strict=True)),
                "svg": chart(f"{path.stem}: {name}", labels, values,
                             form="line" if asked.operation == "trend" else "bars"),
            },
        )  # fmt: skip

    def by_rule(self, text: str) -> list[dict[str, Any]]:
        """A table named in the text, with the columns and groups named there."""
        said = fold(text)
        for name, path in tables(self._folder).items():
            if fold(name) and fold(name) in said:
                try:
                    return [_asked(read_table(path), name, text)]
                except DataError:  # a call names the fault
                    return [{"table": name}]
        return []

    def _named(self, path: Path) -> str:
        return inline(path.relative_to(self._folder).as_posix(), limit=300)


def read_table(path: Path) -> Table:
    """The table in a file; DataError where it can't be read within the limits."""
    stat = path.stat()
    return _kept(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=8)
def _kept(path: Path, _stamp: tuple[int, int, int]) -> Table:
    with opened() as reader:
        return table_of(path.stem, reader.rows(path))


def _asked(table: Table, name: str, text: str) -> dict[str, Any]:
    """The arguments that a text with the table's name in it seems to mean."""
    said = fold(text).replace(fold(name), " ")
    columns = [column for column in table.frame.columns if fold(column) in said]
    times = [column for column in table.frame.columns if _is_time(column)]
    values = [c for c in columns if c in table.numeric and c not in times]
    groups = [c for c in columns if c not in values]
    found: dict[str, Any] = {"table": name}
    if values:
        found["value"] = values[0]
    if _MEAN.search(text) or (values and values[0] in table.percent):
        found["how"] = "mean"
    if times and _TREND.search(text):
        return found | {"operation": "trend", "by": times[0]}
    periods = _labels(table, times[0]) if times else []
    if named := [period for period in periods if fold(period) in said]:
        found["period"] = named[-1]
    if groups:
        found["by"] = groups[0]
    if _COMPARE.search(text):
        for column in groups or [c for c in table.frame.columns if c not in table.numeric]:
            named = [g for g in _labels(table, column) if fold(g) and fold(g) in said]
            if len(named) > 1:
                pair = {"by": column, "first": named[0], "second": named[1]}
                return found | {"operation": "compare"} | pair
    return found


def _within(table: Table, period: str) -> tuple[Table, str]:
    """The rows of a period, and from when to when they are; all rows where none is named."""
    column = next(filter(_is_time, table.frame.columns), None)
    if column is None:
        return table, ""
    times = sorted(_labels(table, column), key=_when)
    if not period:
        return table, inline(times[0] if len(times) == 1 else f"{times[0]}~{times[-1]}")
    same = [fold(_label(value)) == fold(period) for value in table.frame[column].to_list()]
    if not any(same):
        raise DataError(
            say("the table has no rows of `{period}`", period=inline(period)),
            where=inline(table.name),
            fix=say("times: {known}", known=_list(times)),
        )
    return replace(table, frame=table.frame.filter(same)), inline(period)


def _is_time(column: str) -> bool:
    return _TIME.search(column) is not None


def _columns(table: Table, asked: AnalysisArguments) -> tuple[str, str]:
    """The column of the figures, "" for a bare count, and that of the groups."""
    value = _column(table, asked.value) if asked.value else ""
    by = _column(table, asked.by) if asked.by else ""
    names = table.frame.columns
    if not by:
        times = [c for c in names if _is_time(c)]
        groups = [c for c in names if c not in table.numeric and c not in times]
        wanted = times + groups if asked.operation == "trend" else groups + times
        by = next((c for c in wanted if c != value), names[0])
    if not value and asked.how != "count":
        value = next((c for c in table.numeric if c != by and not _is_time(c)), "")
    if asked.how != "count" and value not in table.numeric:
        raise DataError(
            say("`{name}` is no column of numbers", name=inline(value or "-")),
            where=inline(table.name),
            fix=say("columns of numbers: {known}", known=_list(table.numeric)),
        )
    return value, by


def _column(table: Table, name: str) -> str:
    for column in table.frame.columns:
        if fold(column) == fold(name):
            return column
    raise DataError(
        say("the table has no column `{name}`", name=inline(name)),
        where=inline(table.name),
        fix=say("columns: {known}", known=_list(table.frame.columns)),
    )


def _refuse_sum_of_shares(table: Table, value: str, how: How) -> None:
    if how == "sum" and value in table.percent:
        raise DataError(
            say("percentages of different wholes can't be summed"),
            where=f"{inline(table.name)}, {inline(value)}",
            fix=say("use how = mean"),
        )


def _labels(table: Table, by: str) -> list[str]:
    """The groups of a column as text, in the order they first stand there."""
    return list(dict.fromkeys(map(_label, table.frame[by].to_list())))


def _label(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return "-" if value in {None, ""} else str(value)


def _grouped(table: Table, value: str, by: str, how: How) -> dict[str, float]:
    """Group -> figure, in the order the groups first stand in the table."""
    import polars as pl

    figure = pl.len() if how == "count" and not value else getattr(pl.col(value), how)()
    frame = table.frame
    if value and how != "count":
        frame = frame.filter(pl.col(value).is_not_null())
    made = frame.group_by(by, maintain_order=True).agg(figure.cast(pl.Float64).alias("\x00figure"))
    found = {_label(group): number for group, number in made.iter_rows()}
    if not found:
        raise DataError(
            say("the column holds no figures"), where=inline(value), fix=say("name another column")
        )
    return found


_Rows = tuple[list[str], list[list[str]]]
"""Names of the columns after the group's, and the rows."""


def _aggregate(grouped: dict[str, float], asked: AnalysisArguments, unit: Unit) -> _Rows:
    """Groups, the largest first; with shares where sums have a whole."""
    total = sum(grouped.values())
    whole = asked.how in {"sum", "count"} and total > 0 and min(grouped.values()) >= 0
    rows = []
    for group, number in sorted(grouped.items(), key=lambda one: -one[1]):
        share = [_percent(number / total)] if whole else []
        rows.append([group, _figure(number, unit), *share])
    return [_how(asked.how), *([say("share of the whole")] if whole else [])], rows


def _trend(grouped: dict[str, float], asked: AnalysisArguments, unit: Unit) -> _Rows:
    """Periods in their order, each with its change from the one before."""
    rows: list[list[str]] = []
    before: float | None = None
    for time in sorted(grouped, key=_when):
        number = grouped[time]
        rows.append([time, _figure(number, unit), *_change(before, number, unit)])
        before = number
    return [_how(asked.how), say("change"), say("growth rate")], rows


def _compare(grouped: dict[str, float], asked: AnalysisArguments, unit: Unit) -> _Rows:
    """Two groups; the second with its change from the first."""
    rows: list[list[str]] = []
    before: float | None = None
    for group in (_group(grouped, asked.first), _group(grouped, asked.second)):
        number = grouped[group]
        rows.append([group, _figure(number, unit), *_change(before, number, unit)])
        before = number
    return [_how(asked.how), say("change"), say("growth rate")], rows


_OPERATIONS: dict[Operation, Callable[[dict[str, float], AnalysisArguments, Unit], _Rows]] = {
    "aggregate": _aggregate,
    "trend": _trend,
    "compare": _compare,
}


def _group(grouped: dict[str, float], name: str) -> str:
    for group in grouped:
        if fold(group) == fold(name):
            return group
    raise DataError(
        say("no group is called `{name}`", name=inline(name or "-")),
        where=say("arguments first and second"),
        fix=say("groups: {known}", known=_list(list(grouped))),
    )


def _when(time: str) -> tuple[list[int], str]:
    """Sorts `2025년 2월` before `2025년 10월`."""
    return [int(number) for number in re.findall(r"\d{1,9}", time)], time


def _change(before: float | None, after: float, unit: Unit) -> list[str]:
    """By how much, and by what share; a difference of percentages is %p and has no share."""
    if before is None:
        return ["-", "-"]
    change = Fraction(after) - Fraction(before)
    sign, point = "+" if change > 0 else "", "p" if unit else ""
    said = f"{sign}{written(change, places=2)}{unit}{point}"
    return [said, "-" if unit or before <= 0 else sign + _percent(float(change) / before)]


def _figure(number: float, unit: Unit) -> str:
    return written(Fraction(number), places=2) + unit


def _percent(share: float) -> str:
    return written(Fraction(share) * 100, places=1) + "%"


def _how(how: How) -> str:
    words = {"sum": say("sum"), "mean": say("mean"), "count": say("count"), "min": say("least"),
             "max": say("most")}  # fmt: skip
    return words[how]


def _markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[_safe(label), *figures] for label, *figures in rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _safe(label: str) -> str:
    """A cell from the file on one line; one that a spreadsheet would compute gets an apostrophe."""
    line = inline(label, limit=CELL)
    return f"'{line}" if line[:1] in set("=+-@") and line != "-" else line


def _list(names: list[str]) -> str:
    return ", ".join(inline(name, limit=CELL) for name in names[:SHOWN])
