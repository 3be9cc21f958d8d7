"""Every page says what it must, in both languages, and lets no text from outside become markup."""

import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.conftest import RUN, Pages, case
from dashboard.test_report import Page
from yukjo.agents import roles
from yukjo.dashboard.web.conduct import HEADERS
from yukjo.dashboard.web.files import known
from yukjo.errors import LedgerError
from yukjo.ledger.store import Ledger

HOSTILE = (
    "<script>alert(1)</script></textarea></title><img src=x onerror=alert(1)>"
    "\"'`{{7777*7}}{%x%}\u202e거꾸로\u2066\u200b\x07]]>--><!--"
)
ALL = ("/", f"/runs/{RUN}", f"/runs/{RUN}/cases", f"/runs/{RUN}/cases/{case().case}", "/records",
       "/records/2", "/records/lineage?thing=x", "/login", "/nothing")  # fmt: skip
SERVED = 200_000


def found(pages: Pages, path: str) -> str:
    return pages.get(path, status=404 if path == "/nothing" else 200)


@pytest.mark.parametrize("path", ALL)
def test_a_page_is_well_formed_has_its_headers_and_loads_only_our_files(
    pages: Pages, path: str
) -> None:
    answer = pages.browser.get(f"/dashboard{path}")
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == "no-store"
    page = WebPage(answer.text)
    assert page.open == []
    loaded = [value for tag, name, value in page.attributes
              if name == "src" or (tag == "link" and name == "href")]  # fmt: skip
    assert loaded
    assert all(re.fullmatch(r"/dashboard/static/[\w.-]+\?v=[0-9a-f]{12}", at) for at in loaded)
    assert not [a for a in page.attributes if a[1] == "style" or a[1].startswith("on")]
    assert "<script>" not in answer.text
    assert "<style" not in answer.text
    links = [value for tag, name, value in page.attributes if name in {"href", "action"}]
    assert all(value.startswith(("/dashboard/", "?", "#")) for value in links), links


def test_the_policy_lets_nothing_in_from_elsewhere_or_from_within_a_page(pages: Pages) -> None:
    policy = pages.browser.get("/dashboard/").headers["content-security-policy"]
    rules = {name: set(allowed) for name, *allowed in map(str.split, policy.split(";"))}
    assert rules["default-src"] == {"'none'"}
    assert set().union(*rules.values()) <= {"'none'", "'self'"}
    assert rules["frame-ancestors"] == rules["base-uri"] == {"'none'"}


