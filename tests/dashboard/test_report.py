"""The page stands alone, says the verdict first, and lets no text of a run become markup."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yukjo.dashboard.report import report
from yukjo.dashboard.templating import visible
from yukjo.errors import LedgerError
from yukjo.ledger.chain import link
from yukjo.records import Entry
from yukjo.words import catalogue, spoken

VOID = {"meta", "link", "br", "circle", "line", "path"}
ADDRESSES = {"href", "src", "srcset", "action", "data", "poster", "style", "xlink:href"}


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def of(body: dict[str, Any]) -> Entry:
    return link(None, "run", "r1", created="2026-01-02T03:04:05Z", body=body)


def test_the_page_is_well_formed_and_in_the_language_asked_for(entry: Entry) -> None:
    for language, word in (("ko", "나아짐"), ("en", "better")):
        page = Page(report(entry, language=language))  # type: ignore[arg-type]
        assert page.open == []
        assert ("html", "lang", language) in page.attributes
        assert word in page.text
    assert spoken() == "ko", "the language spoken before is spoken again"


def test_english_is_spoken_to_the_end(entry: Entry) -> None:
    bare = of({"agents": entry.body["agents"], "train": entry.body["train"] | {"warnings": []}})
    assert not re.search("[가-힣]", Page(report(bare, language="en")).text)


def test_the_page_needs_nothing_else(entry: Entry) -> None:
    page = Page(report(entry, language="ko"))
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(page.tags)
    assert [value for _, name, value in page.attributes
            if name in ADDRESSES and not value.startswith("#")] == []  # fmt: skip
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_the_policy_lets_in_the_one_style_block_only(entry: Entry) -> None:
    text = report(entry, language="ko")
    style = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    [policy] = [value for tag, name, value in Page(text).attributes
                if name == "content" and "default-src" in value]  # fmt: skip
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest}'; "
                      "base-uri 'none'; form-action 'none'")  # fmt: skip
    assert "url(" not in style[0]
    assert "@import" not in style[0]


def test_the_verdict_comes_first_with_what_it_can_not_show(entry: Entry) -> None:
    text = Page(report(entry, language="ko")).text
    verdict = "시험 자료 퍼플렉시티: 에이전트 6개 가운데 5개 나아짐, 0개 나빠짐, 1개 불분명."
    assert text.index(verdict) < text.index("약 32%p") < text.index("에이전트별 결과")
    assert "시드 하나로 한 번 실행한 결과" in text


def test_every_verdict_is_a_mark_and_a_word(entry: Entry) -> None:
    text = report(entry, language="ko")
    cells = re.findall(r'<td class="v (\w+)">([^<]*)</td>', text)
    shown = {"better": "▲ 나아짐", "worse": "▼ 나빠짐", "unclear": "＝ 불분명"}
    assert len(cells) == 7 * 7 + 6
    assert {(verdict, shown[verdict]) for verdict, _ in cells} == set(cells)


def test_all_there_is_to_know_of_the_run_is_there(entry: Entry) -> None:
    text = Page(report(entry, language="ko")).text
    for known in (
        "Gemma 3 270M", "aa" * 32, "bb" * 32, "3f" * 32, "12" * 32, entry.hash, entry.run,
        "학습 420, 검증 60, 시험 120, 거부 1, 제외 3", "rag-017", "rank = 16", "2.9 MiB", "60 (45)",
        "6.840", "torch 2.13.0", "Linux x86_64", "12분 14초", "Gemma Terms of Use", "45스텝 뒤로",
        "[출처: 누리구 공영주차장 이용 안내, 1쪽]",
    ):  # fmt: skip
        assert known in text, known


def test_agents_stand_in_the_order_of_the_requirement_and_all_last(entry: Entry) -> None:
    codes = re.findall(r'<span class="hint"><code>(\w+)</code>', report(entry, language="ko"))
    assert codes == ["rag", "citizen_support", "document_writing", "legal_research",
                     "data_analysis", "review", "all"]  # fmt: skip


@pytest.mark.parametrize("missing", ["agents", "samples", "data", "adapters", "train", "base",
                                     "titles", "licences", "machine", "config"])  # fmt: skip
def test_a_missing_part_leaves_the_page_whole(body: dict[str, Any], missing: str) -> None:
    del body[missing]
    assert Page(report(of(body), language="ko")).open == []


def test_an_empty_run_is_a_page_that_says_so() -> None:
    assert "비교한 것이 없습니다" in Page(report(of({}), language="ko")).text


def test_a_body_of_nonsense_is_refused_not_a_traceback() -> None:
    with pytest.raises(LedgerError):
        report(of({"samples": "none"}), language="ko")


HOSTILE = (
    "</style></title><script>alert(1)</script><img src=x onerror=y>\" ' {{ 7*7 }} {x} javascript:"
)


def strings(value: Any, hostile: str) -> Any:
    """`value` with every text and every name of an agent or licence replaced."""
    if isinstance(value, dict):
        return {key: strings(inner, hostile) for key, inner in value.items()}
    if isinstance(value, list):
        return [strings(inner, hostile) for inner in value]
    return (
        hostile if isinstance(value, str) and value not in ("better", "worse", "unclear") else value
    )


def test_hostile_text_is_shown_and_does_nothing(body: dict[str, Any]) -> None:
    plain = Page(report(of(strings(body, "x")), language="ko"))
    attacked = strings(body, HOSTILE)
    for part in ("titles", "agents", "adapters", "licences", "versions", "times"):
        attacked[part] = attacked[part] | {HOSTILE: next(iter(attacked[part].values()))}
    page = Page(report(of(attacked), language="ko"))
    assert set(page.tags) == set(plain.tags)
    assert "<script>alert(1)</script>" in page.text, "as words"
    assert "{{ 7*7 }}" in page.text


LEAVES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FIGURES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
METRICS = st.fixed_dictionaries(
    {"name": st.sampled_from(["perplexity", "conformance"]) | LEAVES},
    optional={"metric_id": LEAVES, "before": FIGURES, "after": FIGURES, "difference": FIGURES,
              "low": FIGURES, "high": FIGURES, "n": st.integers(0, 10**6),
              "verdict": st.sampled_from(["better", "worse", "unclear"])},
)  # fmt: skip
NAMES = st.sampled_from(["rag", "all"]) | LEAVES
BODIES = st.fixed_dictionaries({}, optional={
    "project": LEAVES,
    "titles": st.dictionaries(NAMES, LEAVES, max_size=2),
    "agents": st.dictionaries(NAMES, st.fixed_dictionaries(
        {"metrics": st.lists(METRICS, max_size=3)}), max_size=3),
    "samples": st.lists(st.fixed_dictionaries({}, optional={
        "agent": NAMES, "before": LEAVES, "after": LEAVES, "reference": LEAVES}), max_size=2),
    "base": st.fixed_dictionaries({"name": LEAVES, "notice": LEAVES}),
    "config": st.dictionaries(st.sampled_from(["lora", "train"]),
                              LEAVES | st.dictionaries(LEAVES, LEAVES | FIGURES, max_size=2)),
    "train": st.fixed_dictionaries({}, optional={
        "steps": st.integers(0, 10**9), "seconds": FIGURES,
        "warnings": st.lists(LEAVES, max_size=2)}),
    "times": st.dictionaries(LEAVES, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    "adapters": st.dictionaries(NAMES, st.fixed_dictionaries({"id": LEAVES}), max_size=2),
    "licences": st.dictionaries(LEAVES, LEAVES, max_size=2),
    "versions": st.dictionaries(LEAVES, LEAVES | FIGURES, max_size=2),
})  # fmt: skip


@given(BODIES)
def test_any_text_in_any_place_keeps_the_page_well_formed(body: dict[str, Any]) -> None:
    text = report(of(body), language="ko")
    page = Page(text)
    assert page.open == []
    assert not {"script", "img", "iframe"} & set(page.tags)
    text.encode()


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_answer_is_on_the_page_as_it_was_given(before: str, after: str) -> None:
    body = {"samples": [{"agent": "rag", "before": before, "after": after}]}
    text = Page(report(of(body), language="en")).text
    for answer in (before, after):
        assert " ".join(str(visible(answer)).split()) in text


def test_a_lone_surrogate_still_makes_a_page(body: dict[str, Any]) -> None:
    made = of(body)
    made = made.model_copy(update={"body": body | {"project": "\ud800"}})
    report(made, language="ko").encode()


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def schemes() -> Iterator[dict[str, str]]:
    style = resources.files("yukjo.dashboard") / "templates" / "report.css"
    for block in re.findall(r":root \{(.*?)\}", style.read_text("utf-8"), re.DOTALL)[:2]:
        yield dict(re.findall(r"--([\w-]+): (#\w{6})", block))


def test_every_text_has_the_contrast_of_wcag_aa() -> None:
    for colours in schemes():
        for ink in ("text", "soft", "brand", "better", "worse", "unclear"):
            for paper in ("page", "band"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert contrast(colours["text"], colours["brand-band"]) >= 4.5
        assert contrast(colours["soft"], colours["brand-band"]) >= 4.5
        assert contrast(colours["warn-text"], colours["warn-band"]) >= 4.5


def test_every_sentence_of_the_template_has_its_korean() -> None:
    template = resources.files("yukjo.dashboard") / "templates" / "report.html"
    said = re.findall(r'say\("([^"]*)"', template.read_text("utf-8"))
    assert len(said) > 50
    assert [text for text in said if text not in catalogue()] == []
