"""The way into the admin API: the cookie says who, and only this origin's own pages may use it.

Law: a browser sends the cookie along with whatever any page asks it to; so a POST needs a header
that no other page can add, and where an origin is told, it is this server's. Where a proxy has cut
the port off the host, that header tells which origin is.
"""

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.dataloader import DataLoader

from longwire.core.errors import Forbidden, OtherOrigin
from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.turn_row import TurnDetails, TurnId
from longwire.logger import structlog
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Context, Viewer
from longwire.server.http.forwarded import UNTRUSTED_PROXY
from longwire.server.problems import request_id
from longwire.store.identities import WaysIn
from longwire.store.sign_ins import LIFETIME_MS
from longwire.store.untrusted_proxies import MOST

_log = structlog.get_logger()
CSRF_HEADER: Final = "x-longwire-csrf"
_USUAL_PORTS: Final = {"http": "80", "https": "443"}
_MOST_ORIGINS: Final = 16
_SECURE, _INSECURE = "__Host-longwire", "longwire"


class Gate:
    """Lets requests in, with who sent them."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._own_origins: set[str] = set()
        self._untrusted_proxies: set[str] = set()

    async def admit(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return the context of a request. Raises `Forbidden` for another origin's page."""
        self._check_origin(request.headers, is_post=isinstance(request, Request))
        await self._administration.give_way()
        await self._note_proxy(request.scope.get(UNTRUSTED_PROXY, ""))
        return Context(
            request,
            response,
            self._administration,
            self._administration.fleet.throttle,
            await self._viewer(request),
            request_id({name.lower(): value for name, value in request.headers.items()}),
            # Uncached: a WebSocket's context lives as long as the page behind it.
            DataLoader(self._details, cache=False),
            DataLoader(self._ways_in, cache=False),
        )

    def is_own(self, origin: str, host: str) -> bool:
        """Whether an origin is that of a host, or was seen to be ours by the header of a POST."""
        return origin in self._own_origins or is_same(origin, host)

    def _check_origin(self, headers: Headers, *, is_post: bool) -> None:
        origin, host = headers.get("origin"), headers.get("host", "")
        is_own = origin is None or self.is_own(origin, host)
        is_cut = origin is not None and is_same_but_for_port(origin, host)
        if not is_own and not (is_cut and is_post):
            raise OtherOrigin(origin or "", host)
        if not is_post:
            return
        if headers.get(CSRF_HEADER) != "1":
            msg = f"Send the header '{CSRF_HEADER}: 1'."
            raise Forbidden(msg)
        if origin is not None and not is_own and len(self._own_origins) < _MOST_ORIGINS:
            self._own_origins.add(origin)

    async def _note_proxy(self, address: str) -> None:
        """Say once that somebody forwards who is not trusted to; `longwire doctor` says it, too."""
        noted = self._untrusted_proxies
        if not address or address in noted or len(noted) >= MOST:
            return
        noted.add(address)
        mend = f'if it is your proxy: server.trusted_proxies = ["{address}"]'
        _log.warning("untrusted_proxy", address=address, mend=mend)
        await self._administration.store.untrusted_proxies.note(address)

    async def _details(self, turn_ids: list[TurnId]) -> list[TurnDetails | None]:
        found = await self._administration.store.turns.details(turn_ids)
        return [found.get(each) for each in turn_ids]

    async def _ways_in(self, user_ids: list[str]) -> list[WaysIn]:
        found = await self._administration.store.identities.ways_in(user_ids)
        return [found.get(each, WaysIn(has_password=False)) for each in user_ids]

    async def _viewer(self, request: Request | WebSocket) -> Viewer | None:
        token = request.cookies.get(cookie_name(self._administration), "")
        user = await self._administration.store.sign_ins.user(token) if token else None
        if user is None:
            return None
        address = request.client.host if request.client else ""
        return Viewer(user, Actor(user.id, user.email, address))


def cookie_name(administration: Administration) -> str:
    """Return the cookie's name: the prefix binds it to this host, and to HTTPS."""
    return _INSECURE if administration.insecure_cookies else _SECURE


def sign_on_cookie_name(administration: Administration) -> str:
    """Return the name of the cookie of a sign-in by a provider that is under way."""
    return f"{cookie_name(administration)}-sign-on"


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that no script reads, and no page of another site sends along."""

    name: str
    administration: Administration

    def give(self, answer: Response, value: str, seconds: int) -> None:
        """Let the browser keep it."""
        answer.set_cookie(
            self.name,
            value,
            max_age=seconds,
            path="/",
            secure=not self.administration.insecure_cookies,
            httponly=True,
            samesite="lax",
        )

    def take(self, answer: Response) -> None:
        """Let the browser forget it."""
        self.give(answer, "", 0)


def give_cookie(context: Context, token: Secret) -> None:
    """Sign the browser in."""
    _set_cookie(context, token.reveal(), LIFETIME_MS // 1000)


def renew_cookie(context: Context) -> None:
    """Let the browser keep the cookie as long as the sign-in now lasts."""
    if isinstance(context.response, Response):
        token = context.request.cookies.get(cookie_name(context.administration), "")
        give_cookie(context, Secret(token))


def take_cookie(context: Context) -> None:
    """Sign the browser out."""
    _set_cookie(context, "", 0)


def _set_cookie(context: Context, value: str, seconds: int) -> None:
    if not isinstance(context.response, Response):
        msg = "A WebSocket cannot sign anybody in or out; use POST."
        raise Forbidden(msg)
    own = Cookie(cookie_name(context.administration), context.administration)
    own.give(context.response, value, seconds)


def is_same(origin: str, host: str) -> bool:
    """Whether an origin is that of a host, whose port may be left out where it is the usual one."""
    scheme, _, place = origin.partition("://")
    port = _USUAL_PORTS.get(scheme, "")
    return bool(place) and _with_port(place, port) == _with_port(host, port)


def is_same_but_for_port(origin: str, host: str) -> bool:
    """Whether a host without a port is that of an origin with any: some proxies cut it off."""
    name, _, port = origin.partition("://")[2].rpartition(":")
    return port.isdecimal() and bool(name) and name.lower() == host.lower()


def _with_port(place: str, port: str) -> str:
    has_port = place.rpartition(":")[2].isdecimal() and not place.endswith("]")
    return (place if has_port else f"{place}:{port}").lower()
