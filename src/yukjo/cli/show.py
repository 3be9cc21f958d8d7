"""`yukjo data show`: one sample, or what the model learns of it."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yukjo.cli.options import AsJson, Changes, Project, print_json
from yukjo.words import say

if TYPE_CHECKING:
    from yukjo.config import YukjoConfig
    from yukjo.ports import Tokenizer
    from yukjo.records import Example, Sample

HELP = say(
    "One sample; with --tokens what the model sees, learned tokens green."
    " Example: yukjo data show rag-001 --tokens"
)


def show(
    sample: Annotated[str, typer.Argument(metavar="ID", help=say("Id, or start of the hash"))],
    project: Project = Path(),
    tokens: Annotated[bool, typer.Option("--tokens", help=say("Show tokens and mask"))] = False,
    set_: Changes = None,
    json_: AsJson = False,
) -> None:
    """Find the sample in the project's files and show it."""
    from yukjo.config import change, load

    config = load(project, dict(map(change, set_ or ())))
    found = _find(sample, project, config)
    if not tokens:
        typer.echo(found.model_dump_json(indent=None if json_ else 2, exclude_none=True))
        return
    from yukjo import wiring

    tokenizer = wiring.open_tokenizer(config, project)
    example = _rendered(found, project, config, tokenizer)
    if json_:
        print_json({"tokens": example.tokens, "learn": example.learn})
        return
    _paint(example, tokenizer)


def _find(name: str, project: Path, config: "YukjoConfig") -> "Sample":
    from yukjo.agents import of_project
    from yukjo.data.read import read
    from yukjo.errors import DataError
    from yukjo.pipeline.prepare import data_files

    samples = read(data_files(project, config), agents=set(of_project(project)),
                   contacts=config.data.allowed_contacts).samples  # fmt: skip
    found = [s for s in samples if s.id == name] or [s for s in samples if s.hash.startswith(name)]
    if len(found) != 1:
        raise DataError(
            say("{count} samples are called `{name}`", count=len(found), name=name),
            where=", ".join(map(str, config.data.files)),
            fix=say("name one by its id, or by more of its hash"),
        )
    return found[0]


def _rendered(
    sample: "Sample", project: Path, config: "YukjoConfig", tokenizer: "Tokenizer"
) -> "Example":
    from yukjo.agents import of_project
    from yukjo.data.render import chat_of, render, template_of

    chat = chat_of(sample, of_project(project)[sample.agent_type].prompt)
    return render(
        chat,
        tokenizer=tokenizer,
        template=template_of(tokenizer),
        max_tokens=config.data.max_tokens,
    )


def _paint(example: "Example", tokenizer: "Tokenizer") -> None:
    """Learned text green, the rest dim; control tokens by their names."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    text = Text()
    marked = zip(example.tokens, example.learn, strict=True)
    for learned, group in groupby(marked, key=lambda pair: pair[1]):
        written = tokenizer.spell([token for token, _ in group])
        text.append(written, style="green" if learned else "dim")
    console.print(text, soft_wrap=True)
    console.print(
        say("{learned} of {tokens} tokens are learned (green)",
            learned=example.learned, tokens=len(example.tokens))
    )  # fmt: skip
