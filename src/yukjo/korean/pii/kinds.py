"""The kinds of personal data that are looked for, and what stands in the place of each.

Identity numbers are those of 「개인정보 보호법」 제24조 and its decree, 제19조 (주민등록번호,
여권번호, 운전면허번호, 외국인등록번호); the rest points at a person alone or beside other data
(「개인정보 보호법」 제2조제1호).
"""

import re
from typing import Literal, NamedTuple

Level = Literal["error", "warning"]


class Kind(NamedTuple):
    """A kind of personal data."""

    level: Level
    """An error is never needed to learn from; a warning may be nobody's, so people decide."""
    korean: str
    """What it is called; in brackets, what `masked` writes."""

    @property
    def placeholder(self) -> str:
        """What stands in its place."""
        return f"[{self.korean}]"


KINDS = {
    "rrn": Kind("error", "주민등록번호"),
    "frn": Kind("error", "외국인등록번호"),
    "passport": Kind("error", "여권번호"),
    "licence": Kind("error", "운전면허번호"),
    "insurance": Kind("error", "건강보험증번호"),
    "card": Kind("error", "카드번호"),
    "mobile": Kind("error", "휴대전화번호"),
    "email": Kind("error", "전자우편"),
    "phone": Kind("warning", "전화번호"),
    "account": Kind("warning", "계좌번호"),
    "corporation": Kind("warning", "법인등록번호"),
    "business": Kind("warning", "사업자등록번호"),
    "plate": Kind("warning", "차량번호"),
    "birth": Kind("warning", "생년월일"),
    "ip": Kind("warning", "IP주소"),
    "address": Kind("warning", "주소"),
    "name": Kind("warning", "이름"),
}

PLACED = re.compile("|".join(re.escape(kind.placeholder) for kind in KINDS.values()))
"""Any placeholder."""


class Hit(NamedTuple):
    """Personal data found in a text."""

    start: int
    """0-based, in the text as given."""
    end: int
    kind: str
    """A key of `KINDS`."""
    fits: bool | None = None
    """Whether its check digit fits; None where it has none. A misfit never clears a hit."""
