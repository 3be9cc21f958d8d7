import pytest

from yukjo.korean.manner import LEVELS, level

ENDINGS = {
    "formal": [
        "접수합니다.",
        "어디로 오시겠습니까?",
        "내시기 바랍니다",
        "기다려 주십시오.",
        "함께 합시다.",
    ],
    "polite": ["오세요!", "됩니다만 늦어요.", "그렇죠?", "내일 오실 거예요.", "안 돼요"],
    "plain": ["접수한다.", "신청해야 한다", "되었는가?", "기한을 알리도록 하라.", "늦었느냐?"],
    "casual": ["내일까지 해.", "내가 할게", "그랬어?", "어렵잖아.", "알려 줘"],
    "noun": [
        "접수 완료",
        "조기 발견과 고립감 완화",
        "신분증 필요",
        "자연재해",
        "가온군",
        "공지",
        "개요",
        "",
    ],
}


@pytest.mark.parametrize(
    ("sentence", "wanted"), [(text, name) for name, texts in ENDINGS.items() for text in texts]
)
def test_an_ending_shows_the_level(sentence: str, wanted: str) -> None:
    assert level(sentence) == wanted


def test_every_level_has_examples() -> None:
    assert list(ENDINGS) == list(LEVELS)
