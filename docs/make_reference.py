"""Write `docs/reference.md` from the code, so that it can't say what the code doesn't do.

    python docs/make_reference.py [--print]    write the file, or show it on stdout

Settings, commands, codes, metrics and rules are read from the code; only what the code has no
words for stands in `reference_words.toml`; a name that appears or goes makes this script fail.
"""

import argparse
import inspect
import re
import sys
import textwrap
import tomllib
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from reference_parts import (
    bullets,
    described,
    field_words,
    first_words,
    kind,
    markdown_table,
    shown,
)

from yukjo import cli, runs
from yukjo.adapters.store import MANIFEST, WEIGHTS
from yukjo.agents import Role, roles
from yukjo.config import LoraConfig, PaceConfig, YukjoConfig
from yukjo.config.gate import TargetConfig
from yukjo.config.load import parse
from yukjo.config.models import StageConfig
from yukjo.config.presets import PRESETS
from yukjo.data.compare import SOUGHT
from yukjo.data.findings import LONG, RULES, Fault, explain
from yukjo.data.lines import LIMIT
from yukjo.evaluate import scorers
from yukjo.evaluate.conformance import conformance, rule_called
from yukjo.evaluate.statistics import CONFIDENCE, PAIRS_FOR_A_VERDICT
from yukjo.records import DIFFICULTIES, SIX, AdapterManifest, Effect
from yukjo.train.advice import advice
from yukjo.words import speak

FILE = Path(__file__).with_name("reference.md")

WORDS = tomllib.loads(Path(__file__).with_name("reference_words.toml").read_text("utf-8"))
"""What the code has no words for."""


def main() -> None:
    """Write the page, or print it."""
    parser = argparse.ArgumentParser(description="Write docs/reference.md from the code.")
    parser.add_argument("--print", action="store_true", help="show it on stdout instead")
    if parser.parse_args().print:
        sys.stdout.buffer.write(page().encode())
    else:
        FILE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole reference."""
    speak("en")  # before the commands are imported: their help is written then
    parts = [
        WORDS["head"], *settings(), *presets(), *warnings(), *commands(), *exit_codes(),
        *data_codes(), *run_folder(), *adapter_folder(), *metrics(), *rules(),
    ]  # fmt: skip
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def settings() -> Iterator[str]:
    """Every key of `yukjo.toml`."""
    yield "## Settings: `yukjo.toml`"
    yield "An unknown key is an error that names the nearest known one."
    tables = dict(models_in(YukjoConfig))
    yield "### Above all tables"
    yield settings_table(YukjoConfig, "", leave_out=(*tables, "agent", "stage"))
    for name, model in tables.items():
        yield f"### [{name}]"
        yield from described_table(model)
        yield settings_table(model, name, leave_out=("targets",) if name == "gate" else ())
        if name == "train":
            yield from agent_tables()
        if name == "chain":
            yield from stage_tables()
        if name == "gate":
            yield "### [gate.targets.NAME]"
            yield "One thing the gate asks for; the presets' targets are in `yukjo.config.targets`."
            yield settings_table(TargetConfig, "gate.targets")


def described_table(model: type[BaseModel]) -> Iterator[str]:
    """What a table's own docstring says after its name, where it says something."""
    said = " ".join((inspect.getdoc(model) or "").partition(": ")[2].split())
    if said:
        yield said[0].upper() + said[1:]


def agent_tables() -> Iterator[str]:
    """What may differ from agent to agent."""
    yield "### [agent.NAME.lora] and [agent.NAME.train]"
    yield (
        "One agent's own values, as `[agent.rag.lora] rank = 32`; what is left out is taken from "
        "[lora] and [train]. All keys of [lora] are known here, and of [train] "
        + ", ".join(f"`{key}`" for key in PaceConfig.model_fields)
        + ". The other keys of [train] are the whole run's and are refused here."
    )


def stage_tables() -> Iterator[str]:
    """What may differ from stage to stage of a chain."""
    yield "### [stage.NAME.TABLE]"
    tables = ", ".join(f"`{table}`" for table in StageConfig.model_fields)
    words = (
        f"{field_words(YukjoConfig)['stage']} TABLE is one of {tables}; what is left out is taken"
        " from the project's table of that name."
    )
    row = ("`stage`", "tables by name", "left out", words)
    yield markdown_table(("key", "type", "default", "what it does"), [row])


def settings_table(model: type[BaseModel], table: str, leave_out: Iterable[str] = ()) -> str:
    """The keys of one table."""
    words, whole = field_words(model), model.model_json_schema()
    preset_keys = {key for preset in PRESETS.values() for key in preset.get(table, ())}
    rows = []
    for key, shape in whole["properties"].items():
        if key not in leave_out:
            default = "see the presets" if key in preset_keys else shown(shape.get("default"))
            default = "needed" if key in whole.get("required", ()) else default
            rows.append((f"`{key}`", kind(shape), default, words.get(key, "")))
    return markdown_table(("key", "type", "default", "what it does"), rows)


