"""Does an answer have the form its role demands? One small pure function a rule.

1. A rule sees the sample and the answer, both in NFC, and says yes or no; no model is asked.
2. A rule about what stands in the material (a title, a law, a phone number) looks it up there:
   an invented one breaks the rule.
3. The empty answer keeps no rule.
4. A change to what a rule demands raises `VERSION`, so that old and new shares are never compared.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from itertools import pairwise

from yukjo.agents import Role
from yukjo.errors import ConfigError
from yukjo.evaluate.reading import is_polite, lines, normal, part, quotes
from yukjo.records import Sample
from yukjo.words import say

VERSION = 3

Rule = Callable[[Sample, str], bool]

RULES: dict[str, Rule] = {}
"""Every rule by its name, in the order written here."""

_SOURCE = re.compile(r"\[출처: ([^\[\]]+), ([^\[\],]+)\]")
_TITLE = re.compile(r"『([^『』]+)』")
_PHONE = re.compile(r"(?<!\d)\d{2,4}-\d{3,4}(?:-\d{4})?(?!\d)")
_ARTICLE = re.compile(r"「([^「」]+)」 제\d+조(?:의\d+)?(?:제\d+항)?(?:제\d+호)?(?:[가-하]목)?")
_LOOSE_ARTICLE = re.compile(r"「[^「」]+」\s*제\s*\d+\s*조(?:\s+의\s*\d+|\s+제\s*\d+\s*[항호])?")
_QUOTE = 10
_SECTIONS = ("1. 개요", "2. 배경", "3. 내용", "4. 예산", "5. 일정", "6. 효과")
_DIALLED = re.compile(r"(?<!\d)(?:0\d{1,2}-\d{3,4}|1[568]\d\d)-\d{4}(?!\d)")
# `12-3456`: a smaller number less a larger one is no sum that an office writes.
_CODE = re.compile(r"(?<![\d.,-])\d{1,3}-\d{4,}(?![\d,-])")
_NUMBER = re.compile(r"(?<![\d.,A-Za-z제])\d{4,}(?!\d)")
_COUNTED = re.compile(
    r"\s?(?:원|명|건|개|회|대|㎡|톤|가구|세대|권|부|곳|점|km|㎞|m|kg|㎏|인|매|장|쪽)"
)
_TREND = re.compile(
    r"증가|감소|유지|상승|하락|증감|급증|급감|회복|둔화|정체|횡보|비슷|변동|변화|"
    r"늘[어었고며면]|늘린|는 추세|준 |줄[어었고며면]|줄인|"
    r"높아[지졌]|낮아[지졌]|많아[지졌]|적어[지졌]|올랐|오르|올라|내렸|내려|떨어[지졌]|나아[지졌]"
)
_CHART = re.compile(r"그래프|차트|도표|히트맵|산점도|지도|막대|꺾은선|선형|표(?=[가-힣 ,.]|$)")


def conformance(role: Role, sample: Sample, text: str) -> float:
    """Share of the role's rules that the answer `text` to `sample` keeps, 0 to 1."""
    kept = [rule_called(name)(_plain(sample), normal(text)) for name in role.rules]
    return sum(kept) / len(kept)


def broken(role: Role, sample: Sample, text: str) -> list[str]:
    """Names of the role's rules that the answer breaks, for people who ask why."""
    return [name for name in role.rules if not rule_called(name)(_plain(sample), normal(text))]


def rule_called(name: str) -> Rule:
    """The rule of that name; ConfigError with the nearest name where there is none."""
    if name in RULES:
        return RULES[name]
    near = get_close_matches(name, RULES, n=1)
    raise ConfigError(
        say("unknown answer rule `{name}`", name=name),
        where=say("`rules` in a file of roles"),
        fix=say("did you mean `{near}`?", near=near[0]) if near
        else say("known here: {known}", known=", ".join(RULES)),
    )  # fmt: skip


def _of_both(check: Rule) -> Rule:
    """Register `check` under its own name, with rule 3 built in."""

    @wraps(check)
    def guarded(sample: Sample, text: str) -> bool:
        return bool(text.strip()) and check(sample, text)

    RULES[check.__name__] = guarded
    return guarded


