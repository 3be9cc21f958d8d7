"""Words for `make_reference.py`: of docstrings, of types and values, and as tables of Markdown."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel


def field_words(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the docstring that stands under it, here or in a class it inherits from."""
    words = {}
    for above in model.__bases__:
        if issubclass(above, BaseModel) and above is not BaseModel:
            words |= field_words(above)
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(s))
            ):
                words[name] = " ".join(s.split())
    return words


def kind(shape: Mapping[str, Any]) -> str:
    """The type of a setting in words, from its JSON schema.

    >>> kind({"type": "integer", "exclusiveMinimum": 0}), kind({"enum": ["ko", "en"]})
    ('whole number > 0', '`ko` or `en`')
    """
    if "enum" in shape:
        return " or ".join(f"`{value}`" for value in shape["enum"])
    if "anyOf" in shape:
        (one,) = [part for part in shape["anyOf"] if part != {"type": "null"}]
        return f"{kind(one)}; may be left out"
    if shape["type"] == "object":
        return f"table of {kind(shape['additionalProperties'])}"
    if shape["type"] == "array":
        least = f", at least {shape['minItems']}" if "minItems" in shape else ""
        several = re.sub("number|text|path", r"\g<0>s", kind(shape["items"]), count=1)
        return f"list of {several}{least}"
    names = {"integer": "whole number", "number": "number", "string": "text",
             "boolean": "`true` or `false`"}  # fmt: skip
    name = "path" if shape.get("format") == "path" else names[shape["type"]]
    marks = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{mark} {shape[key]}" for key, mark in marks.items() if key in shape]
    return f"{name} {', '.join(limits)}".strip()


def shown(value: object) -> str:
    """A value as it would be written in `yukjo.toml`."""
    if value is None:
        return "left out"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def described(module: object) -> str:
    """What a module's docstring says below its first paragraph."""
    return (inspect.getdoc(module) or "").partition("\n\n")[2]


def first_words(function: object) -> str:
    """The first paragraph of a docstring on one line."""
    said = (inspect.getdoc(function) or "").partition("\n\n")[0]
    assert said, function
    return " ".join(said.split())


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
