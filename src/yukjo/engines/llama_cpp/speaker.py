"""A Speaker on llama.cpp: one base, many adapters, slots that never see each other's state.

1. Each slot is a stream of its own in the KV cache, filled from its first cell: an answer is
   computed from the same cells whatever was asked before it.
2. A prompt is read alone, cut at the end of its prefix and then every `_CHUNK` tokens, so the
   kept state of a prefix is the very state that reading it again would make. Only the tokens of
   answers share a pass.
3. State is kept under (adapter, prefix tokens) of this one base, as bytes. Putting back 300 tokens
   of the embedded base, 5.6 MB, takes 0.3-0.6 ms; cells shared by sequences of one buffer take
   0.04. Both are little beside a token's 20 ms, and sharing would give up rule 1.
4. Adapters are freed when unloaded, after the context has let go of them: llama.cpp compares
   adapters by address, and would take another at the same address for the same one.
"""

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from yukjo.decoding import Draw, Voice, refuse_length
from yukjo.engines.llama_cpp.json_grammar import JsonGrammar
from yukjo.engines.llama_cpp.model import Model
from yukjo.errors import AdapterError, ModelError
from yukjo.files import sha256_file
from yukjo.ports import Opened, Spoken, Turn
from yukjo.records import Proof
from yukjo.words import say

_CHUNK = 128
"""Tokens of a prompt read in one step: other answers wait for it."""
_ROWS = 4
_MIB = 2**20


@dataclass(slots=True)
class _Answering:
    """A slot in use."""

    turn: Turn
    draw: Draw
    voice: Voice
    grammar: JsonGrammar | None
    prefix: int
    done: int
    """Tokens whose state is computed."""
    last: int = -1
    """The token made last."""
    made: int = 0

    @property
    def reading(self) -> bool:
        return self.done < len(self.turn.tokens)


