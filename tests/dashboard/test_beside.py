"""Beside the API: what is under the dashboard's address is a page, all else is the API's."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from dashboard.conftest import Pages
from yukjo.dashboard.web import Beside


@pytest.fixture
def both(pages: Pages) -> TestClient:
    api = FastAPI()

    @api.get("/{path:path}")
    def answer(path: str) -> dict[str, str]:
        return {"api": path}

    return TestClient(Beside(api, pages.browser.app), "http://127.0.0.1:8600")


@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/metrics", "/dashboards", "/x"])
def test_the_api_keeps_its_addresses(both: TestClient, path: str) -> None:
    assert both.get(path).json() == {"api": path[1:]}


def test_pages_have_theirs_and_their_own_headers(both: TestClient) -> None:
    for path in ("/", "/dashboard", "/dashboard/", "/dashboard/records"):
        page = both.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in page.headers["content-security-policy"]


def test_starting_and_stopping_are_the_api_s(both: TestClient) -> None:
    with both:
        assert both.get("/dashboard/records").status_code == 200
