"""The body of a chain's entry: its stages' bodies side by side, and what the chain adds to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yukjo.chain import measures
from yukjo.chain.facts import facts_of
from yukjo.chain.fates import Told, tell
from yukjo.chain.measures import Draws, Row
from yukjo.evaluate import ALL
from yukjo.files import hash_json, sha256_file
from yukjo.pipeline.chain.cases import Cases, Drawn, second_sample
from yukjo.pipeline.chain.stage import Chain, Stage
from yukjo.pipeline.versions import machine
from yukjo.records import Comparison, Sample

_SHOWN = 6
"""Cases of the final way that go into the report, those with most gone wrong first."""


@dataclass(frozen=True, slots=True)
class Done:
    """Everything that was tuned and said."""

    first: Stage
    second: Stage
    joint: Stage
    test: Cases
    said: Mapping[str, Mapping[str, str]]
    """Way -> hash of a case -> summary."""
    seconds: float
    """Spent on walking the ways."""


def body(chain: Chain, drawn: Drawn, done: Done) -> dict[str, Any]:
    """What was asked, made and measured, as plain JSON."""
    figures = _Figures(chain, drawn, done)
    final = {"after": done.second, "joint": done.joint}[figures.final]
    reader, teller = chain.names
    bodies = {reader: done.first.body, teller: final.body}
    every = {reader: done.first, teller: done.second, "joint": done.joint}
    return {
        "project": chain.config.project.name,
        "seed": chain.config.seed,
        "config": chain.config.model_dump(mode="json"),
        "base": {
            "name": " → ".join(made["base"]["name"] for made in bodies.values()),
            "hash": hash_json([made["base"]["hash"] for made in bodies.values()]),
            "notice": "\n\n".join(_different(m["base"]["notice"].strip() for m in bodies.values())),
        },
        "template_hash": hash_json([made["template_hash"] for made in bodies.values()]),
        "titles": _merged(made["titles"] for made in bodies.values()),
        "data": _data(drawn, bodies.values()),
        "adapters": _merged(made["adapters"] for made in bodies.values()),
        "versions": _merged(made["versions"] for made in bodies.values()),
        "machine": machine(),
        "licences": {f"{name}: {part}": text for name, made in bodies.items()
                     for part, text in made["licences"].items()},
        "train": _training({name: one.body["train"] for name, one in every.items()}),
        "sweep": [row for one in every.values() for row in one.body["sweep"]],
        "times": {f"{name} {part}": seconds for name, one in every.items()
                  for part, seconds in one.body["times"].items()} | {"chain": done.seconds},
        "agents": figures.agents(),
        "samples": [row for made in bodies.values() for row in made["samples"]],
        "answers": {"sha256": sha256_file(chain.folder.path / "chain.jsonl")},
        "stages": figures.stages(done.first.adapter, final.adapter),
        "chain": figures.chain() | {
            "memory_mb": {name: one.memory for name, one in every.items()},
            "adapters": {name: one.adapter for name, one in every.items()},
        },
    }  # fmt: skip


class _Figures:
    """All that is computed of what was said."""

    def __init__(self, chain: Chain, drawn: Drawn, done: Done) -> None:
        self._chain, self._drawn, self._done = chain, drawn, done
        self._fields = chain.config.chain.fields
        self._draws = Draws(chain.config.evaluate.resamples, chain.config.seed)
        self._metrics = measures.metrics(chain.config.chain)
        self._rows = {way: self._row(way, done.test) for way in done.said}
        self._held = {way: self._row(f"after/{way}", drawn.choose) for way in ("after", "joint")}
        means = {way: measures.mean_quality(row) for way, row in self._held.items()}
        self.final = "joint" if means["joint"] > means["after"] else "after"

    def agents(self) -> dict[str, Any]:
        """The stages' own rows, and over all what the seed of the requirements asks for."""
        reader, teller = self._chain.names
        final = self._done.second if self.final == "after" else self._done.joint
        first = dict(self._done.first.body["agents"][reader])
        if self._drawn.kept:
            first["metrics"] = [*first["metrics"], self._kept().model_dump(mode="json")]
        whole = [row.model_dump(mode="json") for row in self._three()]
        return {
            reader: first,
            teller: final.body["agents"][teller],
            ALL: {"cases": len(self._done.test), "metrics": whole},
        }

    def stages(self, first: str, final: str) -> dict[str, Any]:
        """The three stages of the record, each as one metric before and after."""
        adapters = {"qwen": first, "llama": final, "chain": f"{first} {final}"}
        return {
            name: {
                "before": row.before, "after": row.after, "low": row.low, "high": row.high,
                "n": row.n, "metric_id": row.metric_id, "adapter": adapters[name],
            }
            for name, row in zip(adapters, self._three()[:3], strict=True)
        }  # fmt: skip

    def chain(self) -> dict[str, Any]:
        """Every way, what became of the facts, how the final adapter was chosen, and cases."""
        final, draws = f"after/{self.final}", self._draws
        shown = dict.fromkeys(("before/before", "after/after", final))
        return {
            "stages": list(self._chain.names),
            "fields": list(self._fields),
            "cases": len(self._done.test),
            "final": self.final,
            "chosen_by": {
                "cases": len(self._drawn.choose),
                **{way: measures.row_figures(row, draws)["quality"]
                   for way, row in self._held.items()},
            },
            "ways": {way: measures.row_figures(row, draws) for way, row in self._rows.items()},
            "reader_alone": measures.read_share(self._rows["after/after"], draws),
            "interaction": measures.interaction(self._rows, draws),
            "fates": {way: measures.attribution(self._rows[way], draws) for way in shown},
            "examples": self._examples(final),
        }  # fmt: skip

    def _three(self) -> list[Comparison]:
        """Reading, summary and chain, then more of the chain; all before against after."""
        rows, final = self._rows, self.final
        ends = rows["before/before"], rows[f"after/{final}"]
        said, cases = self._done.first, self._answered()
        read = [self._accuracy(cases, side) for side in (said.before, said.after)]
        return [
            self._paired("qwen_accuracy", *read),
            self._paired("llama_quality", *(
                [told.quality for told in rows[way]] for way in ("truth/before", f"truth/{final}")
            )),
            *(self._paired(f"chain_{name}", *([measures.OF_CASE[name](told) for told in row]
                                              for row in ends))
              for name in ("accuracy", "whole", "precision")),
        ]  # fmt: skip

    def _kept(self) -> Comparison:
        said, cases = self._done.first, self._drawn.kept
        before, after = (self._accuracy(cases, side) for side in (said.before, said.after))
        return self._paired("kept_accuracy", before, after)

    def _answered(self) -> list[Sample]:
        """All test cases that the first stage answered, be they part of the chain or not."""
        known = self._done.first.after
        return [case for case in self._drawn.first.split.test if case.hash in known]

    def _accuracy(self, cases: Sequence[Sample], said: Mapping[str, str]) -> list[float]:
        return measures.reading_accuracy(cases, said, self._chain.config.chain)

    def _paired(self, name: str, before: Sequence[float], after: Sequence[float]) -> Comparison:
        return measures.paired(self._metrics[name], before, after, self._draws)

    def _row(self, way: str, cases: Cases) -> Row:
        return [self._told(case, way) for case in cases]

    def _told(self, case: Sample, way: str) -> Told:
        return tell(
            case.name,
            self._done.said[way].get(case.hash, ""),
            truth=facts_of(case.output, self._fields),
            reading=facts_of(self._reading(case, way), self._fields),
            reference=second_sample(self._chain, self._drawn, case, case.output).output,
            look=self._drawn.look,
        )

    def _reading(self, case: Sample, way: str) -> str:
        return self._done.first.read(case, way.partition("/")[0])

    def _examples(self, final: str) -> list[dict[str, Any]]:
        worst = sorted(zip(self._done.test, self._rows[final], strict=True),
                       key=lambda pair: (pair[1].quality, pair[0].hash))  # fmt: skip
        some = [*worst[: _SHOWN // 2], *worst[len(worst) - _SHOWN // 2 :]]
        return [
            {"case": case.name, "truth": case.output, "reading": self._reading(case, final),
             "before": self._done.said["before/before"].get(case.hash, ""),
             "summary": self._done.said[final].get(case.hash, ""), "fates": dict(told.fates)}
            for case, told in {case.hash: (case, told) for case, told in some}.values()
        ]  # fmt: skip


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in parts:
        made |= part
    return made


def _different(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _data(drawn: Drawn, bodies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    parts = [made["data"] for made in bodies]
    return {
        "files": [{"name": name, "sha256": digest} for name, digest in drawn.files.items()],
        "lines": {side: sorted({line for part in parts for line in part["lines"][side]})
                  for side in ("train", "valid", "test")},
        "dropped": sum(part["dropped"] for part in parts),
        "refused": [row for part in parts for row in part["refused"]],
    }  # fmt: skip


def _training(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Sums over the stages; of memory the highest peak, since bases are held one at a time."""
    tokens = sum(part["tokens"] for part in parts.values())
    seconds = sum(part["seconds"] for part in parts.values())
    return {
        "steps": sum(part["steps"] for part in parts.values()),
        "seconds": seconds,
        "tokens": tokens,
        "tokens_per_s": round(tokens / max(seconds, 1e-9), 1),
        "peak_memory_mb": max(part["peak_memory_mb"] for part in parts.values()),
        "memory": {name: part["memory"] for name, part in parts.items()},
        "warnings": [f"{name}: {text}" for name, part in parts.items()
                     for text in part["warnings"]],
        "stopped_early": _merged(part["stopped_early"] for part in parts.values()),
    }  # fmt: skip
