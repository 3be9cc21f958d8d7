"""Every speaker on tiny models of the three families, with three adapters that already act."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toys import ALL, SOME, Tiny, trainer_on
from yukjo.adapters.base_gguf import convert_base
from yukjo.adapters.prove import derive
from yukjo.adapters.store import content_id
from yukjo.backends.torch.base import Base
from yukjo.backends.torch.engine import TorchEngine
from yukjo.backends.torch.speaker import TorchSpeaker
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.engines.llama_cpp.model import Model
from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker
from yukjo.files import sha256_file, write_whole
from yukjo.ports import Speaker
from yukjo.records import Proof

FAMILIES = ("qwen3", "llama", "gemma3")
LORAS = {
    "plain": ALL,
    "rs": SOME.model_copy(update={"use_rslora": True}),
    "wide": ALL.model_copy(update={"rank": 12, "alpha": 40}),
}


@dataclass(frozen=True)
class Place:
    """A tiny base as folder and as F32 GGUF, and its adapters by content hash."""

    base: Path
    gguf: Path
    adapters: dict[str, Path]

    def engine(self) -> TorchEngine:
        base = Base(self.base, dtype="float32")
        engine = TorchEngine(base, HfTokenizer(self.base), batch=4)
        for adapter, folder in self.adapters.items():
            engine.load(adapter, folder)
        return engine

    def llama_cpp(self, *, slots: int = 3, context: int = 256) -> LlamaCppSpeaker:
        engine = self.engine()
        return LlamaCppSpeaker(
        Model(self.gguf), base_hash=engine.base_hash, decode=engine.tokenizer.decode,
            slots=slots, context=context, threads=1, state_mb=8,
        )  # fmt: skip

    def torch(self, *, slots: int = 3, context: int = 256) -> TorchSpeaker:
        engine = self.engine()
        for adapter in self.adapters:
            engine.unload(adapter)
        return TorchSpeaker(engine, slots=slots, context=context)

    def speaker(self, kind: str, *, slots: int = 3, context: int = 256) -> Speaker:
        return {"llama_cpp": self.llama_cpp, "torch": self.torch}[kind](
            slots=slots, context=context
        )


Places = Callable[[str], Place]


@pytest.fixture(scope="session")
def places(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Places:
    made: dict[str, Place] = {}

    def place(family: str) -> Place:
        if family not in made:
            made[family] = _made(tiny(family), tmp_path_factory.mktemp(f"place-{family}"))
        return made[family]

    return place


def _made(base: Path, root: Path) -> Place:
    gguf = root / "base.gguf"
    convert_base(base, gguf, kind="F32")
    trainer, adapters = trainer_on(base, LORAS), {}
    for name in LORAS:
        trainer.save(name, root / name)
        adapters[content_id(root / name)] = root / name
    for adapter, folder in adapters.items():
        file, _ = derive(folder, gguf=gguf)
        write_proof(adapter, folder, file, base=trainer.base.hash, gguf=sha256_file(gguf))
    return Place(base, gguf, adapters)


def write_proof(adapter: str, folder: Path, file: Path, *, base: str, gguf: str) -> None:
    """A proof that holds, for tests of what comes after it."""
    proof = Proof(
        adapter=adapter, base_hash=base, gguf=gguf, file=sha256_file(file), positions=1, kl=0,
        kl_base=0, effect=1, error=0, most_kl=1, most_error=1,
    )  # fmt: skip
    write_whole(Proof.places(folder, gguf)[1], proof.model_dump_json())


@pytest.fixture(params=["llama_cpp", "torch"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(places: Places, family: str) -> Place:
    return places(family)


@pytest.fixture
def speaker(place: Place, kind: str) -> Iterator[Speaker]:
    """With every adapter loaded."""
    made = place.speaker(kind)
    for adapter, folder in place.adapters.items():
        assert made.load(adapter, folder) > 0
    yield made
    if isinstance(made, LlamaCppSpeaker):
        made.shut()
