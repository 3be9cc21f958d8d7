"""The way in and out. A wrong token and a token of nobody look alike."""

from starlette.responses import RedirectResponse, Response

from yukjo.dashboard.web.conduct import BASE, keep
from yukjo.dashboard.web.site import FORM, SESSION, Site, Visit


def add(site: Site) -> None:
    """Register the log-in page and both forms."""

    @site.get("/login", role=None)
    def page(visit: Visit) -> Response:
        return visit.render("web/login.html", to=visit.asked("to"), wrong=False)

    @site.post("/login", role=None)
    def enter(visit: Visit) -> Response:
        token = site.tokens.holder(visit.form.get("token", ""))
        to = visit.form.get("to", "")
        if token is None:
            return visit.render("web/login.html", status=401, to=to, wrong=True)
        site.sessions.end(visit.cookie)
        response = RedirectResponse(_inside(to), 303)
        cookies = {SESSION: site.sessions.begin(token), FORM: ""}
        keep(response, cookies, secure=visit.secure)
        return response

    @site.post("/logout", role=None)
    def leave(visit: Visit) -> Response:
        site.sessions.end(visit.cookie)
        response = RedirectResponse(f"{BASE}/", 303)
        keep(response, {SESSION: ""}, secure=visit.secure)
        return response


def _inside(to: str) -> str:
    """Where to go after logging in: an address of ours, whatever was asked for.

    >>> _inside("/dashboard/records?page=2"), _inside("//elsewhere"), _inside("/dashboard/../x")
    ('/dashboard/records?page=2', '/dashboard/', '/dashboard/')
    """
    own = to.startswith(f"{BASE}/") and to.isprintable() and not any(x in to for x in ("\\", ".."))
    return to if own else f"{BASE}/"
