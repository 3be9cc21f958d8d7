"""What the gate asks for unless a project says otherwise.

`gov` is the requirement of the six agents: held-out perplexity better and nothing the base could
do lost, agent by agent (G10, C8), no more failures, and FR-071A: agent selection 85 %, quality 4.0
of 5 by blind review, 95 of 100 answers within 3 seconds (G12), memory under 20 GB (C7).
`chain` is the requirement of the chain: image analysis and summaries 15 % better, end to end 20 %
(C1-C3). A margin of 5 % is what "not worse" can mean with some hundred cases; it is written here
so that nobody chooses it after seeing the figures.
"""

from yukjo.config.gate import GateConfig, TargetConfig

_KEPT = {
    "baseline": TargetConfig(metric="baseline_perplexity", bar=-5.0),
    "memory": TargetConfig(metric="memory_gb", agent="all", kind="level", bar=20.0, least=1),
}

PRESETS: dict[str, dict[str, TargetConfig]] = {
    "gov": {
        "perplexity": TargetConfig(metric="perplexity", bar=0.0),
        **_KEPT,
        "failures": TargetConfig(metric="failure_rate", kind="difference", bar=-0.05),
        "selection": TargetConfig(metric="agent_selection", agent="all", kind="level", bar=0.85),
        "quality": TargetConfig(metric="quality", kind="level", bar=4.0),
        "speed": TargetConfig(metric="p95_seconds", agent="all", kind="level", bar=3.0),
    },
    "chain": {
        "image": TargetConfig(metric="qwen_accuracy", agent="all", bar=15.0),
        "summary": TargetConfig(metric="llama_quality", agent="all", bar=15.0),
        "chain": TargetConfig(metric="chain_accuracy", agent="all", bar=20.0),
        **_KEPT,
    },
    "none": {},
}


def targets(gate: GateConfig) -> dict[str, TargetConfig]:
    """Every target by name: the preset's, and the project's over them."""
    return PRESETS[gate.preset] | gate.targets
