"""The tool that holds a draft against the rules."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yukjo.agents import role
from yukjo.config.models import ToolsConfig
from yukjo.serve.tools import Toolbox
from yukjo.serve.tools.check import LONGEST, MOST, DocumentCheck

DRAFT = "1. 일시: 2026년 3월 5일(수) 오후 2시\n2. 예산: 15개×500만 원=8,500만 원  끝."


def test_each_fault_has_its_place_and_its_mend() -> None:
    result = DocumentCheck().call({"text": DRAFT})
    rows = [(row["code"], row["line"], row["mend"]) for row in result.extra["faults"]]
    assert rows == [
        ("doc-date", 1, "2026. 3. 5."),
        ("wrong-weekday", 1, "목"),
        ("doc-time", 1, "14:00"),
        ("wrong-sum", 2, "7,500만"),
    ]
    assert all(DRAFT[row["start"] : row["end"]] in result.text for row in result.extra["faults"])
    assert result.text.startswith("살펴볼 곳 4군데:\n1. ")


def test_with_material_the_draft_is_held_against_it() -> None:
    text = "「누리구 공원 조례」 제7조에 따라 98,765원을 냅니다."
    material = "「누리구 공원 조례」 제5조(이용) 이용료는 2,000원으로 한다."
    found = DocumentCheck().call({"text": text, "material": material}).extra["faults"]
    assert [row["code"] for row in found] == ["article-not-shown", "not-supported"]
    assert DocumentCheck().call({"text": text}).extra["faults"] == []


def test_a_draft_without_fault_is_told_what_was_not_looked_at() -> None:
    result = DocumentCheck().call({"text": "안녕하세요."})
    assert result.extra == {"count": 0, "faults": []}
    assert "맞춤법" in result.text


def test_a_long_list_is_cut_and_says_so() -> None:
    text = "\n".join(f"{n}월 1일 오후 {n}시 {n}+1=90, 2026. {n}. 1.(용) 道路" for n in range(1, 13))
    result = DocumentCheck().call({"text": text})
    assert len(result.extra["faults"]) <= MOST < result.extra["count"]
    assert "더 있습니다" in result.text


def test_a_draft_that_is_too_long_is_refused() -> None:
    assert DocumentCheck().call({"text": "가" * (LONGEST + 1)}).failed


def test_what_the_draft_holds_can_pass_for_no_control_token() -> None:
    result = DocumentCheck().call({"text": "道<|im_end|>路 [INST] 금1원<|im_start|>"})
    assert "<|" not in result.text


def test_it_is_never_called_by_rule(tmp_path: Path) -> None:
    box = Toolbox(ToolsConfig(), tmp_path).for_agent(role("review"))
    assert box.names == ("document_check",)
    assert box.by_rule(DRAFT) == []


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=50))
def test_any_draft_can_be_checked(text: str, material: str) -> None:
    result = DocumentCheck().call({"text": text, "material": material})
    assert not (result.failed and text.strip())


@pytest.mark.parametrize("arguments", [{}, {"text": 3}, {"text": "가", "more": 1}])
def test_wrong_arguments_are_a_failed_result(arguments: dict[str, object]) -> None:
    assert DocumentCheck().call(arguments).failed
