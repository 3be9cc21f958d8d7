"""All commands under one roof. Imported after the language is chosen, because help texts are."""

from typing import Annotated, Literal

import typer

from yukjo.cli import (
    adapter,
    ask,
    bench,
    dashboard,
    data,
    data_checklist,
    data_diff,
    data_export,
    data_import,
    data_review,
    doctor,
    evaluate,
    gate,
    index,
    init,
    judge,
    ledger,
    metrics,
    monitor,
    promote,
    report,
    reproduce,
    review,
    route,
    run,
    serve,
    show,
    train,
)
from yukjo.words import say

app = typer.Typer(
    name="yukjo",
    help=say("Tune many LoRA adapters on one base model, prove that each got better."),
    epilog=say("Start: `yukjo init my-project`, then `yukjo run --project my-project`"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(help=init.HELP)(init.init)
app.command(help=run.HELP)(run.run)
app.command(help=train.HELP)(train.train)
app.command(help=monitor.HELP)(monitor.monitor)
app.command(help=reproduce.HELP)(reproduce.reproduce)
app.command(help=evaluate.HELP)(evaluate.evaluate)
app.command(help=judge.HELP)(judge.judge)
app.command(help=metrics.HELP)(metrics.metrics)
app.command(help=gate.HELP)(gate.gate)
app.command(help=promote.PROMOTE)(promote.promote)
app.command(help=promote.ROLLBACK)(promote.rollback)
app.command(help=report.HELP)(report.report)
app.command(help=serve.HELP)(serve.serve)
app.command(help=ask.HELP)(ask.ask)
app.command(help=index.HELP)(index.index)
app.command(help=route.HELP)(route.route)
app.command(help=doctor.HELP)(doctor.doctor)
data.app.command("show", help=show.HELP)(show.show)
data.app.command("checklist", help=data_checklist.HELP)(data_checklist.checklist)
data.app.add_typer(data_review.app, name="review")
data.app.command("import", help=data_import.IMPORT)(data_import.import_)
data.app.command("finish", help=data_import.FINISH)(data_import.finish)
data.app.command("export", help=data_export.HELP)(data_export.export)
data.app.command("diff", help=data_diff.HELP)(data_diff.diff)
app.add_typer(data.app, name="data")
app.add_typer(adapter.app, name="adapter")
app.add_typer(ledger.app, name="ledger")
app.add_typer(review.app, name="review")
app.add_typer(dashboard.app, name="dashboard")
app.add_typer(bench.app, name="bench")


def _version(asked: bool) -> None:
    if asked:
        from yukjo import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    lang: Annotated[
        Literal["ko", "en"], typer.Option(help=say("Language of all words shown"))
    ] = "ko",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True,
                           help=say("Show the version and leave"))
    ] = False,
) -> None: ...  # fmt: skip
