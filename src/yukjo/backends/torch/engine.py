"""The torch engine: answers from the base that trains, and the oracle for every other engine.

Requests of different adapters share a batch; each adapter's rows stand together. An answer's
random numbers come from its own seed, so they don't depend on what stands beside it.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import DynamicCache

from yukjo.backends.torch import peft_files
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.lora import Lane, Lora
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.backends.torch.trainer import learned_losses
from yukjo.errors import AdapterError
from yukjo.ports import Request
from yukjo.records import Answer, Example
from yukjo.words import say


class TorchEngine:
    """Adapters loaded on `base`, known by their content hash; "" is the bare base."""

    def __init__(self, base: Base, tokenizer: HfTokenizer, *, batch: int) -> None:
        self.base = base
        self.tokenizer = tokenizer
        self.batch = batch
        self.adapters: dict[str, Lora | None] = {"": None}

    @property
    def base_hash(self) -> str:
        """Hash of the base's configuration and weights."""
        return self.base.hash

    def load(self, adapter: str, folder: Path) -> None:
        """Load a PEFT folder under its content hash; the same hash is loaded once."""
        if adapter not in self.adapters:
            read = peft_files.read(folder, self.base.layers)
            self.adapters[adapter] = read.to(self.base.head.weight.dtype)

    def unload(self, adapter: str) -> None:
        """Forget an adapter."""
        del self.adapters[adapter]

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer all requests; results stand in the order of the requests."""
        # Rows of one adapter stand together; longest prompts first, so that padding is short.
        order = sorted(
            range(len(requests)),
            key=lambda i: (-len(requests[i].tokens), requests[i].adapter, i),
        )
        answers: dict[int, Answer] = {}
        with torch.no_grad():
            for start in range(0, len(order), self.batch):
                chosen = sorted(
                    order[start : start + self.batch], key=lambda i: (requests[i].adapter, i)
                )
                made = self._answer_batch([requests[i] for i in chosen])
                answers |= dict(zip(chosen, made, strict=True))
        return [answers[i] for i in range(len(requests))]

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss in nats of each example's learned tokens under its adapter."""
        lanes, start = [], 0
        for adapter, example in pack:
            lanes.append(Lane(self._lora(adapter), start, start + len(example.tokens)))
            start = lanes[-1].stop
        with torch.no_grad():
            losses = learned_losses(self.base, [e for _, e in pack], lanes)
        return [float(part.sum()) for part in torch.split(losses, [e.learned for _, e in pack])]

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """fp32 logits of the token after each prompt."""
        total = sum(map(len, prompts))
        with torch.no_grad():
            hidden = self.base.hidden_of_pack(prompts, [Lane(self._lora(adapter), 0, total)])
            ends = torch.tensor([len(p) for p in prompts]).cumsum(0) - 1
            logits: list[list[float]] = self.base.head.logits(hidden[ends]).tolist()
        return logits

    def _lora(self, adapter: str) -> Lora | None:
        if adapter not in self.adapters:
            raise AdapterError(
                say("no such adapter is loaded: {adapter}", adapter=adapter[:12]),
                where=say("torch engine"),
                fix=say("load it first"),
            )
        return self.adapters[adapter]

    def _answer_batch(self, requests: Sequence[Request]) -> list[Answer]:
        began = time.perf_counter()
        decoding = _Decoding(self.base, [self._lora(r.adapter) for r in requests], requests)
        while decoding.running:
            decoding.step()
        return [
            Answer(
                case=request.case,
                agent=request.agent,
                adapter=request.adapter,
                repeat=request.repeat,
                text=self.tokenizer.decode(decoding.tokens[row]).strip(),
                tokens=len(decoding.tokens[row]),
                seconds=round(decoding.ended[row] - began, 4),
                finish="stop" if decoding.stopped[row] else "length",
            )
            for row, request in enumerate(requests)
        ]


class _Decoding:
    """A batch under way. Finished rows leave it, so that the rest goes faster."""

    def __init__(
        self, base: Base, loras: Sequence[Lora | None], requests: Sequence[Request]
    ) -> None:
        self.base, self.loras, self.requests = base, loras, requests
        self.running = list(range(len(requests)))
        self.tokens: list[list[int]] = [[] for _ in requests]
        self.ended = [0.0] * len(requests)
        self.stopped = [False] * len(requests)
        self.draws = [torch.Generator().manual_seed(r.seed) for r in requests]
        self.cache = DynamicCache(config=base.settings)
        longest = max(len(r.tokens) for r in requests)
        pads = [longest - len(r.tokens) for r in requests]
        self.mask = torch.tensor([[0] * p + [1] * (longest - p) for p in pads])
        self.next = torch.tensor(
            [[0] * p + list(r.tokens) for p, r in zip(pads, requests, strict=True)]
        )

    def step(self) -> None:
        """Feed the tokens at hand, choose the next one of each row, drop finished rows."""
        width = self.next.shape[1]
        positions = (self.mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
        hidden = self.base.hidden_of_batch(
            self.next, self._lanes(width), mask=self.mask, positions=positions, cache=self.cache
        )
        logits = self.base.head.logits(hidden[:, -1])
        chosen = [self._choose(row, logits[place]) for place, row in enumerate(self.running)]
        now = time.perf_counter()
        kept = []
        for place, (row, token) in enumerate(zip(self.running, chosen, strict=True)):
            request = self.requests[row]
            self.stopped[row] = token in request.stop
            if not self.stopped[row]:
                self.tokens[row].append(token)
            if self.stopped[row] or len(self.tokens[row]) >= request.max_tokens:
                self.ended[row] = now
            else:
                kept.append(place)
        self._keep(kept, torch.tensor(chosen))

    def _keep(self, kept: list[int], chosen: Tensor) -> None:
        """Go on with the rows at these places."""
        if len(kept) < len(self.running) and kept:
            self.cache.batch_select_indices(torch.tensor(kept))
        self.running = [self.running[place] for place in kept]
        self.next = chosen[kept][:, None]
        self.mask = torch.cat([self.mask[kept], torch.ones(len(kept), 1, dtype=torch.long)], 1)

    def _choose(self, row: int, logits: Tensor) -> int:
        temperature = self.requests[row].temperature
        if temperature == 0:
            return int(logits.argmax())
        chances = torch.softmax(logits / temperature, -1)
        return int(torch.multinomial(chances, 1, generator=self.draws[row]))

    def _lanes(self, width: int) -> list[Lane]:
        """One lane for each run of neighbouring rows of one adapter."""
        lanes: list[Lane] = []
        for place, row in enumerate(self.running):
            lora, stop = self.loras[row], (place + 1) * width
            if lanes and lanes[-1].lora is lora:
                lanes[-1] = Lane(lora, lanes[-1].start, stop)
            else:
                lanes.append(Lane(lora, place * width, stop))
        return lanes
