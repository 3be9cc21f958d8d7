"""From files to what is trained on and what is measured; and the plan of the run, kept beside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yukjo.agents import Role, roles
from yukjo.agents.roles import pick
from yukjo.config import YukjoConfig
from yukjo.data.read import read
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
from yukjo.errors import ConfigError, RunError
from yukjo.evaluate.measure import Question
from yukjo.files import hash_json, sha256_file, write_whole
from yukjo.pipeline.parts import Parts
from yukjo.ports import Tokenizer, Trainer
from yukjo.records import Example, Sample
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


def prepare(project: Path, config: YukjoConfig, tokenizer: Tokenizer) -> Prepared:
    """Read, split and render the project's data; errors name the file and line."""
    files = data_files(project, config)
    known = roles()
    chosen = {name: pick(known, name) for name in config.agents}
    for name in config.agent:
        pick(known, name)
    dataset = read(files, agents=set(known))
    wanted = [sample for sample in dataset.samples if sample.agent_type in chosen]
    sides = split(wanted, valid=config.data.valid, test=config.data.test)
    template = template_of(tokenizer)
    rendered = {
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
        files={str(f.relative_to(project) if f.is_relative_to(project) else f): sha256_file(f)
               for f in files},
        dropped=dataset.dropped,
        split=sides,
        roles=chosen,
        template=template,
        train=_by_agent(rendered["train"].examples, config.agents),
        valid=_by_agent(rendered["valid"].examples, config.agents),
        questions=_questions(rendered["test"].examples, sides.test, chosen, config=config,
                             tokenizer=tokenizer, template=template),
        refused=tuple(r for part in rendered.values() for r in part.refused),
        stop=end_tokens([e for part in rendered.values() for e in part.examples]),
    )  # fmt: skip


def data_files(project: Path, config: YukjoConfig) -> list[Path]:
    """The project's data files; ConfigError where none is named."""
    if not config.data.files:
        raise ConfigError(
            say("no data file is named"),
            where="yukjo.toml [data] files",
            fix='files = ["data/practice.jsonl"]',
        )
    return [project / file for file in config.data.files]


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
                       *_seen(prepared)])  # fmt: skip
    if folder.plan.exists():
        stored = json.loads(folder.plan.read_text(encoding="utf-8"))
        if stored["asked_hash"] != asked:
            raise RunError(
                say("the run was begun with other settings, data or base"),
                where=str(folder.plan),
                fix=say("put them back as they were, or start a new run"),
            )
    document = {
        "asked_hash": asked,
        "config": config.model_dump(mode="json"),
        "plan": made.model_dump(mode="json"),
    }
    write_whole(folder.plan, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return made


def _seen(prepared: Prepared) -> list[list[str]]:
    """Hashes of all images, which the data files only name; nothing where there are none."""
    samples = [sample for side in SIDES for sample in prepared.split.side(side)]
    found = {image.sha256 for sample in samples for image in sample.images}
    return [sorted(found)] if found else []


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
