"""Which session a turn says it belongs to, and as whom it wants to be seen upstream.

A session id groups turns and proves nothing: parents and sub-agents share one at the same time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from blake3 import blake3

from longwire.core.rules.trace_context import TRACE_CONTEXT_HEADER, parse_traceparent

SESSION_HEADERS = (
    "thread-id",
    "x-session-affinity",
    "x-session-id",
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "conversation-id",
    "conversation_id",
)
"""The headers that real clients name a session with, the most specific first."""

_CLAUDE_CODE_SESSION: Final = "x-claude-code-session-id"
AGENT_HEADER = "x-claude-code-agent-id"
"""What tells the sub-agents of one session apart, so that none waits for another."""

TRACE_HEADERS = ("ah-trace-id", "ah-thread-id")
"""The headers that a run is named with on purpose, as AxonHub's callers do; a thread is wider."""

_RUN_HEADERS: Final = frozenset(
    {*TRACE_HEADERS, _CLAUDE_CODE_SESSION, AGENT_HEADER, "thread-id", TRACE_CONTEXT_HEADER}
)
"""What one of a caller's headers is where its run may not be its session."""

IDENTITY_HEADERS = (
    "openai-organization",
    "openai-project",
    "openai-beta",
    "originator",
    "chatgpt-account-id",
)
"""The headers that are sent on because the upstream tells callers apart by them."""

LOGGED_HEADERS = (
    "user-agent",
    "originator",
    "version",
    "content-encoding",
    "x-request-id",
    *SESSION_HEADERS,
    AGENT_HEADER,
)
"""The headers of a caller that the turn log keeps: they say who calls and how, and no secret."""

KEY_HEADER = "x-longwire-key"
"""Where a caller puts the gateway's key whose `authorization` is a sign-in elsewhere."""

OTHER_KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
"""Where clients of other APIs put a key, in the order in which they are looked at."""

SUBPROTOCOLS_HEADER = "sec-websocket-protocol"
CREDENTIAL_HEADERS = (
    KEY_HEADER,
    "authorization",
    *OTHER_KEY_HEADERS,
    SUBPROTOCOLS_HEADER,
    "proxy-authorization",
    "cookie",
)
"""The headers that may hold a secret of the caller: they go nowhere, and name no session."""

LONGEST_ID = 256


def session_id(
    headers: Mapping[str, str], hints: Iterable[str], extra_headers: Iterable[str] = ()
) -> str:
    """Return the first session id found, "" for none: header names before the body's `hints`.

    Ids are opaque, trimmed, at most 256 bytes of UTF-8; longer ones do not count. The id of a
    sub-agent joins that of its session.
    """
    found = _first(headers, hints, extra_headers)
    if found and AGENT_HEADER in headers:
        return _trimmed(f"{found}/{headers[AGENT_HEADER]}") or found
    return found


def trace_id(headers: Mapping[str, str], session: str, extra_headers: Sequence[str] = ()) -> str:
    """Return the run that a turn of a session belongs to, "" for none.

    It is what a caller names on purpose, else the session that an agent's sub-agents share, else
    the trace of a W3C `traceparent`, else the session. An agent's own session goes before
    `traceparent`: many tracers begin a trace with each request.
    """
    if not extra_headers and _RUN_HEADERS.isdisjoint(headers):
        return session
    for name in (*TRACE_HEADERS, *extra_headers):
        if name in headers and (found := _trimmed(headers[name])):
            return found
    if shared := _shared_session(headers, session):
        return shared
    context = parse_traceparent(headers.get(TRACE_CONTEXT_HEADER, ""))
    return context.trace if context else session


def _shared_session(headers: Mapping[str, str], session: str) -> str:
    """Return the session of Claude Code or Codex that its sub-agents share, "" for other clients.

    Codex names each agent by `thread-id`, and all of them by `session-id`.
    """
    if _CLAUDE_CODE_SESSION in headers:
        return _trimmed(headers[_CLAUDE_CODE_SESSION])
    if AGENT_HEADER in headers:
        return session.removesuffix(f"/{headers[AGENT_HEADER]}".rstrip())
    if "thread-id" in headers and "session-id" in headers:
        return _trimmed(headers["session-id"])
    return ""


def _first(headers: Mapping[str, str], hints: Iterable[str], extra_headers: Iterable[str]) -> str:
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


def fingerprint(values: Iterable[tuple[str, str]]) -> str:
    """Digest name-value pairs in any order to 32 hexadecimal digits; "" for none."""
    pairs = sorted(values)
    if not pairs:
        return ""
    text = "".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in pairs)
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest(length=16)
