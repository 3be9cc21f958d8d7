"""llama.cpp's C API by ctypes: the functions that are called, and the structs they take.

The embedded llama-server fixes its adapters at start and reuses one adapter's state under another
(llama.cpp #26207), so the layer below it is used. Structs have no version: their layout is that
of one pinned build, and `Library` refuses any whose defaults don't stand where they must.
"""

import ctypes
from collections import deque
from ctypes import (
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_float,
    c_int8,
    c_int32,
    c_size_t,
    c_uint32,
    c_void_p,
)
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from yukjo.errors import ModelError
from yukjo.words import say

PINNED = "2026.10.11549"


class ModelParams(Structure):
    """`llama_model_params`: only passed on, so only its size matters; larger does no harm."""

    _fields_ = (("opaque", c_int8 * 256),)


class ContextParams(Structure):
    """`llama_context_params`; `unknown` stands in no header that was at hand, and is left 0."""

    _fields_ = (
        ("n_ctx", c_uint32), ("n_batch", c_uint32), ("n_ubatch", c_uint32),
        ("n_seq_max", c_uint32), ("n_rs_seq", c_uint32), ("n_outputs_max", c_uint32),
        ("n_outputs_max_per_seq", c_uint32), ("n_threads", c_int32), ("n_threads_batch", c_int32),
        ("ctx_type", c_int32), ("rope_scaling_type", c_int32), ("pooling_type", c_int32),
        ("attention_type", c_int32), ("flash_attn_type", c_int32), ("rope_freq_base", c_float),
        ("rope_freq_scale", c_float), ("yarn_ext_factor", c_float), ("yarn_attn_factor", c_float),
        ("yarn_beta_fast", c_float), ("yarn_beta_slow", c_float), ("yarn_orig_ctx", c_uint32),
        ("defrag_thold", c_float), ("cb_eval", c_void_p), ("cb_eval_user_data", c_void_p),
        ("type_k", c_int32), ("type_v", c_int32), ("abort_callback", c_void_p),
        ("abort_callback_data", c_void_p), ("unknown", c_size_t),
        ("embeddings", c_bool), ("offload_kqv", c_bool), ("no_perf", c_bool),
        ("op_offload", c_bool), ("swa_full", c_bool), ("kv_unified", c_bool),
        ("samplers", c_void_p), ("n_samplers", c_size_t), ("ctx_other", c_void_p),
        ("spare", c_int8 * 128),
    )  # fmt: skip


class Batch(Structure):
    """`llama_batch`: tokens with their positions, sequences, and whose logits are wanted."""

    _fields_ = (
        ("n_tokens", c_int32), ("token", POINTER(c_int32)), ("embd", c_void_p),
        ("pos", POINTER(c_int32)), ("n_seq_id", POINTER(c_int32)),
        ("seq_id", POINTER(POINTER(c_int32))), ("logits", POINTER(c_int8)),
    )  # fmt: skip


class Candidates(Structure):
    """`llama_token_data_array`."""

    _fields_ = (
        ("data", c_void_p), ("size", c_size_t), ("selected", ctypes.c_int64), ("sorted", c_bool),
    )  # fmt: skip


_DEFAULTS = {
    "n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_outputs_max_per_seq": 1,
    "n_threads": 4, "n_threads_batch": 4, "rope_scaling_type": -1, "pooling_type": -1,
    "attention_type": -1, "flash_attn_type": -1, "yarn_ext_factor": -1.0, "defrag_thold": -1.0,
    "type_k": 1, "type_v": 1, "unknown": 0, "embeddings": False, "offload_kqv": True,
    "no_perf": True, "op_offload": True, "swa_full": True, "kv_unified": False, "n_samplers": 0,
}  # fmt: skip
_JSON_SAMPLER = "_Z22llama_sampler_init_llgPK11llama_vocabPKcS3_"
"""llguidance as a sampler: C++, hence the name; the build pinned has no plainer door to it."""

_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, c_char_p, c_void_p)
_WARNING = 3
_PAUSE_HARD = 2
"""`omp_pause_hard` of OpenMP 5.0."""
_complaints: deque[str] = deque(maxlen=4)


def _heard(level: int, text: bytes, _: Any) -> None:
    if level >= _WARNING:
        _complaints.append(text.decode(errors="replace").strip())


