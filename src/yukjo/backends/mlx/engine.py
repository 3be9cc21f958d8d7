"""The Engine port in MLX: the worker that trains also answers, so the base is held once.

Answers are made one after another. The numbers of a drawn one come from its own seed.
"""

from collections.abc import Sequence
from pathlib import Path

from yukjo.backends.mlx import wire
from yukjo.backends.mlx.worker import Worker
from yukjo.errors import AdapterError
from yukjo.ports import Request, Tokenizer
from yukjo.records import Answer, Example, Picture
from yukjo.words import say


class MlxEngine:
    """Adapters loaded on the worker's base, known by their content hash; "" is the bare base."""

    def __init__(self, worker: Worker, tokenizer: Tokenizer, *, base_hash: str) -> None:
        self.worker = worker
        self.tokenizer = tokenizer
        self.base_hash = base_hash
        self._loaded = {""}

    def load(self, adapter: str, folder: Path) -> None:
        """Load a PEFT or MLX folder under its content hash; the same hash is loaded once."""
        if adapter not in self._loaded:
            self.worker.ask("load", adapter=adapter, folder=str(folder))
            self._loaded.add(adapter)

    def unload(self, adapter: str) -> None:
        """Forget an adapter."""
        self.worker.ask("unload", adapter=self._known(adapter))
        self._loaded.remove(adapter)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer all requests, in their order."""
        return [self._answer(request) for request in requests]

    def losses(self, pack: Sequence[tuple[str, Example]]) -> list[float]:
        """Summed loss in nats of each example's learned tokens under its adapter."""
        rows = [(self._known(adapter), wire.row(example)) for adapter, example in pack]
        losses: list[float] = self.worker.ask("losses", rows=rows, training=False)
        return losses

    def next_logits(
        self,
        adapter: str,
        prompts: Sequence[Sequence[int]],
        images: Sequence[Sequence[Picture]] = (),
    ) -> list[list[float]]:
        """fp32 logits of the token after each prompt."""
        logits: list[list[float]] = self.worker.ask(
            "next_logits",
            adapter=self._known(adapter),
            prompts=[list(prompt) for prompt in prompts],
            images=[wire.images(own) for own in images or [()] * len(prompts)],
        )
        return logits

    def _answer(self, request: Request) -> Answer:
        self._known(request.adapter)
        made = self.worker.ask("answer", **wire.ask(request))
        return Answer(
            case=request.case,
            agent=request.agent,
            adapter=request.adapter,
            repeat=request.repeat,
            text=self.tokenizer.decode(made["tokens"]).strip(),
            tokens=len(made["tokens"]),
            seconds=round(made["seconds"], 4),
            finish=made["finish"],
        )

    def _known(self, adapter: str) -> str:
        if adapter not in self._loaded:
            raise AdapterError(
                say("no such adapter is loaded: {adapter}", adapter=adapter[:12]),
                where=say("MLX engine"),
                fix=say("load it first"),
            )
        return adapter
