"""Which session a turn says it belongs to, and as whom it wants to be seen upstream.

A session id groups turns and proves nothing: parents and sub-agents share one at the same time.
"""

from collections.abc import Iterable, Mapping

from blake3 import blake3

SESSION_HEADERS = (
    "thread-id",
    "x-session-affinity",
    "x-session-id",
    "session-id",
    "session_id",
    "conversation-id",
    "conversation_id",
)
"""The headers that real clients name a session with, the most specific first."""

IDENTITY_HEADERS = (
    "openai-organization",
    "openai-project",
    "openai-beta",
    "originator",
    "chatgpt-account-id",
)
"""The headers that are sent on because the upstream tells callers apart by them."""

TOLD_HEADERS = (
    "user-agent",
    "originator",
    "version",
    "content-encoding",
    "x-request-id",
    *SESSION_HEADERS,
)
"""The headers of a caller that the turn log may tell: they say who asked and how, and no secret."""

CODEX_HEADERS = (
    "originator",
    "session-id",
    "thread-id",
    "traceparent",
    "tracestate",
    "user-agent",
    "version",
    "x-client-request-id",
)
"""The headers of a Codex client that a Codex upstream gets beside all in `CODEX_PREFIXES`."""

CODEX_PREFIXES = ("x-codex-", "x-openai-")
TURN_STATE = "x-codex-turn-state"
"""The upstream's routing token: it goes back to the account that gave it, and to no other."""

_OWN_HEADERS = frozenset({TURN_STATE, "x-openai-account-routing-override"})
"""What belongs to an account, or to a turn: it is not part of the block."""

LONGEST_ID = 256
_CODEX = "codex"


def session_id(
    headers: Mapping[str, str], hints: Iterable[str], extra_headers: Iterable[str] = ()
) -> str:
    """Return the first session id found, "" for none: header names before the body's `hints`.

    Ids are opaque, trimmed, at most 256 bytes of UTF-8; longer ones do not count.
    """
    for name in (*SESSION_HEADERS, *extra_headers):
        if name in headers and (found := _trimmed(headers[name])):
            return found
    for hint in hints:
        if hint and (found := _trimmed(hint)):
            return found
    return ""


def _trimmed(value: str) -> str:
    trimmed = value.strip()
    size = len(trimmed.encode("utf-8", "surrogateescape"))
    return trimmed if size <= LONGEST_ID else ""


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's headers that go upstream; all others stay here."""
    return {name: headers[name] for name in IDENTITY_HEADERS if headers.get(name)}


def is_codex(headers: Mapping[str, str]) -> bool:
    """Whether a caller is a Codex client, which knows more events than the public API has."""
    named = headers.get("originator", ""), headers.get("user-agent", "")
    return named[0][:5].lower() == _CODEX or named[1][:5].lower() == _CODEX


def codex_block(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a Codex upstream gets to know of a Codex client, unread; of others, nothing.

    The account is never the client's own, and the beta of a transport is that transport's.
    """
    if not is_codex(headers):
        return {}
    return {
        name: value
        for name, value in headers.items()
        if (name in CODEX_HEADERS or name.startswith(CODEX_PREFIXES)) and name not in _OWN_HEADERS
    }


def without_account(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers of an upstream without what they tell of its account's subscription."""
    return {name: value for name, value in headers.items() if not name.startswith("x-codex-")}


def fingerprint(values: Iterable[tuple[str, str]]) -> str:
    """Digest name-value pairs in any order to 32 hexadecimal digits; "" for none."""
    pairs = sorted(values)
    if not pairs:
        return ""
    text = "".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in pairs)
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest(length=16)
