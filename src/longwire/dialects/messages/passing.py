"""Messages passed on: the body of a client to an upstream that speaks the same API.

Its marks for caches, its betas and the version that it names are the client's own.
"""

from functools import partial
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.messages.models import ANTHROPIC_VERSION
from longwire.dialects.messages.reading_usage import Counts
from longwire.dialects.messages.thoughts import without_sealed
from longwire.dialects.passing import (
    Ending,
    PassedReading,
    broken,
    counted_of,
    has_seals,
    passed_body,
    passing,
    payload_of,
    terminal_of,
)
from longwire.dialects.ports import Fallback, Headers, UpstreamCall
from longwire.dialects.raw_json import (
    NULL,
    map_items,
    splice_items,
    split_members,
    tolerant,
)
from longwire.dialects.seals import PREFIX, REASONING

_VERSION: Final = "2023-06-01"
_BETA: Final = "anthropic-beta"
_CONTENT: Final = b"event: content_block_"
_EMPTIED: Final = b"null"
"""What stands for a message that had nothing but what was sealed."""

_CUTS: Final = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "refusal": "filter",
}


class _Message(msgspec.Struct):
    """A whole message, or what a stream begins with; a count is `input_tokens` alone."""

    type: str | None = None
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: Raw = NULL
    input_tokens: int | None = None


class _Delta(msgspec.Struct):
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Message | None = None
    delta: _Delta | None = None
    usage: Raw = NULL


_decode_event: Final = tolerant(msgspec.json.Decoder(_Event).decode)
_decode_message: Final = tolerant(msgspec.json.Decoder(_Message).decode)


def pass_on(turn: Turn, headers: Headers) -> UpstreamCall:
    """Return a client's request as it is passed on; who asks for betas does so in the query, too.

    A question for tokens goes where the API has it.
    """
    body, changes = turn.source.body, {}
    if has_seals(body):
        changes = _without_seals(body)
    own = {ANTHROPIC_VERSION: headers.get(ANTHROPIC_VERSION, _VERSION)}
    if _BETA in headers:
        own[_BETA] = headers[_BETA]
    count = "/count_tokens" if turn.purpose is Purpose.COUNT else ""
    return UpstreamCall(
        passed_body(turn, changes),
        partial(_reading, streams=turn.streams),
        suffix=count + ("?beta=true" if _BETA in headers else ""),
        headers=own,
        dropped=(REASONING,) if changes else (),
        is_passed_on=True,
    )


def _reading(fallback: Fallback, *, streams: bool) -> PassedReading:
    return PassedReading(_Notes(fallback.id), streams=streams)


def _without_seals(body: bytes) -> dict[str, bytes | None]:
    """Return `messages` without the thinking that we have sealed: other vendors' models did it."""
    messages = bytes(split_members(body).get("messages", NULL))
    kept = splice_items(messages, _without_sealed) if messages[:1] == b"[" else messages
    if kept is messages:
        return {}
    return {"messages": map_items(kept, lambda message: message if message != _EMPTIED else None)}


def _without_sealed(message: bytes) -> bytes:
    if not has_seals(message):
        return message
    return without_sealed(message, lambda block: (block.seal or "").startswith(PREFIX)) or _EMPTIED


class _Notes:
    """What is read of one message: who made it, how it ended, what it cost."""

    __slots__ = ("_has_begun", "_id", "_model", "_reason", "_usage")

    def __init__(self, identity: str) -> None:
        self._id = identity
        self._model = ""
        self._reason = ""
        self._usage = Counts()
        self._has_begun = False

    def read(self, block: bytes) -> Event:
        """Read one block: most are pieces of content, which is nobody's business here."""
        if self._has_begun and block.startswith(_CONTENT):
            return passing(Kind.OUTPUT, block)
        data = payload_of(block)
        try:
            event = _decode_event(data) if data else _Event("ping")
        except msgspec.MsgspecError:
            event = _Event()
        match event.type:
            case "ping":
                return passing(Kind.VENDOR, block)
            case "error":
                return broken(data, block)
            case "message_start":
                self._note(event.message or _Message())
                return self._opening(block)
            case "message_stop":
                return self._terminal(block)
            case "message_delta":
                self._note(_Message(usage=event.usage, stop_reason=_reason(event.delta)))
            case _:
                pass
        self._has_begun = True
        return passing(Kind.OUTPUT, block)

    def _opening(self, block: bytes) -> Event:
        kind = Kind.OUTPUT if self._has_begun else Kind.OPENING
        return Event(kind, "", b"", self._id, wire=block)

    def _note(self, message: _Message) -> None:
        """Take what is said; of tokens what comes later stands in the place of what was before."""
        if not self._has_begun:
            self._id = message.id or self._id
        self._model = message.model or self._model
        self._reason = message.stop_reason or self._reason
        self._usage.take(message.usage)

    def _terminal(self, wire: bytes) -> Event:
        cut = _CUTS.get(self._reason, "")
        return terminal_of(Ending(self._id, self._model, cut, self._usage.raw), wire)

    def ended(self) -> Event | None:
        """Return nothing: a stream that does not say that it stops broke off."""
        return None

    def whole(self, body: bytes) -> Event:
        """Read a message that comes whole, or a count; what is neither is an error."""
        try:
            message = _decode_message(body)
        except msgspec.MsgspecError:
            return broken(body, body)
        if message.type is None and message.input_tokens is not None:
            return counted_of(message.input_tokens, body)
        if message.type != "message":
            return broken(body, body)
        self._note(message)
        return self._terminal(body)


def _reason(delta: _Delta | None) -> str | None:
    return None if delta is None else delta.stop_reason
