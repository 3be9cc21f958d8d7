"""The pages, in the order of the menu. Each module has `add(site)`, which registers what it shows.

A new page is a module here, its templates under `templates/web/`, its name in `PAGES`, its words.
"""

from typing import Protocol

from yukjo.dashboard.web.pages import cases, login, records, runs, verdict
from yukjo.dashboard.web.site import Site


class Page(Protocol):
    """What a module here must have."""

    def add(self, site: Site) -> None:
        """Register routes, menu entries and tabs."""


PAGES: tuple[Page, ...] = (login, runs, verdict, cases, records)
