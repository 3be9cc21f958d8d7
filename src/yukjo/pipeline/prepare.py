"""From files to what is trained on and what is measured; and the plan of the run, kept beside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from yukjo.agents.roles import Role, of_project, pick
from yukjo.config import YukjoConfig
from yukjo.data.read import Dataset, read
from yukjo.data.render import (
    Refusal,
    Template,
    chat_of,
    end_tokens,
    prompt_tokens,
    render_all,
    template_of,
)
from yukjo.data.split import SIDES, Split, split
from yukjo.data_review import Desk
from yukjo.errors import ConfigError, DataError, RunError
from yukjo.evaluate.measure import Question
from yukjo.files import hash_json, sha256_file, write_whole
from yukjo.ledger.opening import if_any
from yukjo.pipeline.parts import Parts
from yukjo.ports import Tokenizer, Trainer
from yukjo.records import Example, Sample, Side
from yukjo.runs import RunFolder
from yukjo.train.advice import advise
from yukjo.train.choose import refuse_blind
from yukjo.train.plan import Plan, plan
from yukjo.words import say


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a run, split and rendered."""

    files: dict[str, str]
    """File name -> SHA-256."""
    dropped: int
    """Exact duplicates left out."""
    split: Split
    roles: dict[str, Role]
    template: Template
    train: dict[str, tuple[Example, ...]]
    valid: dict[str, tuple[Example, ...]]
    questions: tuple[Question, ...]
    refused: tuple[Refusal, ...]
    stop: frozenset[int]


@dataclass(frozen=True, slots=True)
class Source:
    """Samples by side, and the files they came from."""

    split: Split
    files: dict[str, str]
    """File name -> SHA-256."""
    dropped: int
    """Exact duplicates left out."""
    unapproved: tuple[Refusal, ...] = ()
    """Left out because nobody approved them."""


def prepare(project: Path, config: YukjoConfig, tokenizer: Tokenizer) -> Prepared:
    """Read, split and render the project's data; errors name the file and line."""
    known = of_project(project)
    for name in (*config.agents, *config.agent):
        pick(known, name)
    return rendered(source(project, config, known), config, tokenizer, known)


def source(project: Path, config: YukjoConfig, known: Mapping[str, Role]) -> Source:
    """The samples of the project's agents, split by content or as their files say."""
    data, files = config.data, data_files(project, config)
    choice = _Choice(approved(project, config), config.agents)
    held = {"valid": data.valid_files, "test": data.test_files}
    contacts = data.allowed_contacts
    mixed = read([project / file for file in data.files], agents=known, contacts=contacts)
    apart = {side: read([project / file for file in own], agents=known, contacts=contacts)
             for side, own in held.items() if own}  # fmt: skip
    sides = split(
        choice(mixed),
        valid=0.0 if data.valid_files else data.valid,
        test=0.0 if data.test_files else data.test,
    )
    sides = replace(sides, **{side: choice(found) for side, found in apart.items()})
    _refuse_shared(sides)
    choice.refuse_none()
    return Source(
        split=sides,
        files={str(f.relative_to(project) if f.is_relative_to(project) else f): sha256_file(f)
               for f in files},
        dropped=mixed.dropped + sum(found.dropped for found in apart.values()),
        unapproved=tuple(choice.left_out),
    )  # fmt: skip


def rendered(
    given: Source, config: YukjoConfig, tokenizer: Tokenizer, known: Mapping[str, Role]
) -> Prepared:
    """The samples as tokens, by agent and side."""
    chosen = {name: pick(known, name) for name in config.agents}
    sides, template = given.split, template_of(tokenizer)
    made = {
        side: render_all(
            sides.side(side),
            prompts={name: role.prompt for name, role in chosen.items()},
            tokenizer=tokenizer,
            template=template,
            max_tokens=config.data.max_tokens,
        )
        for side in SIDES
    }
    return Prepared(
        files=given.files,
        dropped=given.dropped,
        split=sides,
        roles=chosen,
        template=template,
        train=_by_agent(made["train"].examples, config.agents),
        valid=_by_agent(made["valid"].examples, config.agents),
        questions=_questions(made["test"].examples, sides.test, chosen, config=config,
                             tokenizer=tokenizer, template=template),
        refused=(*given.unapproved, *(r for part in made.values() for r in part.refused)),
        stop=end_tokens([e for part in made.values() for e in part.examples]),
    )  # fmt: skip


def data_files(project: Path, config: YukjoConfig) -> list[Path]:
    """The project's data files; ConfigError where none is named, or each stage has its own."""
    if config.chain.stages:
        raise ConfigError(
            say("this project is a chain: its stages are tuned and measured together"),
            where="yukjo.toml [chain]",
            fix="yukjo run",
        )
    if not config.data.files:
        raise ConfigError(
            say("no data file is named"),
            where="yukjo.toml [data] files",
            fix='files = ["data/practice.jsonl"]',
        )
    return [project / file for file in config.data.every]


