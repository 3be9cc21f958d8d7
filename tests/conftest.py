"""Tiny random models of real architectures, made on the spot; no download, no shared state."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Toys are too small to share between threads; set before torch is first imported.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest

import seeing
from toys import Said, Yukjo
from yukjo.cli import main
from yukjo.words import speak

CHATML = (
    "{% for m in messages %}<|turn|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
KINDS = ("qwen3", "llama", "gemma3", "gemma2")


@pytest.fixture(autouse=True)
def _korean() -> None:
    speak("ko")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A Hugging Face folder of a tiny model by kind; made once a session."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            if kind in seeing.SEEING:
                seeing.make_model(kind, made[kind], mark=263)
                _make_tokenizer(made[kind], template=seeing.CHATML, control=seeing.CONTROL)
            else:
                _make_model(kind, made[kind])
                _make_tokenizer(made[kind], template=None if kind == "gemma3" else CHATML)
        return made[kind]

    return folder


def _make_model(kind: str, folder: Path) -> None:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        Gemma2Config,
        Gemma3TextConfig,
        LlamaConfig,
        Qwen2Config,
        Qwen3Config,
    )

    sizes = {
        "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
        "initializer_range": 0.08, "bos_token_id": 256, "eos_token_id": 257, "pad_token_id": 258,
    }  # fmt: skip
    gemma = {"head_dim": 32, "sliding_window": 48, "query_pre_attn_scalar": 32}
    rope = {
        "rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 128,
    }  # fmt: skip
    config = {
        "qwen3": lambda: Qwen3Config(head_dim=32, tie_word_embeddings=False, **sizes),
        "qwen2": lambda: Qwen2Config(tie_word_embeddings=False, **sizes),  # its q, k, v have biases
        "llama": lambda: LlamaConfig(rope_parameters=rope, tie_word_embeddings=False, **sizes),
        "gemma3": lambda: Gemma3TextConfig(tie_word_embeddings=True, **gemma, **sizes),
        "gemma2": lambda: Gemma2Config(
            tie_word_embeddings=True,
            attn_logit_softcapping=5.0,
            final_logit_softcapping=3.0,
            **gemma,
            **sizes,
        ),
    }[kind]()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    for name, parameter in model.named_parameters():
        if "norm" in name or "bias" in name:  # ones or zeros would hide one that is left out
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)


def _make_tokenizer(folder: Path, *, template: str | None, control: Sequence[str] = ()) -> None:
    """Bytes as tokens, and control tokens above them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    every = ["<bos>", "<eos>", "<pad>", "<|turn|>", "<|end|>", *control]
    inner.add_special_tokens([AddedToken(text, special=True) for text in every])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)


@pytest.fixture
def yukjo(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Yukjo:
    """Run a command line in this process: its exit code and what it printed."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["yukjo", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return run
