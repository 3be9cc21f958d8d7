"""One way in for every page: who asks, in which language, and whether they may.

A page is a function from a `Visit` to a `Response`. `Site.get` and `Site.post` ask for the role it
needs, so that none can be forgotten; a form without its CSRF token never reaches a page.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from yukjo.dashboard.templating import environment
from yukjo.dashboard.web.access import Role, Sessions, Token, Tokens, may
from yukjo.dashboard.web.conduct import BASE, Stamps, fields, keep
from yukjo.dashboard.web.files import address
from yukjo.dashboard.web.sources import Sources
from yukjo.errors import YukjoError
from yukjo.words import Language, say, speaking

SESSION, FORM, LANG, THEME = "yukjo_session", "yukjo_form", "yukjo_lang", "yukjo_theme"
_CHOICES = {"lang": ("ko", "en"), "theme": ("auto", "light", "dark")}

Theme = Literal["auto", "light", "dark"]
Page = Callable[["Visit"], Response]


class Missing(YukjoError):
    """There is no such page, run, case or entry."""


@dataclass(slots=True)
class Visit:
    """One request of one person."""

    site: "Site"
    request: Request
    language: Language
    theme: Theme
    token: Token | None
    """Whose session it is; None for who isn't logged in."""
    cookie: str
    """To which the CSRF token of this visit belongs."""
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def role(self) -> Role | None:
        """None where a log-in is needed: without any token, whoever is at this machine may look."""
        if self.token:
            return self.token.role
        return None if self.site.tokens.valid else "viewer"

    @property
    def csrf(self) -> str:
        """What this visit's forms must send."""
        return self.site.stamps.of(self.cookie)

    @property
    def secure(self) -> bool:
        """Whether cookies may be kept to encrypted connections."""
        return self.request.url.scheme == "https"

    @property
    def sources(self) -> Sources:
        """What is shown."""
        return self.site.sources

    @property
    def here(self) -> str:
        """The path, with its query."""
        query = {k: v for k, v in self.request.query_params.items() if k not in _CHOICES}
        return self.request.url.path + (f"?{urlencode(query)}" if query else "")

    def with_choice(self, choice: str) -> str:
        """The query of this page with a choice of language or colours."""
        _, _, query = self.here.partition("?")
        return f"{query}&{choice}" if query else choice

    def tabs(self, run: str) -> list[dict[str, Any]]:
        """The pages of a run, with which one this is."""
        base = f"{BASE}/runs/{quote(run, safe='')}"
        below = quote(self.request.url.path).removeprefix(base)
        return [{"href": base + own, "title": title(),
                 "here": below == own or (bool(own) and below.startswith(own))}
                for own, title in self.site.tabs]  # fmt: skip

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """A value of the query; "" where it is not asked for."""
        return self.request.query_params.get(name, "").strip()

    def may(self, needed: Role) -> bool:
        """Whether this visitor's role is enough."""
        return self.role is not None and may(self.role, needed)

    def render(self, template: str, /, status: int = 200, **shown: object) -> HTMLResponse:
        """A page of the site."""
        frame = {"visit": self, "site": self.site, "base": BASE, "file": address,
                 "pages": self.site.nav(self), "roles": role_name}  # fmt: skip
        text = environment().get_template(template).render({**frame, **shown})
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)


