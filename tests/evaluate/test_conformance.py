import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.agents import role, roles
from yukjo.errors import ConfigError
from yukjo.evaluate.conformance import RULES, broken, conformance, rule_called
from yukjo.records import SIX, Message, Sample

DATA = Path(__file__).parents[2] / "examples/gov/data/practice.jsonl"


def sample(material: str = "", *, agent: str = "rag") -> Sample:
    return Sample(instruction="알려 주세요.", input=material, output="답", agent_type=agent)


def keeps(rule: str, text: str, material: str = "") -> bool:
    return RULES[rule](sample(material), text)


TWO = "『가 계획』 1쪽: 셋.\n『나 지침』 2쪽: 『다 지침』을 따른다."
DRAFT = "초안: 몇일간 문을 닫습니다. 체육관: 600㎡, 400명. 어르신들의 양해를 부탁드립니다."
LAW = "「한빛시 주차 조례」\n제5조(감면) ① 장애인이 쓰는 차의 요금은 반으로 한다."
SIX_PARTS = (
    "1. 개요\n 가\n2. 배경\n 나\n3. 내용\n 차\n4. 예산\n 라\n5. 일정\n 마\n6. 효과\n 바  끝."
)

KEPT = [
    ("cites_source", "셋입니다. [출처: 가 계획, 1쪽]", TWO),
    ("cites_source", "셋입니다. [출처: 가 계획, 1쪽]", "가 계획에 따르면 셋"),
    ("cites_every_document", "[출처: 가 계획, 1쪽] [출처: 나 지침, 2쪽]", TWO),
    ("polite", "됩니다. 신청하세요.", ""),
    ("polite", "이렇게 합니다.\n1. 신분증 준비\n2. 방문해 주세요.\n문의: 총무과", ""),
    ("polite", "2026. 3. 2.부터 됩니다. [출처: 가 계획, 1쪽]", ""),
    ("polite", '규정은 "신청해야 한다."입니다. 언제 오시나요?', ""),
    ("gives_steps", "순서입니다.\n1. 준비\n2. 방문\n3. 수령", ""),
    ("gives_contact", "문의: 가온군 복지과(000-123-4567)", "문의: 복지과 000-123-4567"),
    ("gives_contact", "문의: 정부민원안내콜센터(국번 없이 110)", ""),
    ("asks_back", "됩니다.\n언제 오시겠습니까?", ""),
    ("six_sections", SIX_PARTS, ""),
    ("outline_style", SIX_PARTS, ""),
    ("end_mark", SIX_PARTS, ""),
    ("end_mark", "효과 기대 끝.", ""),
    ("cites_article", "「한빛시 주차 조례」 제5조제1항과 같은 조 제2항", LAW),
    ("quotes_article", '[조문]\n제5조: "장애인이 쓰는 차의 요금은 반으로 한다."\n[쉬운 설명]', LAW),
    ("plain_words", "[조문]\n가\n[쉬운 설명]\n반값입니다.\n[실무 적용]\n받습니다.", ""),
    ("practical_use", "[쉬운 설명]\n반값입니다.\n[실무 적용]\n확인합니다.", ""),
    ("thousands_separators", "2025년 1,234건, 2026. 3. 2. 기준 12.3456, 000-123-4567", ""),
    ("thousands_separators", "2023~2025년에 999건", ""),
    ("thousands_separators", "접수번호: 12-3456\n금액: 12,300원", ""),
    ("gives_percentage", "12.5% 늘어 3.0%p 차이", ""),
    ("names_trend", "지난해보다 늘었습니다.", ""),
    ("proposes_chart", "10% 증가\n시각화: 막대그래프가 알맞습니다.", ""),
    ("lists_errors", '[오류]\n1. "몇일간" → "며칠간"이 바름\n2. "체육관 400명" → 300명임', DRAFT),
    ("lists_errors", "[오류]\n발견된 오류 없음. 합이 맞음\n[개선 제안]\n없음", DRAFT),
    ("lists_errors", "[오류]\n1. 연락처 누락 → 물을 곳을 알 수 없음", DRAFT),
    ("proposes_improvement", "[개선 제안]\n연락처와 예약 방법을 적어 주십시오.", ""),
    ("corrected_text", "[수정안]\n며칠간 문을 닫습니다. 어르신들의 양해를 부탁드립니다.", DRAFT),
]