def presets() -> Iterator[str]:
    """What each preset starts from, side by side."""
    yield "## Presets"
    yield described(sys.modules["yukjo.config.presets"])
    made = {name: parse(f'preset = "{name}"').model_dump(mode="json") for name in PRESETS}
    keys = {(table, key): None for preset in PRESETS.values()
            for table, values in preset.items() for key in values}  # fmt: skip
    rows = [
        (f"[{table}] `{key}`", *(shown(made[name][table][key]) for name in made))
        for table, key in keys
    ]
    yield markdown_table(("key", *(f"`{name}`" for name in made)), rows)


def warnings() -> Iterator[str]:
    """What a plan warns of, by making it warn."""
    yield "### What is warned of"
    attention, more = LoraConfig(rank=1), LoraConfig(rank=1, targets=("q_proj", "up_proj"))
    odd, strong = PaceConfig(learning_rate=1, epochs=1, max_steps=1), LoraConfig(alpha=1000)
    size = {"batch": 1, "numbers": 10_000, "tokens": 50_000}
    yield WORDS["warnings"]
    said = advice(attention, odd, **size)
    yield bullets(said)
    (other,) = set(advice(more, odd, **size)) - set(said)
    yield f"With adapters on other layers too the range of the learning rate is wider: {other}."
    (strong_rate, *_) = advice(strong, PaceConfig(), **size | {"tokens": 10_000})
    yield f"And where alpha, rsLoRA or LoRA+ move it far: {strong_rate}."


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    import typer

    from yukjo.cli.app import app

    root: Any = typer.main.get_command(app)
    yield "## Commands"
    yield "Progress goes to stderr, results to stdout."
    yield options_table(root)
    yield from members("yukjo", root)


