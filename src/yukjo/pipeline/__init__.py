"""The story of a run, aloud.

Records are checked, split and rendered; the bare base is measured; all adapters are trained on it
at once, proved and kept; the same cases are measured again; what changed is compared, recorded
and reported.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from yukjo import runs
from yukjo.adapters.store import Store, refuse_other_base, refuse_other_words
from yukjo.config import YukjoConfig
from yukjo.evaluate.measure import Measured, measure, paired
from yukjo.evaluate.raw import read as read_raw
from yukjo.evaluate.tasks import evaluate
from yukjo.files import write_jsonl, write_whole
from yukjo.ledger.store import Ledger
from yukjo.pipeline.keep import keep
from yukjo.pipeline.parts import Parts, Watcher
from yukjo.pipeline.prepare import Prepared, ask_plan, prepare
from yukjo.pipeline.record import Clock, Results, body, training
from yukjo.records import AdapterManifest, Entry
from yukjo.train.interrupt import interrupts
from yukjo.train.loop import Job, train
from yukjo.train.plan import Plan

__all__ = [
    "Parts", "Prepared", "Watcher", "evaluate_adapters", "ledger_file", "prepare", "rescore",
    "run", "runs_folder", "store_of", "train_only",
]  # fmt: skip


def run(
    parts: Parts,
    *,
    config: YukjoConfig,
    prepared: Prepared,
    folder: runs.RunFolder,
    ledger: Ledger,
    report: Callable[[Entry], str],
    watch: Watcher,
) -> Entry:
    """Measure, train, measure again, compare, record. A folder begun before is gone on with."""
    clock = Clock()
    plan = ask_plan(config, prepared, folder, base_hash=parts.engine.base_hash)
    watch.stage("baseline")
    with clock("baseline"):
        before = _before(parts, config, prepared, folder)
    watch.stage("train")
    with clock("train"):
        adapters = _train(
            parts, config=config, prepared=prepared, folder=folder, plan=plan, watch=watch
        )
    watch.stage("evaluate")
    with clock("evaluate"):
        results = _compare(parts, config, prepared, folder, before=before, adapters=adapters)
    trained = training(folder, config, prepared, plan)
    entry = ledger.append(
        "run",
        folder.id,
        body(parts, config=config, prepared=prepared, adapters=adapters)
        | {"train": trained, "times": clock.seconds}
        | results.body(prepared, folder),
    )
    write_whole(folder.report, report(entry))
    return entry


def train_only(
    parts: Parts,
    *,
    config: YukjoConfig,
    prepared: Prepared,
    folder: runs.RunFolder,
    ledger: Ledger,
    watch: Watcher,
) -> dict[str, AdapterManifest]:
    """Train, prove and keep the adapters, and record that, without measuring them."""
    plan = ask_plan(config, prepared, folder, base_hash=parts.engine.base_hash)
    watch.stage("train")
    adapters = _train(
        parts, config=config, prepared=prepared, folder=folder, plan=plan, watch=watch
    )
    trained = {"train": training(folder, config, prepared, plan)}
    made = body(parts, config=config, prepared=prepared, adapters=adapters) | trained
    ledger.append("train", folder.id, made)
    return adapters


def evaluate_adapters(
    parts: Parts,
    *,
    config: YukjoConfig,
    prepared: Prepared,
    folder: runs.RunFolder,
    ledger: Ledger,
    adapters: Mapping[str, tuple[Path, AdapterManifest]],
    watch: Watcher,
) -> Entry:
    """Measure kept adapters against the bare base on the project's test cases, and record it."""
    for agent, (place, manifest) in adapters.items():
        refuse_other_base(manifest, parts.engine.base_hash)
        refuse_other_words(
            manifest,
            template_hash=prepared.template.hash,
            prompt_hash=prepared.roles[agent].prompt_hash,
        )
        parts.engine.load(manifest.id, place)
    manifests = {agent: manifest for agent, (_, manifest) in adapters.items()}
    watch.stage("baseline")
    before = _before(parts, config, prepared, folder)
    watch.stage("evaluate")
    results = _compare(parts, config, prepared, folder, before=before, adapters=manifests)
    made = body(parts, config=config, prepared=prepared, adapters=manifests)
    return ledger.append("evaluate", folder.id, made | results.body(prepared, folder))


def rescore(config: YukjoConfig, prepared: Prepared, folder: runs.RunFolder) -> Results:
    """Score a run's kept answers again: the same answers and code give the same bits."""
    with folder.answers.open(encoding="utf-8") as rows:
        raw = read_raw(rows, where=str(folder.answers))
    comparisons = evaluate(
        prepared.split.test,
        raw,
        roles=prepared.roles,
        resamples=config.evaluate.resamples,
        seed=config.seed,
    )
    return Results(raw, comparisons)


def runs_folder(project: Path, config: YukjoConfig) -> Path:
    """Where a project keeps its runs, adapters and ledger."""
    return project / config.project.runs


def store_of(runs_place: Path) -> Store:
    """The adapter store of a project."""
    return Store(runs_place / "adapters")


def ledger_file(runs_place: Path) -> Path:
    """The ledger of a project."""
    return runs_place / "ledger.sqlite"


def _train(
    parts: Parts,
    *,
    config: YukjoConfig,
    prepared: Prepared,
    folder: runs.RunFolder,
    plan: Plan,
    watch: Watcher,
) -> dict[str, AdapterManifest]:
    """One adapter an agent, all in one run; each is proved to act and kept in the store."""
    for agent in plan.agents:
        parts.trainer.add(
            agent.agent, config.lora, seed=agent.seed, weight_decay=config.train.weight_decay
        )
    job = Job(plan, config.train, prepared.train, prepared.valid, folder.path)
    with interrupts() as stop:
        done = train(parts.trainer, job, resume=True, stop=stop, shown=watch.step)
    store = store_of(folder.path.parent)
    return {
        agent.agent: keep(parts, agent, done=done, prepared=prepared, config=config,
                          folder=folder, store=store)
        for agent in plan.agents
    }  # fmt: skip


def _before(
    parts: Parts, config: YukjoConfig, prepared: Prepared, folder: runs.RunFolder
) -> Measured:
    """The bare base's side, measured once a run."""
    if folder.before.exists():
        return Measured.model_validate_json(folder.before.read_text(encoding="utf-8"))
    measured = _measure(parts, config, prepared, adapters={})
    write_whole(folder.before, measured.model_dump_json())
    return measured


def _compare(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    folder: runs.RunFolder,
    *,
    before: Measured,
    adapters: Mapping[str, AdapterManifest],
) -> Results:
    """Measure the adapters, keep both sides raw, and score what was kept."""
    after = _measure(parts, config, prepared, adapters=adapters)
    write_jsonl(folder.answers, paired(prepared.questions, before, after).rows())
    return rescore(config, prepared, folder)


def _measure(
    parts: Parts,
    config: YukjoConfig,
    prepared: Prepared,
    *,
    adapters: Mapping[str, AdapterManifest],
) -> Measured:
    return measure(
        parts.engine,
        prepared.questions,
        adapters={agent: manifest.id for agent, manifest in adapters.items()},
        config=config.evaluate,
        pack_tokens=config.train.pack_tokens,
        stop=prepared.stop,
        seed=config.seed,
    )