class Site:
    """The pages of one project."""

    def __init__(self, app: FastAPI, sources: Sources, tokens: Tokens) -> None:
        self.app, self.sources, self.tokens = app, sources, tokens
        self.sessions, self.stamps = Sessions(tokens), Stamps()
        self.entries: list[tuple[str, Callable[[], str]]] = []
        """Of the navigation: address below BASE, and its title."""
        self.tabs: list[tuple[str, Callable[[], str]]] = []
        """Of each run: address below the run's own, and its title."""

    def nav(self, visit: Visit) -> list[dict[str, Any]]:
        """The navigation, with which entry the visit is under."""
        path = visit.request.url.path.removeprefix(BASE) or "/"
        under = [own for own, _ in self.entries
                 if path == own or path.startswith(own.rstrip("/") + "/")]  # fmt: skip
        here = max(under, key=len, default="")
        return [{"href": BASE + own, "title": title(), "here": own == here}
                for own, title in self.entries]  # fmt: skip

    def get(self, path: str, *, role: Role | None = "viewer") -> Callable[[Page], Page]:
        """Register a page that shows something."""

        def add(page: Page) -> Page:
            async def answer(request: Request) -> Response:
                if chosen := self._choice(request):
                    return chosen
                return await self._answer(self.visit(request), page, role)

            self._register(path, "GET", answer)
            return page

        return add

    def post(self, path: str, *, role: Role | None) -> Callable[[Page], Page]:
        """Register what a form does."""

        def add(page: Page) -> Page:
            async def answer(request: Request) -> Response:
                visit = self.visit(request)
                if refused := self._unstamped(visit, await request.body()):
                    return refused
                return await self._answer(visit, page, role)

            self._register(path, "POST", answer)
            return page

        return add

    def visit(self, request: Request) -> Visit:
        """Who asks, and how they want it."""
        cookies = request.cookies
        session = cookies.get(SESSION, "")
        token = self.sessions.holder(session) if session else None
        lang, theme = cookies.get(LANG, ""), cookies.get(THEME, "")
        default = self.sources.config.project.language
        return Visit(
            site=self,
            request=request,
            language=cast("Language", lang) if lang in _CHOICES["lang"] else default,
            theme=cast("Theme", theme) if theme in _CHOICES["theme"] else "auto",
            token=token,
            cookie=session if token else cookies.get(FORM, ""),
        )

    def refusal(self, visit: Visit, status: int, what: str, where: str = "",
                fix: str = "") -> Response:  # fmt: skip
        """A page that says why there is no page."""
        with speaking(visit.language):
            return self._sealed(visit, visit.render("web/refusal.html", status=status, what=what,
                                                    where=where, fix=fix, code=status))  # fmt: skip

    def _unstamped(self, visit: Visit, body: bytes) -> Response | None:
        """Read a form; a refusal where it can't be, or came from no page of this visitor's."""
        with speaking(visit.language):
            try:
                visit.form = fields(body)
            except ValueError:
                return self.refusal(visit, 400, say("this form can't be read"))
            sent = visit.request.headers.get("x-csrf-token", "")
            if self.stamps.fits(visit.cookie, visit.form.get("csrf", "") or sent):
                return None
            return self.refusal(visit, 403, say("this form is too old or not of this site"))

    async def _answer(self, visit: Visit, page: Page, role: Role | None) -> Response:
        """The page's answer, if the visitor may; None asks for no role at all."""
        if role is None:
            return await self.run(visit, page)
        if visit.role is None:
            return RedirectResponse(f"{BASE}/login?{urlencode({'to': visit.here})}", 303)
        if not may(visit.role, role):
            with speaking(visit.language):
                what = say("this needs the role `{role}`", role=role_name(role))
                fix = say("log in with a token of that role")
            return self.refusal(visit, 403, what, fix=fix)
        return await self.run(visit, page)

    async def run(self, visit: Visit, page: Page) -> Response:
        """What a page answers, in the visitor's language; YukjoErrors become pages."""

        def speak() -> Response:
            with speaking(visit.language):
                return page(visit)

        if not visit.cookie:
            visit.cookie = secrets.token_urlsafe(24)
        try:
            return self._sealed(visit, await run_in_threadpool(speak))
        except YukjoError as fault:
            status = 404 if isinstance(fault, Missing) else 409
            return self.refusal(visit, status, fault.what, fault.where, fault.fix)

    def _sealed(self, visit: Visit, response: Response) -> Response:
        """The answer, with the cookie that its forms rest on."""
        if visit.token is None and visit.request.cookies.get(FORM) != visit.cookie and visit.cookie:
            keep(response, {FORM: visit.cookie}, secure=visit.secure)
        return response

    def _choice(self, request: Request) -> Response | None:
        """The same page again where language or colours were chosen in its address."""
        chosen = {f"yukjo_{name}": value for name, known in _CHOICES.items()
                  if (value := request.query_params.get(name, "")) in known}  # fmt: skip
        if not chosen:
            return None
        visit = self.visit(request)
        response = RedirectResponse(visit.here, 303)
        keep(response, chosen, secure=visit.secure)
        return response

    def _register(
        self, path: str, method: str, answer: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self.app.add_api_route(
            BASE + path, answer, methods=[method], response_model=None,
            include_in_schema=False,
        )  # fmt: skip


def role_name(role: Role) -> str:
    """A role in a word."""
    return {"viewer": say("viewer"), "reviewer": say("reviewer"), "admin": say("admin")}[role]
