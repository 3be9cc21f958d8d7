"""Draw slips of a made-up Korean public office, and say what stands on each.

1. A seed and a domain give one slip: its facts, its form, its picture. All values are drawn at
   random; nothing comes from a real document.
2. Three domains: `clean` is black on white in three fonts; `copied` is what a good copier makes of
   those; `degraded` is what a scanner or a phone makes of slips in three other fonts (`wear`).
3. Seeds for pre-training, choosing, tuning and testing lie apart (`SEEDS`); those for testing are
   read for final tables only.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from wear import copied, worn

Domain = Literal["clean", "copied", "degraded"]
Facts = Mapping[str, str]

WIDTH, HEIGHT = 160, 96
"""Of a picture, in pixels."""
FONTS = Path(__file__).parent / "fonts"
FAMILIES: Mapping[Domain, tuple[str, ...]] = {
    "clean": ("gothic", "barun", "sans"),
    "copied": ("gothic", "barun", "sans"),
    "degraded": ("myeongjo", "square", "serif"),
}
SEEDS = {
    "pretrain": range(10_000_000, 20_000_000),
    "valid": range(20_000_000, 30_000_000),
    "tuning": range(30_000_000, 40_000_000),
    "second": range(40_000_000, 50_000_000),
    "test": range(90_000_000, 100_000_000),
}
FIELDS = ("종류", "접수번호", "날짜", "금액", "부서")
KINDS = ("납부고지서", "접수증", "영수증", "처리통지서", "신청서", "확인서", "증명서", "허가증",
         "신고필증", "환급통지서")  # fmt: skip
OFFICES = ("민원과", "세무과", "교통과", "복지과", "건축과", "환경과", "총무과", "위생과", "토지과",
           "도로과", "문화과", "상수도과", "보건소", "주민센터")  # fmt: skip
LABELS = {
    "종류": ("종류", "문서종류", "서식"),
    "접수번호": ("접수번호", "번호", "관리번호"),
    "날짜": ("날짜", "접수일", "발급일", "처리일"),
    "금액": ("금액", "수수료", "납부액"),
    "부서": ("부서", "담당부서", "처리과", "담당"),
}
SEALS = ("접수", "직인", "확인", "수납")
"""Words in a seal box and on a stamp."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character on a slip and where its ink's middle lies, before any wear, in pixels."""

    character: str
    x: float
    y: float
    line: float
    """Middle of the line it stands on."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands on a slip, and how it looks."""

    facts: Facts
    form: str
    family: str
    picture: Image.Image
    """Grey, WIDTH x HEIGHT."""
    glyphs: tuple[Glyph, ...]


def draw(seed: int, domain: Domain) -> Slip:
    """The slip of a seed."""
    dice = random.Random(seed)
    facts = draw_facts(dice)
    family, form = dice.choice(FAMILIES[domain]), dice.choice(tuple(FORMS))
    sheet = Sheet(family, dice.choice((12, 13)))
    FORMS[form](sheet, facts, dice)
    picture = sheet.picture
    if domain == "copied":
        picture = copied(picture, dice)
    if domain == "degraded":
        picture = worn(picture, dice, font(family, 12), dice.choice(SEALS))
    return Slip(facts, form, family, picture, tuple(sheet.glyphs))


def draw_facts(dice: random.Random) -> Facts:
    """Five facts, all at random; the date and the amount as an official writes them."""
    won = (
        dice.randrange(10, 10_000) * 100 if dice.random() < 0.8 else dice.randrange(1, 100) * 10_000
    )
    return {
        "종류": dice.choice(KINDS),
        "접수번호": f"{dice.randrange(100):02}-{dice.randrange(10_000):04}",
        "날짜": f"{dice.randint(2015, 2034)}. {dice.randint(1, 12)}. {dice.randint(1, 28)}.",
        "금액": f"{won:,}원",
        "부서": dice.choice(OFFICES),
    }


def analysis(facts: Facts) -> str:
    """The facts as the reader answers them: a line a field, in the order of FIELDS."""
    return "\n".join(f"{name}: {facts[name]}" for name in FIELDS)


