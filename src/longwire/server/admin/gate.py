"""The way into the admin API: the cookie says who, and only this origin's own pages may use it.

Law: a browser sends the cookie along with whatever any page asks it to; so a POST needs a header
that no other page can add, and where an origin is told, it is this server's.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.dataloader import DataLoader

from longwire.core.errors import Forbidden
from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.turn_row import TurnDetails, TurnId
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Context, Viewer
from longwire.server.problems import request_id
from longwire.store.sign_ins import LIFETIME_MS

CSRF_HEADER: Final = "x-longwire-csrf"
_SECURE, _INSECURE = "__Host-longwire", "longwire"


class Gate:
    """Lets requests in, with who sent them."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def admit(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return the context of a request. Raises `Forbidden` for another origin's page."""
        _check_origin(request.headers)
        if isinstance(request, Request) and request.headers.get(CSRF_HEADER) != "1":
            msg = f"Send the header '{CSRF_HEADER}: 1'."
            raise Forbidden(msg)
        await self._administration.give_way()
        return Context(
            request,
            response,
            self._administration,
            self._administration.fleet.throttle,
            await self._viewer(request),
            request_id({name.lower(): value for name, value in request.headers.items()}),
            # Uncached: a WebSocket's context lives as long as the page behind it.
            DataLoader(self._details, cache=False),
        )

    async def _details(self, turn_ids: list[TurnId]) -> list[TurnDetails | None]:
        found = await self._administration.store.turns.details(turn_ids)
        return [found.get(each) for each in turn_ids]

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
    context.response.set_cookie(
        cookie_name(context.administration),
        value,
        max_age=seconds,
        path="/",
        secure=not context.administration.insecure_cookies,
        httponly=True,
        samesite="lax",
    )


def _check_origin(headers: Headers) -> None:
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        msg = "The admin API answers to pages of its own origin alone."
        raise Forbidden(msg)
