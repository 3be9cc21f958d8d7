"""Reasoned warnings for settings outside the evidence (G6 and newer); no setting is changed.

Capacity follows Schulman et al. ("LoRA Without Regret", 2025): LoRA falls behind full tuning where
the data holds more than its numbers can; the rule here is as many trained numbers as tokens to
learn. At alpha 32 the best learning rate hardly moves with the rank (same source), so alpha, rsLoRA
and LoRA+ are read as factors of it.
"""

from collections.abc import Mapping

from yukjo.config.models import LoraConfig, PaceConfig
from yukjo.train.plan import Plan
from yukjo.words import say

_ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
_LOWEST, _HIGHEST = 16, 32
"""Ranks of G6."""
_ALPHA = 32
"""Alpha of G6, for which the ranges of the learning rate hold."""
_FAR = 4
"""So many times out of the range is far: LoRA+'s advised ratio of 16 is no fault by itself."""


def advise(made: Plan, *, batch: int, numbers: Mapping[str, int]) -> tuple[str, ...]:
    """What is doubtful in a plan; what isn't said of all adapters names those it is said of.

    `numbers` counts the trained numbers of each adapter.
    """
    said: dict[str, list[str]] = {}
    for one in made.agents:
        own = advice(one.lora, one.pace, batch=batch, numbers=numbers[one.adapter],
                     tokens=one.learned_tokens)  # fmt: skip
        for text in own:
            said.setdefault(text, []).append(one.adapter)
    return tuple(
        text if len(who) == len(made.agents) else f"{', '.join(who)}: {text}"
        for text, who in said.items()
    )


def advice(
    lora: LoraConfig, pace: PaceConfig, *, batch: int, numbers: int, tokens: int
) -> list[str]:
    """What is doubtful in an adapter of `numbers` trained numbers that learns `tokens` tokens."""
    said = [*_of_rank(lora, numbers=numbers, tokens=tokens), *_of_rate(lora, pace)]
    if not 4 <= batch <= 8:  # noqa: PLR2004 - the range of G6
        said.append(
            say("batch {batch} is outside 4-8: below, gradients are noisy; above, memory grows",
                batch=batch)
        )  # fmt: skip
    if not 3 <= pace.epochs <= 5:  # noqa: PLR2004 - the range of G6
        said.append(
            say("{epochs:g} epochs is outside 3-5: below, little is learned; above, a small set is"
                " memorised", epochs=pace.epochs)
        )  # fmt: skip
    if pace.max_steps is not None:
        said.append(
            say("max_steps {steps} may end training before its epochs: a budget, not a recipe",
                steps=pace.max_steps)
        )  # fmt: skip
    return said


def _of_rank(lora: LoraConfig, *, numbers: int, tokens: int) -> list[str]:
    needed = -(-lora.rank * tokens // numbers)
    said = []
    # Above G6's range a rank is only doubted where the data doesn't ask for it.
    if not _LOWEST <= lora.rank <= max(_HIGHEST, 2 * needed):
        said.append(
            say("rank {rank} is outside 16-32: below, quality falls; above, an adapter of a small"
                " set only grows", rank=lora.rank)
        )  # fmt: skip
    if lora.rank < needed:
        said.append(
            say("rank {rank} gives {numbers:,} trained numbers for {tokens:,} tokens to learn: too"
                " few to hold them; rank {needed} is enough",
                rank=lora.rank, numbers=numbers, tokens=tokens, needed=needed)
        )  # fmt: skip
    return said


def _of_rate(lora: LoraConfig, pace: PaceConfig) -> list[str]:
    # G6's range is for attention-only adapters; over all linear layers the evidence goes higher.
    highest = 3e-4 if set(lora.targets) <= _ATTENTION else 2e-3
    rate = pace.learning_rate
    if not 1e-4 <= rate <= highest:  # noqa: PLR2004 - the range of G6
        return [
            say("learning rate {rate:g} is outside 1e-4 to {highest:g}: below, little is learned in"
                " a few epochs; above, training may diverge", rate=rate, highest=highest)
        ]  # fmt: skip
    acts = rate * lora.scale * lora.rank / _ALPHA * lora.loraplus_lr_ratio
    if not 1e-4 / _FAR <= acts <= highest * _FAR * (1 + 1e-9):
        return [
            say("learning rate {rate:g} acts like {acts:g} at alpha 32, through alpha, rsLoRA or"
                " LoRA+: far outside 1e-4 to {highest:g}", rate=rate, acts=acts, highest=highest)
        ]  # fmt: skip
    return []
