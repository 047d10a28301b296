"""What a failure is to the caller: one table from error to HTTP status and OpenAI's envelope.

This is the server's edge: what nobody foresaw becomes a 500 here, logged with its trace, and
nothing of it is shown.
"""

import re
from collections.abc import Mapping
from os import urandom
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from longwire.core.errors import (
    AccountUnavailable,
    BodyTooLarge,
    BodyTooSlow,
    CallerError,
    ChannelRefused,
    ConfigurationError,
    Conflict,
    Forbidden,
    FrameTooLarge,
    LimitReached,
    NotFound,
    Overloaded,
    StoreUnavailable,
    Unauthenticated,
    UnknownModel,
    UnknownResponse,
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.dialects.clients import dialect_at
from longwire.dialects.ports import NO_HEADERS, Headers, Problem
from longwire.logger import structlog

_log = structlog.get_logger()
_LONGEST_MESSAGE = 2_000
_REQUEST_ID = re.compile("[!-~]{1,128}")

_BY_CALLER = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    UnknownModel: 404,
    UnknownResponse: 404,
    BodyTooSlow: 408,
    Conflict: 409,
    BodyTooLarge: 413,
    FrameTooLarge: 413,
    LimitReached: 429,
}
_BY_UPSTREAM = {
    AccountUnavailable: (503, "account_unavailable"),
    ChannelRefused: (502, "channel_refused"),
    UpstreamUnavailable: (502, "upstream_unavailable"),
    UpstreamDisconnected: (502, "upstream_disconnected"),
    UpstreamTimeout: (504, "upstream_timeout"),
}
_NO_RETRY = {"x-should-retry": "false"}
_LOGGED = frozenset({"internal_error", "configuration_error", "store_unavailable"})
_BY_ROUTER = {404: "unknown_url", 405: "method_not_allowed", 426: "upgrade_required"}


def problem_of(error: Exception) -> Problem:
    """Return what a failure is to the caller; whatever is not in the table is an internal error."""
    message = clean(str(error))
    match error:
        case CallerError():
            status = _BY_CALLER.get(type(error), 400)
            param = clean(error.param) if error.param else None
            return Problem(status, error.code, message, param, _headers_of(error))
        case UpstreamRejected():
            return _rejection(error)
        case (
            UpstreamUnavailable()
            | UpstreamDisconnected()
            | UpstreamTimeout()
            | AccountUnavailable()
            | ChannelRefused()
        ):
            status, code = _BY_UPSTREAM[type(error)]
            headers = _NO_RETRY if isinstance(error, ChannelRefused) else {}
            return Problem(status, code, message, headers=headers)
        case Overloaded():
            headers = {"retry-after": str(error.retry_after)}
            return Problem(503, "overloaded", message, headers=headers)
        case HTTPException():
            code = _BY_ROUTER.get(error.status_code, "http_error")
            return Problem(error.status_code, code, error.detail, headers=error.headers or {})
        case StoreUnavailable():
            message = "The gateway's database cannot be used now; try again in a moment."
            return Problem(503, "store_unavailable", message)
        case ConfigurationError():
            return Problem(500, "configuration_error", "The gateway's configuration is unusable.")
        case _:
            return Problem(500, "internal_error", "The gateway failed; its log has the reason.")


def _rejection(error: UpstreamRejected) -> Problem:
    code, message = _upstream_words(error)
    own = error.body, error.original
    return Problem(error.status, code, message, None, error.headers, *own)


def _headers_of(error: CallerError) -> Mapping[str, str]:
    match error:
        case Unauthenticated():
            return {"www-authenticate": "Bearer"}
        case LimitReached():
            return {**error.headers, "retry-after": str(error.retry_after)}
        case _:
            return {}


def response_to(
    error: Exception, request_id: str, path: str = "", headers: Headers = NO_HEADERS
) -> Response:
    """Return the answer to a request that failed; a failure of the gateway's own is logged.

    It is in the dialect of the path and the headers that came.
    """
    problem, dialect = problem_of(error), dialect_at(path, headers)
    report(problem, error, request_id)
    problem = dialect.refusal(problem, request_id)
    own = {**problem.headers, **dialect.headers(request_id, {})}
    return Response(problem.envelope(), problem.status, own, "application/json")


def report(problem: Problem, error: Exception, request_id: str) -> None:
    """Log a failure that is the gateway's own fault, with its trace."""
    if problem.code in _LOGGED:
        _log.error(problem.code, request_id=request_id, exc_info=error)


def _upstream_words(error: UpstreamRejected) -> tuple[str, str]:
    """Return code and message of an upstream's own error body."""
    try:
        said: Any = msgspec.json.decode(error.body)["error"]
        return error.code or str(said.get("code") or said.get("type")), str(said["message"])
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return error.code or "upstream_error", str(error)


def clean(text: str) -> str:
    """Make a text encodable and short: it may quote what a caller sent."""
    return text[:_LONGEST_MESSAGE].encode("utf-8", "replace").decode()


def request_id(headers: Mapping[str, str]) -> str:
    """Return the caller's own id of a request if it is short and visible, else a new one."""
    own = headers.get("x-request-id")
    if own is not None and _REQUEST_ID.fullmatch(own):
        return own
    return f"req_{urandom(16).hex()}"


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers, names in lower case; of a repeated one the first counts."""
    pairs = reversed(scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


class Edge:
    """ASGI middleware: an exception that nobody else answered is answered here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or tell the caller why not."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # the last place that can still answer the caller
            if scope["type"] != "http":
                raise
            headers = headers_of(scope)
            response = response_to(error, request_id(headers), scope["path"], headers)
            await response(scope, receive, send)