def members(name: str, group: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own class
    """The commands of a group, groups within it among them; one that does something itself too."""
    for member, command in group.commands.items():
        own = f"{name} {member}"
        inner = hasattr(command, "commands")
        if not inner or command.invoke_without_command:
            yield from command_part(own, command)
        if inner:
            yield from members(own, command)


def command_part(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own class
    """One command."""
    takes = [p.metavar or p.name.upper() for p in command.params if p.param_type_name == "argument"]
    yield f"### `{' '.join([name, *takes])}`"
    text, _, example = command.help.partition(" Example: ")
    yield f"{text.rstrip('.')}." + (f" Example: `{example}`" if example else "")
    if command.params:
        yield options_table(command)


def options_table(command: Any) -> str:  # noqa: ANN401 - typer's own class
    """The arguments and options of a command."""
    hints = typing.get_type_hints(command.callback)
    rows = []
    for param in command.params:
        argument = param.param_type_name == "argument"
        name = param.metavar or param.name.upper() if argument else ", ".join(param.opts)
        flag = hints[param.name] is bool
        default = "needed" if param.required else shown_default(param.default)
        rows.append((f"`{name}`", "flag" if flag else value_kind(hints[param.name]),
                     "" if flag else default, param.help))  # fmt: skip
    return markdown_table(("argument or option", "value", "default", "what it does"), rows)


def value_kind(hint: Any) -> str:  # noqa: ANN401 - any annotation
    """What a parameter of a command takes."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if typing.get_origin(hint) is list:
        return f"{value_kind(arguments[0])}, may repeat"
    if type(None) in arguments:
        return value_kind(next(one for one in arguments if one is not type(None)))
    return {Path: "path", str: "text", int: "whole number", float: "number"}[hint]


def shown_default(value: object) -> str:
    """A parameter's default; empty where leaving it out means leaving it out."""
    return "" if value in {None, ""} or value == [] else f"`{value}`"


def exit_codes() -> Iterator[str]:
    """What the command line's own docstring says of its codes."""
    yield "## Exit codes"
    said = re.search(r"Exit codes: (.*?)\.\s", inspect.getdoc(cli) or "", re.DOTALL)
    assert said, "yukjo.cli says its exit codes"
    pairs = [part.split(maxsplit=1) for part in " ".join(said[1].split()).split("; ")]
    yield markdown_table(("code", "means"), [(code, words) for code, words in pairs])
    yield f"\n{WORDS['stopped']}"


def data_codes() -> Iterator[str]:
    """Every code of `yukjo data check`, with an example of its words."""
    yield "## Codes of `yukjo data check`"
    yield WORDS["data_codes"]
    rows = []
    for code in RULES:
        found = explain(Fault(code, None, example_values(code)), file="", line=1)
        rows.append((f"`{code}`", found.level, found.message, found.fix))
    yield markdown_table(("code", "level", "message", "mend"), rows)


def example_values(code: str) -> Mapping[str, Any]:
    """Values that a fault of this code could have."""
    values = {
        "limit": LIMIT, "position": 7, "cp949": False, "why": "Expecting value", "kind": list,
        "key": "input", "value": "NaN", "field": "output", "known": SIX, "want": "text",
        "agent": "rg", "shown": "U+0007", "count": 42, "other": "a.jsonl:3", "percent": 93,
        "most": 16, "name": "images/7.png", "mode": "CMYK", "shape": "******-*******",
    }  # fmt: skip
    special: dict[str, dict[str, Any]] = {
        "unknown-field": {"field": "ouput", "known": ("instruction", "input", "output")},
        "wrong-value": {"field": "difficulty", "value": "중간", "known": DIFFICULTIES},
        "long-output": {"count": LONG + 200},
        "near-duplicates-unsought": {"limit": SOUGHT},
        "bidi": {"shown": "U+202E"},
        "zero-width": {"shown": "U+200B"},
    }
    special |= {code: {"shown": place, "mend": mend} for code, (place, mend) in
                WORDS["rule_examples"].items()}  # fmt: skip
    return values | special.get(code, {})


def run_folder() -> Iterator[str]:
    """The layout of a run's folder, from the module that makes it."""
    yield "## The folder of a run"
    _, _, layout = (inspect.getdoc(runs) or "").partition("\n\n")
    yield f"```text\n{layout.strip()}\n```"
    yield f"\n{WORDS['run_notes']}"


def adapter_folder() -> Iterator[str]:
    """The files of an adapter, and the fields of its manifest."""
    yield "## The folder of an adapter"
    yield (
        f"A valid PEFT adapter (`adapter_config.json`, `{WEIGHTS}`) and `{MANIFEST}`, which holds:"
    )
    yield fields_table(AdapterManifest, WORDS["manifest"])
    yield "`effect` is taken at fixed prompts; an adapter that changes nothing is refused:"
    yield fields_table(Effect, WORDS["effect"])


def fields_table(model: type[BaseModel], more: Mapping[str, str]) -> str:
    """The fields of a record with their words."""
    words = {**more, **field_words(model)}
    assert set(words) == set(model.model_fields), set(words) ^ set(model.model_fields)
    return markdown_table(
        ("field", "what it holds"), [(f"`{f}`", words[f]) for f in model.model_fields]
    )


def metrics() -> Iterator[str]:
    """Every metric: what it measures, and what it can't show."""
    yield "## Metrics"
    known = scorers.metrics(roles().values())
    assert set(known) == set(WORDS["measures"]), set(known) ^ set(WORDS["measures"])
    rows = []
    for name, metric in known.items():
        measured, limit = WORDS["measures"][name]
        rows.append((f"`{name}`", measured or first_words(getattr(scorers, name, conformance)),
                     better(metric.higher_is_better), limit))  # fmt: skip
    yield markdown_table(("metric", "measures", "better", "what it can't show"), rows)
    percent = round(CONFIDENCE * 100)
    yield textwrap.dedent(f"""
        Quality, length and seconds are of the greedy answer; consistency is of the sampled ones.
        Each metric is compared before and after, paired by case, with a {percent} % bootstrap
        interval of the difference. A verdict other than `unclear` needs an interval that leaves 0
        out and {PAIRS_FOR_A_VERDICT} pairs that differ. `metric_id` changes when the meaning of a
        metric changes; figures under different ids are not to be compared.
        `improvement_percentage` is 100 * (after - before) / before, null where before is 0; for a
        metric where lower is better a fall is an improvement, and the percentage is below 0.""")


def better(higher: bool | None) -> str:  # noqa: FBT001 - the metric's own three-way mark
    """Which way is good."""
    return "neither" if higher is None else "higher" if higher else "lower"


def rules() -> Iterator[str]:
    """The rules of conformance, agent by agent."""
    yield "## Rules of conformance"
    yield WORDS["rules"]
    for name, role in roles().items():
        yield f"### `{name}`: {role.title} ({role.title_en})"
        yield role_rules(role)


def role_rules(role: Role) -> str:
    """The tools of one agent, and its rules with what they demand."""
    rows = [(f"`{rule}`", first_words(rule_called(rule))) for rule in role.rules]
    table = markdown_table(("rule", "demands"), rows)
    named = ", ".join(f"`{tool}`" for tool in role.tools)
    return f"Tools: {named}.\n\n{table}" if named else table


def models_in(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The fields of a model that are models themselves: the tables of the file."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


if __name__ == "__main__":
    main()