@dataclass(slots=True)
class _Choice:
    """Takes the samples of the project's agents, and notes which of them nobody approved."""

    approved: frozenset[str] | None
    """Their hashes; None where any sample is taken."""
    agents: tuple[str, ...]
    left_out: list[Refusal] = field(default_factory=list)
    taken: int = 0

    def __call__(self, found: Dataset) -> tuple[Sample, ...]:
        own = [sample for sample in found.samples if sample.agent_type in self.agents]
        kept = [s for s in own if self.approved is None or s.hash in self.approved]
        taken = {sample.hash for sample in kept}
        self.left_out += [Refusal(s.name, say("not approved by a reviewer"))
                          for s in own if s.hash not in taken]  # fmt: skip
        self.taken += len(kept)
        return tuple(kept)

    def refuse_none(self) -> None:
        """DataError where every sample was left out."""
        if self.left_out and not self.taken:
            raise DataError(
                say("none of {count} samples is approved", count=len(self.left_out)),
                where='yukjo.toml [data] reviewed = "approved"',
                fix=say('have them reviewed: `yukjo data review start`; or set it to "any"'),
            )


def approved(project: Path, config: YukjoConfig) -> frozenset[str] | None:
    """Hashes of the samples that may be trained on; None where any may."""
    if config.data.reviewed == "any":
        return None
    with if_any(project, config) as ledger:
        return Desk(ledger).book.approved() if ledger else frozenset()


def _refuse_shared(sides: Split) -> None:
    """DataError where a sample stands on two sides: it would be measured on what it learned."""
    places: dict[str, Side] = {}
    for side in SIDES:
        for sample in sides.side(side):
            if places.setdefault(sample.hash, side) != side:
                raise DataError(
                    say("sample `{name}` is on two sides: {sides}", name=sample.name,
                        sides=f"{places[sample.hash]}, {side}"),
                    where="yukjo.toml [data]",
                    fix=say("take it out of one of the files"),
                )  # fmt: skip


def ask_plan(config: YukjoConfig, prepared: Prepared, folder: RunFolder, *, parts: Parts) -> Plan:
    """The plan of the run, its adapters made, written to its folder.

    RunError if the run there was asked another.
    """
    made = with_adapters(config, prepared, parts.trainer)
    # What may be moved in the middle of a run: a memory line and the ledger change no mathematics,
    # and a gate's seal tells.
    settings = config.model_dump(
        mode="json", exclude={"train": {"memory_limit_gb"}, "ledger": True, "gate": True}
    )
    asked = hash_json([settings, prepared.files, parts.engine.base_hash, prepared.template.hash,
                       made.model_dump(mode="json", exclude={"warnings", "asked"}),
                       *_seen(prepared), *_chosen(prepared, config)])  # fmt: skip
    refuse_other(folder, asked)
    document = {
        "asked_hash": asked,
        "config": config.model_dump(mode="json"),
        "plan": made.model_dump(mode="json"),
    }
    write_whole(folder.plan, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return made


def refuse_other(folder: RunFolder, asked: str) -> None:
    """RunError where the folder's run was begun with something that hashes otherwise."""
    if folder.plan.exists():
        stored = json.loads(folder.plan.read_text(encoding="utf-8"))
        if stored["asked_hash"] != asked:
            raise RunError(
                say("the run was begun with other settings, data or base"),
                where=str(folder.plan),
                fix=say("put them back as they were, or start a new run"),
            )


def _seen(prepared: Prepared) -> list[list[str]]:
    """Hashes of all images, which the data files only name; nothing where there are none."""
    samples = [sample for side in SIDES for sample in prepared.split.side(side)]
    found = {image.sha256 for sample in samples for image in sample.images}
    return [sorted(found)] if found else []


def _chosen(prepared: Prepared, config: YukjoConfig) -> list[list[str]]:
    """Hashes of all samples where reviewers choose them, which no file tells."""
    if config.data.reviewed == "any":
        return []
    return [sorted(sample.hash for side in SIDES for sample in prepared.split.side(side))]


def with_adapters(config: YukjoConfig, prepared: Prepared, trainer: Trainer) -> Plan:
    """The plan with its warnings; they need the adapters, which are made in `trainer` here."""
    made = plan(prepared.train, train=config.train, lora=config.lora, seed=config.seed,
                own=config.agent, sweep=config.sweep)  # fmt: skip
    refuse_blind(made, prepared.valid)
    numbers = {
        one.adapter: trainer.add(
            one.adapter, one.lora, seed=one.seed, weight_decay=one.pace.weight_decay
        )
        for one in made.agents
    }
    warnings = advise(made, batch=config.train.batch, numbers=numbers)
    return made.model_copy(update={"warnings": warnings})


def _by_agent(examples: Sequence[Example], agents: Sequence[str]) -> dict[str, tuple[Example, ...]]:
    return {agent: tuple(e for e in examples if e.agent == agent) for agent in agents}


def _questions(
    examples: Sequence[Example],
    samples: Sequence[Sample],
    known: dict[str, Role],
    *,
    config: YukjoConfig,
    tokenizer: Tokenizer,
    template: Template,
) -> tuple[Question, ...]:
    """Every test case; of each agent the first few by content hash are answered too."""
    by_hash = {sample.hash: sample for sample in samples}
    made, taken = [], dict.fromkeys(known, 0)
    for example in sorted(examples, key=lambda e: e.sample):
        sample = by_hash[example.sample]
        chat = chat_of(sample, known[sample.agent_type].prompt)
        prompt = prompt_tokens(chat, tokenizer=tokenizer, template=template)
        limit = config.evaluate.cases
        asked = limit is None or taken[sample.agent_type] < limit
        taken[sample.agent_type] += asked
        made.append(Question(example, prompt, asked))
    return tuple(made)