_log = _LOG(_heard)
"""Kept for good: were it collected, the next complaint would end the process."""

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [_LOG, c_void_p]),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_model_load_from_file": (c_void_p, [c_char_p, ModelParams]),
    "llama_model_free": (None, [c_void_p]),
    "llama_model_get_vocab": (c_void_p, [c_void_p]),
    "llama_model_chat_template": (c_char_p, [c_void_p, c_char_p]),
    "llama_init_from_model": (c_void_p, [c_void_p, ContextParams]),
    "llama_free": (None, [c_void_p]),
    "llama_n_ctx_seq": (c_uint32, [c_void_p]),
    "llama_n_batch": (c_uint32, [c_void_p]),
    "llama_n_ubatch": (c_uint32, [c_void_p]),
    "llama_n_seq_max": (c_uint32, [c_void_p]),
    "llama_n_threads": (c_int32, [c_void_p]),
    "llama_n_threads_batch": (c_int32, [c_void_p]),
    "llama_get_memory": (c_void_p, [c_void_p]),
    "llama_memory_seq_rm": (c_bool, [c_void_p, c_int32, c_int32, c_int32]),
    "llama_batch_init": (Batch, [c_int32, c_int32, c_int32]),
    "llama_batch_free": (None, [Batch]),
    "llama_decode": (c_int32, [c_void_p, Batch]),
    "llama_get_logits_ith": (POINTER(c_float), [c_void_p, c_int32]),
    "llama_state_seq_get_size": (c_size_t, [c_void_p, c_int32]),
    "llama_state_seq_get_data": (c_size_t, [c_void_p, c_void_p, c_size_t, c_int32]),
    "llama_state_seq_set_data": (c_size_t, [c_void_p, c_void_p, c_size_t, c_int32]),
    "llama_adapter_lora_init": (c_void_p, [c_void_p, c_char_p]),
    "llama_adapter_lora_free": (None, [c_void_p]),
    "llama_set_adapters_lora": (
        c_int32, [c_void_p, POINTER(c_void_p), c_size_t, POINTER(c_float)],
    ),
    "llama_vocab_n_tokens": (c_int32, [c_void_p]),
    "llama_vocab_is_eog": (c_bool, [c_void_p, c_int32]),
    "llama_vocab_bos": (c_int32, [c_void_p]),
    "llama_vocab_eos": (c_int32, [c_void_p]),
    "llama_tokenize": (
        c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool],
    ),
    "llama_token_to_piece": (
        c_int32, [c_void_p, c_int32, c_char_p, c_int32, c_int32, c_bool],
    ),
    "llama_sampler_apply": (None, [c_void_p, POINTER(Candidates)]),
    "llama_sampler_accept": (None, [c_void_p, c_int32]),
    "llama_sampler_free": (None, [c_void_p]),
    _JSON_SAMPLER: (c_void_p, [c_void_p, c_char_p, c_char_p]),
}  # fmt: skip


class Library:
    """The functions of the pinned build by name, and the last it complained of."""

    def __init__(self) -> None:
        _refuse_other_version()
        import xllamacpp

        self._inner = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._inner, name, None)
            if function is None:
                raise _other(name)
            function.restype, function.argtypes = result, arguments
        self._refuse_other_layout()
        self.llama_log_set(_log, None)
        self.llama_backend_init()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def json_sampler(self, vocab: int, schema: str) -> int | None:
        """A sampler that leaves only what goes on to satisfy `schema`."""
        made: int | None = getattr(self._inner, _JSON_SAMPLER)(vocab, b"json", schema.encode())
        return made

    def let_threads_go(self) -> None:
        """End the helper threads of the calling thread.

        libgomp keeps them for each thread that ever computed, and where they are more than the
        cores none spins any more: a token of another thread then takes twice as long.
        """
        if pause := getattr(self._inner, "omp_pause_resource_all", None):  # not in every OpenMP
            pause(_PAUSE_HARD)

    def complaint(self) -> str:
        """What was last complained of, and forgotten by this."""
        text = " ".join(_complaints).strip()
        _complaints.clear()
        return text or "-"

    def _refuse_other_layout(self) -> None:
        found = self.llama_context_default_params()
        for name, value in _DEFAULTS.items():
            if getattr(found, name) != value:
                raise _other(f"llama_context_params.{name}")
        batch = self.llama_batch_init(1, 0, 1)
        whole = batch.token and batch.pos and batch.n_seq_id and batch.seq_id[0] and batch.logits
        whole = whole and not batch.n_tokens and not batch.embd
        self.llama_batch_free(batch)
        if not whole:
            raise _other("llama_batch")


@cache
def library() -> Library:
    """The library, opened and checked once; ModelError where it can't be used."""
    return Library()


def _refuse_other_version() -> None:
    try:
        found = version("xllamacpp")
    except PackageNotFoundError:
        raise ModelError(
            say("xllamacpp isn't installed"),
            where='[serve] engine = "llama_cpp"',
            fix="pip install 'yukjo[serve]'",
        ) from None
    if found != PINNED:
        raise _other(f"{found} / {PINNED}")


def _other(what: str) -> ModelError:
    return ModelError(
        say("this build of xllamacpp isn't the one that was tested"),
        where=what,
        fix=f"pip install 'xllamacpp=={PINNED}'",
    )
