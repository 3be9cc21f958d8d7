"""An adapter made ready for llama.cpp: derived, proved against torch, and kept with its proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from yukjo.adapters.prove import ROUNDED, derive, prove
from yukjo.adapters.store import refuse_other_base, refuse_other_words
from yukjo.agents import Role
from yukjo.data.render import Template, chat_of, prompt_tokens, template_of
from yukjo.files import sha256_file, write_whole
from yukjo.ports import Engine, Speaker, Tokenizer
from yukjo.records import AdapterManifest, Picture, Proof, Sample

MLX_LIMIT = 1e-4
"""Most that MLX's fp32 logits may differ from torch's under the same adapter."""
_PROBES = (
    "이 업무를 처음 맡은 사람에게 절차를 설명해 주세요.",
    "자료에 없는 내용을 물으면 어떻게 답해야 합니까?",
    "지난달 처리 결과를 한 문단으로 정리해 주세요.",
)
"""Fixed requests at which every adapter's effect is taken, and at which engines are compared."""


def probe_image() -> Picture:
    """The fixed image that they come with where an adapter was trained on images."""
    path = Path(__file__).with_name("probe.png")
    return Picture(path=path, sha256=sha256_file(path))


class Prover(Speaker, Protocol):
    """A speaker that also takes what isn't proved yet."""

    @property
    def gguf_hash(self) -> str:
        """SHA-256 of its base's file."""

    def load_file(self, adapter: str, file: Path) -> int:
        """Load a GGUF-LoRA file under a content hash; its bytes."""


def effect_prompts(
    agent: str,
    prompt: str,
    *,
    tokenizer: Tokenizer,
    template: Template,
    images: tuple[Picture, ...] = (),
) -> list[tuple[int, ...]]:
    """The fixed requests as `agent`, whose system prompt is `prompt`, would be asked them."""
    probes = [
        Sample(instruction=text, output="-", agent_type=agent, images=images) for text in _PROBES
    ]
    return [
        prompt_tokens(chat_of(probe, prompt), tokenizer=tokenizer, template=template)
        for probe in probes
    ]


def make_ready(
    place: Path,
    manifest: AdapterManifest,
    *,
    oracle: Engine,
    speaker: Prover,
    tokenizer: Tokenizer,
    gguf: Path,
    role: Role,
) -> Proof:
    """Derive the GGUF-LoRA file of the adapter kept at `place`; its proof, kept where it holds."""
    refuse_other_base(manifest, oracle.base_hash)
    prompts = _prompts(manifest, role, tokenizer)
    file, limits = derive(place, gguf=gguf)
    oracle.load(manifest.id, place)
    speaker.load_file(manifest.id, file)
    try:
        proof = prove(
            oracle, speaker, prompts,
            adapter=manifest.id, gguf=speaker.gguf_hash, file=sha256_file(file), limits=limits,
        )  # fmt: skip
    finally:
        oracle.unload(manifest.id)
        speaker.unload(manifest.id)
    if proof.holds:
        write_whole(Proof.places(place, speaker.gguf_hash)[1], proof.model_dump_json(indent=2))
    return proof


def prove_merged(
    manifest: AdapterManifest,
    *,
    oracle: Engine,
    merged: Engine,
    tokenizer: Tokenizer,
    role: Role,
) -> Proof:
    """Whether `merged`, the adapter inside its base's weights, answers as the loaded adapter."""
    return prove(
        oracle, _Merged(oracle, merged), _prompts(manifest, role, tokenizer),
        adapter=manifest.id, gguf="", file="", limits=ROUNDED,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Merged:
    """A base that has an adapter in its weights, beside the same base without it."""

    oracle: Engine
    merged: Engine

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """As an engine that could take the adapter out again."""
        return (self.merged if adapter else self.oracle).next_logits("", prompts)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the oracle answers under an adapter: logits after fixed prompts, to hold others to."""

    prompts: Sequence[Sequence[int]]
    logits: Sequence[Sequence[float]]

    def furthest(self, logits: Sequence[Sequence[float]]) -> float:
        """The largest difference of another engine's logits from these."""
        pairs = zip(self.logits, logits, strict=True)
        return max(abs(a - b) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True))


def show(
    oracle: Engine, place: Path, manifest: AdapterManifest, *, role: Role, tokenizer: Tokenizer
) -> Shown:
    """Ask the oracle under the adapter kept at `place`."""
    refuse_other_base(manifest, oracle.base_hash)
    prompts = _prompts(manifest, role, tokenizer)
    oracle.load(manifest.id, place)
    shown = Shown(prompts, oracle.next_logits(manifest.id, prompts))
    oracle.unload(manifest.id)
    return shown


def _prompts(
    manifest: AdapterManifest, role: Role, tokenizer: Tokenizer
) -> Sequence[Sequence[int]]:
    template = template_of(tokenizer)
    refuse_other_words(manifest, template_hash=template.hash, prompt_hash=role.prompt_hash)
    return effect_prompts(role.name, role.prompt, tokenizer=tokenizer, template=template)
