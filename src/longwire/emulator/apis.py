"""What tells the APIs apart at the door: where the key stands, and what a refusal looks like."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from longwire.emulator.cache import Caller
from longwire.emulator.errors import Rejected
from longwire.emulator.options import Json, Route

Serve = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Api:
    """One API: `token` finds the key of a request, `envelope` makes a body of a refusal."""

    name: str
    token: Callable[[web.Request], str]
    envelope: Callable[[Rejected], Json]
    unauthorized: Callable[[str], Rejected]
    """What a key is refused with, "" being none."""
    id_header: str = "x-request-id"
    """The header that names a request."""


Endpoint = Callable[[Route, Serve, Api], Handler]
"""A handler of `Serve` behind faults, the check of the caller, and error bodies."""


def bearer(request: web.Request) -> str:
    """The token of `Authorization: Bearer`."""
    return request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ").strip()


def incorrect_key(_: str) -> Rejected:
    """What OpenAI says of a key."""
    message = "Incorrect API key provided."
    return Rejected(message, code="invalid_api_key", status=401, violation=False)


RESPONSES = Api("responses", bearer, Rejected.body, incorrect_key)