BROKEN = [
    ("cites_source", "셋입니다.", TWO),
    ("cites_source", "셋입니다. [출처: 지어낸 계획, 1쪽]", TWO),
    ("cites_source", "[출처: 가 계획, 1쪽] [출처: 지어낸 계획, 1쪽]", TWO),
    ("cites_source", "[출처: 계획, 1쪽]", TWO),
    ("cites_source", "셋입니다. [출처: 가 계획]", TWO),
    ("cites_every_document", "[출처: 가 계획, 1쪽] [출처: 가 계획, 1쪽]", TWO),
    ("cites_every_document", "됩니다.", ""),
    ("polite", "신청하면 된다.", ""),
    ("polite", "됩니다. 신청하면 된다.", ""),
    ("polite", "됩니다.\n- 방문하면 된다.", ""),
    ("polite", "됩니다. 신분증 필요", ""),
    ("polite", "- 신분증\n- 도장", ""),
    ("gives_steps", "준비하고 방문하세요.", ""),
    ("gives_steps", "1. 준비하세요.", ""),
    ("gives_steps", "1. 준비\n3. 방문", ""),
    ("gives_steps", "1. \n2. ", ""),
    ("gives_contact", "복지과 000-123-4567", "복지과 000-123-4567"),
    ("gives_contact", "문의: 복지과", ""),
    ("gives_contact", "문의: 000-123-4567", "000-123-4567"),
    ("gives_contact", "문의: 복지과(000-999-9999)", "복지과 000-123-4567"),
    ("gives_contact", "문의: 복지과(국번 없이 129)", ""),
    ("asks_back", "언제 오시겠습니까? 기다립니다.", ""),
    ("asks_back", "???", ""),
    ("six_sections", SIX_PARTS.replace("4. 예산\n 라\n", ""), ""),
    ("six_sections", SIX_PARTS.replace("4. 예산\n 라\n", "4. 예산\n"), ""),
    ("six_sections", SIX_PARTS.replace("예산", "일정"), ""),
    ("six_sections", SIX_PARTS + "\n6. 효과\n사", ""),
    ("outline_style", SIX_PARTS.replace(" 차", " 추진할 것이다."), ""),
    ("outline_style", "1. 개요\n2. 배경", ""),
    ("end_mark", "효과 기대", ""),
    ("end_mark", "효과 기대끝.", ""),
    ("end_mark", "끝.", ""),
    ("end_mark", "효과 기대  끝. 감사합니다.", ""),
    ("cites_article", "조례에 따라 반값입니다.", LAW),
    ("cites_article", "「한빛시 주차 조례」 제5조 제1항", LAW),
    ("cites_article", "「한빛시 주차 조례」제5조", LAW),
    ("cites_article", "「한빛시 주차 조례」 제5조제1항, 「한빛시 주차 조례」 제 6조", LAW),
    ("cites_article", "「지어낸 조례」 제5조", LAW),
    ("quotes_article", "[조문]\n제5조: 장애인이 쓰는 차의 요금은 반으로 한다.", LAW),
    ("quotes_article", '[조문]\n제5조: "모든 차의 요금을 받지 아니한다."', LAW),
    ("quotes_article", '[조문]\n제5조: "반"', LAW),
    ("quotes_article", '"장애인이 쓰는 차의 요금은 반으로 한다."', LAW),
    ("plain_words", "[쉬운 설명]\n[실무 적용]\n받습니다.", ""),
    ("plain_words", "쉬운 설명: 반값입니다.", ""),
    ("practical_use", "[실무 적용]\n확인한다.", ""),
    ("practical_use", "[실무 적용]", ""),
    ("thousands_separators", "모두 1234건", ""),
    ("thousands_separators", "모두 2000명", ""),
    ("thousands_separators", "(4056-3120)÷12", ""),
    ("thousands_separators", "접수번호 12-3456의 금액 12300원", ""),
    ("thousands_separators", "늘었습니다.", ""),
    ("gives_percentage", "3.0%p 높습니다.", ""),
    ("gives_percentage", "반이 넘습니다.", ""),
    ("names_trend", "모두 12건이며 한 줄로 씁니다.", ""),
    ("proposes_chart", "시각화: 막대그래프\n10% 증가", ""),
    ("proposes_chart", "시각화: 알맞게 합니다.", ""),
    ("proposes_chart", "막대그래프가 알맞습니다.", ""),
    ("lists_errors", '1. "몇일간" → "며칠간"', DRAFT),
    ("lists_errors", "[오류]\n[개선 제안]\n없음", DRAFT),
    ("lists_errors", '[오류]\n1. "몇일간"이 틀림', DRAFT),
    ("lists_errors", '[오류]\n1. "도서관" → "체육관"', DRAFT),
    ("lists_errors", "[오류]\n1. → 틀림", DRAFT),
    ("lists_errors", '[오류]\n발견된 오류 없음\n1. "몇일간" → 틀림', DRAFT),
    ("proposes_improvement", "[개선 제안]\n없음", ""),
    ("proposes_improvement", "연락처와 예약 방법을 적어 주십시오.", ""),
    ("corrected_text", "[수정안]\n(생략)", DRAFT),
    ("corrected_text", "[수정안]\n도로 보수 예산을 하반기에 다시 편성하기로 했다.", DRAFT),
    ("corrected_text", "며칠간 문을 닫습니다. 어르신들의 양해를 부탁드립니다.", DRAFT),
]


