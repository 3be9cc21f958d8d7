"""The story of a chain, aloud.

The targets are sealed; the first stage is tuned and measured, then the second on true analyses, and
once more on what the first one really read of the same cases; every way through the two, tuned or
not, is walked with the test cases; the figures are compared, judged, recorded and reported.

1. A stage is a run of one agent: the same code tunes and measures it.
2. Which of the second stage's two adapters is the final one is chosen by held-out cases, never by
   test cases.
3. The same seeds give the same result, also where the run was killed and gone on with.
"""

import json
from collections.abc import Callable, Sequence

from yukjo.chain import measures
from yukjo.config.chain import of_stage
from yukjo.evaluate import baseline
from yukjo.evaluate.scorers import metrics
from yukjo.files import hash_json, write_jsonl, write_whole
from yukjo.pipeline import runs_folder, store_of
from yukjo.pipeline.answering import answer_all
from yukjo.pipeline.chain.cases import Cases, Drawn, draw, second_sample, summaries, tested
from yukjo.pipeline.chain.record import Done, body
from yukjo.pipeline.chain.stage import Chain, Stage, opened, stage
from yukjo.pipeline.gating import judge, memory_level, rule
from yukjo.pipeline.prepare import refuse_other
from yukjo.pipeline.record import Clock
from yukjo.pipeline.sealing import sealed, stand, steps_taken
from yukjo.records import Entry, Sample
from yukjo.runs import RunFolder

__all__ = ["Chain", "run"]

JOINT = "joint"
"""Folder and name of the second stage's further adapter."""

WAYS = ("before/before", "after/before", "before/after", "after/after", "after/joint",
        "truth/before", "truth/after", "truth/joint")  # fmt: skip
"""Who reads / who sums up: the bare base, the adapter, the joint one; `truth` reads all right."""


def run(chain: Chain, *, report: Callable[[Entry], str]) -> Entry:
    """Seal, tune each stage, tune the second on the first, walk all ways, judge, record.

    A folder begun before is gone on with.
    """
    drawn = draw(chain)
    _begin(chain, drawn)
    if not (known := chain.ledger.entries("run", chain.folder.id)):
        seal = _seal(chain, drawn)
        made = body(chain, drawn, _done(chain, drawn))
        level = memory_level(made)
        made |= {"seal": seal, "levels": [level.model_dump(mode="json")] if level else []}
        made |= {"gate": judge(chain.ledger, made)}
        known = [chain.ledger.append("run", chain.folder.id, made)]
    entry = known[-1]
    _forget_other(chain, entry)
    if not chain.ledger.entries("verdict", chain.folder.id):
        rule(chain.ledger, entry, entry.body["gate"])
    write_whole(chain.folder.report, report(entry))
    return entry


def _forget_other(chain: Chain, entry: Entry) -> None:
    """Leave the final adapter alone in the store; the other stays in the run's own folder."""
    final = {manifest["id"] for manifest in entry.body["adapters"].values()}
    for adapter in set(entry.body["chain"]["adapters"].values()) - final:
        store_of(runs_folder(chain.project, chain.config)).forget(adapter, run=chain.folder.id)


