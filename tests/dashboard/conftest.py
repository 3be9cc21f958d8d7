"""A run's entry as the pipeline writes it."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from yukjo.config import load
from yukjo.dashboard.web import Role, Sources, Tokens, create_pages, tokens_file
from yukjo.evaluate.shown import counts
from yukjo.files import sha256_file, write_jsonl
from yukjo.ledger.chain import link
from yukjo.ledger.store import Ledger
from yukjo.records import SIX, CaseShown, Entry

TITLES = dict(
    zip(SIX, ("자료 검색", "민원 응대", "공문 작성", "법령 조사", "자료 분석", "문서 검토"),
        strict=True)
)  # fmt: skip


def comparison(name: str, before: float, after: float, *, verdict: str,
               low: float | None = None, high: float | None = None, n: int = 20,
               ) -> dict[str, Any]:  # fmt: skip
    return {
        "name": name, "metric_id": f"{name}@1", "before": before, "after": after,
        "difference": after - before, "low": low, "high": high, "n": n, "verdict": verdict,
        "improvement_percentage": 100 * (after - before) / before if before else None,
    }  # fmt: skip


def measured(place: int) -> list[dict[str, Any]]:
    before = 18.0 + 7 * place
    after = before * (0.4 + 0.12 * place)
    clear = place < 5
    return [
        comparison("perplexity", before, after, verdict="better" if clear else "unclear",
                   low=after - before - 2, high=after - before + (2 if clear else 12)),
        comparison("chrf", 14.2, 31.7, verdict="better", low=12.1, high=22.4),
        comparison("conformance", 0.1, 0.65, verdict="better", low=0.35, high=0.75),
        comparison("failure_rate", 0.4, 0.45, verdict="unclear", low=-0.1, high=0.2),
        comparison("length", 412.0, 138.0, verdict="unclear", low=-301.0, high=-240.0),
        comparison("consistency", 0.31, 0.28, verdict="worse", low=-0.05, high=-0.01),
        comparison("seconds", 3.2, 1.1, verdict="better", low=-2.4, high=-1.8),
    ]  # fmt: skip


def adapter(agent: str) -> dict[str, Any]:
    return {
        "id": "3f" * 32, "agent": agent, "run": "20261122-1044-a1b2", "base": "embedded",
        "base_hash": "aa" * 32, "template_hash": "bb" * 32, "prompt_hash": "cc" * 32,
        "recipe": {"rank": 16}, "seed": 0, "data": ["01" * 32, "02" * 32],
        "learned_tokens": 12480, "steps": 60, "best_step": 45, "valid_loss": 1.731,
        "effect": {"prompts": 4, "change": 6.84, "fingerprint": "dd" * 32},
        "versions": {"torch": "2.13.0"}, "licences": {"base": "Gemma"}, "size_bytes": 3_034_112,
    }  # fmt: skip


@pytest.fixture
def body() -> dict[str, Any]:
    agents = {agent: {"cases": 20, "metrics": measured(place)} for place, agent in enumerate(SIX)}
    return {
        "project": "누리구 민원 지원 시범 사업",
        "seed": 0,
        "config": {
            "preset": "expert",
            "lora": {"rank": 16, "alpha": 32.0, "targets": ["q_proj", "v_proj"]},
            "train": {"epochs": 3.0, "batch": 4, "learning_rate": 0.0005, "max_steps": None},
        },
        "base": {"name": "Gemma 3 270M (Q4_K_M)", "hash": "aa" * 32,
                 "notice": "Gemma is provided under and subject to the Gemma Terms of Use."},
        "template_hash": "bb" * 32,
        "titles": TITLES,
        "data": {
            "files": [{"name": "data/rag.jsonl", "sha256": "12" * 32}],
            "lines": {"train": ["01" * 32] * 420, "valid": ["02" * 32] * 60, "test": ["03"] * 120},
            "dropped": 3,
            "refused": [{"name": "rag-017", "reason": "1,102 토큰으로 한도 1,024를 넘습니다"}],
        },
        "adapters": {agent: adapter(agent) for agent in SIX},
        "versions": {"yukjo": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
        "machine": {"cores": 2, "memory_gb": 15.6, "system": "Linux x86_64"},
        "train": {"steps": 60, "seconds": 734.2, "tokens": 181_204, "tokens_per_s": 246.8,
                  "peak_memory_mb": 1474.0, "warnings": ["검증 손실이 45스텝 뒤로 올랐습니다"]},
        "agents": agents | {"all": {"cases": 120, "metrics": measured(0)}},
        "samples": [
            {"agent": "rag", "case": "rag-041",
             "instruction": "공영주차장에 저공해 차량을 2시간 세우면 요금이 얼마인지 찾아 주세요.",
             "before": "요금은 요금은 요금은 요금은",
             "after": "1,200원입니다. 1시간에 1,200원씩 2시간이면 2,400원이고, 50%를 감면합니다.\n"
                      "[출처: 누리구 공영주차장 이용 안내, 1쪽]",
             "reference": "저공해 차량을 2시간 세우면 요금은 1,200원입니다.\n"
                          "[출처: 누리구 공영주차장 이용 안내, 1쪽]"},
            {"agent": "citizen_support", "case": "cs-007",
             "instruction": "여권을 잃어버렸습니다. 어떻게 해야 합니까?",
             "before": "",
             "after": "분실 신고를 먼저 하시기 바랍니다. 신고하면 여권의 효력이 사라집니다.",
             "reference": "가까운 여권 사무 대행 기관이나 정부24에서 분실 신고를 하시기 바랍니다."},
        ],
        "answers": {"sha256": "ef" * 32},
        "times": {"check": 0.8, "baseline": 201.4, "train": 734.2, "evaluate": 188.0},
        "licences": {"Gemma": "Gemma Terms of Use\n" + "Section. Terms.\n" * 30},
    }  # fmt: skip


@pytest.fixture
def entry(body: dict[str, Any]) -> Entry:
    return link(None, "run", "20261122-1044-a1b2", created="2026-11-22T10:44:10Z", body=body)


# The pages of a project


@dataclass
class Pages:
    """The dashboard of a project, and who looks at it."""

    project: Path
    sources: Sources
    tokens: Tokens
    browser: TestClient

    def get(self, path: str, *, status: int = 200) -> str:
        answer = self.browser.get(f"/dashboard{path}")
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, **fields: str) -> Any:
        return self.browser.post(f"/dashboard{path}", data=fields, follow_redirects=False)

    def stamp(self, path: str = "/records") -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path))
        assert found
        return found[1]

    def enter(self, role: Role) -> str:
        """Log in with a new token of a role; the token's number."""
        made, text = self.tokens.add(role)
        done = self.post("/login", csrf=self.stamp("/login"), token=text, to="/dashboard/records")
        assert done.status_code == 303, done.text
        return made.id


