"""Who may do what in the dashboard: tokens, sessions, roles, and an address of its own."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.conftest import RUN, Pages
from yukjo.dashboard.web import Tokens, refuse_open
from yukjo.dashboard.web.access import IDLE_SECONDS, LONGEST_SECONDS, Sessions
from yukjo.errors import ConfigError


def test_a_token_is_told_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "dashboard" / "tokens.json")
    made, text = tokens.add("reviewer", "review-2")
    kept = tokens.file.read_text(encoding="utf-8")
    assert text.startswith("t1-")
    assert text.partition("-")[2] not in kept
    assert tokens.holder(text) == made
    assert tokens.holder(text + "0") is None
    assert tokens.holder("t1-") is None
    assert stat.S_IMODE(tokens.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.file.parent.stat().st_mode) == 0o700


def test_a_token_taken_back_opens_nothing_and_its_number_is_never_given_again(
    tmp_path: Path,
) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    first, text = tokens.add("viewer")
    tokens.remove(first.id)
    assert tokens.holder(text) is None
    assert tokens.add("viewer")[0].id == "t2"
    with pytest.raises(ConfigError):
        tokens.remove(first.id)


@pytest.mark.parametrize("content", ["", "{}", '[{"id": "t1"}]', "\xff"])
def test_a_list_that_makes_no_sense_lets_nobody_in(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigError):
        Tokens(file).every()


def test_a_session_ends_when_idle_when_old_and_with_its_token(tmp_path: Path) -> None:
    now = [0.0]
    tokens = Tokens(tmp_path / "tokens.json")
    token, _ = tokens.add("viewer")
    sessions = Sessions(tokens, clock=lambda: now[0])
    cookie = sessions.begin(token)
    assert sessions.holder(cookie) == token
    assert sessions.holder(cookie[:-1]) is None
    now[0] += IDLE_SECONDS
    assert sessions.holder(cookie) is None
    cookie = sessions.begin(token)
    began = now[0]
    while now[0] < began + LONGEST_SECONDS - IDLE_SECONDS:
        now[0] += IDLE_SECONDS - 1
        assert sessions.holder(cookie) == token
    now[0] = began + LONGEST_SECONDS
    assert sessions.holder(cookie) is None
    cookie = sessions.begin(token)
    tokens.remove(token.id)
    assert sessions.holder(cookie) is None


def test_other_addresses_are_refused_without_a_token(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    refuse_open(tokens, host="127.0.0.1")
    for host in ("0.0.0.0", "192.0.2.7", "::", "example.org"):
        with pytest.raises(ConfigError) as said:
            refuse_open(tokens, host=host)
        assert "token add" in said.value.fix
    tokens.add("viewer")
    refuse_open(tokens, host="0.0.0.0")


def test_without_a_token_whoever_is_here_may_look_and_nobody_may_decide(pages: Pages) -> None:
    page = pages.get(f"/runs/{RUN}")
    assert "검토자(reviewer) 토큰으로 로그인" in page
    assert "결정 기록하기" not in page
    stamp = pages.stamp()
    refused = pages.post(f"/runs/{RUN}/decision", csrf=stamp, decision="reject", verdict="3")
    assert refused.status_code == 403


def test_with_a_token_everybody_logs_in_and_comes_where_they_wanted(pages: Pages) -> None:
    pages.tokens.add("viewer")
    for path in ("/", f"/runs/{RUN}", f"/runs/{RUN}/cases", "/records", "/records/1",
                 "/records/1/raw", "/records/lineage?thing=x",
                 f"/records/ssot/{RUN}"):  # fmt: skip
        sent = pages.browser.get(f"/dashboard{path}", follow_redirects=False)
        assert sent.status_code == 303, path
        assert sent.headers["location"].startswith("/dashboard/login?to=")
    assert "누리구" not in pages.get("/login")
    pages.enter("viewer")
    assert "누리구" in pages.get("/records")


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example", "/other", "",
                                "/dashboard/../x", "/dashboard/\r\nset-cookie: a=b"])  # fmt: skip
def test_a_log_in_never_leads_elsewhere(pages: Pages, to: str) -> None:
    _, text = pages.tokens.add("viewer")
    done = pages.post("/login", csrf=pages.stamp("/login"), token=text, to=to)
    assert done.headers["location"] == "/dashboard/"


def test_a_wrong_token_is_refused_and_told_nothing(pages: Pages) -> None:
    pages.tokens.add("admin")
    said = pages.post("/login", csrf=pages.stamp("/login"), token="t1-00", to="")
    assert said.status_code == 401
    assert "등록되지 않았거나 거둔 토큰" in said.text
    assert "yukjo_session" not in said.headers.get("set-cookie", "")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(pages: Pages) -> None:
    _, text = pages.tokens.add("viewer")
    done = pages.post("/login", csrf=pages.stamp("/login"), token=text, to="")
    [session] = [c for c in done.headers.get_list("set-cookie") if c.startswith("yukjo_session=")]
    assert {"HttpOnly", "SameSite=strict", "Path=/dashboard"} <= {*session.split("; ")}


def test_a_viewer_is_refused_a_decision_and_a_reviewer_is_not(pages: Pages) -> None:
    pages.enter("viewer")
    at = f"/runs/{RUN}/decision"
    refused = pages.post(at, csrf=pages.stamp(), decision="reject", verdict="3")
    assert refused.status_code == 403
    assert "검토자" in refused.text
    number = pages.enter("reviewer")
    done = pages.post(at, csrf=pages.stamp(), decision="more-cases", verdict="3")
    assert done.status_code == 303
    entry = pages.sources.ledger.newest("decision", run=RUN)
    assert entry
    assert entry.body == {"decision": "more-cases", "verdict": 3, "ruling": "hold",
                          "token": number, "role": "reviewer"}  # fmt: skip
    assert "시험 사례 보강 요청" in pages.get(f"/runs/{RUN}")


@pytest.mark.parametrize("fields", [
    {"decision": "approve", "verdict": "3"}, {"decision": "reject", "verdict": "2"},
    {"decision": "x", "verdict": "3"}, {"verdict": "3"}, {},
])  # fmt: skip
def test_what_the_verdict_does_not_allow_is_not_decided(
    pages: Pages, fields: dict[str, str]
) -> None:
    pages.enter("reviewer")
    done = pages.post(f"/runs/{RUN}/decision", csrf=pages.stamp(), **fields)
    assert done.status_code == 409
    assert pages.sources.ledger.newest("decision") is None


def test_a_pass_may_be_approved(make_pages: Callable[..., Pages]) -> None:
    pages = make_pages(ruling="pass")
    pages.enter("admin")
    sent = pages.post(f"/runs/{RUN}/decision", csrf=pages.stamp(), decision="approve", verdict="3")
    assert sent.status_code == 303


@pytest.mark.parametrize("stamp", ["", "0" * 64, "한"])
def test_no_form_goes_through_without_its_stamp(pages: Pages, stamp: str) -> None:
    pages.enter("reviewer")
    for path in (f"/runs/{RUN}/decision", "/records/check", "/login", "/logout"):
        refused = pages.post(path, csrf=stamp, decision="reject", verdict="3")
        assert refused.status_code == 403, path
    assert pages.sources.ledger.newest("decision") is None
    assert "로그아웃" in pages.get("/records")


def test_the_stamp_of_one_session_does_not_fit_another(pages: Pages) -> None:
    pages.enter("reviewer")
    old = pages.stamp()
    pages.browser.cookies.clear()
    pages.enter("reviewer")
    refused = pages.post("/records/check", csrf=old)
    assert refused.status_code == 403


def test_a_stamp_may_come_in_a_header_as_htmx_sends_it(pages: Pages) -> None:
    stamp = pages.stamp()
    done = pages.browser.post("/dashboard/records/check", headers={"x-csrf-token": stamp},
                              follow_redirects=False)  # fmt: skip
    assert done.status_code == 303


def test_who_logs_out_is_out(pages: Pages) -> None:
    pages.enter("viewer")
    cookie = dict(pages.browser.cookies)
    pages.post("/logout", csrf=pages.stamp())
    for name, value in cookie.items():  # the cookie of before opens nothing any more
        pages.browser.cookies.set(name, value, path="/dashboard")
    sent = pages.browser.get("/dashboard/records", follow_redirects=False)
    assert sent.status_code == 303


@pytest.mark.parametrize("headers", [
    {"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"},
])  # fmt: skip
def test_another_name_and_another_site_are_refused(pages: Pages, headers: dict[str, str]) -> None:
    refused = pages.browser.get("/dashboard/records", headers=headers)
    assert refused.status_code in {403, 421}
    assert refused.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_form_that_is_too_large_or_no_text_is_refused(pages: Pages) -> None:
    large = pages.browser.post("/dashboard/login", content=b"x" * 70_000)
    assert large.status_code == 413
    many = pages.browser.post("/dashboard/login", content=b"&".join([b"a=1"] * 200))
    assert many.status_code == 400


def test_tokens_by_the_command_line(yukjo: Any, tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_text("", encoding="utf-8")
    at = ("--project", tmp_path)
    made = json.loads(yukjo("dashboard", "token", "add", "--role", "reviewer", "--name", "자리 2",
                            "--json", *at).out)  # fmt: skip
    tokens = Tokens(tmp_path / "runs" / "dashboard" / "tokens.json")
    assert tokens.holder(made["token"])
    listed = json.loads(yukjo("dashboard", "token", "list", "--json", *at).out)["tokens"]
    assert [(t["id"], t["role"], t["name"], t["valid"]) for t in listed] == [
        ("t1", "reviewer", "자리 2", True)
    ]
    assert made["token"] not in yukjo("dashboard", "token", "list", *at).out
    assert yukjo("dashboard", "token", "remove", "t1", *at).code == 0
    assert yukjo("dashboard", "token", "remove", "t1", *at).code == 2
    assert yukjo("dashboard", "--host", "0.0.0.0", *at).code == 2
    misplaced = yukjo("dashboard", *at, "token", "list")
    assert misplaced.code == 2
    assert "--project" in misplaced.err