def _begin(chain: Chain, drawn: Drawn) -> None:
    """Note in the run's folder what is asked; RunError where it was begun with something else."""
    # Left out is what may be moved in the middle of a run.
    settings = [
        of_stage(chain.config, name).model_dump(
            mode="json", exclude={"train": {"memory_limit_gb"}, "ledger": True, "gate": True}
        )
        for name in chain.names
    ]
    asked = hash_json([settings, chain.config.chain.model_dump(mode="json"),
                       [chain.role(name).prompt for name in chain.names],
                       sorted(case.hash for case in drawn.every)])  # fmt: skip
    refuse_other(chain.folder, asked)
    document = {"asked_hash": asked, "stages": [*chain.names, JOINT],
                "config": chain.config.model_dump(mode="json")}  # fmt: skip
    write_whole(chain.folder.plan, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _seal(chain: Chain, drawn: Drawn) -> str:
    """Seal the targets before the first step of any stage; the seal's hash."""
    configs = {name: of_stage(chain.config, name).evaluate for name in chain.names}
    most = {name: config.baseline_cases for name, config in configs.items()}
    own = metrics([chain.role(name) for name in chain.names])
    for cases in most.values():
        own |= baseline.metrics(cases)
    contents = sealed(
        chain.config,
        own=own | measures.metrics(chain.config.chain),
        agents=chain.names,
        parts={
            "cases": drawn.hash,
            "baseline": {name: baseline.set_hash(cases) for name, cases in most.items()},
            "evaluate": {name: config.model_dump(mode="json") for name, config in configs.items()},
            "chain": chain.config.chain.model_dump(mode="json"),
        },
    )
    steps = sum(steps_taken(RunFolder(chain.folder.path / name)) for name in (*chain.names, JOINT))
    return str(stand(chain.ledger, chain.folder.id, contents, steps=steps).body["hash"])


def _done(chain: Chain, drawn: Drawn) -> Done:
    """Tune and measure everything."""
    clock, (reader, teller) = Clock(), chain.names
    first = stage(chain, reader, drawn.first, folder=reader,
                  both=drawn.kept, after=(*drawn.learn, *drawn.choose))  # fmt: skip
    test = tested(chain, drawn, first.after)
    true, read = (
        summaries(chain, drawn, test, first=first, side=side) for side in ("truth", "after")
    )
    second = stage(chain, teller, true, folder=teller)
    joint = stage(chain, teller, read, folder=JOINT)
    chain.watch.stage("chain")
    with clock("chain"):
        said = _walk(chain, drawn, test, first=first, second=second, joint=joint)
    return Done(first=first, second=second, joint=joint, test=test, said=said,
                seconds=clock.seconds["chain"])  # fmt: skip


def _walk(
    chain: Chain, drawn: Drawn, test: Cases, *, first: Stage, second: Stage, joint: Stage
) -> dict[str, dict[str, str]]:
    """Way -> hash of a case -> summary: all ways with the test cases, the final two with held ones.

    Kept in `chain.jsonl`, and read from there when it is there.
    """
    kept = chain.folder.path / "chain.jsonl"
    if not kept.exists():
        wanted = [(way, case) for way in WAYS for case in test]
        wanted += [
            (f"after/{teller}", case) for teller in ("after", JOINT) for case in drawn.choose
        ]
        asked = [
            (teller, second_sample(chain, drawn, case, first.read(case, reader)))
            for way, case in wanted
            for reader, teller in (way.split("/"),)
        ]
        texts = _said(chain, asked, second=second, joint=joint)
        rows = [
            {"way": way, "case": case.hash, "name": case.name, "reading": sample.input,
             "summary": texts[teller, sample.hash]}
            for (way, case), (teller, sample) in zip(wanted, asked, strict=True)
        ]  # fmt: skip
        write_jsonl(kept, rows)
    said: dict[str, dict[str, str]] = {way: {} for way in WAYS}
    for line in kept.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said[row["way"]][row["case"]] = row["summary"]
    return said


def _said(
    chain: Chain, asked: Sequence[tuple[str, Sample]], *, second: Stage, joint: Stage
) -> dict[tuple[str, str], str]:
    """(who sums up, hash of the sample) -> summary; what a stage said already isn't asked again."""
    adapters = {"before": "", "after": second.adapter, JOINT: joint.adapter}
    said = {("before", case): text for case, text in (second.before | joint.before).items()}
    said |= {("after", case): text for case, text in second.after.items()}
    said |= {(JOINT, case): text for case, text in joint.after.items()}
    left = {(teller, sample.hash): sample for teller, sample in asked}
    left = {key: sample for key, sample in left.items() if key not in said}
    if left:
        config = of_stage(chain.config, chain.names[1])
        parts = opened(chain, config)
        for one, folder in ((second, chain.names[1]), (joint, JOINT)):
            made = RunFolder(chain.folder.path / folder).adapters / chain.names[1]
            parts.engine.load(one.adapter, made)
        wanted = [(sample, adapters[teller]) for (teller, _), sample in left.items()]
        texts = answer_all(parts, config, chain.role(chain.names[1]), wanted)
        said |= dict(zip(left, texts, strict=True))
    return said
