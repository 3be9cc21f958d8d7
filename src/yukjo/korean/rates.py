"""Changes and shares that a text states with both their figures, reckoned again.

`420개에서 168개로 60% 감소`, `150건 중 120건(80%)`, `95.0%(57÷60)`.

1. Both figures and the rate stand in one sentence, with the same unit; else nothing is said.
2. Two rates differ in %p. A difference of rates written with % is a fault of its own, unless it is
   the relative change.
3. A rate may be rounded or cut at its last digit (`equations.agrees`).
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from yukjo.korean.equations import agrees, blurred
from yukjo.korean.found import Found, moved
from yukjo.korean.numbers import NUMBER, parse, written
from yukjo.korean.text import has_digit, lines_with

_UNIT = r"%\s?p|[%％]|[가-힣㎡㎥㎞㎏℃a-zA-Z]{1,6}?"
_PLAIN = r"(?<![\d.,])(?=\d)(?>" + NUMBER + ")"
# Numbers that only say which year or quarter don't stand between two figures.
_GAP = r"(?:[^\d.!?\n%％]|\.(?=\d)|\d+(?:년|월|분기|반기)){0,24}?"
_UP = "증가|상승|늘|오르|올랐|올라|높아[지졌]|많아[지졌]|개선"
_DOWN = "감소|하락|줄|내리|내렸|내려|낮아[지졌]|적어[지졌]|떨어"
_RATE = r"(?P<rate>\d+(?:\.\d+)?)\s?(?P<sign>%\s?p|[%％](?!\s?[pP포]))"
_WAY = rf"[^\d.!?\n]{{0,8}}?(?P<way>{_UP}|{_DOWN})(?!한\s?것은\s?아)"
_CHANGE = re.compile(
    rf"(?P<before>{_PLAIN})\s?(?P<unit>{_UNIT})\s?(?:\([^()\n]{{0,20}}\)\s?)?(?P<link>에서|→|➔|->|⇒)"
    rf"{_GAP}(?P<after>{_PLAIN})\s?(?P<again>{_UNIT})(?P<to>으로|로|\s?\(|,)"
    rf"(?P<gap>(?:[^\d.!?\n%％]|(?P<step>{_PLAIN})\s?(?P=unit)(?=[ ,가-힣])){{0,16}}?)"
    rf"{_RATE}{_WAY}"
)
_THAN = re.compile(
    rf"(?P<after>{_PLAIN})\s?(?P<again>{_UNIT})(?:으로|로|이며|이고|인데|,)\s{_GAP}"
    rf"(?P<before>{_PLAIN})\s?(?P<unit>{_UNIT})\)?보다\s"
    rf"(?P<gap>(?:[^\d.!?\n%％]|(?P<step>{_PLAIN})\s?(?P=unit)(?=[ ,가-힣(])){{0,16}}?)"
    rf"{_RATE}{_WAY}"
)
_SHARE = re.compile(
    rf"(?P<whole>{_PLAIN})\s?(?P<unit>[가-힣㎡㎏]{{1,4}}?)\s(?:중|가운데)(?:에서)?(?:의|은|는)?\s?"
    rf"(?P<label>[^\d.!?,()\n%％]{{0,14}}?)(?P<part>{_PLAIN})\s?(?P<again>[가-힣㎡㎏]{{1,4}}?)"
    rf"(?:\((?:약\s?)?|(?:으로|로|이|,)\s(?:약\s?|전체의\s|[가-힣 ]{{0,8}})?)"
    rf"(?P<rate>\d+(?:\.\d+)?)\s?[%％](?!\s?[pP포])(?=\)|를|이|가|에|로|입|임|,|\.|다|였|\s|$)"
)
_QUOTIENT = re.compile(
    rf"(?P<rate>\d+(?:\.\d+)?)\s?[%％]\s?\((?P<part>{_PLAIN})\s?[가-힣㎡㎏]{{0,4}}\s?[÷/]\s?"
    rf"(?P<whole>{_PLAIN})\s?[가-힣㎡㎏]{{0,4}}(?:\s?[×*]\s?100)?\)"
)
_ROUGH = re.compile(r"(?:약|대략|거의|가까이|이상|넘게|정도|가량)\s*$")
_ROUGH_AFTER = re.compile(r"\s?(?:%p?|％)?\s?(?:가량|정도|가까이|넘게|이상|여|안팎)")
_PARTS = re.compile("중|가운데|÷|/")
_FROM = re.compile("에서|→|➔|->|⇒")
_THAN_WORD = re.compile("보다")
_MOVES = re.compile(f"{_UP}|{_DOWN}")
_CHAIN = re.compile(r"(?:→|➔|->|⇒|에서)[^\d\n]{0,4}$")
_OTHER_BASE = re.compile("전년|작년|지난해|동기|동월|전월|전국|평균|목표|계획|증가율|감소율")


def rate_faults(text: str) -> list[Found]:
    """Rates in `text`, in NFC, that don't follow from the figures beside them.

    >>> [(f.code, f.mend) for f in rate_faults("420개에서 168개로 70% 감소, 45%에서 48%로 3% 상승")]
    [('wrong-rate', '60'), ('percent-point', '%p')]
    >>> [(f.code, f.mend) for f in rate_faults("150건 중 120건(85.0%)")]
    [('wrong-share', '80')]
    """
    found: list[Found] = []
    for start, line in lines_with(text, "%", "％"):
        if not has_digit(line):
            continue
        if _PARTS.search(line):
            for pattern in (_SHARE, _QUOTIENT):
                shares = (one for match in pattern.finditer(line) for one in _share(match))
                found += moved(shares, start)
        for pattern, link in ((_CHANGE, _FROM), (_THAN, _THAN_WORD)):
            if link.search(line):
                changes = (one for match in pattern.finditer(line) for one in _change(match))
                found += moved(changes, start)
    return found


def _share(match: re.Match[str]) -> Iterator[Found]:
    named = match.groupdict()
    if named.get("unit") != named.get("again") or _OTHER_BASE.search(named.get("label") or ""):
        return
    whole, part = parse(match["whole"]), parse(match["part"])
    if not whole or part is None or part > whole:
        return
    value = part / whole * 100
    if not agrees(match["rate"], value, rough=_rough(match)):
        yield Found("wrong-share", *match.span("rate"), _written(match["rate"], value))


def _change(match: re.Match[str]) -> Iterator[Found]:
    unit = match["unit"].replace(" ", "").replace("％", "%")
    if unit != match["again"].replace(" ", "").replace("％", "%") or unit == "%p":
        return
    before, after = parse(match["before"]), parse(match["after"])
    if before is None or after is None or before == after:
        return
    if _is_other(match):
        return
    points = match["sign"].endswith("p")
    if unit == "%":
        yield from _of_rates(match, before, after, points=points)
    elif not points and before:
        value = abs(after - before) / before * 100
        if not agrees(match["rate"], value, rough=_rough(match), blur=_blur(match, after - before)):
            yield Found("wrong-rate", *match.span("rate"), _written(match["rate"], value))
    if (re.match(_UP, match["way"]) is not None) != (after > before):
        mend = "증가" if after > before else "감소"
        yield Found(
            "wrong-rate", *match.span("way"), mend if match["way"] in {"증가", "감소"} else ""
        )


def _is_other(match: re.Match[str]) -> bool:
    """Whether the rate may well be of other figures than the two."""
    named, gap = match.groupdict(), match["gap"]
    # In `a → b → c` the rate may be of the first and the last.
    if _CHAIN.search(match.string[max(0, match.start() - 12) : match.start()]):
        return True
    # `312,000명에서 4,400명(1.4%) 늘어`: the second figure is the step.
    if named.get("link") == "에서" and "로" not in named["to"]:
        return True
    # `3%에서 3.5%로 올랐고, 대출은 15% 줄었다`: a new subject.
    if re.search(r"[은는도]\s", gap) or (match["step"] is None and _MOVES.search(gap)):
        return True
    return bool(_OTHER_BASE.search(gap) or _OTHER_BASE.search(match["way"]))


def _of_rates(
    match: re.Match[str], before: Fraction, after: Fraction, *, points: bool
) -> Iterator[Found]:
    """A change between two rates: in points, or relative to the first."""
    step, rough = abs(after - before), _rough(match)
    if agrees(match["rate"], step, rough=rough):
        if not points and not (before and agrees(match["rate"], step / before * 100)):
            yield Found("percent-point", *match.span("sign"), "%p")
    elif points or not (before and agrees(match["rate"], step / before * 100, rough=rough)):
        yield Found("wrong-rate", *match.span("rate"), _written(match["rate"], step))


def _rough(match: re.Match[str]) -> bool:
    text, (start, end) = match.string, match.span("rate")
    return bool(_ROUGH.search(text[max(0, start - 6) : start]) or _ROUGH_AFTER.match(text, end))


def _blur(match: re.Match[str], step: Fraction) -> Fraction:
    """The share of a change that two rounded figures leave open."""
    open_ = sum(blurred(match[name]) * (parse(match[name]) or 0) for name in ("before", "after"))
    return Fraction(open_) / abs(step) if step else Fraction(0)


def _written(said: str, value: Fraction) -> str:
    """`value` with as many decimals as were said, one where it isn't whole."""
    places = len(said.partition(".")[2]) or int(value.denominator > 1)
    return written(value, places=places)
