"""The torch engine: answers from the base that trains, and the oracle for every other engine.

Requests of different adapters share a batch. An answer's random numbers come from its own seed,
so they don't depend on what stands beside it.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from yukjo.backends.torch import peft_files
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.cache import RoomyCache
from yukjo.backends.torch.layout import Span
from yukjo.backends.torch.lora import Lora
from yukjo.backends.torch.memory import give_back
from yukjo.backends.torch.mrope import places
from yukjo.backends.torch.stack import Stack
from yukjo.backends.torch.trainer import example_losses
from yukjo.errors import AdapterError
from yukjo.ports import Request, Tokenizer
from yukjo.records import Answer, Example, Picture
from yukjo.words import say


class TorchEngine:
    """Adapters loaded on `base`, known by their content hash; "" is the bare base."""

    def __init__(self, base: Base, tokenizer: Tokenizer, *, batch: int) -> None:
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
            # Cast once, not at every token.
            self.adapters[adapter] = read.cast(self.base.head.weight.dtype)

    def unload(self, adapter: str) -> None:
        """Forget an adapter."""
        del self.adapters[adapter]

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer all requests; results stand in the order of the requests."""
        give_back()
        # Longest prompts first: rows of a batch are padded to its longest.
        order = sorted(range(len(requests)), key=lambda i: (-len(requests[i].tokens), i))
        answers: dict[int, Answer] = {}
        with torch.no_grad():
            for start in range(0, len(order), self.batch):
                chosen = order[start : start + self.batch]
                made = self._answer_batch([requests[i] for i in chosen])
                answers |= dict(zip(chosen, made, strict=True))
        return [answers[i] for i in range(len(requests))]

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss in nats of each example's learned tokens under its adapter."""
        return example_losses(self.base, [(self.lora(adapter), e) for adapter, e in pack])

    def next_logits(
        self,
        adapter: str,
        prompts: Sequence[Sequence[int]],
        images: Sequence[Sequence[Picture]] = (),
    ) -> list[list[float]]:
        """fp32 logits of the token after each prompt."""
        asked = [[len(prompt) - 1] for prompt in prompts]
        with torch.no_grad():
            span = Span(self.lora(adapter), prompts, asked, images=images)
            hidden = self.base.hidden_of_pack([span])
            logits: list[list[float]] = self.base.head.logits(hidden).tolist()
        return logits

    def lora(self, adapter: str) -> Lora | None:
        """A loaded adapter; None for the bare base."""
        if adapter not in self.adapters:
            raise AdapterError(
                say("no such adapter is loaded: {adapter}", adapter=adapter[:12]),
                where=say("torch engine"),
                fix=say("load it first"),
            )
        return self.adapters[adapter]

    def _answer_batch(self, requests: Sequence[Request]) -> list[Answer]:
        began = time.perf_counter()
        loras = {r.adapter: self.lora(r.adapter) for r in requests}
        decoding = _Decoding(self.base, loras, requests)
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
        self, base: Base, loras: Mapping[str, Lora | None], requests: Sequence[Request]
    ) -> None:
        self.base, self.requests = base, requests
        names = sorted({r.adapter for r in requests if loras[r.adapter]})
        owner = [names.index(r.adapter) if r.adapter in names else None for r in requests]
        self.owners = Stack(
            [lora for name in names if (lora := loras[name])], owner, device=base.device
        )
        self.running = list(range(len(requests)))
        self.tokens: list[list[int]] = [[] for _ in requests]
        self.ended = [0.0] * len(requests)
        self.stopped = [False] * len(requests)
        self.draws = [torch.Generator().manual_seed(r.seed) for r in requests]
        self.cache = RoomyCache()
        longest = max(len(r.tokens) for r in requests)
        pads = [longest - len(r.tokens) for r in requests]
        self.mask = torch.tensor([[0] * p + [1] * (longest - p) for p in pads], device=base.device)
        self.next = torch.tensor(
            [[0] * p + list(r.tokens) for p, r in zip(pads, requests, strict=True)],
            device=base.device,
        )
        self.ahead = torch.zeros(len(requests), 1, dtype=torch.long, device=base.device)
        """How far a row's places run from the count of its tokens: an image's do not count on."""
        self.seen: tuple[Tensor, list[Span]] | None = None
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)
        if base.eyes:
            self._open_eyes(loras, pads)

    def _open_eyes(self, loras: Mapping[str, Lora | None], pads: Sequence[int]) -> None:
        """Put images among the prompts: places in three dimensions, and what is seen."""
        assert self.base.eyes
        width, rows, positions, spans = self.next.shape[1], [], [], []
        for row, (pad, request) in enumerate(zip(pads, self.requests, strict=True)):
            spots = self.base.eyes.find(request.tokens, request.images)
            own = places(len(request.tokens), spots)
            positions.append([(0, 0, 0)] * pad + own)
            self.ahead[row] = max(map(max, own)) + 1 - len(own)
            first = row * width + pad
            rows += [first + place for spot in spots for place in range(spot.start, spot.stop)]
            spans.append(Span(loras[request.adapter], [], [], images=[request.images]))
        device = self.next.device
        self.positions = torch.tensor(positions, device=device).permute(2, 0, 1)
        self.seen = torch.tensor(rows, dtype=torch.long, device=device), spans

    def step(self) -> None:
        """Feed the tokens at hand, choose the next one of each row, drop finished rows."""
        hidden = self.base.hidden_of_batch(
            self.next, self.owners, mask=self.mask, positions=self.positions, cache=self.cache,
            seen=self.seen,
        )  # fmt: skip
        # Drawn on the processor, so that a seed means the same on every device.
        chosen = self._choose(self.base.head.logits(hidden[:, -1]).cpu())
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
        self._keep(kept, torch.tensor(chosen, device=self.base.device))

    def _keep(self, kept: list[int], chosen: Tensor) -> None:
        """Go on with the rows at these places."""
        if len(kept) < len(self.running) and kept:
            self.cache.keep(kept)
            self.owners.keep(kept)
        self.running = [self.running[place] for place in kept]
        self.next = chosen[kept][:, None]
        grown = torch.ones(len(kept), 1, dtype=torch.long, device=self.base.device)
        self.mask = torch.cat([self.mask[kept], grown], 1)
        self.ahead, self.seen = self.ahead[kept], None
        self.positions = self.mask.sum(1, keepdim=True) - 1 + self.ahead

    def _choose(self, logits: Tensor) -> list[int]:
        """The next token of each running row: logits [rows, V]."""
        requests = [self.requests[row] for row in self.running]
        chosen = torch.empty(len(requests), dtype=torch.long)
        greedy = [place for place, request in enumerate(requests) if request.temperature == 0]
        drawn = [place for place, request in enumerate(requests) if request.temperature > 0]
        if greedy:
            chosen[greedy] = logits[greedy].argmax(-1)
        if drawn:
            heat = torch.tensor([[requests[place].temperature] for place in drawn])
            reached = logits[drawn].div_(heat).softmax(-1).cumsum_(-1)
            draws = [self.draws[self.running[place]] for place in drawn]
            wanted = torch.stack([torch.rand(1, generator=draw) for draw in draws])
            found = torch.searchsorted(reached, wanted * reached[:, -1:], right=True)
            chosen[drawn] = found[:, 0].clamp(max=logits.shape[-1] - 1)
        tokens: list[int] = chosen.tolist()
        return tokens
