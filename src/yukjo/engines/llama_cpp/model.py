"""A GGUF file in llama.cpp's memory; the speaker and the tokenizer share it."""

from pathlib import Path

from yukjo.engines.llama_cpp.library import library
from yukjo.errors import ModelError
from yukjo.files import sha256_file
from yukjo.words import say


class Model:
    """A loaded base: its pointers, and the hash of its file."""

    def __init__(self, gguf: Path) -> None:
        """ModelError where llama.cpp can't load the file."""
        self.c = library()
        self.c.complaint()
        self.pointer = self.c.llama_model_load_from_file(
            str(gguf).encode(), self.c.llama_model_default_params()
        )
        if not self.pointer:
            raise ModelError(
                say("llama.cpp can't load the base: {fault}", fault=self.c.complaint()),
                where=str(gguf),
                fix=say("name a GGUF of the Qwen, Llama or Gemma family in [serve] gguf"),
            )
        self.hash = sha256_file(gguf)
        self.vocab = self.c.llama_model_get_vocab(self.pointer)
        self.size: int = self.c.llama_vocab_n_tokens(self.vocab)
        """Tokens of its vocabulary."""

    def free(self) -> None:
        """Give the memory back; nothing that used it may be used again."""
        self.c.llama_model_free(self.pointer)
