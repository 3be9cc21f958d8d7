"""The files that pages load: our own, and those of others that stand in `static/vendor`.

An address holds the start of the file's hash, so that a browser may keep it for good.
"""

from functools import cache
from importlib import resources

from starlette.responses import Response

from yukjo.dashboard.web.conduct import BASE
from yukjo.files import sha256_bytes

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
          "svg": "image/svg+xml"}  # fmt: skip
_OWN = ("site.css", "icon.svg")
_VENDORED = ("htmx.min.js", "uPlot.iife.min.js", "uPlot.min.css")
PARTS = "parts.css"
"""What pages and the report share; it stands with the templates."""


@cache
def known() -> dict[str, bytes]:
    """Name -> bytes of all files that are given out."""
    folder = resources.files("yukjo.dashboard")
    own = {name: (folder / "static" / name).read_bytes() for name in _OWN}
    vendored = {name: (folder / "static" / "vendor" / name).read_bytes() for name in _VENDORED}
    return {**own, **vendored, PARTS: (folder / "templates" / PARTS).read_bytes()}


@cache
def address(name: str) -> str:
    """Where a page finds a file."""
    return f"{BASE}/static/{name}?v={sha256_bytes(known()[name])[:12]}"


def given(name: str) -> Response:
    """A file; 404 where there is none of that name."""
    content = known().get(name)
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type=_TYPES[name.rsplit(".", 1)[-1]],
                    headers={"cache-control": "public, max-age=31536000, immutable"})  # fmt: skip
