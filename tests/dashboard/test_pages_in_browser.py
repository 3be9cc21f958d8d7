"""The pages of a real run in a real browser: `make browser`.

The run is that of `make demo-small` where it was made (CI makes it before), else one made here in
some minutes; YUKJO_TEST_RUNS names the runs folder of another. With YUKJO_PICTURES the pictures of
the documentation are written into that folder: `make pictures`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[dev]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[dev]'")

pytestmark = pytest.mark.browser

GOV = Path(__file__).parents[2] / "examples" / "gov"
SMALL = ("train.max_steps=1", "evaluate.cases=1", "evaluate.max_tokens=24",
         "evaluate.baseline_cases=7")  # fmt: skip
"""What `make demo-small` sets."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PICTURES = {"runs", "verdict", "verdict-dark", "cases", "case", "records", "record", "lineage",
            "lineage-run"}  # fmt: skip
DARK = "rgb(21, 25, 31)"
NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 960}


@dataclass
class Served:
    """The dashboard of a real run, as a process of its own."""

    url: str
    run: str
    case: str
    token: str
    """Of a reviewer."""
    pages: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pages = {
            "runs": "/", "verdict": f"/runs/{self.run}", "cases": f"/runs/{self.run}/cases",
            "case": f"/runs/{self.run}/cases/{self.case}", "records": "/records",
            "record": "/records/2", "lineage": f"/records/lineage?thing={self.case}",
            "lineage-run": f"/records/lineage?thing={self.run}", "login": "/login",
            "refusal": "/nothing",
        }  # fmt: skip


NAMES = ("runs", "verdict", "cases", "case", "records", "record", "lineage", "lineage-run", "login",
         "refusal")  # fmt: skip


def yukjo(*arguments: object) -> str:
    done = subprocess.run([sys.executable, "-m", "yukjo", *map(str, arguments)], check=True,
                          capture_output=True, text=True, env=environment())  # fmt: skip
    return done.stdout


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with a real run in it, its record signed and checked."""
    folder = tmp_path_factory.mktemp("real") / "gov"
    shutil.copytree(GOV, folder, ignore=shutil.ignore_patterns("runs"))
    made = Path(os.environ.get("YUKJO_TEST_RUNS", GOV / "runs" / "small"))
    if any(made.glob("*/cases.jsonl")) and (made / "ledger.sqlite").exists():
        heavy = shutil.ignore_patterns("adapters", "best", "checkpoints", "gguf")
        shutil.copytree(made, folder / "runs", ignore=heavy)
    else:
        sets = [part for one in SMALL for part in ("--set", one)]
        yukjo("run", "--project", folder, *sets)
    key = folder / "ledger.key"
    yukjo("ledger", "keygen", "--out", key)
    with (folder / "yukjo.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[ledger]\nkey = "{key}"\n')
    yukjo("ledger", "checkpoint", "--project", folder)
    return folder


@pytest.fixture(scope="session")
def served(project: Path) -> Iterator[Served]:
    token = json.loads(yukjo("dashboard", "token", "add", "--role", "reviewer", "--json",
                             "--project", project))["token"]  # fmt: skip
    [cases] = sorted(project.glob("runs/*/cases.jsonl"))[-1:]
    first = json.loads(cases.read_text(encoding="utf-8").splitlines()[0])
    process = subprocess.Popen(
        [sys.executable, "-m", "yukjo", "dashboard", "--project", project, "--port", "0"],
        stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert process.stdout
    url = process.stdout.readline().split()[-1]
    yield Served(url, cases.parent.name, first["case"], token)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "install Chromium (Debian: apt-get install chromium)"
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, all that it asked the network for, and what the browser complained of."""

    page: Any
    served: Served
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def open(self, name: str) -> Any:
        address = self.served.url + self.served.pages.get(name, name)
        self.page.goto(address, wait_until="networkidle")
        return self.page

    def enter(self) -> None:
        self.open("login")
        self.page.fill("#token", self.served.token)
        self.page.press("#token", "Enter")
        self.page.wait_for_url("**/dashboard/")

    def violations(self) -> list[str]:
        found = axe.Axe().run(
            self.page, options={"runOnly": {"type": "tag", "values": RULES["runOnly"]}}
        )
        return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found.response["violations"]]

    @property
    def elsewhere(self) -> list[str]:
        own = urlsplit(self.served.url).netloc
        return [address for address in self.asked if urlsplit(address).netloc != own]


def picture(page: Any, name: str) -> None:
    """Keep a picture for the documentation, where it is asked for."""
    if (folder := os.environ.get("YUKJO_PICTURES")) and name in PICTURES:
        page.set_viewport_size(WIDE | {"height": 1500})
        page.screenshot(path=Path(folder) / f"{name}.png")
        page.set_viewport_size(WIDE)


def watch(chromium: Any, served: Served, **how: Any) -> Watched:
    context = chromium.new_context(locale="ko-KR", **({"viewport": WIDE} | how))
    watched = Watched(context.new_page(), served)
    watched.page.on("request", lambda request: watched.asked.append(request.url))
    watched.page.on("pageerror", lambda fault: watched.said.append(str(fault)))
    watched.page.on(
        "console",
        lambda said: (
            watched.said.append(said.text)
            if said.type == "error" and "status of 40" not in said.text
            else None
        ),
    )
    return watched


