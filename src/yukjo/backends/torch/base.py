"""A transformers causal LM, frozen, with its linear layers ready for adapters.

Any decoder of `AutoModelForCausalLM` whose attention goes through transformers' attention
interface works: Qwen3, Llama and Gemma are tested, and those of Qwen3-VL and Qwen2.5-VL with their
eyes. Linear weights stay in `dtype`, a decoder's in four bits where asked; norms and the residual
stream are fp32.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.utils import logging

from yukjo.backends.torch import flash as flash_attention
from yukjo.backends.torch.attention import BATCH, PACKED
from yukjo.backends.torch.eyes import Eyes, joined
from yukjo.backends.torch.frozen import FourBit, Frozen
from yukjo.backends.torch.fused import fuse
from yukjo.backends.torch.head import Head
from yukjo.backends.torch.last_layer import trim
from yukjo.backends.torch.layout import Span, lay
from yukjo.backends.torch.lora import Lanes, LoraLinear, Owners, Pass
from yukjo.backends.torch.processor import sees
from yukjo.backends.torch.screen import Screen, can_screen
from yukjo.errors import ModelError
from yukjo.files import hash_base
from yukjo.words import say

logging.disable_progress_bar()

Dtype = Literal["bfloat16", "float32"]


class Base:
    """One frozen base in memory."""

    def __init__(
        self,
        folder: Path,
        *,
        dtype: Dtype,
        device: str = "cpu",
        load_in_4bit: bool = False,
        flash: bool | None = None,
        model: Any = None,
    ) -> None:
        """Load the Hugging Face folder; ModelError where it can't be used.

        `flash` None takes FlashAttention on a GPU that has it. A `model` without weights stands in
        for the folder's where only sizes are asked for.
        """
        self.hash = "" if model else hash_base(folder)
        self.device = _device(device)
        there = self.device.type == "cuda" and flash_attention.installed()
        self.flash = there if flash is None else flash
        self.model = model or _load(folder, getattr(torch, dtype))
        self.under_way = Pass()
        self.decoder: Any = self.model.get_decoder()
        self.settings = self.model.config.get_text_config()
        self.eyes = Eyes(self.model, folder, self.under_way) if sees(folder) else None
        self.layers: list[LoraLinear] = []
        self._swap_linears(self.decoder, FourBit if load_in_4bit else Frozen)
        if self.eyes:
            self.eyes.names = self._swap_linears(self.eyes.tower, Frozen, self.eyes.level)
        if self.device.type != "cpu":
            self.model.to(self.device)
        output = self.model.get_output_embeddings()
        _refuse_unknown_heads(self.settings, output)
        softcap = getattr(self.settings, "final_logit_softcapping", None)
        self.head = Head(output.weight, softcap)
        self.screened: Head | None = None
        self.embedding = self.model.get_input_embeddings()
        self.embedding.padding_idx = None
        for name, parameter in self.model.named_parameters():
            if "norm" in name:
                parameter.data = parameter.data.float()
        fuse(self.decoder, dtype=output.weight.dtype)
        if self.eyes:
            fuse(self.eyes.tower, dtype=output.weight.dtype)
        _cast_rotary(self.decoder, output.weight.dtype)
        if not self.flash:
            trim(self.decoder.layers[-1], self.under_way)

    def weights(self) -> Iterator[Tensor]:
        """All that is frozen; what is tied comes twice."""
        yield from self.model.parameters()
        for layer in self.layers:
            yield layer.frozen.weight
            if layer.frozen.bias is not None:
                yield layer.frozen.bias
        if self.screened and self.screened.screen:
            yield from self.screened.screen.weights()

    def screen(self) -> None:
        """From now on train with the vocabulary screened, where that is faster and as good."""
        if can_screen(self.head.weight, self.head.softcap):
            self.screened = replace(self.head, screen=Screen(self.head.weight))

    def recompute(self) -> None:
        """From now on keep each layer's input alone, and compute the rest again on the way back.

        The last layer keeps all: it holds few rows, and its way back comes first (Chen et al.
        2016, arXiv:1604.06174).
        """
        blocks = self.eyes.tower.blocks if self.eyes else ()
        for layer in (*blocks, *self.decoder.layers[:-1]):
            layer.forward = self._recomputed(layer.forward)

    def _recomputed(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        def twice(*given: Any, **named: Any) -> Any:
            owners = self.under_way.owners

            def once(*given: Any, **named: Any) -> Any:
                self.under_way.owners = owners  # on the way back the last layer's stand there
                return forward(*given, **named)

            return checkpoint(once, *given, use_reentrant=False, **named)

        return twice

    def _swap_linears(
        self, root: nn.Module, kind: type[Frozen], level: Callable[[str], int] = lambda _: 0
    ) -> frozenset[str]:
        """Put a `LoraLinear` in the place of each linear layer below `root`; their names."""
        names = {id(module): name for name, module in self.model.named_modules()}
        prefix = names[id(root)] + "."
        found = [(n, m) for n, m in root.named_modules() if isinstance(m, nn.Linear)]
        for name, module in found:
            layer = LoraLinear(
                kind(module, self.device), name=prefix + name, number=len(self.layers),
                under_way=self.under_way, level=level(name),
            )  # fmt: skip
            parent, _, child = name.rpartition(".")
            setattr(root.get_submodule(parent), child, layer)
            self.layers.append(layer)
        return frozenset(prefix + name for name, _ in found)

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens [...] -> fp32 [..., D], scaled as the model does; only the rows asked for."""
        rows = self.embedding.weight[tokens.reshape(-1)].float()
        places = torch.arange(len(rows), device=self.device)
        embedded: Tensor = torch.func.functional_call(self.embedding, {"weight": rows}, (places,))
        return embedded.view(*tokens.shape, -1)

    def hidden_of_pack(self, spans: Sequence[Span], *, share: bool = False) -> Tensor:
        """Final hidden states [N, D] of the rows that the spans ask for.

        With `share` an owner's samples have their common beginning computed once.
        """
        find = self.eyes.find if self.eyes else None
        layout = lay(spans, share=share and not self.flash, device=self.device, find=find)
        embedded, deep = self._with_sights(self.embed(layout.tokens[None]), layout.seen, spans)
        self.under_way.owners = Lanes(layout.lanes)
        self.settings._attn_implementation = flash_attention.PACKED if self.flash else PACKED  # noqa: SLF001 - transformers' own switch
        out = self.decoder(
            inputs_embeds=embedded,
            position_ids=layout.positions[..., None, :],
            use_cache=False,
            layout=layout,
            **deep,
        )
        hidden: Tensor = out.last_hidden_state[0]
        return hidden[layout.rows] if self.flash else hidden

    def _with_sights(
        self, embedded: Tensor, rows: Tensor | None, spans: Sequence[Span]
    ) -> tuple[Tensor, dict[str, Any]]:
        """Embeddings [B, T, D] with what the spans' images look like at `rows` of B * T.

        And what the decoder's first layers are given besides.
        """
        pictured = [span for span in spans if span.pictures]
        if not pictured:
            return embedded, {}
        assert self.eyes
        assert rows is not None
        sights = joined([self.eyes.see(s.pictures, s.lora, s.noise) for s in pictured])
        flat = embedded.flatten(0, 1)
        embedded = flat.index_copy(0, rows, sights.rows.to(flat.dtype)).view(embedded.shape)
        # The last layer's rows of images are asked of by nobody.
        deep = list(sights.deep[: len(self.decoder.layers) - 1])
        given = {"visual_pos_masks": rows, "deepstack_visual_embeds": deep} if deep else {}
        return embedded, given

    def hidden_of_batch(
        self,
        tokens: Tensor,
        owners: Owners,
        *,
        mask: Tensor,
        positions: Tensor,
        cache: Any,
        seen: tuple[Tensor, Sequence[Span]] | None = None,
    ) -> Tensor:
        """Hidden states [B, T, D] of a left-padded batch that goes on from `cache`.

        `seen` are the rows of B * T that images take, and the spans these are of.
        """
        embedded, deep = self._with_sights(self.embed(tokens), *(seen or (None, ())))
        self.under_way.owners = owners
        self.settings._attn_implementation = BATCH  # noqa: SLF001 - transformers' own switch
        out = self.decoder(
            inputs_embeds=embedded,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **deep,
        )
        hidden: Tensor = out.last_hidden_state
        return hidden