def parse(text: str) -> dict[str, str]:
    r"""The facts in an analysis; lines of another shape, and fields not asked for, are left out.

    >>> parse("종류: 영수증\n금액: 12,300원\n끝")
    {'종류': '영수증', '금액': '12,300원'}
    """
    pairs = (line.partition(": ") for line in text.splitlines())
    return {name: value.strip() for name, mark, value in pairs if mark and name in FIELDS}


@cache
def font(family: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of this folder; laid out by Pillow alone, so that every machine places it alike."""
    (path,) = FONTS.glob(f"slip-{family}.*")
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def extent(family: str, size: int, character: str) -> tuple[float, float, float]:
    """Advance of a character, and its ink's middle from the left middle of its box."""
    face = font(family, size)
    left, top, right, bottom = face.getbbox(character, anchor="lm")
    return face.getlength(character), (left + right) / 2, (top + bottom) / 2


@dataclass(slots=True)
class Sheet:
    """A white sheet that is written on in one font, and remembers every character."""

    family: str
    size: int
    picture: Image.Image = field(default_factory=lambda: Image.new("L", (WIDTH, HEIGHT), 255))
    glyphs: list[Glyph] = field(default_factory=list)

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        """What draws lines and boxes, black by default."""
        return ImageDraw.Draw(self.picture)

    def width(self, text: str, *, size: int = 0, gap: float = 0) -> float:
        """Of a text as `write` would write it."""
        advances = (extent(self.family, size or self.size, character)[0] for character in text)
        return sum(advances) + gap * (len(text) - 1)

    def write(self, text: str, x: float, y: float, *, size: int = 0, gap: float = 0) -> None:
        """Write from `x` on a line whose middle is `y`, with `gap` pixels between characters."""
        size, pen = size or self.size, self.pen
        for character in text:
            advance, right, down = extent(self.family, size, character)
            pen.text((x, y), character, font=font(self.family, size), fill=0, anchor="lm")
            if character != " ":
                self.glyphs.append(Glyph(character, x + right, y + down, y))
            x += advance + gap

    def centre(
        self, text: str, y: float, *, size: int = 0, gap: float = 0, shift: float = 0
    ) -> None:
        """Write in the middle of the sheet, `shift` pixels beside it."""
        x = (WIDTH - self.width(text, size=size, gap=gap)) / 2
        self.write(text, x + shift, y, size=size, gap=gap)


def labelled(
    facts: Facts, dice: random.Random, names: tuple[str, ...] = FIELDS[1:]
) -> list[tuple[str, str]]:
    """Labels and values of the fields in any order."""
    return [(dice.choice(LABELS[name]), facts[name]) for name in dice.sample(names, len(names))]


def title(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """The kind of document, large and in the middle at the top."""
    sheet.centre(facts["종류"], 10 + dice.randint(-1, 1), size=dice.choice((13, 14, 15)),
                 gap=dice.choice((0, 0, 2, 5)), shift=dice.randint(-5, 5))  # fmt: skip


def rows(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """A title, then a label and its value a line."""
    title(sheet, facts, dice)
    mark = dice.choice(("", ":"))
    lines = [(label + mark, value) for label, value in labelled(facts, dice)]
    columns(sheet, lines, dice, top=29 + dice.randint(-2, 2), pitch=dice.choice((16, 17)))


def listing(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """No title: five lines, perhaps numbered, the kind of document among them."""
    numbered, mark = dice.random() < 0.5, dice.choice(("", ":"))
    sheet.size = 12 if numbered else sheet.size
    lines = [
        (f"{number}. {label}{mark}" if numbered else label + mark, value)
        for number, (label, value) in enumerate(labelled(facts, dice, FIELDS), 1)
    ]
    columns(sheet, lines, dice, top=12 + dice.randint(-2, 2), pitch=dice.choice((17, 18)))


def columns(
    sheet: Sheet, lines: list[tuple[str, str]], dice: random.Random, *, top: float, pitch: float
) -> None:
    """Labels one below the other, and their values in a column beside them or right behind."""
    widths = [sheet.width(label) for label, _ in lines]
    aligned, gap = dice.random() < 0.75, dice.randint(4, 10)
    room = WIDTH - max(widths) - gap - max(sheet.width(value) for _, value in lines)
    left = dice.randint(4, max(4, min(14, int(room) - 4)))
    for row, ((label, value), width) in enumerate(zip(lines, widths, strict=True)):
        sheet.write(label, left, top + row * pitch)
        sheet.write(value, left + (max(widths) if aligned else width) + gap, top + row * pitch)


def table(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """A title, and a table with rules."""
    sheet.size = 12
    title(sheet, facts, dice)
    left, top, pitch = dice.randint(3, 9), 20 + dice.randint(0, 2), 18
    right, split = WIDTH - dice.randint(4, 12), left + 52 + dice.randint(0, 6)
    pen = sheet.pen
    for row in range(5):
        pen.line((left, top + row * pitch, right, top + row * pitch))
    for x in (left, split, right):
        pen.line((x, top, x, top + 4 * pitch))
    for row, (label, value) in enumerate(labelled(facts, dice)):
        middle = top + row * pitch + pitch / 2
        sheet.write(label, left + 3, middle)
        sheet.write(value, split + dice.randint(3, 6), middle)


def quarters(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """A title, and four fields side by side in two rows, each label above its value."""
    sheet.size = 12
    title(sheet, facts, dice)
    pen, top = sheet.pen, 22
    if dice.random() < 0.5:
        pen.line((2, top, WIDTH - 3, top))
        pen.line((2, top + 37, WIDTH - 3, top + 37))
    if dice.random() < 0.5:
        pen.line((WIDTH // 2, top, WIDTH // 2, HEIGHT - 2))
    for place, (label, value) in enumerate(labelled(facts, dice)):
        row, column = divmod(place, 2)
        x, y = 3 + column * (WIDTH // 2 - 1) + dice.randint(0, 1), top + 9 + row * 37
        sheet.write(label, x, y)
        sheet.write(value, x, y + 16)


def boxed(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """The title in a box at the left, a seal's box at the right, and the fields below."""
    pen, text = sheet.pen, facts["종류"]
    left, size = dice.randint(3, 10), dice.choice((13, 14))
    pen.rectangle((left, 3, left + 12 + sheet.width(text, size=size), 22))
    sheet.write(text, left + 6, 12.5, size=size)
    corner = WIDTH - dice.randint(34, 40)
    pen.rectangle((corner, 2, corner + 30, 22))
    sheet.write(dice.choice(SEALS), corner + 4, 12, size=11)
    columns(sheet, labelled(facts, dice), dice, top=34 + dice.randint(-1, 2), pitch=16)


def certificate(sheet: Sheet, facts: Facts, dice: random.Random) -> None:
    """No labels: the number at the top, the title, the amount, the date and the office."""
    sheet.write(f"제 {facts['접수번호']} 호", dice.randint(3, 10), 9, size=12)
    sheet.centre(facts["종류"], 29 + dice.randint(-1, 1), size=dice.choice((15, 16)),
                 gap=dice.choice((2, 4, 8)))  # fmt: skip
    middle = [dice.choice(("금 ", "금액 ", "")) + facts["금액"], facts["날짜"]]
    dice.shuffle(middle)
    for row, text in enumerate(middle):
        sheet.centre(text, 50 + row * 16 + dice.randint(-1, 1), shift=dice.randint(-8, 8))
    sheet.centre(facts["부서"], 85, size=13, gap=dice.choice((0, 2)), shift=-8)
    if dice.random() < 0.6:
        x = WIDTH / 2 + dice.randint(26, 34)
        sheet.pen.rectangle((x, 77, x + 15, 92))


FORMS: Mapping[str, Callable[[Sheet, Facts, random.Random], None]] = {
    "rows": rows,
    "listing": listing,
    "table": table,
    "quarters": quarters,
    "boxed": boxed,
    "certificate": certificate,
}


def characters() -> set[str]:
    """Every character that a slip can show."""
    words = [*KINDS, *OFFICES, *SEALS, *(label for labels in LABELS.values() for label in labels)]
    return set("0123456789-.,: 원제호금액").union(*words)