@pytest.fixture(scope="module")
def inside(chromium: Any, served: Served) -> Iterator[Watched]:
    """A reviewer who is logged in for all tests."""
    found = watch(chromium, served)
    found.enter()
    yield found
    found.page.context.close()


@pytest.fixture
def watched(inside: Watched) -> Watched:
    """The same, as wide as a desk's screen, nothing asked or said yet."""
    inside.page.set_viewport_size(WIDE)
    inside.page.emulate_media(color_scheme="light", media="screen")
    inside.asked.clear()
    inside.said.clear()
    return inside


def colour(page: Any) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_accessible_light_and_dark_and_asks_no_other_address(
    watched: Watched, name: str
) -> None:
    page = watched.open(name)
    assert page.locator("h1").count() == 1
    picture(page, name)
    assert watched.violations() == []
    page.emulate_media(color_scheme="dark")
    assert colour(page) == DARK
    picture(page, f"{name}-dark")
    assert watched.violations() == []
    assert watched.asked
    assert watched.elsewhere == []
    assert watched.said == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs_off_a_narrow_screen(watched: Watched, name: str) -> None:
    watched.page.set_viewport_size(NARROW)
    page = watched.open(name)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("name", NAMES)
def test_all_is_reached_by_keyboard_and_seen_where_it_is(watched: Watched, name: str) -> None:
    page = watched.open(name)
    page.keyboard.press("Tab")
    first = "(document.activeElement.dataset.reached = 1, document.activeElement.className)"
    assert page.evaluate(first) == "skip"
    wanted = page.evaluate("""() => [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
        .filter(e => e.checkVisibility() && e.tabIndex >= 0 && e.type !== 'radio').length""")
    reached, unseen = 1, []
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        now = page.evaluate("""() => { const e = document.activeElement; const s =
            getComputedStyle(e); if (e === document.body || e.dataset.reached) return null;
            e.dataset.reached = 1; return [e.type === 'radio', e.outerHTML.slice(0, 80),
            s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; }""")
        if now is None:
            break
        radio, html, seen = now
        reached += not radio
        unseen += [] if seen else [html]
    assert reached == wanted
    assert unseen == []


def test_colours_can_be_chosen_against_the_system(watched: Watched) -> None:
    page = watched.open("records")
    page.click("text=어둡게")
    page.wait_for_selector("html[data-theme=dark]")
    assert colour(page) == DARK
    assert urlsplit(page.url).path == "/dashboard/records"
    page.click("text=밝게")
    page.wait_for_selector("html[data-theme=light]")
    assert colour(page) == "rgb(255, 255, 255)"
    page.click("text=자동")
    page.wait_for_selector("html:not([data-theme])")


def test_paper_has_the_figures_and_no_menus(watched: Watched) -> None:
    page = watched.open("verdict")
    page.emulate_media(media="print")
    shown = "getComputedStyle(document.querySelector('table.goals svg.strip .bar')).display"
    assert page.evaluate(shown) != "none"
    assert page.locator("table.goals").first.is_visible()
    assert not page.locator("nav").first.is_visible()


def test_the_skip_link_leads_to_the_content(watched: Watched) -> None:
    page = watched.open("verdict")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_reviewer_decides_by_keyboard_and_it_is_recorded(watched: Watched) -> None:
    page = watched.open("verdict")
    page.focus("input[name=decision] >> nth=0")
    page.keyboard.press("Space")
    chosen = page.evaluate("document.activeElement.nextElementSibling.textContent")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#decision")
    row = page.locator("#decision ~ .scroll tbody tr").first
    assert chosen in row.inner_text()
    row.locator("a").last.click()
    assert '"decision"' in page.locator("pre").inner_text()


def test_filters_narrow_a_list_without_leaving_the_page(watched: Watched) -> None:
    page = watched.open("records")
    page.evaluate("window.stayed = true")
    page.select_option("#kind", "verdict")
    playwright.expect(page.locator("#list tbody tr")).to_have_count(1)
    assert page.evaluate("window.stayed")
    assert "kind=verdict" in page.url
    page = watched.open("cases")
    before = page.locator("#list tbody tr").count()
    page.select_option("#agent", "review")
    playwright.expect(page.locator("#list tbody tr")).not_to_have_count(before)


def test_without_scripts_all_of_it_works(chromium: Any, served: Served) -> None:
    plain = watch(chromium, served, java_script_enabled=False)
    plain.enter()
    page = plain.open("records")
    page.select_option("#kind", "verdict")
    page.click("form.filter button")
    assert "kind=verdict" in page.url
    assert page.locator("#list tbody tr").count() == 1
    plain.page.context.close()


def test_the_policy_stops_what_a_page_would_ask_elsewhere(watched: Watched) -> None:
    page = watched.open("verdict")
    refused = page.evaluate("""async () => { try { await fetch('http://127.0.0.1:9/');
        return false } catch { return true } }""")
    assert refused
    assert any("Content Security Policy" in said for said in watched.said)


def test_the_first_page_comes_in_a_second(watched: Watched) -> None:
    watched.open("runs")
    took = []
    for _ in range(3):
        page = watched.open("runs")
        took.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert min(took) < 1000  # the machine may be busy with other things


def test_who_is_not_logged_in_sees_nothing(chromium: Any, served: Served) -> None:
    outside = watch(chromium, served)
    page = outside.open("verdict")
    assert urlsplit(page.url).path == "/dashboard/login"
    assert "gov" not in page.locator("header").inner_text()
    assert page.locator("nav").count() == 0
    outside.page.context.close()
