"""The story of a run, aloud.

Records are checked, split and rendered; the bare base is measured; all adapters are trained on it
at once, proved and kept; the same cases are measured again; what changed is compared, held against
the targets that were sealed at the beginning, recorded and reported.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from yukjo.adapters.store import Store, refuse_other_base, refuse_other_words
from yukjo.config import YukjoConfig
from yukjo.evaluate import baseline
from yukjo.evaluate.gate import Level
from yukjo.evaluate.measure import Measured, measure, paired
from yukjo.evaluate.raw import read as read_raw
from yukjo.evaluate.shown import shown
from yukjo.evaluate.tasks import cases, compared, left_out, score
from yukjo.files import write_jsonl, write_whole
from yukjo.ledger.opening import ledger_file
from yukjo.pipeline.gating import agent_selection, evidence, judge, rule
from yukjo.pipeline.keep import keep
from yukjo.pipeline.parts import Parts, Watcher
from yukjo.pipeline.prepare import Prepared, ask_plan, prepare
from yukjo.pipeline.record import Clock, Results, body, training
from yukjo.pipeline.sealing import seal
from yukjo.pipeline.work import Work
from yukjo.records import AdapterManifest, Comparison, Entry
from yukjo.runs import RunFolder
from yukjo.train import sessions
from yukjo.train.checkpoints import Progress
from yukjo.train.choose import chosen, line, siblings
from yukjo.train.interrupt import interrupts
from yukjo.train.loop import Job, train
from yukjo.train.plan import Plan
from yukjo.words import say

__all__ = [
    "Parts", "Prepared", "Watcher", "Work", "begun", "evaluate_adapters", "learn", "ledger_file",
    "prepare", "rescore", "run", "runs_folder", "store_of", "train_only", "tuned",
]  # fmt: skip


def run(work: Work, *, report: Callable[[Entry], str]) -> Entry:
    """Seal, measure, train, measure again, compare, judge, record; the entry of the run.

    A folder begun before is gone on with.
    """
    plan = begun(work)
    if entry := _recorded(work, "run"):
        if not _recorded(work, "verdict"):
            rule(work.ledger, entry, entry.body.get("gate"))
        write_whole(work.folder.report, report(entry))
        return entry
    seal(work)
    selection = agent_selection(work)  # an error in its data is found before training
    entry = _judged(work, "run", tuned(work, plan), selection)
    write_whole(work.folder.report, report(entry))
    return entry


def tuned(work: Work, plan: Plan) -> dict[str, Any]:
    """Measure, train, measure again and compare: the body of an entry that isn't judged yet."""
    clock = Clock()
    work.watch.stage("baseline")
    with clock("baseline"):
        before = _before(work)
    work.watch.stage("train")
    with clock("train"):
        adapters, done = _train(work, plan)
    work.watch.stage("evaluate")
    with clock("evaluate"):
        results = _compare(work, before, adapters)
    made = body(work, adapters) | training(work, plan, done) | {"times": clock.seconds}
    return made | results.body(work.prepared, work.folder)


def train_only(work: Work) -> dict[str, AdapterManifest]:
    """Train, prove and keep the adapters, and record that, without measuring them."""
    plan = begun(work)
    seal(work)
    work.watch.stage("train")
    adapters, done = _train(work, plan)
    if not _recorded(work, "train"):
        made = body(work, adapters) | training(work, plan, done)
        work.ledger.append("train", work.folder.id, made)
    return adapters


def evaluate_adapters(work: Work, adapters: Mapping[str, tuple[Path, AdapterManifest]]) -> Entry:
    """Measure kept adapters against the bare base on the project's test cases, and record it."""
    for agent, (place, manifest) in adapters.items():
        refuse_other_base(manifest, work.parts.engine.base_hash)
        refuse_other_words(
            manifest,
            template_hash=work.prepared.template.hash,
            prompt_hash=work.prepared.roles[agent].prompt_hash,
        )
        work.parts.engine.load(manifest.id, place)
    manifests = {agent: manifest for agent, (_, manifest) in adapters.items()}
    selection = agent_selection(work)
    work.watch.stage("baseline")
    before = _before(work)
    work.watch.stage("evaluate")
    results = _compare(work, before, manifests)
    made = body(work, manifests) | results.body(work.prepared, work.folder)
    return _judged(work, "evaluate", made, selection)


def rescore(config: YukjoConfig, prepared: Prepared, folder: RunFolder) -> Results:
    """Score a run's kept answers again: the same answers and code give the same bits."""
    with folder.answers.open(encoding="utf-8") as rows:
        raw = read_raw(rows, where=str(folder.answers))
    roles, asked = prepared.roles, config.evaluate
    scored = score(cases(prepared.split.test, raw), roles, together=asked.together)
    comparisons = compared(scored, roles, resamples=asked.resamples, seed=config.seed)
    kept = _kept(config, folder)
    return Results(
        raw,
        {agent: [*rows, *kept.get(agent, ())] for agent, rows in comparisons.items()},
        shown(scored, roles),
    )


