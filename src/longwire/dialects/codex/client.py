"""Codex as a client: how it is known, what of its headers goes upstream, what it understands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from longwire.core import sse
from longwire.core.events import Event, of_the_response
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import splice, split_members
from longwire.dialects.responses.answer import EventEncoder

FORWARDED_HEADERS = frozenset(
    {
        "originator",
        "session-id",
        "thread-id",
        "traceparent",
        "tracestate",
        "user-agent",
        "version",
        "x-client-request-id",
    }
)
"""The headers that a Codex upstream gets, beside all in `FORWARDED_PREFIXES`."""

FORWARDED_PREFIXES = ("x-codex-", "x-openai-")
TURN_STATE = "x-codex-turn-state"
"""The upstream's routing token: it goes back to the account that gave it, and to no other."""

MODELS_MARK = "x-models-etag"
"""The ETag of the upstream's model list: Codex asks for it again when this changes."""

_NOT_FORWARDED = frozenset({TURN_STATE, "x-openai-account-routing-override"})
"""What belongs to an account, or to a turn."""

_TURN_STATE = TURN_STATE.encode()
_ACCOUNT = "x-codex-"
_UNDERSTOOD = frozenset({"x-reasoning-included", MODELS_MARK})
_NAME = "codex"


def is_codex(headers: Mapping[str, str]) -> bool:
    """Whether a caller is a Codex client; header names are in lower case."""
    names = headers.get("originator", ""), headers.get("user-agent", "")
    return names[0][:5].lower() == _NAME or names[1][:5].lower() == _NAME


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a Codex upstream gets to know of a Codex client, unread; of others, nothing.

    The account is never the client's own, and the beta of a transport is that transport's.
    """
    if not is_codex(headers):
        return {}
    return {
        name: value
        for name, value in headers.items()
        if (name in FORWARDED_HEADERS or name.startswith(FORWARDED_PREFIXES))
        and name not in _NOT_FORWARDED
    }


def understood(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an upstream's answer that a Codex client has a use for.

    `openai-model` is none of them: it would take the operator's own choice for a rerouting.
    """
    return {
        name: value
        for name, value in headers.items()
        if (name in _UNDERSTOOD or name.startswith(_ACCOUNT))
        and (name + value).isascii()
        and (name + value).isprintable()
    }


def without_account(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers of an upstream without what they tell of its account's subscription."""
    return {name: value for name, value in headers.items() if not name.startswith(_ACCOUNT)}


def turn_state(turn: Turn, headers: Mapping[str, str]) -> str:
    """Return the routing token that a client gives back, "" for none.

    It stands in a header over HTTP, in `client_metadata` on a WebSocket.
    """
    token = headers.get(TURN_STATE, "")
    if token or _TURN_STATE not in turn.members.get("client_metadata", b""):
        return token
    try:
        raw = split_members(turn.members["client_metadata"]).get(TURN_STATE)
        return msgspec.json.decode(raw, type=str) if raw is not None else ""
    except msgspec.MsgspecError:
        return ""


def with_turn_state(turn: Turn, token: str) -> Turn:
    """Return a turn whose `client_metadata` has this routing token, or with "" none."""
    if not token and _TURN_STATE not in turn.members.get("client_metadata", b""):
        return turn
    return with_metadata(turn, {TURN_STATE: token or None})


def with_metadata(turn: Turn, said: Mapping[str, str | None]) -> Turn:
    """Return a turn whose `client_metadata` says this, too; None takes a name away."""
    changes = {name: msgspec.json.encode(text) if text else None for name, text in said.items()}
    try:
        metadata = splice(turn.members.get("client_metadata", b"{}"), changes)
    except msgspec.MsgspecError:
        return turn
    return replace(turn, members={**turn.members, "client_metadata": metadata})


class CodexClient:
    """What a Codex client gets beside what every client of the Responses API does."""

    bridges_silence = True

    def events(self, batch: Sequence[Event]) -> Sequence[Event]:
        """Return the events it sees: an upstream's own notices, too."""
        return batch

    def headers(self, of_answer: Mapping[str, str]) -> dict[str, str]:
        """Return the headers it gets of an upstream's answer."""
        return understood(of_answer)

    def error_headers(self, of_error: dict[str, str]) -> dict[str, str]:
        """Return the headers it gets of an upstream's error."""
        return of_error

    def keep_alive(self, encoder: EventEncoder) -> bytes:
        """Return what bridges silence: an event, for no comment resets its idle timer."""
        return sse.encode("keepalive", encoder.keep_alive())


class OtherClient:
    """What any other client of the Responses API gets."""

    bridges_silence = False

    def events(self, batch: Sequence[Event]) -> Sequence[Event]:
        """Return the events it sees: those of the public API."""
        return of_the_response(batch)

    def headers(self, _of_answer: Mapping[str, str]) -> dict[str, str]:
        """Return the headers it gets of an upstream's answer."""
        return {}

    def error_headers(self, of_error: dict[str, str]) -> dict[str, str]:
        """Return the headers it gets of an upstream's error: nothing of an account's use."""
        return without_account(of_error)

    def keep_alive(self, _encoder: EventEncoder) -> bytes:
        """Return what bridges silence: a comment."""
        return sse.COMMENT_KEEP_ALIVE


Client = CodexClient | OtherClient
_CODEX, _OTHER = CodexClient(), OtherClient()


def client_of(headers: Mapping[str, str]) -> Client:
    """Return what a caller gets; `bridges_silence`: over WebSocket, too, by events."""
    return _CODEX if is_codex(headers) else _OTHER
