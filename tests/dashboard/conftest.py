"""A run's entry as the pipeline writes it."""

from typing import Any

import pytest

from yukjo.ledger.chain import link
from yukjo.records import SIX, Entry

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