def case(name: str = "rag-041", **changes: Any) -> CaseShown:
    fields: dict[str, Any] = {
        "case": hashlib.sha256(name.encode()).hexdigest(), "name": name, "agent": "rag",
        "difficulty": "보통", "topic": "주차", "instruction": "요금을 찾아 주세요.",
        "input": "누리구 공영주차장 이용 안내", "reference": "1,200원입니다.",
        "before": "요금은 요금은", "after": "1,200원입니다. 접수를 마쳤습니다.", "change": "fixed",
        "against_before": ("loop", "cites_source"), "scores": {"chrf": (10.0, 80.0)},
        "more_before": ("모름", ""), "more_after": ("1,200원", "1,200원"),
    }  # fmt: skip
    return CaseShown(**(fields | changes))


def gate_of(ruling: str = "hold") -> dict[str, Any]:
    def line(agent: str, said: str, **more: Any) -> dict[str, Any]:
        return {"target": "perplexity", "metric": "perplexity", "agent": agent, "bar": 0.0,
                "kind": "improvement", "before": 20.0, "after": 16.0, "low": 5.0, "high": 30.0,
                "n": 40, "ruling": said, "why": "met" if said == "pass" else "few",
                **more}  # fmt: skip

    lines = [line("rag", "pass"), line("review", ruling, needed=37)]
    lines.append({"target": "memory", "metric": "memory_gb", "agent": "all", "kind": "level",
                  "bar": 20.0, "ruling": "pass", "why": "met", "after": 2.5, "low": 2.5,
                  "high": 2.5, "n": 1})  # fmt: skip
    return {"verdict": ruling, "rule": "" if ruling == "pass" else "perplexity/review",
            "lines": lines, "seal": 1, "agents": {"rag": "pass", "review": ruling}}  # fmt: skip


RUN = "20261122-104410-000001"


@pytest.fixture
def make_pages(tmp_path: Path, body: dict[str, Any]) -> Iterator[Callable[..., Pages]]:
    """Pages of a project with one measured run; what is given changes its body."""
    opened: list[Pages] = []

    def make(cases: Sequence[CaseShown] = (), *, ruling: str = "hold", local: bool = True,
             **changes: Any) -> Pages:  # fmt: skip
        project = tmp_path / f"project-{len(opened)}"
        runs = project / "runs"
        (runs / RUN).mkdir(parents=True)
        (project / "yukjo.toml").write_text('[project]\nname = "누리구"\n', encoding="utf-8")
        write_jsonl(runs / RUN / "cases.jsonl", [one.model_dump(mode="json") for one in cases])
        recorded = {"sha256": sha256_file(runs / RUN / "cases.jsonl"), "counts": counts(cases)}
        with Ledger(runs / "ledger.sqlite") as ledger:
            ledger.append("seal", RUN, {"hash": "ab", "steps": 0})
            ledger.append("run", RUN, body | {"gate": gate_of(ruling), "cases": recorded} | changes)
            ledger.append("verdict", RUN, gate_of(ruling) | {"entry": 2, "adapters": {}})
        sources = Sources(project, load(project), lambda thing: LINE | {"hash": thing})
        tokens = Tokens(tokens_file(runs))
        app = create_pages(sources, tokens, local=local)
        opened.append(Pages(project, sources, tokens, TestClient(app, "http://127.0.0.1:8610")))
        return opened[-1]

    yield make
    for each in opened:
        each.browser.close()
        each.sources.close()


LINE: dict[str, Any] = {
    "kind": "line", "hash": "01" * 32, "at": ["data/rag.jsonl:7"], "held_out_in": [],
    "shaped": [{"agent": "rag", "id": "3f" * 32, "run": RUN, "entry": 2, "of": "run"}],
    "measured_in": [{"run": RUN, "entry": 2, "of": "run"}],
}  # fmt: skip


@pytest.fixture
def pages(make_pages: Callable[..., Pages]) -> Pages:
    return make_pages([case(), case("rag-042", change="broken", against_after=("empty",))])
