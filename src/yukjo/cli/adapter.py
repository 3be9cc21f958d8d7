"""`yukjo adapter`: the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.adapters.store import Store
    from yukjo.records import AdapterManifest, Proof

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID]...", help=say("Starts of ids; the newest of each agent if left out")
    ),
]
app = typer.Typer(no_args_is_help=True, help=say("The adapters kept, by content hash"))


@app.command("list", help=say("All adapters, newest first. Example: yukjo adapter list"))
def list_(project: Project = Path(), json_: AsJson = False) -> None:
    """Agent, id, run and held-out loss of every adapter."""
    from rich.console import Console
    from rich.table import Table

    manifests = _store(project).all()
    if json_:
        print_json({"adapters": [m.model_dump(mode="json") for m in manifests]})
        return
    table = Table(say("agent"), say("id"), say("run"), say("held-out loss"), say("effect"))
    for m in manifests:
        loss = "-" if m.valid_loss is None else f"{m.valid_loss:.4f}"
        table.add_row(m.agent, m.id[:12], m.run, loss, f"{m.effect.change:.2f}")
    Console().print(table)


@app.command(help=say("One adapter's manifest. Example: yukjo adapter show 3fa9c1"))
def show(
    adapter: Annotated[str, typer.Argument(metavar="ID", help=say("Start of the adapter's id"))],
    project: Project = Path(),
) -> None:
    """The manifest as JSON, after its weights were hashed again."""
    _, manifest = _store(project).find(adapter)
    typer.echo(manifest.model_dump_json(indent=2))


@app.command(
    help=say("Compare llama.cpp with torch on adapters; exit 1 where they differ."
             " Example: yukjo adapter prove 3fa9c1")
)  # fmt: skip
def prove(ids: Ids = None, project: Project = Path(), json_: AsJson = False) -> None:
    """Derive each GGUF-LoRA file anew, prove it, and show the numbers."""
    proofs = _proofs(project, ids or [])
    if json_:
        print_json({"proofs": [p.model_dump(mode="json") | {"holds": p.holds} for p in proofs]})
    else:
        _print(proofs)
    raise typer.Exit(0 if all(proof.holds for proof in proofs) else 1)


@app.command(
    help=say("Adapters for other tools, proved equal: GGUF-LoRA files, MLX folders, or whole merged"
             " models. Example: yukjo adapter export --format gguf")
)  # fmt: skip
def export(
    ids: Ids = None,
    format_: Annotated[
        Literal["gguf", "mlx", "merged"],
        typer.Option(
            "--format",
            help=say("`gguf` for llama.cpp, `mlx` for mlx-lm and mlx-vlm, `merged` for any tool"),
        ),
    ] = "gguf",
    out: Annotated[
        Path | None,
        typer.Option("--out", help=say("Folder of MLX or merged ones; in runs if left out")),
    ] = None,
    project: Project = Path(),
) -> None:
    """Write, prove, and print the path of each."""
    from yukjo.adapters.prove import refuse_unproved
    from yukjo.records import Proof

    if format_ != "gguf":
        {"merged": _merge, "mlx": _to_mlx}[format_](project, ids or [], out)
        return
    for proof in _proofs(project, ids or []):
        refuse_unproved(proof)
        typer.echo(str(Proof.places(_store(project).folder / proof.adapter, proof.gguf)[0]))


@app.command(
    "import",
    help=say("Take in an adapter trained elsewhere, an MLX or PEFT folder, for one agent on this"
             " project's base. Example: yukjo adapter import adapters/ --agent rag"),
)  # fmt: skip
def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=say("The adapter's folder"))],
    agent: Annotated[str, typer.Option(help=say("Name of the agent"))],
    project: Project = Path(),
    set_: Changes = None,
) -> None:
    """Check, prove, keep, and print its id."""
    from yukjo import pipeline, wiring
    from yukjo.adapters.mlx import read_foreign
    from yukjo.agents import role
    from yukjo.config import change, load
    from yukjo.pipeline.importing import take_in

    config = load(project, dict(map(change, set_ or ())))
    who, found = role(agent), read_foreign(folder)  # before the base is loaded
    store = pipeline.store_of(pipeline.runs_folder(project, config))
    parts = wiring.open_parts(config, project)
    typer.echo(take_in(found, who, parts=parts, config=config, store=store).id)


def _proofs(project: Path, ids: list[str]) -> list["Proof"]:
    """The named adapters, or the newest of each agent, made ready for llama.cpp one by one."""
    from yukjo import wiring
    from yukjo.agents.roles import pick
    from yukjo.config import load
    from yukjo.pipeline.proving import make_ready

    config = load(project)
    chosen = _chosen(project, ids)
    with wiring.proving(config, project) as side:
        return [
            make_ready(
                place, manifest,
                oracle=side.oracle, speaker=side.speaker, tokenizer=side.tokenizer, gguf=side.gguf,
                role=pick(side.roles, manifest.agent),
            )
            for place, manifest in chosen
        ]  # fmt: skip


def _merge(project: Path, ids: list[str], out: Path | None) -> None:
    from yukjo import wiring
    from yukjo.adapters.prove import refuse_unproved
    from yukjo.config import load
    from yukjo.files import remove_whole

    config = load(project)
    folder = out or project / config.project.runs / "merged"
    for place, manifest in _chosen(project, ids):
        proof = wiring.merge(config, project, place, manifest, folder / manifest.id)
        if not proof.holds:
            remove_whole(folder / manifest.id)
        refuse_unproved(proof)
        typer.echo(str(folder / manifest.id))


def _to_mlx(project: Path, ids: list[str], out: Path | None) -> None:
    from yukjo import wiring
    from yukjo.adapters.mlx import write_mlx
    from yukjo.config import load
    from yukjo.pipeline.proving import MLX_LIMIT

    config = load(project)
    folder = out or project / config.project.runs / "mlx"
    exported = {
        folder / manifest.id: (place, manifest) for place, manifest in _chosen(project, ids)
    }
    for made, (place, _) in exported.items():
        write_mlx(place, made)
    proved = wiring.prove_mlx(config, project, exported) if wiring.has_mlx() else {}
    for made in exported:
        _say_of_mlx(made, proved.get(made), limit=MLX_LIMIT)
        typer.echo(str(made))


def _say_of_mlx(made: Path, furthest: float | None, *, limit: float) -> None:
    """What was proved of an MLX folder; AdapterError, and no folder, where it doesn't hold."""
    from yukjo.errors import AdapterError
    from yukjo.files import remove_whole

    if furthest is None:
        typer.echo(
            say("{name}: not proved here, mlx-lm isn't installed", name=made.name[:12]), err=True
        )
        return
    if not furthest <= limit:  # no number is no proof
        remove_whole(made)
        raise AdapterError(
            say(
                "MLX answers otherwise: logits differ by {furthest:.1e}, more than {limit:.0e}",
                furthest=furthest,
                limit=limit,
            ),
            where=str(made),
            fix=say("check that mlx-lm reads this base as transformers does"),
        )
    typer.echo(
        say(
            "{name}: proved, MLX's logits differ by {furthest:.1e} at most",
            name=made.name[:12],
            furthest=furthest,
        ),
        err=True,
    )


def _chosen(project: Path, ids: list[str]) -> list[tuple[Path, "AdapterManifest"]]:
    """The adapters named, or the newest of every agent that has one."""
    from yukjo.config import load

    store = _store(project)
    agents = {m.agent for m in store.all()} or load(project).agents  # none is an error
    return [store.find(name) for name in ids] or [*store.chosen([], agents=agents).values()]


def _print(proofs: list["Proof"]) -> None:
    from rich.console import Console
    from rich.table import Table

    most = proofs[0]  # one base, one limit
    table = Table(
        say("id"), f"KL ≤ {most.most_kl}", f"{say('KL of the base')} ≤ {most.most_kl}",
        say("effect"), f"{say('error')} ≤ {most.most_error}", "",
    )  # fmt: skip
    for p in proofs:
        verdict = say("proved") if p.holds else say("refused")
        numbers = f"{p.kl:.2e}", f"{p.kl_base:.2e}", f"{p.effect:.2e}", f"{p.error:.3f}"
        table.add_row(p.adapter[:12], *numbers, verdict)
    Console(highlight=False).print(table)


def _store(project: Path) -> "Store":
    from yukjo import pipeline
    from yukjo.config import load

    return pipeline.store_of(pipeline.runs_folder(project, load(project)))
