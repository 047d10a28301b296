"""One turn of the log as a page of text: what it was, why it went as it did, what changed."""

import re
from collections.abc import Iterator
from typing import Final

from longwire.cli.tables import time_text
from longwire.core.nouns.turn_row import TurnDetails, TurnRow
from longwire.core.rules.continuity import Reason

_NANO: Final = 1e9
_KILO: Final = 1000.0

REASONS: Final = {
    Reason.NEW_SESSION: "no connection of this session was known",
    Reason.NEW_BRANCH: "no free connection of the session holds this history",
    Reason.HISTORY_REWRITTEN: "the history no longer begins with what was sent before",
    Reason.PROPERTIES_CHANGED: "the history is known, but something else in the request changed",
    Reason.TURN_FAILED: "the turn before on the connection failed",
    Reason.ANSWER_CUT: "the gateway had cut the answer before at a stop sequence",
    Reason.CONNECTION_LOST: "the connection that held the history ended",
    Reason.CONNECTION_EXPIRED: "the connection that held the history was too old, or idle too long",
    Reason.CONNECTION_EVICTED: "the connection that held the history was closed to make room",
    Reason.UPSTREAM_FORGOT: "the upstream did not know the response that was to be continued",
    Reason.SEALED_ELSEWHERE: "its encrypted reasoning is of an account that is no longer here",
    Reason.REPLAYED: "a first attempt failed before any event",
    Reason.HTTP_TRANSPORT: "it went over HTTP, which holds nothing",
    Reason.NATIVE_API: "the upstream was asked in the client's own API, which has no sessions",
    Reason.TRANSLATED: "the upstream speaks another API, which has no sessions",
    Reason.ONE_SHOT: "a single question gains nothing from a WebSocket",
    Reason.WARM_UP: "a warm-up was answered by the gateway",
}
"""Why a turn travelled in full, in words."""

_KINDS: Final = {
    "function_call": "a tool call",
    "custom_tool_call": "a tool call",
    "function_call_output": "a tool result",
    "custom_tool_call_output": "a tool result",
    "reasoning": "reasoning",
    "user message": "a user message",
    "assistant message": "an assistant message",
    "system message": "a system message",
    "developer message": "a developer message",
    "item": "an item",
}
_EDITS: Final = {
    "": "is not what it was",
    " inserted": "was not there before",
    " removed": "is gone",
    " moved": "stands elsewhere now",
}
_ITEM: Final = re.compile(
    r"input\[(?P<index>\d+)\] of (?P<count>\d+): (?P<kind>[a-z_]+(?: message)?)"
    r"(?P<reply> of the reply)?(?P<edit> inserted| removed| moved)?"
)
_LATER: Final = re.compile(r"input\[(?P<index>\d+)\] or later of (?P<count>\d+)")


def changed_in_words(changed: str) -> str:
    """Return what changed as a sentence; see `core.rules.change.Change` for what is read."""
    item, _, properties = changed.partition("; ")
    sentence, match = "", _ITEM.fullmatch(item)
    if match is not None:
        kind = _KINDS.get(match["kind"], match["kind"])
        reply = " of the last answer" if match["reply"] else ""
        among = "" if match["edit"] == " removed" else f" of {match['count']}"
        place = f"item {int(match['index']) + 1}{among}"
        sentence = f"{place}, {kind}{reply}, {_EDITS[match['edit'] or '']}"
    elif (later := _LATER.fullmatch(item)) is not None:
        sentence = f"an item from {int(later['index']) + 1} on, of {later['count']}, changed"
    else:
        properties = changed
    return "; ".join(filter(None, (sentence, properties)))


def lines_of(row: TurnRow, details: TurnDetails | None) -> Iterator[str]:
    """Yield the lines of a page; control characters of callers are for who prints it."""
    ended = time_text(row.started_at + row.total_ms, has_seconds=True)
    facts = {
        "turn": f"{row.id}  {ended}",
        "request": row.request_id,
        "response": row.response_id,
        "session": row.session,
        "trace": row.trace,
        "key": row.key_name,
        "channel": row.channel_name,
        "node": row.node,
        "account": row.account_id,
        "model": row.model_asked + (f" (served {row.model_served})" if row.model_served else ""),
        "api": row.api + (f" -> {row.upstream_api}" if row.upstream_api else ""),
        "went": f"{row.transport} {row.continuity}".strip(),
        "why": _why(row.reason),
        "changed": row.changed and f"{changed_in_words(row.changed)}  ({row.changed})",
        "outcome": f"{row.status} {row.outcome} {row.error_code}".strip(),
        "message": details.message if details else "",
        "took": _times(row),
        "sent": f"{row.bytes_sent:,} of {row.bytes_received:,} B",
        "tokens": _tokens(row),
        "cost": "" if row.cost is None else f"${row.cost / _NANO:.6f}",
        "without": row.dropped,
    }
    yield from (f"{name:<9} {value}" for name, value in facts.items() if value)
    for number, each in enumerate(details.attempts if details else (), start=1):
        became = " ".join(filter(None, (each.trouble, str(each.status), each.code, each.message)))
        where = f"{each.channel_name or '-'} {each.transport}"
        yield f"attempt {number} {where}, ended after {each.ended_ms / _KILO:.1f} s: {became}"


def _why(reason: str) -> str:
    words = {str(each): text for each, text in REASONS.items()}.get(reason, "")
    return f"{words}  ({reason})" if words else reason


def _times(row: TurnRow) -> str:
    first = (
        "" if row.first_event_ms is None else f", first event {row.first_event_ms / _KILO:.1f} s"
    )
    queued = f", waited {row.queue_ms / _KILO:.1f} s" if row.queue_ms else ""
    return f"{row.total_ms / _KILO:.1f} s{first}{queued}"


def _tokens(row: TurnRow) -> str:
    if row.input_tokens is None:
        return ""
    about = "about " if row.is_estimated else ""
    cached = f" ({row.cached_tokens:,} cached)" if row.cached_tokens else ""
    return f"{about}{row.input_tokens:,}{cached} + {row.output_tokens or 0:,}"