@pytest.mark.parametrize(("rule", "text", "material"), KEPT)
def test_a_good_answer_keeps_the_rule(rule: str, text: str, material: str) -> None:
    assert keeps(rule, text, material)


@pytest.mark.parametrize(("rule", "text", "material"), BROKEN)
def test_a_bad_answer_breaks_the_rule(rule: str, text: str, material: str) -> None:
    assert not keeps(rule, text, material)


def test_every_rule_has_examples_on_both_sides_and_says_what_it_demands() -> None:
    assert {rule for rule, _, _ in KEPT} == set(RULES) == {rule for rule, _, _ in BROKEN}
    assert all(check.__doc__ and check.__name__ == name for name, check in RULES.items())


def test_every_rule_belongs_to_a_built_in_role() -> None:
    assert {rule for made in roles().values() for rule in made.rules} == set(RULES)


def test_conformance_is_the_share_of_rules_kept() -> None:
    asked = sample(LAW, agent="legal_research")
    text = "[조문]\n「한빛시 주차 조례」 제5조제1항\n[쉬운 설명]\n반값입니다.\n[실무 적용]\n받는다."
    assert broken(role("legal_research"), asked, text) == ["quotes_article", "practical_use"]
    assert conformance(role("legal_research"), asked, text) == 0.5


def test_a_quotation_may_stand_in_what_a_tool_gave_but_not_in_the_assistants_own_words() -> None:
    text = '[조문]\n제5조: "장애인이 쓰는 차의 요금은 반으로 한다."'
    for said, keeps_it in (("tool", True), ("user", True), ("assistant", False)):
        turn = Message.model_validate({"role": said, "content": LAW})
        asked = sample(agent="legal_research").model_copy(update={"messages": (turn,)})
        assert RULES["quotes_article"](asked, text) is keeps_it


def test_what_an_earlier_turn_says_is_material_too() -> None:
    earlier = (Message(role="user", content="『가 계획』 1쪽: 셋"),)
    asked = sample().model_copy(update={"messages": earlier})
    assert RULES["cites_source"](asked, "셋입니다. [출처: 가 계획, 1쪽]")


def test_a_mistyped_rule_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as fault:
        rule_called("cites_sauce")
    assert "cites_source" in fault.value.fix


def references() -> list[Sample]:
    rows = DATA.read_text(encoding="utf-8").splitlines()
    return [Sample.model_validate(json.loads(row)) for row in rows if row]


def test_the_reference_answers_keep_their_rules() -> None:
    found = references()
    faults = {s.name: why for s in found if (why := broken(role(s.agent_type), s, s.output))}
    assert len(faults) <= 0.02 * len(found), faults


@pytest.mark.parametrize("agent", SIX)
def test_answers_of_other_agents_keep_few_of_an_agents_rules(agent: str) -> None:
    found = references()
    asked = next(one for one in found if one.agent_type == agent)
    others = [one.output for one in found if one.agent_type != agent]
    kept = [conformance(role(agent), asked, text) for text in others]
    assert sum(kept) / len(kept) < 0.4


def test_an_answer_to_another_question_does_not_cite_this_ones_documents() -> None:
    mine, theirs = (s for s in references() if s.name in {"rag-001", "rag-002"})
    assert "cites_source" in broken(role("rag"), mine, theirs.output)


@pytest.mark.parametrize("agent", SIX)
@given(text=st.text(), material=st.text())
def test_any_text_scores_between_0_and_1_whatever_its_encoding(
    agent: str, text: str, material: str
) -> None:
    asked = sample(material, agent=agent)
    share = conformance(role(agent), asked, text)
    assert 0 <= share <= 1
    assert share == conformance(role(agent), asked, unicodedata.normalize("NFD", text))


@pytest.mark.parametrize("rule", RULES)
@given(blank=st.text(alphabet=" \n\t\u3000"))
def test_nothing_keeps_no_rule(rule: str, blank: str) -> None:
    assert not keeps(rule, blank, LAW)
