"""Word by word: nothing of a text is lost, and what is alike is not marked."""

from hypothesis import given
from hypothesis import strategies as st

from yukjo.dashboard.differ import MOST_WORDS, Span, marked

TEXT = st.text(alphabet="가나다 를가 12,.\n", max_size=40)


def shown(text: str, other: str) -> str:
    return "".join(f"[{s.text}]" if s.marked else s.text for s in marked(text, other))


def test_only_the_end_of_a_changed_word_is_marked() -> None:
    assert (
        shown("접수를 7일 안에 합니다.", "접수가 7일 안에 합니다.") == "접수[를] 7일 안에 합니다."
    )
    assert shown("신청서를 내세요", "보고서를 내세요") == "[신청서를] 내세요"


def test_half_a_figure_is_no_figure() -> None:
    assert shown("요금은 1,200원", "요금은 1,300원") == "요금은 [1,200]원"


def test_words_put_in_are_marked_together() -> None:
    assert shown("네. 접수를 마쳤습니다.", "네.") == "네. [접수를 마쳤습니다.]"


@given(text=TEXT, other=TEXT)
def test_nothing_is_lost_and_the_same_text_has_no_mark(text: str, other: str) -> None:
    assert "".join(s.text for s in marked(text, other)) == text
    assert not any(s.marked for s in marked(text, text))


def test_a_text_without_end_is_shown_without_marks() -> None:
    text = "가 나 " * MOST_WORDS
    assert marked(text, "가") == [Span(text, marked=False)]
