"""The headers that an operator may add to requests upstream, and those that are the gateway's."""

import re
from collections.abc import Collection, Iterable, Iterator

from longwire.core.errors import FieldProblem
from longwire.core.nouns.secret import Secret

_RESERVED_HEADERS = frozenset(
    {"authorization", "content-length", "content-type", "host", "connection", "upgrade"}
)
_CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-goog-api-key",
        "api-key",
        "cookie",
        "chatgpt-account-id",
    }
)
OF_THE_CONNECTION = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_FIELDS = {
    "openai-organization": "organization",
    "openai-project": "project",
    "user-agent": "headers",
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_VALUE = re.compile(r"[\t -~]*")


def is_header_value(text: str) -> bool:
    """Whether a text can be the value of a header."""
    return _VALUE.fullmatch(text) is not None


def check_header(name: str) -> str | None:
    """Return why a header cannot be changed, None if it can."""
    own = name.lower()
    if not _NAME.fullmatch(name):
        return "no header name; write letters, digits, '-' and '_'"
    if own in _CREDENTIALS:
        return "carries credentials; those are the channel's keys and accounts"
    if own in OF_THE_CONNECTION or own.startswith("sec-websocket-"):
        return "belongs to the connection; the gateway sets it"
    if own in _FIELDS:
        return f"is set by the channel's {_FIELDS[own]}; write it there"
    return None


def check_headers(
    headers: Iterable[tuple[str, Secret]], reserved: Collection[str] = _RESERVED_HEADERS
) -> Iterator[FieldProblem]:
    """Yield what is wrong with the headers that an operator adds to every request."""
    seen: set[str] = set()
    for number, (name, value) in enumerate(headers):
        if not _NAME.fullmatch(name):
            yield FieldProblem(
                f"headers.{number}.name", "no header name; write letters, digits, '-' and '_'"
            )
        elif name.lower() in reserved:
            yield FieldProblem(f"headers.{number}.name", "is set by the gateway; remove it")
        elif name.lower() in seen:
            yield FieldProblem(f"headers.{number}.name", f"{name} stands twice; remove one")
        seen.add(name.lower())
        if not is_header_value(value.reveal()):
            yield FieldProblem(f"headers.{number}.value", "must be printable ASCII")
