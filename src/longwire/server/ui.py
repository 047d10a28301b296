"""The web interface: what the build left in `static`, and one page for every place within it.

Law: names with a digest never change and are kept for good; the page that names them is asked for
anew each time. Nothing runs in it that is not one of these files, and no other page frames it.
"""

from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

BUILT: Final = Path(__file__).with_name("static")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_GUARDS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_KEPT: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED: Final = {"br": ".br", "gzip": ".gz"}
_OTHERS: Final = ("v1/", "admin/", "assets/")
"""Below these no page stands: one that is not there is answered with 404."""
_PLAIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Longwire</title>
<h1>Longwire {version}</h1>
<p>The gateway serves. Point a client at <code>{base}v1</code>, with its key as bearer token.</p>
<p>The web interface was not built here; an installed wheel has it.</p>
<p><a href="{path}v1/models">models</a> (with a key) · <a href="{path}ready">ready</a> ·
<a href="{path}openapi.json">OpenAPI</a></p></html>
"""


@cache
def _files_in(folder: Path) -> frozenset[str]:
    found = folder.rglob("*") if folder.is_dir() else ()
    return frozenset(path.relative_to(folder).as_posix() for path in found if path.is_file())


class Pages:
    """Serves the interface from a folder. `base_path` is what a proxy strips before it asks."""

    def __init__(self, folder: Path = BUILT, base_path: str = "") -> None:
        self._folder = folder
        self._base_path = base_path
        self._files = _files_in(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file or the page. Raises `HTTPException` where neither is."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        answer = self._answer(Request(scope))
        await answer(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path, root = request.scope["path"], request.scope.get("root_path", "")
        name = path.removeprefix(root).removeprefix("/")
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(404)
        if name in self._files and name != "index.html":
            return self._file(request, name)
        is_page = not name or "text/html" in request.headers.get("accept", "")
        if not is_page or name.startswith(_OTHERS):
            raise HTTPException(404)
        return self._page(request)

    def _file(self, request: Request, name: str) -> Response:
        kept = _KEPT if name.startswith("assets/") else "no-cache"
        headers = {**_GUARDS, "cache-control": kept, "vary": "accept-encoding"}
        kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
        accepted = request.headers.get("accept-encoding", "")
        for coding, suffix in _PACKED.items():
            if coding in accepted and name + suffix in self._files:
                packed = self._folder / (name + suffix)
                return FileResponse(packed, 200, {**headers, "content-encoding": coding}, kind)
        return FileResponse(self._folder / name, 200, headers, kind)

    def _page(self, request: Request) -> Response:
        base = escape(f"{request.scope.get('root_path', '')}{self._base_path}/")
        headers = {**_GUARDS, "cache-control": "no-cache"}
        if "index.html" not in self._files:
            whole = escape(f"{request.base_url.scheme}://{request.base_url.netloc}") + base
            page = _PLAIN.format(version=version("longwire"), base=whole, path=base)
            return HTMLResponse(page, headers=headers)
        page = (self._folder / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(page.replace('<base href="/"', f'<base href="{base}"'), headers=headers)