def auto_class(folder: Path) -> Any:
    """The class of transformers that makes the model in `folder`."""
    return AutoModelForImageTextToText if sees(folder) else AutoModelForCausalLM


def _load(folder: Path, dtype: torch.dtype) -> Any:
    try:
        model = auto_class(folder).from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as fault:
        raise ModelError(
            say("the base can't be loaded: {fault}", fault=fault),
            where=str(folder),
            fix=say("name a causal language model of the Qwen, Llama or Gemma family"),
        ) from fault
    return model.eval().requires_grad_(requires_grad=False)


def _refuse_unknown_heads(settings: Any, output: nn.Module) -> None:
    """Refuse what our cross entropy doesn't compute, rather than compute it wrongly."""
    scaled = [k for k in ("logit_scale", "logits_scaling") if getattr(settings, k, None)]
    if scaled or getattr(output, "bias", None) is not None:
        raise ModelError(
            say("this model's output layer isn't supported: {what}", what=scaled or "bias"),
            where=str(settings.model_type),
            fix=say("name a causal language model of the Qwen, Llama or Gemma family"),
        )


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            say("no CUDA device is found"),
            where="yukjo.toml [base] device",
            fix=say("use `cpu`, or install a CUDA build of torch and its driver"),
        )
    return torch.device(name)


def _cast_rotary(decoder: nn.Module, dtype: torch.dtype) -> None:
    """Let rotary tables come in the weights' type, as they do in a model of that type."""

    def cast(_: nn.Module, __: Any, tables: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(table.to(dtype) for table in tables)

    for module in decoder.modules():
        if type(module).__name__.endswith("RotaryEmbedding"):
            module.register_forward_hook(cast)
