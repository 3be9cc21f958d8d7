import unicodedata
from pathlib import Path

import pytest

from yukjo.agents import Role, of_project, role, roles
from yukjo.agents.roles import pick
from yukjo.errors import ConfigError
from yukjo.records import SIX

WHOLE = """
title = "지도 읽기"
title_en = "Map reading"
prompt = "지도를 읽습니다."
tools = ["map_search"]
rules = ["polite"]
"""


def folder_with(place: Path, **files: str) -> Path:
    for name, text in files.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return place


def test_the_six_come_in_the_order_of_the_requirement() -> None:
    assert tuple(roles()) == SIX
    assert all(name == made.name for name, made in roles().items())


@pytest.mark.parametrize("name", SIX)
def test_a_built_in_prompt_is_short_and_nfc(name: str) -> None:
    prompt = role(name).prompt
    assert 60 <= len(prompt) <= 110
    assert unicodedata.is_normalized("NFC", prompt)
    assert "\n" not in prompt


def test_the_tools_are_those_the_seed_gives_and_the_check_of_documents() -> None:
    assert {name: made.tools for name, made in roles().items() if made.tools} == {
        "rag": ("document_search",),
        "legal_research": ("legal_reference",),
        "data_analysis": ("calculator", "data_analysis"),
        "review": ("document_check",),
    }


def test_another_prompt_has_another_hash() -> None:
    one = role("rag")
    other = one.model_copy(update={"prompt": one.prompt + " "})
    assert one.prompt_hash != other.prompt_hash
    assert one.prompt_hash == role("rag").prompt_hash


def test_a_mistyped_agent_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as fault:
        role("legal_reserch")
    assert "legal_reserch" in fault.value.what
    assert "legal_research" in fault.value.fix


def test_an_agent_like_no_other_gets_the_list() -> None:
    with pytest.raises(ConfigError) as fault:
        pick(roles(), "xyzzy")
    assert all(name in fault.value.fix for name in SIX)


def test_a_projects_own_role_comes_after_the_six(tmp_path: Path) -> None:
    found = roles(folder_with(tmp_path, map_reading=WHOLE))
    assert tuple(found) == (*SIX, "map_reading")
    assert found["map_reading"] == Role(
        name="map_reading",
        title="지도 읽기",
        title_en="Map reading",
        prompt="지도를 읽습니다.",
        tools=("map_search",),
        rules=("polite",),
    )


def test_a_projects_role_replaces_a_built_in_one_in_its_place(tmp_path: Path) -> None:
    found = roles(folder_with(tmp_path, review=WHOLE))
    assert tuple(found) == SIX
    assert found["review"].title == "지도 읽기"
    assert roles()["review"].title == "검토"


def test_a_decomposed_prompt_is_the_same_role(tmp_path: Path) -> None:
    folder_with(tmp_path, one=WHOLE, two=unicodedata.normalize("NFD", WHOLE))
    found = roles(tmp_path)
    assert found["one"].prompt_hash == found["two"].prompt_hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "읽을 수 없"),
        (WHOLE.replace("prompt", "promt"), "promt"),
        (WHOLE.replace('prompt = "지도를 읽습니다."', ""), "prompt"),
        (WHOLE.replace("지도를 읽습니다.", "  "), "prompt"),
        (WHOLE.replace('["polite"]', "[]"), "rules"),
        (WHOLE.replace('["polite"]', '["Not Polite"]'), "rules"),
        (WHOLE.replace('["polite"]', "3"), "rules"),
        ('name = "map"' + WHOLE, "name"),
    ],
)
def test_a_broken_role_names_its_file_and_its_fault(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as fault:
        roles(folder_with(tmp_path, broken=text))
    assert "broken.toml" in fault.value.where
    assert said in fault.value.what
    assert fault.value.fix


def test_a_role_that_is_not_utf8_or_badly_named_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cp949.toml").write_bytes(WHOLE.encode("cp949"))
    with pytest.raises(ConfigError, match=r"cp949\.toml"):
        roles(tmp_path)
    (tmp_path / "cp949.toml").unlink()
    with pytest.raises(ConfigError, match=r"지도\.toml"):
        roles(folder_with(tmp_path, 지도=WHOLE))


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        roles(tmp_path / "nowhere")


def test_a_folder_of_roles_in_a_project_counts_where_it_is_there(tmp_path: Path) -> None:
    assert of_project(tmp_path) == roles()
    (tmp_path / "roles").mkdir()
    file = tmp_path / "roles" / "reader.toml"
    file.write_text('title = "판독"\ntitle_en = "R"\nprompt = "읽는다."\nrules = ["polite"]\n')
    assert list(of_project(tmp_path)) == [*SIX, "reader"]
    assert of_project(tmp_path)["reader"].prompt == "읽는다."