class WebPage(Page):
    """Tags that stand alone on a page with forms."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "input":
            self.open.pop()


def test_a_page_with_all_its_files_is_small(pages: Pages) -> None:
    most = make_many()
    (pages.project / "runs" / RUN / "cases.jsonl").write_text(
        "".join(one.model_dump_json() + "\n" for one in most), encoding="utf-8"
    )
    for path in ALL:
        text = found(pages, path)
        names = re.findall(r"/dashboard/static/([\w.-]+)\?", text)
        whole = len(text.encode()) + sum(len(known()[name]) for name in {*names})
        assert whole < SERVED, (path, whole)


def make_many() -> list[Any]:
    long = "가나다라 마바사 " * 200
    texts = dict.fromkeys(("instruction", "before", "after"), long)
    return [case(), *(case(f"rag-{n}", **texts) for n in range(600))]


@pytest.mark.parametrize("path", ALL)
def test_english_is_spoken_to_the_end(pages: Pages, path: str) -> None:
    pages.browser.get("/dashboard/records?lang=en")
    text = found(pages, path)
    assert '<html lang="en"' in text
    said = re.sub(r"한국어|누리구|⟨.*?⟩", "", Page.__new__(Page) and WebPage(text).text)
    from_data = set(re.findall("[가-힣]+", json.dumps(data(pages), ensure_ascii=False)))
    assert [word for word in re.findall("[가-힣]+", said) if word not in from_data] == []


def test_built_in_roles_have_their_english_titles(make_pages: Callable[..., Pages]) -> None:
    titles = {name: role.title for name, role in roles().items()} | {"review": "우리 검토"}
    pages = make_pages(titles=titles)
    pages.browser.get("/dashboard/records?lang=en")
    page = pages.get(f"/runs/{RUN}")
    assert roles()["rag"].title_en in page
    assert roles()["rag"].title not in page
    assert "우리 검토" in page


def data(pages: Pages) -> list[Any]:
    cases = (pages.project / "runs" / RUN / "cases.jsonl").read_text(encoding="utf-8")
    return [pages.sources.ledger.entry(2).body, cases]


def test_language_and_colours_are_chosen_by_address_and_kept(pages: Pages) -> None:
    sent = pages.browser.get("/dashboard/records?kind=run&lang=en&theme=dark",
                             follow_redirects=False)  # fmt: skip
    assert sent.headers["location"] == "/dashboard/records?kind=run"
    page = pages.get("/records?kind=run")
    assert '<html lang="en" data-theme="dark">' in page
    pages.browser.get("/dashboard/records?theme=nonsense&lang=fr")
    assert 'data-theme="dark"' in pages.get("/records")


def hostile(make_pages: Callable[..., Pages], body: dict[str, Any]) -> Pages:
    """A project in which every text that can come from outside is hostile."""
    titles = dict.fromkeys(body["titles"], HOSTILE)
    adapters = {HOSTILE: body["adapters"]["rag"] | {"agent": HOSTILE}}
    samples = [{"agent": "rag", "case": HOSTILE, "instruction": HOSTILE, "before": HOSTILE,
                "after": HOSTILE, "reference": HOSTILE}]  # fmt: skip
    base = {"name": HOSTILE, "hash": HOSTILE, "notice": HOSTILE}
    texts = dict.fromkeys(("instruction", "input", "reference", "before", "after"), HOSTILE)
    one = case(HOSTILE, topic=HOSTILE, agent=HOSTILE, case=case().case, more_before=(HOSTILE,),
               more_after=(HOSTILE,), against_after=(HOSTILE,), **texts)  # fmt: skip
    pages = make_pages([one], titles=titles, adapters=adapters, samples=samples, base=base,
                       project=HOSTILE)  # fmt: skip
    pages.sources.trace = lambda _: {
        "kind": "line", "hash": HOSTILE, "at": [HOSTILE], "held_out_in": [], "measured_in": [],
        "shaped": [{"agent": HOSTILE, "id": HOSTILE, "run": HOSTILE, "entry": 2}],
    }  # fmt: skip
    return pages


AWAY = quote(HOSTILE, safe="")


@pytest.mark.parametrize("path", [*ALL, f"/records?kind={AWAY}&run={AWAY}", f"/runs/{AWAY}",
                                  f"/records/lineage?thing={AWAY}"])  # fmt: skip
def test_no_text_becomes_markup_or_hides(
    make_pages: Callable[..., Pages], body: dict[str, Any], path: str
) -> None:
    pages = hostile(make_pages, body)
    answer = pages.browser.get(f"/dashboard{path}")
    page = WebPage(answer.text)
    assert page.open == []
    assert not {"img", "textarea", "iframe", "object", "style"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\u200b]",
                         answer.text)  # fmt: skip
    assert "54439" not in page.text


def test_hidden_letters_are_shown_by_their_number(
    make_pages: Callable[..., Pages], body: dict[str, Any]
) -> None:
    page = hostile(make_pages, body).get(f"/runs/{RUN}/cases/{case().case}")
    assert "⟨U+202E⟩거꾸로⟨U+2066⟩⟨U+200B⟩⟨U+0007⟩" in page


def test_the_verdict_comes_first_with_its_rule_and_what_it_rests_on(pages: Pages) -> None:
    text = WebPage(pages.get(f"/runs/{RUN}")).text
    parts = ("△ 보류", "아직 확인되지 않았습니다", "37건 더 필요", "2 / 3", "학습 전에 봉인한 목표",
             "시험 사례 120건", "도달할 목표", "안전 기준", "결정")  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places[0] == min(places)
    assert text.index("안전 기준") > text.index("도달할 목표")


def test_the_counts_of_cases_are_those_of_the_record(pages: Pages) -> None:
    text = WebPage(pages.get(f"/runs/{RUN}")).text
    assert "1 고쳐진 사례" in text
    assert "1 망가진 사례" in text


def test_broken_cases_come_first_and_filters_narrow_them(pages: Pages) -> None:
    pages_of = [case("a", change="sound"), case("b", change="broken"),
                case("c", agent="review", topic="계약", difficulty="쉬움")]  # fmt: skip
    file = pages.project / "runs" / RUN / "cases.jsonl"
    file.write_text("".join(one.model_dump_json() + "\n" for one in pages_of), encoding="utf-8")
    at = f"/runs/{RUN}/cases"
    for query, names in (("agent=review", "c"), ("topic=계약", "c"), ("difficulty=쉬움", "c"),
                         ("change=broken", "b"), ("change=same", "a"), ("agent=x", ""),
                         ("", "abc")):  # fmt: skip
        page = pages.get(f"{at}?{query}")
        assert "".join(sorted(re.findall(r"/cases/[0-9a-f]{64}\">(\w)</a>", page))) == names
    assert "해시가 다름" in pages.get(at)


def test_a_list_of_cases_has_pages(pages: Pages) -> None:
    file = pages.project / "runs" / RUN / "cases.jsonl"
    file.write_text("".join(case(f"n{n}").model_dump_json() + "\n" for n in range(45)))
    at = f"/runs/{RUN}/cases"
    shown = [re.findall(r'">(n\d+)</a>', pages.get(f"{at}?agent=rag&page={n}"))
             for n in (1, 2, 3)]  # fmt: skip
    assert [len(page) for page in shown] == [20, 20, 5]
    assert len({name for page in shown for name in page}) == 45
    assert "agent=rag&amp;page=2" in pages.get(f"{at}?agent=rag")
    assert re.findall(r'">(n\d+)</a>', pages.get(f"{at}?page=99999")) != []


def test_a_run_without_cases_says_how_to_make_them(pages: Pages) -> None:
    (pages.project / "runs" / RUN / "cases.jsonl").unlink()
    assert f"yukjo evaluate --rescore {RUN}" in pages.get(f"/runs/{RUN}/cases")
    assert pages.get(f"/runs/{RUN}/cases/{case().case}", status=404)


def test_a_case_shows_both_answers_marked_against_the_reference(pages: Pages) -> None:
    page = pages.get(f"/runs/{RUN}/cases/{case().case}")
    assert "<ins>접수를 마쳤습니다.</ins>" in page
    assert "<ins>요금은 요금은</ins>" in page
    assert "같은 말 되풀이" in page
    assert f"/records/lineage?thing={case().case}" in page


def test_a_file_of_cases_that_makes_no_sense_is_named(pages: Pages) -> None:
    (pages.project / "runs" / RUN / "cases.jsonl").write_text("{}\n")
    assert "cases.jsonl:1" in pages.get(f"/runs/{RUN}/cases", status=409)


def test_entries_have_pages_kinds_and_runs(pages: Pages) -> None:
    with Ledger(pages.project / "runs" / "ledger.sqlite") as ledger:
        for n in range(120):
            ledger.append("latency", f"r{n % 2}", {"n": n})
    numbers = [re.findall(r'/records/(\d+)">\d+</a>', pages.get(f"/records?page={n}"))
               for n in (1, 2, 3)]  # fmt: skip
    assert [len(page) for page in numbers] == [50, 50, 23]
    assert [int(n) for page in numbers for n in page] == list(range(123, 0, -1))
    assert "전체 123건 가운데 120건" in pages.get("/records?kind=latency")
    assert "전체 123건 가운데 60건" in pages.get("/records?kind=latency&run=r1")
    assert "전체 123건 가운데 123건" in pages.get("/records?kind=nonsense")


def test_an_entry_is_shown_and_given_as_it_is_stored(pages: Pages) -> None:
    page = pages.get("/records/2")
    assert "그 밖에 408건" in page  # of 420 hashes of training lines
    raw = json.loads(pages.get("/records/2/raw"))
    assert raw == pages.sources.ledger.entry(2).model_dump()
    for number in ("0", "4", "99999999999999999999", "x", "-1"):
        pages.get(f"/records/{number}", status=404)


def test_the_chain_is_checked_and_a_change_is_found(pages: Pages) -> None:
    assert "아직 확인하지 않음" in pages.get("/records")
    pages.post("/records/check", csrf=pages.stamp())
    assert "사슬이 온전합니다" in pages.get("/records")
    import sqlite3

    with sqlite3.connect(pages.project / "runs" / "ledger.sqlite") as raw:
        raw.execute("DROP TRIGGER entries_no_update")
        raw.execute("UPDATE entries SET run = 'x' WHERE number = 1")
    raw.close()
    pages.post("/records/check", csrf=pages.stamp())
    page = pages.get("/records")
    assert "1건" in page
    assert "온전합니다" not in page


def test_lineage_is_drawn_and_stands_in_tables(pages: Pages) -> None:
    page = pages.get("/records/lineage?thing=" + "01" * 32)
    assert page.count("<rect") == 3
    assert page.count('class="tie"') == 2
    assert "data/rag.jsonl:7" in page
    assert "<table>" in page

    def unknown(_: str) -> dict[str, Any]:
        raise LedgerError("아무것도 없음", where="원장", fix="다시")

    pages.sources.trace = unknown
    assert "아무것도 없음" in pages.get("/records/lineage?thing=x", status=409)


def test_the_ssot_document_is_the_command_s(pages: Pages) -> None:
    answer = pages.browser.get(f"/dashboard/records/ssot/{RUN}")
    assert answer.headers["content-disposition"] == f'attachment; filename="ssot-{RUN}.json"'
    document = answer.json()
    assert document["run"] == RUN
    assert "qwen_accuracy_before" in document


def test_a_project_without_a_record_says_how_to_begin(pages: Pages) -> None:
    for file in (pages.project / "runs").glob("ledger.sqlite*"):
        file.unlink()
    assert "yukjo run" in pages.get("/")
    pages.get("/records")
    pages.get(f"/runs/{RUN}", status=404)
    assert not (pages.project / "runs" / "ledger.sqlite").exists()


def test_a_run_that_is_not_there_is_a_page(pages: Pages) -> None:
    assert "없는 이름입니다" in pages.get("/runs/none", status=404)
    assert RUN in str(pages.browser.get("/dashboard/runs/latest").url)


def test_what_breaks_inside_is_told_without_its_insides(pages: Pages) -> None:
    def broken(_: str) -> dict[str, Any]:
        raise RuntimeError("secret")

    pages.sources.trace = broken
    pages.browser._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    page = pages.get("/records/lineage?thing=x", status=500)
    assert "secret" not in page
    assert "쪽을 만들지 못했습니다" in page


def test_dark_is_the_same_whoever_chose_it() -> None:
    css = (resources.files("yukjo.dashboard") / "templates" / "parts.css").read_text("utf-8")
    asked, chosen = re.findall(r":root\S*dark\S* \{(.*?)\}|:root:not\S+ \{(.*?)\}", css, re.DOTALL)
    assert "--page" in "".join(asked)
    assert "".join(asked) == "".join(chosen)


def test_files_are_ours_and_may_be_kept(pages: Pages) -> None:
    answer = pages.browser.get("/dashboard/static/site.css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    for name in ("../templates/site.html", "README.md", "..%2f..%2f__init__.py"):
        assert pages.browser.get(f"/dashboard/static/{name}").status_code == 404


def test_the_first_page_is_found_from_the_root(pages: Pages) -> None:
    assert str(pages.browser.get("/").url).endswith("/dashboard/")


def test_a_ledger_put_in_its_place_is_read_anew(pages: Pages, tmp_path: Path) -> None:
    pages.get("/records")
    place = pages.project / "runs" / "ledger.sqlite"
    for old in (pages.project / "runs").glob("ledger.sqlite*"):
        old.unlink()
    with Ledger(tmp_path / "other.sqlite") as ledger:
        ledger.append("latency", "new-run", {})
    (tmp_path / "other.sqlite").rename(place)
    assert "new-run" in pages.get("/records")
