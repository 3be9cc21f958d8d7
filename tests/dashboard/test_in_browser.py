"""The report in a real browser: `make browser`, which needs Chromium on the path."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from yukjo.dashboard.report import report
from yukjo.records import Entry
from yukjo.words import Language

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1100,1600",
)  # fmt: skip


def browse(page: Path, *options: str) -> str:
    """Open `page` in headless Chromium with `options`; what it printed."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "install Chromium (Debian: apt-get install chromium)"
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [chromium, *FLAGS, profile, *options, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(params=["ko", "en"])
def page(request: pytest.FixtureRequest, entry: Entry, tmp_path: Path) -> Path:
    language: Language = request.param
    path = tmp_path / "report.html"
    path.write_text(report(entry, language=language), encoding="utf-8")
    return path


def test_the_page_is_drawn_with_its_styles(page: Path) -> None:
    picture = page.parent / "page.png"
    browse(page, f"--screenshot={picture}")
    plain = page.parent / "plain.png"
    unstyled = page.parent / "plain.html"
    unstyled.write_text(page.read_text(encoding="utf-8").replace("<style", "<template"))
    browse(unstyled, f"--screenshot={plain}")
    assert picture.stat().st_size > 20_000
    assert picture.read_bytes() != plain.read_bytes()  # its content policy lets its style in


def asked(page: Path) -> set[str]:
    """Addresses that the page asked the network for; the browser's own have no initiator."""
    log = page.parent / "net.json"
    browse(page, f"--log-net-log={log}", "--dump-dom")
    asked = [e["params"] for e in json.loads(log.read_text(encoding="utf-8"))["events"]
             if "url" in e.get("params", {})]  # fmt: skip
    return {p["url"] for p in asked if p.get("initiator", "not an origin") != "not an origin"}


def test_the_page_asks_the_network_for_nothing(page: Path) -> None:
    assert asked(page) == set()


def test_a_page_that_asks_is_seen_to_ask(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://127.0.0.1:9/picture.png">')
    assert asked(page) == {"http://127.0.0.1:9/picture.png"}