class LlamaCppSpeaker:
    """Answers from a loaded base, which is its own from now on."""

    def __init__(
        self,
        model: Model,
        *,
        base_hash: str,
        decode: Callable[[Sequence[int]], str],
        slots: int,
        context: int,
        threads: int,
        state_mb: float,
    ) -> None:
        """`base_hash` is of the folder that adapters are trained on; `state_mb` bounds kept state.

        That the model is the same base is what each adapter's proof says.
        """
        self._model, self._c = model, model.c
        self.gguf_hash, self.base_hash = model.hash, base_hash
        self.slots, self.context = slots, context
        self._decode = decode
        self._context = self._opened_context(threads)
        self._memory = self._c.llama_get_memory(self._context)
        self._batch = self._c.llama_batch_init(max(_CHUNK, slots), 0, 1)
        self._adapters: dict[str, int | None] = {"": None}
        self._states: OrderedDict[tuple[str, tuple[int, ...]], NDArray[np.uint8]] = OrderedDict()
        self._room = int(state_mb * _MIB)
        self._applied = ""
        self._answering: list[_Answering | None] = [None] * slots

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.shut()

    def shut(self) -> None:
        """Free everything; nothing else may be called after it."""
        for slot, answering in enumerate(self._answering):
            if answering:
                self.close(slot)
        for adapter in [name for name in self._adapters if name]:
            self.unload(adapter)
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._model.free()
        self._c.let_threads_go()

    # Adapters

    def load(self, adapter: str, folder: Path) -> int:
        """Load the GGUF-LoRA file kept in a store folder, if its proof holds; its bytes."""
        file, proof = Proof.places(folder, self.gguf_hash)
        if self._proved(adapter, file, proof):
            return self.load_file(adapter, file)
        raise AdapterError(
            say("the adapter isn't proved for this base's GGUF"),
            where=f"{adapter[:12]}: {self.gguf_hash[:12]}",
            fix=f"yukjo adapter export {adapter[:12]} --format gguf",
        )

    def _proved(self, adapter: str, file: Path, proof: Path) -> bool:
        try:
            found = Proof.model_validate_json(proof.read_bytes())
            same = (adapter, self.base_hash, self.gguf_hash, sha256_file(file))
        except (OSError, ValueError):
            return False
        return found.holds and same == (found.adapter, found.base_hash, found.gguf, found.file)

    def load_file(self, adapter: str, file: Path) -> int:
        """Load a GGUF-LoRA file, proved or not, under a content hash; its bytes."""
        if adapter not in self._adapters:
            self._c.complaint()
            pointer = self._c.llama_adapter_lora_init(self._model.pointer, str(file).encode())
            if not pointer:
                raise AdapterError(
                    say("llama.cpp can't load the adapter: {fault}", fault=self._c.complaint()),
                    where=str(file),
                    fix=f"yukjo adapter export {adapter[:12]} --format gguf",
                )
            self._adapters[adapter] = pointer
        return file.stat().st_size

    def unload(self, adapter: str) -> None:
        """Forget an adapter; none of its answers may be under way."""
        assert all(a is None or a.turn.adapter != adapter for a in self._answering)
        freed = self._loaded(adapter)
        if self._applied == adapter:
            self._apply("")
        del self._adapters[adapter]
        self._c.llama_adapter_lora_free(freed)

    def _loaded(self, adapter: str) -> int | None:
        """Where llama.cpp has it; None is the bare base."""
        if adapter not in self._adapters:
            raise AdapterError(
                say("no such adapter is loaded: {adapter}", adapter=adapter[:12]),
                where="llama.cpp",
                fix=say("load it first"),
            )
        return self._adapters[adapter]

    def _apply(self, adapter: str) -> None:
        """Have the passes that follow computed with `adapter`."""
        if self._applied == adapter:
            return
        pointer = self._loaded(adapter)
        count = int(pointer is not None)
        chosen, scales = (ctypes.c_void_p * 1)(pointer), (ctypes.c_float * 1)(1.0)
        failed = self._c.llama_set_adapters_lora(self._context, chosen, count, scales)
        assert not failed
        self._applied = adapter

    # Answers

    def open(self, turn: Turn) -> Opened:
        """Take a free slot; DataError where the turn can't be answered."""
        self._loaded(turn.adapter)
        refuse_length(turn, self.context)
        slot = self._answering.index(None)
        grammar = JsonGrammar(self._model, turn.schema) if turn.schema else None
        # The last token is always computed: its logits are what the answer begins with.
        prefix = min(turn.prefix, len(turn.tokens) - 1)
        restored = self._restore(slot, turn.adapter, turn.tokens[:prefix])
        self._answering[slot] = _Answering(
            turn, Draw(turn), Voice(self._decode), grammar, prefix, restored
        )
        return Opened(slot, restored)

    def step(self, slots: Sequence[int]) -> list[Spoken]:
        """Read a chunk in each slot that still reads; one token on in all others, together."""
        going = {slot: self._in_use(slot) for slot in slots}
        (adapter,) = {answering.turn.adapter for answering in going.values()}
        self._apply(adapter)
        spoken: dict[int, Spoken] = {}
        reading = [slot for slot, answering in going.items() if answering.reading]
        speaking = [slot for slot in going if slot not in reading]
        for slot in reading:
            spoken[slot] = self._go_on_reading(slot, going[slot])
        if speaking:
            self._speak([(slot, going[slot]) for slot in speaking])
            for place, slot in enumerate(speaking):
                going[slot].done += 1
                spoken[slot] = self._say(going[slot], self._logits(place))
        return [spoken[slot] for slot in slots]

    def close(self, slot: int) -> None:
        """Give a slot back."""
        if grammar := self._in_use(slot).grammar:
            grammar.close()
        self._answering[slot] = None
        self._c.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def next_logits(self, adapter: str, prompts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Logits [prompt][vocabulary] of the token after each prompt; takes a free slot."""
        slot = self._answering.index(None)
        self._apply(adapter)
        logits = []
        for prompt in prompts:
            for start in range(0, len(prompt), _CHUNK):
                last = self._read(slot, prompt, start, min(start + _CHUNK, len(prompt)))
            logits.append(self._logits(last).tolist())
            self._c.llama_memory_seq_rm(self._memory, slot, -1, -1)
        return logits

    def _in_use(self, slot: int) -> _Answering:
        answering = self._answering[slot]
        assert answering, slot
        return answering

    def _speak(self, speaking: Sequence[tuple[int, _Answering]]) -> None:
        """One pass over the tokens made last.

        Rows are multiplied by fours where they can be, else one by one: three take longer than
        four. So a free slot speaks along with three, and forgets it.
        """
        rows = [(slot, answering.last, answering.done, True) for slot, answering in speaking]
        if len(rows) % _ROWS != _ROWS - 1 or None not in self._answering:
            self._pass(rows)
            return
        free = self._answering.index(None)
        self._pass([*rows, (free, rows[0][1], 0, True)])
        self._c.llama_memory_seq_rm(self._memory, free, -1, -1)

    def _go_on_reading(self, slot: int, answering: _Answering) -> Spoken:
        """Read the next chunk of a prompt; behind the last one stands the answer's first token."""
        tokens, start = answering.turn.tokens, answering.done
        border = answering.prefix if start < answering.prefix else len(tokens)
        answering.done = min(start + _CHUNK, border)
        last = self._read(slot, tokens, start, answering.done)
        if answering.done == answering.prefix:
            self._keep(slot, answering.turn.adapter, tokens[: answering.done])
        return (
            Spoken("", 0, None) if answering.reading else self._say(answering, self._logits(last))
        )

    def _read(self, slot: int, tokens: Sequence[int], start: int, stop: int) -> int:
        """One pass over a part of a prompt; the place of its last token."""
        self._pass([(slot, tokens[at], at, at == len(tokens) - 1) for at in range(start, stop)])
        return stop - start - 1

    def _say(self, answering: _Answering, logits: NDArray[np.float32]) -> Spoken:
        """Draw the next token and say it."""
        turn, grammar = answering.turn, answering.grammar
        if grammar:
            logits = grammar.allowed(logits)
        token = answering.draw.token(logits)
        if token in turn.stop or (grammar and self._c.llama_vocab_is_eog(self._model.vocab, token)):
            return Spoken(answering.voice.rest(), 0, "stop")
        if grammar:
            grammar.accept(token)
        answering.last = token
        answering.made += 1
        text = answering.voice.add(token)
        if answering.made == turn.max_tokens or answering.done + 1 == self.context:
            return Spoken(text + answering.voice.rest(), 1, "length")
        return Spoken(text, 1, None)

    # State

    def _restore(self, slot: int, adapter: str, prefix: tuple[int, ...]) -> int:
        """Put the kept state of `prefix` into a slot; its tokens, 0 where none is kept."""
        state = self._states.get((adapter, prefix))
        if state is None:
            return 0
        self._states.move_to_end((adapter, prefix))
        read = self._c.llama_state_seq_set_data(self._context, state.ctypes.data, len(state), slot)
        assert read == len(state)
        return len(prefix)

    def _keep(self, slot: int, adapter: str, prefix: tuple[int, ...]) -> None:
        """Keep the state of a slot that has read just `prefix`; those used longest ago go."""
        state = np.empty(self._c.llama_state_seq_get_size(self._context, slot), dtype=np.uint8)
        if len(state) > self._room:
            return
        made = self._c.llama_state_seq_get_data(self._context, state.ctypes.data, len(state), slot)
        assert made == len(state)
        self._states[adapter, prefix] = state
        while sum(map(len, self._states.values())) > self._room:
            self._states.popitem(last=False)

    # llama.cpp

    def _opened_context(self, threads: int) -> int:
        params = self._c.llama_context_default_params()
        params.n_ctx, params.n_seq_max = self.slots * self.context, self.slots
        params.n_batch = params.n_ubatch = max(_CHUNK, self.slots)
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = False
        made: int | None = self._c.llama_init_from_model(self._model.pointer, params)
        if not made:
            raise ModelError(
                say("llama.cpp can't make room for {slots} answers of {context} tokens: {fault}",
                    slots=self.slots, context=self.context, fault=self._c.complaint()),
                where="yukjo.toml [serve] slots, context",
                fix=say("lower one of them"),
            )  # fmt: skip
        # Asked back: were a field of the struct elsewhere than assumed, it would show here.
        found = [
            getattr(self._c, f"llama_{name}")(made)
            for name in ("n_batch", "n_ubatch", "n_seq_max", "n_threads", "n_threads_batch")
        ]
        wanted = [params.n_batch, params.n_ubatch, self.slots, threads, threads]
        assert found == wanted, (found, wanted)
        assert self._c.llama_n_ctx_seq(made) >= self.context
        return made

    def _pass(self, tokens: Sequence[tuple[int, int, int, bool]]) -> None:
        """Compute (slot, token, position, whether its logits are wanted), in this order."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, (slot, token, position, wanted) in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, slot
            batch.logits[place] = wanted
        if failed := self._c.llama_decode(self._context, batch):
            raise ModelError(
                say("llama.cpp failed at a pass ({code}): {fault}",
                    code=failed, fault=self._c.complaint()),
                where="llama_decode",
                fix=say("lower [serve] slots or context"),
            )  # fmt: skip

    def _logits(self, place: int) -> NDArray[np.float32]:
        """Logits [V] of a token of the last pass; overwritten by the next."""
        row = self._c.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(row, (self._model.size,))