def runs_folder(project: Path, config: YukjoConfig) -> Path:
    """Where a project keeps its runs, adapters and ledger."""
    return project / config.project.runs


def store_of(runs_place: Path) -> Store:
    """The adapter store of a project."""
    return Store(runs_place / "adapters")


def begun(work: Work) -> Plan:
    """The plan of the run, whose folder knows from now on what was asked."""
    plan = ask_plan(work.config, work.prepared, work.folder, parts=work.parts)
    for warning in plan.warnings:
        work.watch.note(warning)
    sessions.prepare(work.folder.events)
    return plan


def _recorded(work: Work, kind: str) -> Entry | None:
    """What is recorded of this run: a kill after that must not record it twice."""
    known = work.ledger.entries(kind, work.folder.id)
    return known[-1] if known else None


def _train(work: Work, plan: Plan) -> tuple[dict[str, AdapterManifest], Progress]:
    """All adapters in one run; the best of each agent is proved to act and kept in the store."""
    done = learn(work, plan)
    for adapter, step in done.stopped.items():
        work.watch.note(
            say("`{adapter}` memorised and stopped early after step {step}; kept: step {best}",
                adapter=adapter, step=step, best=done.best[adapter].step)
        )  # fmt: skip
    for one in siblings(plan, done):
        work.watch.note(line(one))
    store = store_of(runs_folder(work.project, work.config))
    kept = chosen(plan, done)
    return {name: keep(work, one, done=done, store=store) for name, one in kept.items()}, done


def learn(work: Work, plan: Plan) -> Progress:
    """Train all adapters of the plan; their best weights are in the run's `best/`."""
    prepared, folder = work.prepared, work.folder
    job = Job(plan, work.config.train, prepared.train, prepared.valid, folder.path, folder.id)
    with interrupts() as stop:
        return train(
            work.parts.trainer,
            job,
            resume=True,
            stop=stop,
            shown=work.watch.step,
            said=work.watch.note,
        )


def _before(work: Work) -> Measured:
    """The bare base's side, measured once a run."""
    kept = work.folder.before
    if kept.exists():
        return Measured.model_validate_json(kept.read_text(encoding="utf-8"))
    measured = _measure(work, adapters={})
    write_whole(kept, measured.model_dump_json())
    return measured


def _compare(work: Work, before: Measured, adapters: Mapping[str, AdapterManifest]) -> Results:
    """Measure the adapters, keep both sides raw, and score what was kept."""
    if missing := left_out(work.prepared.split.test):
        work.watch.note(
            say(
                "left out, because their library isn't installed: {metrics}",
                metrics=", ".join(missing),
            )
        )
    after = _measure(work, adapters=adapters)
    write_jsonl(work.folder.baseline, _baseline(work, adapters))
    write_jsonl(work.folder.answers, paired(work.prepared.questions, before, after).rows())
    results = rescore(work.config, work.prepared, work.folder)
    results.show(work.folder)
    return results


def _measure(work: Work, *, adapters: Mapping[str, AdapterManifest]) -> Measured:
    return measure(
        work.parts.engine,
        work.prepared.questions,
        adapters={agent: manifest.id for agent, manifest in adapters.items()},
        config=work.config.evaluate,
        pack_tokens=work.config.train.pack_tokens,
        stop=work.prepared.stop,
        seed=work.config.seed,
    )


def _kept(config: YukjoConfig, folder: RunFolder) -> dict[str, list[Comparison]]:
    """What each adapter kept of the base's general ability, from the run's stored losses."""
    if not folder.baseline.exists():  # a run of before there was such a set
        return {}
    with folder.baseline.open(encoding="utf-8") as rows:
        tried = baseline.read(rows, where=str(folder.baseline))
    asked = config.evaluate
    return baseline.compared(
        tried, most=asked.baseline_cases, resamples=asked.resamples, seed=config.seed
    )


def _baseline(work: Work, adapters: Mapping[str, AdapterManifest]) -> list[dict[str, Any]]:
    """Losses on the general-ability set, bare and under each adapter; none if it is left out."""
    most = work.config.evaluate.baseline_cases
    if most == 0:
        return []
    tried = baseline.try_out(
        work.parts.engine,
        work.parts.tokenizer,
        work.prepared.template,
        adapters={agent: manifest.id for agent, manifest in adapters.items()},
        most=most,
        pack_tokens=work.config.train.pack_tokens,
    )
    return [one.model_dump(mode="json") for one in tried]


def _judged(work: Work, kind: str, made: dict[str, Any], selection: Level | None) -> Entry:
    """Record what was measured with the gate's answer to it, and the answer by itself."""
    made |= evidence(work, made, selection)
    decided = judge(work.ledger, made)
    entry = work.ledger.append(kind, work.folder.id, made | {"gate": decided})
    rule(work.ledger, entry, decided)
    return entry
