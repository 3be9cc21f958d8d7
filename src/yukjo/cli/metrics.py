"""`yukjo metrics`: every metric with its id, which says what a figure means."""

from typing import Any

import typer

from yukjo.cli.options import AsJson, print_json
from yukjo.words import say

HELP = say("Every metric with its id and its good side. Example: yukjo metrics --json")


def metrics(json_: AsJson = False) -> None:
    """For the built-in roles; a project's own rules make another `conformance`."""
    if json_:
        print_json(known())
        return
    for row in known():
        good = {True: "↑", False: "↓", None: " "}[row["higher_is_better"]]
        typer.echo(f"{row['metric_id']}  {good} {row['name']:<20} {row['library']}".rstrip())


def known() -> list[dict[str, Any]]:
    """The metrics that can be measured here, as plain JSON."""
    from yukjo.agents import roles
    from yukjo.evaluate import scorers

    return [
        {"name": name, "metric_id": metric.metric_id, "version": metric.version,
         "higher_is_better": metric.higher_is_better, "library": metric.library,
         "settings": dict(metric.settings)}
        for name, metric in scorers.metrics(roles().values()).items()
    ]  # fmt: skip
