"""`yukjo ledger verify / keygen / checkpoint / verifier`: what shows that the record is whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yukjo.cli.options import AsJson, Project, existing_ledger, print_json, writing_to
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.ledger.checkpoints import Found
    from yukjo.ledger.faults import Fault

VERIFY = say(
    "Check the chain, and signed checkpoints; exit 1 on any change."
    " Example: yukjo ledger verify --checkpoint /media/usb/today.json"
)
KEYGEN = say("Make the key that signs checkpoints. Example: yukjo ledger keygen")
CHECKPOINT = say(
    "Sign how far the ledger has come, to be carried off this machine."
    " Example: yukjo ledger checkpoint --out /media/usb/today.json"
)
VERIFIER = say(
    "Write the verifier that needs no Yukjo, for an auditor."
    " Example: yukjo ledger verifier --out verifier.py"
)


def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help=say("A checkpoint or a folder of them; may repeat"))
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help=say("The signer's public key; may repeat, after a change of keys")),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """Every fault, by entry; a file too damaged to open is one."""
    from yukjo.config import load
    from yukjo.ledger import opening
    from yukjo.ledger.database import DamagedError
    from yukjo.ledger.faults import unreadable

    config = load(project)
    signed, faults = opening.signed(project, config, checkpoint or [], public_key or [])
    try:
        with existing_ledger(project, config) as ledger:
            faults += ledger.verify(signed)
    except DamagedError as damage:
        faults.append(unreadable(1, f"{damage.what} ({damage.where})"))
    if json_:
        print_json({"ok": not faults, "checkpoints": len(signed),
                    "first": min((f.number for f in faults if f.number), default=None),
                    "faults": [_fault(f) for f in faults]})  # fmt: skip
    else:
        _print(faults, signed)
    raise typer.Exit(1 if faults else 0)


def keygen(
    out: Annotated[
        Path | None, typer.Option(help=say("File of the private key; its public half is beside it"))
    ] = None,
    json_: AsJson = False,
) -> None:
    """A new Ed25519 key; none is ever overwritten."""
    from yukjo.ledger import keys

    place = (out or keys.DEFAULT).expanduser()
    public = keys.make(place)
    half = keys.public_file(place)
    if json_:
        print_json({"private": str(place), "public": str(half), "key": public})
        return
    typer.echo(
        say("private key: {file}; keep it apart from the ledger, and a copy of it safe", file=place)
    )
    typer.echo(
        say("public key: {file} ({key}); give it to whoever verifies",
            file=half, key=public[:16])
    )  # fmt: skip


def checkpoint(
    key: Annotated[
        Path | None,
        typer.Option(help=say("Private key; else [ledger] key, else ~/.config/yukjo/ledger.key")),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help=say("File to write; else one in the folder [ledger] checkpoints")),
    ] = None,
    project: Project = Path(),
    json_: AsJson = False,
) -> None:
    """A chain that is whole, and is what was signed before, is signed; any other is not."""
    from yukjo.config import load
    from yukjo.errors import LedgerError
    from yukjo.ledger import checkpoints, keys, opening

    config = load(project)
    own = config.ledger.key and project / config.ledger.key.expanduser()
    private = keys.read_private((key or own or keys.DEFAULT).expanduser())
    signed, _ = opening.signed(project, config)
    with existing_ledger(project, config) as ledger:
        head, faults = ledger.head(), ledger.verify(signed)
    if faults:
        raise LedgerError(
            say("the chain is broken; it is not signed"),
            where=say("entry {number}", number=faults[0].number),
            fix=say("run `yukjo ledger verify`, then restore the ledger from a copy"),
        )
    point = checkpoints.sign(head, private)
    place = out or project / config.ledger.checkpoints / checkpoints.name_of(point)
    checkpoints.write(point, place)
    if json_:
        print_json({"file": str(place), **point.model_dump()})
    else:
        typer.echo(say("{count} entries signed: {file}", count=point.count, file=place))


def verifier(
    out: Annotated[Path, typer.Option(help=say("File to write"))] = Path("verifier.py"),
) -> None:
    """One file; how to run it stands at its top."""
    from importlib import resources

    from yukjo.files import write_whole

    with writing_to(out):
        write_whole(out, (resources.files("yukjo.ledger") / "verifier.py").read_bytes())
    typer.echo(say("written: {file}", file=out))


def _fault(fault: "Fault") -> dict[str, Any]:
    return {"number": fault.number, "code": fault.code, "what": fault.what, "where": fault.where}


def _print(faults: "Sequence[Fault]", signed: "Sequence[Found]") -> None:
    for fault in faults:
        shown = f" ({fault.where})" if fault.number and fault.where else ""
        typer.echo(
            (say("entry {number}: {what}", number=fault.number, what=fault.what) if fault.number
             else say("checkpoint {file}: {what}", file=fault.where, what=fault.what)) + shown
        )  # fmt: skip
    first = min((fault.number for fault in faults if fault.number), default=None)
    if first is not None:
        typer.echo(
            say("{count} faults found; the first bad entry is {number}",
                count=len(faults), number=first)
        )  # fmt: skip
    elif faults:
        typer.echo(say("{count} faults found", count=len(faults)))
    elif signed:
        most = max(signed, key=lambda one: one.point.count).point
        typer.echo(
            say("the chain is whole; {count} entries are signed by key {key}",
                count=most.count, key=most.key[:16])
        )  # fmt: skip
    else:
        typer.echo(
            say("the chain is whole; nothing is signed, so a cut or rewritten end would not show")
        )
