"""Every word shown to people stands in both languages, and says the same with the same values.

The permanent guard of the catalogue: it reads each `say(...)` in the source and the templates.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from doctest import DocTestParser
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

import yukjo
from yukjo.words import catalogue, say, speak, spoken

SOURCE = Path(yukjo.__file__).parent
CATALOGUE = sorted((SOURCE / "words" / "ko").glob("*.toml"))


@dataclass(frozen=True)
class Said:
    """One `say(...)`: its text where it is a literal, and the values given to it."""

    where: str
    text: str | None
    values: frozenset[str]


def said_in_code() -> Iterator[Said]:
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        shown = [ast.parse(e.source) for e in DocTestParser().get_examples(_doctests(tree))]
        for node in [node for part in (tree, *shown) for node in ast.walk(part)]:
            if isinstance(node, ast.Call) and _called(node.func) == "say":
                first = node.args[0] if len(node.args) == 1 else None
                text = first.value if isinstance(first, ast.Constant) else None
                values = frozenset(keyword.arg or "**" for keyword in node.keywords)
                where = f"{path.relative_to(SOURCE)}:{node.lineno}"
                yield Said(where, text if isinstance(text, str) else None, values)


def said_in_templates() -> Iterator[Said]:
    for path in sorted(SOURCE.rglob("*.html")):
        tree = Environment().parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                first = call.args[0] if len(call.args) == 1 else None
                text = first.value if isinstance(first, nodes.Const) else None
                values = frozenset(keyword.key for keyword in call.kwargs)
                yield Said(f"{path.relative_to(SOURCE)}:{call.lineno}", text, values)


def _doctests(tree: ast.Module) -> str:
    """The docstrings of a module, one after another."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = [ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, kinds)]
    return "\n\n".join(text for text in found if text)


def _open(one: Said) -> bool:
    """Whether `**values` may give what the text shows beside the values named."""
    return "**" in one.values and one.values - {"**"} <= names(one.text or "")


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def fields(text: str) -> Counter[str]:
    """The placeholders of a text, as they are written: `{rate:g}`, `{value!r}`."""
    return Counter(
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    )


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


SAID = [*said_in_code(), *said_in_templates()]
LITERALS = {one.text for one in SAID if one.text is not None}


def test_the_source_was_read() -> None:
    assert {"train/loop.py", "words/__init__.py"} <= {
        str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*.py")
    }
    assert any(one.where.startswith("train/loop.py") for one in SAID)
    assert any(one.where.startswith("dashboard/templates") for one in SAID)


def test_only_texts_that_can_be_read_in_the_source_are_said() -> None:
    assert [one.where for one in SAID if one.text is None] == []


def test_every_text_has_its_korean() -> None:
    known = catalogue()
    assert [f"{one.where}: {one.text}" for one in SAID if one.text and one.text not in known] == []


def test_no_korean_is_left_of_a_text_that_is_gone() -> None:
    assert sorted(catalogue().keys() - LITERALS) == []


def test_a_text_gets_the_values_it_shows_and_no_others() -> None:
    wrong = [
        f"{one.where}: {sorted(names(one.text) ^ one.values)}"
        for one in SAID
        if one.text and names(one.text) != one.values and not _open(one)
    ]
    assert wrong == []


def test_no_placeholder_is_lost_or_made_up_in_korean() -> None:
    wrong = {e: k for e, k in catalogue().items() if fields(e) != fields(k)}
    assert wrong == {}


@pytest.mark.parametrize("side", ["english", "korean"])
def test_every_placeholder_is_a_plain_name(side: str) -> None:
    texts = catalogue().values() if side == "korean" else LITERALS | catalogue().keys()
    odd = [t for t in texts if any(not n.isidentifier() or n == "text" for n in names(t))]
    assert odd == []


def test_every_korean_text_has_hangul_unless_it_is_a_bare_name() -> None:
    bare = [
        english for english, korean in catalogue().items()
        if not re.search("[가-힣]", korean) and korean.lower() != english.lower()
    ]  # fmt: skip
    assert bare == []


def test_files_that_share_a_text_agree_on_its_korean() -> None:
    known: dict[str, set[str]] = {}
    for file in CATALOGUE:
        for english, korean in tomllib.loads(file.read_text(encoding="utf-8")).items():
            known.setdefault(english, set()).add(korean)
    assert {english: found for english, found in known.items() if len(found) > 1} == {}


# `{unclear}` is one known word, so that its particle is known too.
PARTICLE = re.compile(r"(?<!\{unclear)\}[`'’\"]?(?:을|를|은|는|이|가|과|와|로|으로)(?=[\s.,:)]|$)")


def test_no_particle_follows_a_placeholder_whose_last_sound_is_unknown() -> None:
    assert [korean for korean in catalogue().values() if PARTICLE.search(korean)] == []


# Saying


def test_korean_is_spoken_unless_english_is_chosen() -> None:
    assert (spoken(), say("{count} lines", count=3)) == ("ko", "3줄")
    speak("en")
    assert (spoken(), say("{count} lines", count=3)) == ("en", "3 lines")


def test_a_text_without_korean_is_said_in_english() -> None:
    assert say("no {thing} of that name", thing="x") == "no x of that name"


def test_braces_in_a_value_are_only_text() -> None:
    assert say("{count} lines", count="{evil.__class__}") == "{evil.__class__}줄"
