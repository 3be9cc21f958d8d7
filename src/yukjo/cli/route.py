"""`yukjo route`: which agent a text goes to; how often that is right; what a wrong one costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.errors import ConfigError
from yukjo.words import say

if TYPE_CHECKING:
    from rich.table import Table

    from yukjo.agents.router import Route
    from yukjo.agents.router_report import Report, Share
    from yukjo.config import YukjoConfig

HELP = say(
    "Choose the agent for a text, or for each line of a file."
    ' Example: yukjo route "등본 떼려면 뭐가 필요해요?"'
)


def route(
    text: Annotated[str | None, typer.Argument(help=say("What somebody asks"))] = None,
    project: Project = Path(),
    file: Annotated[
        Path | None, typer.Option(help=say("JSONL with a `text` on each line, to be routed"))
    ] = None,
    evaluate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=say(
                "JSONL with a `text` and its `agent` on each line: how often the route is right"
            ),
        ),
    ] = None,
    cost: Annotated[
        bool,
        typer.Option(
            "--cost",
            help=say(
                "What asking a wrong agent costs, by the newest adapters on the test split;"
                " with --evaluate also what a question costs on average"
            ),
        ),
    ] = False,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Route, or measure the router."""
    from yukjo.config import change, load

    given = sum(asked is not None for asked in (text, file, evaluate))
    if given > 1 or (given == 0 and not cost) or (cost and given and evaluate is None):
        raise ConfigError(
            say("one thing to route is needed"),
            where="yukjo route",
            fix=say("give a text, or --file, or --evaluate; --cost goes alone or with --evaluate"),
        )
    config = load(project, dict(map(change, set_ or ())))
    if evaluate is not None or cost:
        _measure(config, project, evaluate=evaluate, cost=cost, json_=json_)
    else:
        _route(config, project, text=text, file=file, json_=json_)


def _route(
    config: "YukjoConfig", project: Path, *, text: str | None, file: Path | None, json_: bool
) -> None:
    from yukjo.agents.router import open_router
    from yukjo.agents.router_files import read_texts

    texts = [one.text for one in read_texts(file)] if file else [text or ""]
    routes = open_router(config, project).choose_all(texts)
    if json_:
        print_json({"routes": [
            {"agent": one.agent, "scores": one.scores, "abstained": one.abstained}
            for one in routes
        ]})  # fmt: skip
    else:
        _print(_routes(texts, routes))


def _measure(
    config: "YukjoConfig", project: Path, *, evaluate: Path | None, cost: bool, json_: bool
) -> None:
    from yukjo.agents.router import open_router
    from yukjo.agents.router_files import read_asked
    from yukjo.agents.router_report import blind_cost, expected_cost
    from yukjo.agents.router_report import evaluate as evaluated
    from yukjo.pipeline.misroute import costs

    document: dict[str, Any] = {}
    tables: list[Table | str] = []
    report = None
    if evaluate is not None:
        asked = read_asked(evaluate, agents=config.agents)
        router = open_router(config, project)
        report = evaluated(router, asked)
        document |= report.model_dump(mode="json")
        tables += _report(report)
    if cost:
        losses = _losses(config, project)
        lost = costs(losses)
        document |= {"losses": losses, "costs": lost, "blind_cost": blind_cost(lost)}
        tables.append(_matrix(say("nats a token lost when the agent above is asked"), lost, "+.3f"))
        if report is not None:
            document["expected_cost"] = expected_cost(report.confusion, lost)
            tables.append(
                say("a question costs {cost} nats a token on average; chosen blindly, {blind}",
                    cost=f"{document['expected_cost']:.4f}", blind=f"{blind_cost(lost):.4f}")
            )  # fmt: skip
    if json_:
        print_json(document)
    else:
        _print(*tables)


def _losses(config: "YukjoConfig", project: Path) -> dict[str, dict[str, float]]:
    from yukjo import pipeline, wiring
    from yukjo.pipeline.misroute import losses_by_agent

    store = pipeline.store_of(pipeline.runs_folder(project, config))
    adapters = store.chosen((), agents=config.agents)
    parts = wiring.open_parts(config, project)
    prepared = pipeline.prepare(project, config, parts.tokenizer)
    return losses_by_agent(parts, config, prepared, adapters)


def _routes(texts: Sequence[str], routes: Sequence["Route"]) -> "Table":
    """A line a text: agent, its score, and the runner-up."""
    from rich.table import Table

    from yukjo.korean.text import shown

    table = Table(say("agent"), say("scores"), say("text"))
    for text, one in zip(texts, routes, strict=True):
        best = sorted(one.scores.items(), key=lambda item: -item[1])[:3]
        scores = ", ".join(f"{name} {score:.2f}" for name, score in best)
        agent = say("{agent} (unsure)", agent=one.agent) if one.abstained else one.agent
        table.add_row(agent, scores, shown(text))
    return table


def _report(report: "Report") -> list["Table | str"]:
    from rich.table import Table

    shares = Table(say("agent"), say("right"), say("questions"), say("95 % interval"))
    for name, part in [*report.agents.items(), (say("all"), report.accuracy)]:
        shares.add_row(name, f"{100 * part.value:.1f} %", str(part.n), _interval(part))
    return [
        shares,
        _matrix(say("questions by their agent (left) and the agent chosen"), report.confusion, "d"),
        say("the first agent named was chosen for {strict}; unsure: {abstained}, of the others"
            " {sure} right; Brier {brier}, calibration error {ece}",
            strict=f"{100 * report.strict.value:.1f} %", abstained=report.abstained,
            sure=f"{100 * report.sure.value:.1f} %" if report.sure else "-",
            brier=f"{report.brier:.3f}", ece=f"{report.calibration_error:.3f}"),
    ]  # fmt: skip


def _interval(part: "Share") -> str:
    return f"{100 * part.low:.1f} – {100 * part.high:.1f} %"


def _matrix(title: str, rows: Mapping[str, Mapping[str, float]], form: str) -> "Table":
    """Agents by agents."""
    from rich.table import Table

    table = Table("", *(list(rows.values()) or [{}])[0], title=title)
    for name, row in rows.items():
        table.add_row(name, *(format(value, form) for value in row.values()))
    return table


def _print(*parts: "Table | str") -> None:
    from rich.console import Console

    for part in parts:
        Console().print(part)
