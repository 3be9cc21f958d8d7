"""What only the llama.cpp speaker does: proofs asked for, schemas kept, kept state bounded."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speaking import answered, prompt, said, turn
from toys import ALL, Tiny, trainer_on
from yukjo.adapters.base_gguf import convert_base
from yukjo.adapters.prove import derive
from yukjo.backends.torch.tokenizer import HfTokenizer
from yukjo.engines.llama_cpp import library as llama
from yukjo.engines.llama_cpp.model import Model
from yukjo.engines.llama_cpp.speaker import LlamaCppSpeaker
from yukjo.errors import AdapterError, DataError, ModelError
from yukjo.files import sha256_file, write_whole
from yukjo.records import Proof

ADAPTER, BASE = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def gguf(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("gguf") / "base.gguf"
    convert_base(tiny("qwen3"), file, kind="F32")
    return file


def speaker_on(gguf: Path, folder: Path, **changes: Any) -> LlamaCppSpeaker:
    given: dict[str, Any] = {
        "base_hash": BASE, "decode": HfTokenizer(folder).decode, "slots": 2, "context": 512,
        "threads": 1, "state_mb": 8,
    }  # fmt: skip
    return LlamaCppSpeaker(Model(gguf), **(given | changes))


@pytest.fixture(scope="module")
def speaker(gguf: Path, tiny: Tiny) -> Iterator[LlamaCppSpeaker]:
    with speaker_on(gguf, tiny("qwen3")) as made:
        yield made


@pytest.fixture
def folder(gguf: Path, tiny: Tiny, tmp_path: Path) -> Path:
    """An adapter with its derived file, and no proof yet."""
    trainer_on(tiny("qwen3"), {"a": ALL}).save("a", tmp_path / "a")
    derive(tmp_path / "a", gguf=gguf)
    return tmp_path / "a"


def prove(folder: Path, gguf: Path, **changes: Any) -> None:
    """A proof beside the derived file; it holds unless `changes` say otherwise."""
    file, proof = Proof.places(folder, sha256_file(gguf))
    given: dict[str, Any] = {
        "adapter": ADAPTER, "base_hash": BASE, "gguf": sha256_file(gguf), "file": sha256_file(file),
        "positions": 1, "kl": 0, "kl_base": 0, "effect": 1, "error": 0, "most_kl": 1,
        "most_error": 1,
    }  # fmt: skip
    write_whole(proof, Proof(**(given | changes)).model_dump_json())


# Proofs


def test_an_adapter_is_loaded_only_with_its_proof(
    speaker: LlamaCppSpeaker, folder: Path, gguf: Path
) -> None:
    with pytest.raises(AdapterError, match="증명") as fault:
        speaker.load(ADAPTER, folder)
    assert f"export {ADAPTER[:12]}" in fault.value.fix
    prove(folder, gguf)
    assert (
        speaker.load(ADAPTER, folder) == Proof.places(folder, sha256_file(gguf))[0].stat().st_size
    )
    speaker.unload(ADAPTER)


@pytest.mark.parametrize(
    "change",
    [
        {"adapter": "c" * 64}, {"base_hash": "c" * 64}, {"file": "c" * 64},
        {"kl": 2}, {"kl_base": 2}, {"error": 2}, {"error": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_a_proof_of_something_else_or_one_that_fails_is_none(
    change: dict[str, Any], speaker: LlamaCppSpeaker, folder: Path, gguf: Path
) -> None:
    prove(folder, gguf, **change)
    with pytest.raises(AdapterError):
        speaker.load(ADAPTER, folder)


def test_a_derived_file_that_changed_is_refused(
    speaker: LlamaCppSpeaker, folder: Path, gguf: Path
) -> None:
    prove(folder, gguf)
    file, proof = Proof.places(folder, sha256_file(gguf))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(AdapterError):
        speaker.load(ADAPTER, folder)
    proof.write_text("{")
    with pytest.raises(AdapterError):
        speaker.load(ADAPTER, folder)


def test_deriving_again_takes_the_old_proof_away(folder: Path, gguf: Path) -> None:
    prove(folder, gguf)
    file, _ = derive(folder, gguf=gguf)
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_what_llama_cpp_cannot_load_is_an_error_for_people(
    speaker: LlamaCppSpeaker, tiny: Tiny, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(AdapterError, match="llama"):
        speaker.load_file(ADAPTER, broken)
    with pytest.raises(ModelError, match="llama"):
        speaker_on(broken, tiny("qwen3"))
    assert said(speaker, turn("", prompt(5)))


# Rows and threads


def test_a_free_slot_speaks_along_with_three_answers_and_leaves_no_trace(
    gguf: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [turn("", prompt(30, seed=seed), max_tokens=4 + 8 * seed) for seed in range(3)]
    with speaker_on(gguf, tiny("qwen3"), slots=4) as speaker:
        alone = [said(speaker, one)[0] for one in turns]
        rows: list[int] = []
        passed = speaker._pass
        monkeypatch.setattr(speaker, "_pass", lambda r: (rows.append(len(r)), passed(r)))
        assert said(speaker, *turns) == alone
        assert said(speaker, turns[0]) == alone[:1]
        # Three prompts, three passes of three answers, then two, then the last one alone.
        assert rows[:22] == [30] * 3 + [4] * 3 + [2] * 8 + [1] * 8


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is Linux's")
def test_a_speaker_that_is_shut_leaves_no_thread(gguf: Path, tiny: Tiny) -> None:
    """Threads left behind would keep those of the next speaker from spinning."""
    before = len(list(Path("/proc/self/task").iterdir()))
    with speaker_on(gguf, tiny("qwen3"), threads=3) as speaker:
        said(speaker, turn("", prompt(5)))
        assert len(list(Path("/proc/self/task").iterdir())) == before + 2
    assert len(list(Path("/proc/self/task").iterdir())) == before


# JSON Schema

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"부서": {"enum": ["민원과", "세무과"]}, "건수": {"type": "integer"}},
        "required": ["부서", "건수"],
        "additionalProperties": False,
    }
)


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_satisfies_its_schema(speaker: LlamaCppSpeaker, seed: int) -> None:
    """From random weights, which would never write JSON by themselves."""
    asked = turn(
        "", prompt(20), schema=SCHEMA, temperature=float(seed > 0), seed=seed, max_tokens=200
    )
    text, end = answered(speaker, asked)[0]
    if end == "stop":
        found = json.loads(text)
        assert found.keys() == {"부서", "건수"}
        assert found["부서"] in {"민원과", "세무과"}
        assert isinstance(found["건수"], int)
    else:  # an integer of two hundred digits is one still
        assert text.startswith('{"부서": "')


def test_two_schemas_side_by_side_keep_to_their_own(speaker: LlamaCppSpeaker) -> None:
    other = json.dumps({"const": "네"})
    texts = said(
        speaker,
        turn("", prompt(20), schema=SCHEMA, max_tokens=30),
        turn("", prompt(20), schema=other, max_tokens=30),
    )
    assert texts[0].startswith("{")
    assert json.loads(texts[1]) == "네"


@pytest.mark.parametrize("schema", ["{", '{"type": "nonsense"}', '{"$ref": "http://x.example/y"}'])
def test_a_schema_that_cannot_be_kept_is_refused_and_takes_no_slot(
    schema: str, speaker: LlamaCppSpeaker
) -> None:
    for _ in range(3):
        with pytest.raises(DataError, match="JSON Schema"):
            speaker.open(turn("", prompt(5), schema=schema))
    assert len(said(speaker, turn("", prompt(5)), turn("", prompt(6)))) == 2


# State


def restored(speaker: LlamaCppSpeaker, adapter: str, seed: int) -> int:
    opened = speaker.open(turn(adapter, prompt(60, seed=seed), prefix=40))
    while speaker.step([opened.slot])[0].finish is None:
        pass
    speaker.close(opened.slot)
    return opened.restored


def test_the_states_used_last_are_kept_within_their_room(gguf: Path, tiny: Tiny) -> None:
    with speaker_on(gguf, tiny("qwen3")) as wide:
        restored(wide, "", 0)
        (size,) = map(len, wide._states.values())
    with speaker_on(gguf, tiny("qwen3"), state_mb=2.5 * size / 2**20) as speaker:
        kept = [restored(speaker, "", seed) for seed in (1, 2, 1, 3, 1, 2)]
        assert kept == [0, 0, 40, 0, 40, 0]
    with speaker_on(gguf, tiny("qwen3"), state_mb=0.5 * size / 2**20) as narrow:
        assert [restored(narrow, "", 1) for _ in range(2)] == [0, 0]


def test_state_outlives_the_adapters_stay_and_is_its_own_alone(
    speaker: LlamaCppSpeaker, folder: Path, gguf: Path
) -> None:
    prove(folder, gguf)
    speaker.load(ADAPTER, folder)
    assert restored(speaker, ADAPTER, 9) == 0
    wanted = said(speaker, turn(ADAPTER, prompt(60, seed=9), prefix=40))
    speaker.unload(ADAPTER)
    assert restored(speaker, "", 9) == 0
    speaker.load(ADAPTER, folder)
    assert restored(speaker, ADAPTER, 9) == 40
    assert said(speaker, turn(ADAPTER, prompt(60, seed=9), prefix=40)) == wanted
    speaker.unload(ADAPTER)


def test_a_prefix_that_is_the_whole_prompt_leaves_a_token_to_compute(
    speaker: LlamaCppSpeaker,
) -> None:
    plain = said(speaker, turn("", prompt(30)))
    for prefix in (29, 30, 99):
        for _ in range(2):
            assert said(speaker, turn("", prompt(30), prefix=prefix)) == plain


# The library


def test_another_version_of_the_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama, "PINNED", "2020.1.1")
    with pytest.raises(ModelError, match="xllamacpp") as fault:
        llama.Library()
    assert "xllamacpp==2020.1.1" in fault.value.fix


@pytest.mark.parametrize("name", ["n_seq_max", "defrag_thold", "kv_unified"])
def test_another_layout_of_its_structs_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(llama._DEFAULTS, name, 77)
    with pytest.raises(ModelError, match="xllamacpp") as fault:
        llama.Library()
    assert name in fault.value.where


def test_threads_are_what_was_asked(gguf: Path, tiny: Tiny) -> None:
    with speaker_on(gguf, tiny("qwen3"), threads=2) as two:
        assert two._c.llama_n_threads(two._context) == 2
