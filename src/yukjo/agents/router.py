"""Choose the agent for a text (requirement G12).

Softmax regression over the text's character n-grams, learned anew at each start, in seconds, from
the training split's requests and the routing examples that the project names. Why characters and
nothing more: docs/router.md.

1. The same texts and settings make the same router, whatever the order of the texts.
2. Scores are probabilities: calibrated on texts held out in turn, and 1 together.
3. Where the best score is below `[router] abstain`, the text goes to `[router] fallback`.
4. A text without a letter or digit says nothing: all agents score the same.
5. Of a project's samples the training split alone is learned.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yukjo.agents.roles import of_project, pick
from yukjo.agents.router_files import read_asked
from yukjo.agents.router_fit import Floats, fit, held_out, softmax, temperature
from yukjo.agents.router_views import Rows, View, grams, learn_terms
from yukjo.config import YukjoConfig
from yukjo.config.models import RouterConfig
from yukjo.data.read import read
from yukjo.data.split import split
from yukjo.errors import ConfigError, DataError
from yukjo.korean.text import fold
from yukjo.records import Sample
from yukjo.words import say

DECAY = 3e-4
"""Pull of the weights towards 0; ten times as much does nearly as well."""
FOLDS = 5

See = Callable[[Sequence[str]], list[View]]
"""From the texts learned to the ways they are seen."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a text goes."""

    agent: str
    scores: dict[str, float]
    """Agent -> probability that the text is its."""
    abstained: bool
    """Whether no score was high enough, so that `agent` is the fallback."""


@dataclass(frozen=True, slots=True, order=True)
class Lesson:
    """A text whose agent is known."""

    text: str
    agent: str
    source: str
    """What it was made from: lessons of one source are held out together."""


class Router:
    """Knows its agents; made by `learn`."""

    def __init__(
        self,
        agents: Sequence[str],
        views: Sequence[View],
        weights: Sequence[Rows],
        *,
        config: RouterConfig,
    ) -> None:
        """`weights` are [width, agents] for each view."""
        self.agents = tuple(agents)
        self.views = views
        self.weights = weights
        self.config = config

    def choose(self, text: str) -> Route:
        """The agent for `text`, whatever it holds."""
        return self.choose_all([text])[0]

    def choose_all(self, texts: Sequence[str]) -> list[Route]:
        """The agent for each text."""
        scores = np.zeros((len(texts), len(self.agents)))
        for view, weights in zip(self.views, self.weights, strict=True):
            scores += view.rows(texts) @ weights
        scores[[not fold(text) for text in texts]] = 0
        return [self._route(row) for row in softmax(scores)]

    def _route(self, row: NDArray[np.float64]) -> Route:
        best = int(row.argmax())
        unsure = bool(row[best] < self.config.abstain)
        scores = dict(zip(self.agents, row.tolist(), strict=True))
        return Route(self.config.fallback if unsure else self.agents[best], scores, unsure)


def open_router(config: YukjoConfig, project: Path) -> Router:
    """The router of a project; errors name the setting, or the file and line."""
    known = of_project(project)
    agents = {name: pick(known, name) for name in config.agents}
    if config.router.fallback not in agents:
        raise ConfigError(
            say("the router's fallback `{name}` is no agent of the project",
                name=config.router.fallback),
            where="yukjo.toml [router] fallback",
            fix=say("name one of {agents}", agents=", ".join(agents)),
        )  # fmt: skip
    return learn(lessons(config, project), agents=tuple(agents), config=config.router)


def lessons(config: YukjoConfig, project: Path) -> list[Lesson]:
    """What a project's router learns from."""
    found = []
    if config.data.files:
        dataset = read([project / file for file in config.data.files], agents=of_project(project),
                       contacts=config.data.allowed_contacts)  # fmt: skip
        wanted = [sample for sample in dataset.samples if sample.agent_type in config.agents]
        sides = split(wanted, valid=config.data.valid, test=config.data.test)
        found += [lesson for sample in sides.train for lesson in _lessons_of(sample)]
    for file in config.router.files:
        asked = read_asked(project / file, agents=config.agents)
        found += [Lesson(one.text, one.agent, one.text) for one in asked]
    return found


def _lessons_of(sample: Sample) -> list[Lesson]:
    """The request alone, and with the material that it is about, as people send it."""
    whole = f"{sample.instruction}\n\n{sample.input}"
    texts = [sample.instruction, whole] if sample.input else [sample.instruction]
    return [Lesson(text, sample.agent_type, sample.hash) for text in texts]


def characters(texts: Sequence[str]) -> list[View]:
    """Character n-grams alone."""
    return [learn_terms("characters", grams, texts)]


def learn(
    given: Sequence[Lesson],
    *,
    agents: Sequence[str],
    config: RouterConfig,
    see: See = characters,
) -> Router:
    """A router of `agents` from `given`, which it sees in the ways that `see` makes of them."""
    ordered = sorted(set(given))
    if missing := sorted(set(agents) - {lesson.agent for lesson in ordered}):
        raise DataError(
            say("the router has no text to know {agents} by", agents=", ".join(missing)),
            where="yukjo.toml [data] files, [router] files",
            fix=say("add samples or routing examples of them"),
        )
    texts = [lesson.text for lesson in ordered]
    classes = np.array([agents.index(lesson.agent) for lesson in ordered], dtype=np.int64)
    views = see(texts)
    rows = [view.rows(texts) for view in views]
    likeness: Floats = sum(
        ((seen @ seen.T).astype(np.float64) for seen in rows), np.zeros(2 * (len(texts),))
    )
    count = len(agents)
    made = fit(likeness, classes, count=count, decay=DECAY)
    apart = held_out(likeness, classes, _folds(ordered), count=count, decay=DECAY)
    made /= temperature(apart, classes)
    weights = [seen.T @ made.astype(np.float32) for seen in rows]
    return Router(agents, views, weights, config=config)


def _folds(ordered: Sequence[Lesson]) -> NDArray[np.int64]:
    """A fold for each lesson: the sources of an agent are dealt out in turn."""
    sources = dict.fromkeys((lesson.agent, lesson.source) for lesson in ordered)
    dealt = {source: place % FOLDS for place, source in enumerate(sorted(sources))}
    return np.array([dealt[lesson.agent, lesson.source] for lesson in ordered], dtype=np.int64)