def _of_text(check: Callable[[str], bool]) -> Rule:
    """Register a `check` that needs the answer alone."""

    @wraps(check)
    def of_both(sample: Sample, text: str) -> bool:  # noqa: ARG001 - every rule is called alike
        return check(text)

    return _of_both(of_both)


def _plain(sample: Sample) -> Sample:
    """`sample` with its texts in NFC."""
    texts = {"instruction": normal(sample.instruction), "input": normal(sample.input)}
    return sample.model_copy(update=texts)


def material(sample: Sample) -> str:
    """Everything the answer may draw on: earlier turns, the question, the material."""
    turns = (normal(turn.content) for turn in sample.messages)
    return "\n".join((*turns, sample.instruction, sample.input))


# rag


@_of_both
def cites_source(sample: Sample, text: str) -> bool:
    """At least one `[출처: 제목, 위치]`, and every cited title stands in the material."""
    given = material(sample)
    titles = _TITLE.findall(given)
    cited = [title.strip() for title, _ in _SOURCE.findall(text)]
    return bool(cited) and all(title in (titles or given) for title in cited)


@_of_both
def cites_every_document(sample: Sample, text: str) -> bool:
    """Each document of the input, titled `『...』` at the start of a line, is cited by title."""
    titles = {t for line in lines(sample.input) if (t := _title(line))}
    cited = {title.strip() for title, _ in _SOURCE.findall(text)}
    return bool(cited) and titles <= cited


@_of_text
def polite(text: str) -> bool:
    """Every sentence ends politely (-니다, -니까, -요, -시오); list items may end in a noun."""
    return is_polite(text)


# citizen_support


@_of_text
def gives_steps(text: str) -> bool:
    """The procedure stands as numbered lines `1.`, `2.` and on, each saying something."""
    numbers = [int(n) for n in re.findall(r"^\s*(\d{1,2})\. *(?=.*[가-힣])", text, re.MULTILINE)]
    return len(numbers) >= 2 and numbers == list(range(1, len(numbers) + 1))  # noqa: PLR2004


@_of_both
def gives_contact(sample: Sample, text: str) -> bool:
    """A line `문의: ` names who to ask and a number: one from the material, or 110."""
    found = re.findall(r"^문의: *(.*[가-힣]{2}.*)$", text, re.MULTILINE)
    phones = _PHONE.findall("\n".join(found))
    if phones:
        return all(phone in material(sample) for phone in phones)
    short = re.findall(r"(?<!\d)1\d{2}(?!\d)", "\n".join(found))
    return bool(short) and all(n == "110" or n in material(sample) for n in short)


@_of_text
def asks_back(text: str) -> bool:
    """The last sentence is a question in Korean."""
    return re.search(r"[가-힣]\?$", text) is not None


# document_writing


@_of_text
def six_sections(text: str) -> bool:
    """`1. 개요` to `6. 효과`, each once on a line of its own, in order, with text under each."""
    found = lines(text)
    at = [i for i, line in enumerate(found) if line in _SECTIONS]
    filled = all(after - before > 1 for before, after in pairwise((*at, len(found))))
    return filled and tuple(found[i] for i in at) == _SECTIONS


@_of_text
def outline_style(text: str) -> bool:
    """개조식: no line ends in a full sentence (-다., -요.); `끝.` doesn't count."""
    body = [line.removesuffix("끝.").rstrip(" .") for line in lines(text)]
    said = [line for line in body if line and line not in _SECTIONS]
    return bool(said) and not any(re.search(r"다$|[세해어아]요$|시오$", line) for line in said)


@_of_text
def end_mark(text: str) -> bool:
    """The text ends in `끝.` after one or two spaces (시행규칙 제4조: one character's width)."""
    return re.search(r"\S {1,2}끝\.$", text) is not None


# legal_research


@_of_both
def cites_article(sample: Sample, text: str) -> bool:
    """Articles are cited as `「법규명」 제5조제1항`, no inner spaces, the law from the material."""
    tight = [found.group() for found in _ARTICLE.finditer(text)]
    loose = [found.group() for found in _LOOSE_ARTICLE.finditer(text)]
    laws = [found.group(1) for found in _ARTICLE.finditer(text)]
    neat = all(any(t.startswith(cited) for t in tight) for cited in loose)
    return bool(tight) and neat and all(law in material(sample) for law in laws)


