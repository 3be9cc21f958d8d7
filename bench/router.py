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
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

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
    from yukjo.agents.router import learn, lessons
    from yukjo.agents.router_files import read_asked
    from yukjo.agents.router_report import Share, evaluate
    from yukjo.agents.router_views import View
    from yukjo.config import load

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

    short, long = (evaluate(router, of_test(config, project, whole)) for whole in (False, True))
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


def of_test(config: object, project: Path, whole: bool) -> list[object]:  # noqa: FBT001
    """The test split's requests, alone or with their material."""
    from yukjo.agents.router_files import Asked
    from yukjo.data.read import read
    from yukjo.data.split import split

    read_in = read([project / file for file in config.data.files], agents=config.agents)
    sides = split(read_in.samples, valid=config.data.valid, test=config.data.test)
    return [
        Asked(text=f"{s.instruction}\n\n{s.input}" if whole else s.instruction, agent=s.agent_type)
        for s in sides.test
    ]


def views(name: str, texts: Sequence[str]) -> Iterator[object]:
    """A view by its name."""
    from yukjo.agents.router_meaning import embed
    from yukjo.agents.router_views import grams, learn_middle, learn_terms

    if name == "characters":
        yield learn_terms(name, grams, texts)
    if name == "morphemes":
        yield learn_terms(name, morphemes(), texts)
    if name == "meaning":
        yield learn_middle(name, remembering(embed), texts)
    if name == "hidden":
        yield learn_middle(name, remembering(hidden()), texts)


def remembering(embed: object) -> object:
    """The same rows, each computed once, as the product keeps them."""
    known: dict[str, object] = {}

    def looked_up(texts: Sequence[str]) -> object:
        import numpy as np

        for text in texts:
            if text not in known:
                known[text] = embed([text])[0]
        return np.array([known[text] for text in texts])

    return looked_up


def morphemes() -> object:
    """Kiwi's morphemes, alone and in pairs."""
    from kiwipiepy import Kiwi

    from yukjo.agents.router_views import plain

    kiwi = Kiwi(num_workers=1)

    def terms(text: str) -> Iterator[str]:
        found = [f"{token.form}/{token.tag}" for token in kiwi.tokenize(plain(text))]
        yield from found
        yield from map(" ".join, pairwise(found))

    return terms


def hidden() -> object:
    """The base's last hidden state, mean over the tokens of the text's ends."""
    import numpy as np
    import torch

    from yukjo.agents.router_meaning import ENDS
    from yukjo.agents.router_views import plain
    from yukjo.backends.torch.base import Base
    from yukjo.backends.torch.layout import Span
    from yukjo.backends.torch.tokenizer import HfTokenizer
    from yukjo.config.models import BaseConfig
    from yukjo.wiring import base_folder

    torch.set_num_threads(1)
    folder = base_folder(BaseConfig(), Path())
    base, tokenizer = Base(folder, dtype="bfloat16"), HfTokenizer(folder)

    def embed(texts: Sequence[str]) -> object:
        rows = []
        with torch.no_grad():
            for text in texts:
                tokens = tokenizer.encode("<bos>" + plain(text, ends=ENDS))
                span = Span(None, [tokens], [range(len(tokens))])
                rows.append(base.hidden_of_pack([span]).float().mean(dim=0).numpy())
        made = np.array(rows)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    return embed


if __name__ == "__main__":
    main()
