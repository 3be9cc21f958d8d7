"""Prove that llama.cpp applies an adapter as torch, the oracle, does; else it may not serve.

Both are asked for the next token at the same prompts, with the adapter and without it:

1. without: they agree, so the GGUF is the base that the adapter was trained on;
2. with: they agree, so the answers are the trained ones;
3. what the adapter adds to the logits is the same on both sides. Quantised weights blur the
   answers of both sides alike, so the difference shows a mapping that leaves out a layer or a
   scale that is off, even where the adapter's effect is no larger than the blur.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from yukjo.adapters.gguf import convert, read_facts
from yukjo.errors import AdapterError
from yukjo.files import sha256_file, write_whole
from yukjo.ports import Engine
from yukjo.records import Proof
from yukjo.words import say

Logs = NDArray[np.float64]


class Asked(Protocol):
    """Whatever shows logits: a speaker, an engine."""

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Logits [prompt][vocabulary] of the token after each prompt; "" is the bare base."""


class Limits(NamedTuple):
    """What two engines may differ by."""

    kl: float
    """Nats; the two sides round differently."""
    error: float
    """Share of the adapter's effect. A layer left out or a wrong scale misses more."""


EXACT = Limits(kl=1e-3, error=0.02)
"""On F32 and F16 bases; measured on F32: KL 3e-7, error 0.003."""
QUANTISED = Limits(kl=0.05, error=0.35)
"""On other bases, whose matmuls round their inputs to 8 bits. Measured with six adapters on
Gemma 270M in Q4_K_M: KL up to 0.024, error up to 0.20. What misses less than a third can't be seen
here; that each family's mapping is whole is what the tests on F32 bases show."""
ROUNDED = Limits(kl=0.05, error=0.2)
"""Of an adapter merged into weights that are kept in bfloat16, which rounds to 3 digits."""
_CUTS = 4
"""Each prompt is asked whole, and cut at each quarter: at fewer places error reached 0.26."""


def derive(folder: Path, *, gguf: Path) -> tuple[Path, Limits]:
    """Write the GGUF-LoRA file of the adapter in `folder` for this base; what it must keep to."""
    facts = read_facts(gguf)
    file, proof = Proof.places(folder, sha256_file(gguf))
    proof.unlink(missing_ok=True)  # it was of what stood there before
    write_whole(file, convert(folder, facts))
    return file, EXACT if facts.exact else QUANTISED


def prove(
    oracle: Engine,
    other: Asked,
    prompts: Sequence[Sequence[int]],
    *,
    adapter: str,
    gguf: str,
    file: str,
    limits: Limits,
) -> Proof:
    """Compare the two, each with `adapter` loaded; whether it `holds` is the proof's to say."""
    asked = [
        prompt[: len(prompt) * cut // _CUTS] for prompt in prompts for cut in range(1, _CUTS + 1)
    ]
    asked = [prompt for prompt in asked if prompt]
    sides = [
        _log_shares(np.array(side.next_logits(name, asked), dtype=np.float64))
        for side in (oracle, other)
        for name in (adapter, "")
    ]
    taught, bare, served, bare_there = sides
    return Proof(
        adapter=adapter,
        base_hash=oracle.base_hash,
        gguf=gguf,
        file=file,
        positions=len(asked),
        kl=_kl(taught, served),
        kl_base=_kl(bare, bare_there),
        effect=_kl(taught, bare),
        error=_missed(taught - bare, served - bare_there, np.exp(taught)),
        most_kl=limits.kl,
        most_error=limits.error,
    )


def refuse_unproved(proof: Proof) -> None:
    """AdapterError with the numbers unless `proof` holds."""
    if not proof.holds:
        raise AdapterError(
            say("the other engine doesn't answer as torch does: {numbers}",
                numbers=numbers(proof)),
            where=f"{proof.adapter[:12]}: {proof.gguf[:12]}",
            fix=say("name the GGUF of the base it was trained on, in F16 or Q8_0 where the"
                    " adapter's effect is small, or train it longer"),
        )  # fmt: skip


def numbers(proof: Proof) -> str:
    """A proof's numbers beside what they may be, on one line."""
    return (
        f"KL {proof.kl:.2e} / {proof.most_kl:.0e}, KL base {proof.kl_base:.2e} /"
        f" {proof.most_kl:.0e}, effect {proof.effect:.2e}, error {proof.error:.3f} /"
        f" {proof.most_error}"
    )


def _log_shares(logits: Logs) -> Logs:
    shifted = logits - logits.max(-1, keepdims=True)
    logs: Logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return logs


def _kl(true: Logs, other: Logs) -> float:
    """Mean over rows of KL(true || other): log shares [N, V]."""
    return float((np.exp(true) * (true - other)).sum(-1).mean())


def _missed(true: Logs, found: Logs, weight: Logs) -> float:
    """Share of the change `true` that `found` misses, each token weighed by its share: [N, V]."""
    whole = float((weight * true**2).sum())
    return float(np.sqrt((weight * (found - true) ** 2).sum() / whole)) if whole else 1.0
