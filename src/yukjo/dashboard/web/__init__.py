"""The ledger for people in a browser: server-drawn pages under `/dashboard`, nothing from outside.

A request's way: `serve.guard` (whose page may ask, how much) -> `site` (headers, session, role,
CSRF token) -> a function of `pages` -> a template. `docs/dashboard.md` says how a page is added.
"""

from yukjo.dashboard.web.access import Role, Tokens, tokens_file
from yukjo.dashboard.web.app import Beside, create_pages, refuse_open
from yukjo.dashboard.web.sources import Sources

__all__ = [
    "Beside", "Role", "Sources", "Tokens", "create_pages", "refuse_open", "tokens_file",
]  # fmt: skip
