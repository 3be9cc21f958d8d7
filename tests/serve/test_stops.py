"""A stop text is never shown, not even in part, and nothing else is lost."""

from hypothesis import given
from hypothesis import strategies as st

from yukjo.serve.stops import Cutter

LETTERS = st.text(alphabet="ab끝", max_size=12)


def shown(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    cutter, text = Cutter(stops), ""
    for piece in pieces:
        more, stopped = cutter.feed(piece)
        text += more
        assert not any(stop in text for stop in stops)
        if stopped:
            return text, True
    return text + cutter.rest(), False


def test_a_stop_text_over_three_pieces_is_cut() -> None:
    assert shown(["### 요청"], ["답입니다.\n#", "## ", "요청\n더"]) == ("답입니다.\n", True)


def test_what_only_begins_like_a_stop_text_is_shown_in_the_end() -> None:
    assert shown(["끝."], ["이것이 끝"]) == ("이것이 끝", False)


@given(st.lists(st.text(alphabet="ab끝", min_size=1, max_size=4), max_size=3), st.lists(LETTERS))
def test_pieces_make_no_difference(stops: list[str], pieces: list[str]) -> None:
    whole = "".join(pieces)
    text, stopped = shown(stops, pieces)
    ends = [n for n in range(len(whole) + 1) if any(whole[:n].endswith(s) for s in stops)]
    assert stopped == bool(ends)
    if not stopped:
        assert text == whole
        return
    # The first stop text to be whole ends the answer, however many letters came at once.
    begin = min(ends[0] - len(s) for s in stops if whole[: ends[0]].endswith(s))
    assert text == whole[:begin]