@_of_both
def quotes_article(sample: Sample, text: str) -> bool:
    """Under `[조문]` the words of the article stand in double quotes, letter by letter."""
    quoted = quotes(part(text, "[조문]"))
    # What a tool gave stands in an earlier turn; the assistant's own words are no source.
    given = [normal(turn.content) for turn in sample.messages if turn.role != "assistant"]
    source = _squeezed("\n".join((*given, sample.input)))
    long = any(len(_squeezed(quote)) >= _QUOTE for quote in quoted)
    return long and all(_squeezed(quote) in source for quote in quoted)


@_of_text
def plain_words(text: str) -> bool:
    """`[쉬운 설명]` on a line of its own, with polite sentences under it."""
    return is_polite(part(text, "[쉬운 설명]"))


@_of_text
def practical_use(text: str) -> bool:
    """`[실무 적용]` on a line of its own, with polite sentences under it."""
    return is_polite(part(text, "[실무 적용]"))


# data_analysis


@_of_text
def thousands_separators(text: str) -> bool:
    """There is a number, and none from 1000 up lacks commas (years, phones, `12-3456` aside)."""
    bare = _NUMBER.finditer(_CODE.sub("", _DIALLED.sub("", text)))
    return re.search(r"\d", text) is not None and all(_is_year(found) for found in bare)


@_of_text
def gives_percentage(text: str) -> bool:
    """At least one number with `%` (a difference in `%p` alone is none)."""
    return re.search(r"\d ?%(?!p)", text) is not None


@_of_text
def names_trend(text: str) -> bool:
    """The figures' movement is said in words: 증가, 감소, 유지, 상승, 하락, 늘었다 ..."""
    return _TREND.search(text) is not None


@_of_text
def proposes_chart(text: str) -> bool:
    """The last line starts `시각화:` and names a kind of chart."""
    last = lines(text)[-1]
    return last.startswith("시각화: ") and _CHART.search(last) is not None


# review


@_of_both
def lists_errors(sample: Sample, text: str) -> bool:
    """Under `[오류]` a numbered list `틀린 곳 → 까닭`, quoting the draft; or `발견된 오류 없음`."""
    found = lines(part(text, "[오류]"))
    items = [line for line in found if re.match(r"\d{1,2}\. ", line)]
    if found and found[0].startswith("발견된 오류 없음"):
        return not items
    return bool(items) and all(_grounded(item, sample) for item in items)


@_of_text
def proposes_improvement(text: str) -> bool:
    """Under `[개선 제안]` stands a sentence."""
    return _has_words(part(text, "[개선 제안]"))


@_of_both
def corrected_text(sample: Sample, text: str) -> bool:
    """Under `[수정안]`, the last part, stands the text again: it shares words with the input."""
    corrected = part(text, "[수정안]")
    shared = _trigrams(corrected) & _trigrams(material(sample))
    return _has_words(corrected) and len(shared) * 4 >= len(_trigrams(corrected))


def _title(line: str) -> str:
    """The document a line of the material opens with, as `『제목』 3쪽: ...`; "" if none."""
    found = _TITLE.match(line)
    return found.group(1).strip() if found else ""


def _squeezed(text: str) -> str:
    """`text` without spaces: where a line is broken is no part of an article's words."""
    return "".join(text.split())


def _is_year(found: re.Match[str]) -> bool:
    """Whether a bare number of four digits or more reads as a year, not as a quantity."""
    rest = found.string[found.end() :]
    return re.fullmatch(r"(?:19|20)\d\d", found.group()) is not None and not _COUNTED.match(rest)


def _grounded(item: str, sample: Sample) -> bool:
    """Whether an error item has an arrow, a reason after it, and quotes only the draft before."""
    wrong, arrow, why = item.partition("→")
    source = _squeezed(material(sample))
    words = [word for quote in quotes(wrong) for word in quote.split()]
    said = wrong.lstrip("0123456789. ") and arrow and why.strip()
    return bool(said) and all(word in source for word in words)


def _has_words(text: str) -> bool:
    """Whether `text` holds at least a short sentence's worth of Hangul."""
    return len(re.findall(r"[가-힣]", text)) >= 10  # noqa: PLR2004


def _trigrams(text: str) -> set[str]:
    """The runs of three characters in `text`, spaces left out."""
    flat = _squeezed(text)
    return {flat[i : i + 3] for i in range(len(flat) - 2)}
