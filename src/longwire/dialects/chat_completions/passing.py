"""Chat Completions passed on: the body of a client to an upstream that speaks the same API.

Vendors differ in where they say what an answer cost: with its end, behind it, beside its choices.
All are read; what is passed on is as it was written.
"""

from functools import partial
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.bill import usage_beside, usage_of
from longwire.dialects.chat_completions.finish import FILTER, INCOMPLETE, LENGTH
from longwire.dialects.chat_completions.foreign import readable_messages
from longwire.dialects.passing import (
    BOM,
    Ending,
    PassedReading,
    broken,
    passed_body,
    passing,
    payload_of,
    terminal_of,
)
from longwire.dialects.ports import Fallback, UpstreamCall
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import (
    NULL,
    splice,
    split_members,
    tolerant,
)
from longwire.dialects.responses.call import sent_model

_CHUNK: Final = b"data: {"
_OUTPUT: Final = Kind.OUTPUT  # for most blocks: on Python 3.11 a member is dear to name
_DONE: Final = b"[DONE]"
_CUTS: Final = {LENGTH: "length", FILTER: "filter"}
_SILENT: Final = (b"null", b'""', b"[]")
_NULL: Final = bytes(NULL)


class _Choice(msgspec.Struct):
    delta: Raw = NULL
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    """A chunk of a stream, or a whole completion, as far as the gateway reads it."""

    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: Raw = NULL
    x_groq: Raw = NULL
    error: Raw = NULL
    object: str | None = None


class _Object(msgspec.Struct, gc=False):
    """Any object: what is in it is not read."""


class _Piece(msgspec.Struct, gc=False):
    finish_reason: str | None = None


class _Pieces(msgspec.Struct, gc=False):
    """What tells whether a chunk says more than what the model made."""

    choices: list[_Piece]
    usage: _Object | None = None
    error: _Object | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_decode: Final = tolerant(msgspec.json.Decoder(_Chunk).decode)
_decode_pieces: Final = msgspec.json.Decoder(_Pieces).decode
_decode_options: Final = msgspec.json.Decoder(_StreamOptions | None).decode


def pass_on(turn: Turn, profile: Profile) -> UpstreamCall:
    """Return a client's request as it is passed on; the stream of it always says what it cost."""
    changes: dict[str, bytes | None] = {}
    body, members = turn.source.body, None
    options, hides_usage = b"null", False
    if turn.streams and profile.takes_stream_options:
        members = split_members(body.removeprefix(BOM))
        options = bytes(members.get("stream_options", NULL))
        hides_usage = not _wants_usage(options)
    if hides_usage:
        said = options if options[:1] == b"{" else b"{}"
        changes["stream_options"] = splice(said, {"include_usage": b"true"})
    left_out: set[str] = set()
    changes |= readable_messages(body, profile, sent_model(turn), left_out)
    return UpstreamCall(
        passed_body(turn, changes, members),
        partial(_reading, profile, streams=turn.streams, hides_usage=hides_usage),
        dropped=(*left_out,),
        is_passed_on=True,
    )


def _reading(
    profile: Profile, fallback: Fallback, *, streams: bool, hides_usage: bool
) -> PassedReading:
    notes = _Notes(profile, fallback.id, hides_usage=hides_usage)
    return PassedReading(notes, streams=streams)


def _wants_usage(options: bytes) -> bool:
    try:
        read = _decode_options(options)
    except msgspec.MsgspecError:
        return True  # it is for the upstream to refuse
    return read is not None and read.include_usage is True


class _Notes:
    """What is read of one completion: who made it, how it ended, what it cost."""

    __slots__ = ("_ending", "_has_begun", "_has_ended", "_hides_usage", "_profile")

    def __init__(self, profile: Profile, identity: str, *, hides_usage: bool) -> None:
        self._profile = profile
        self._ending = Ending(identity, "")
        self._hides_usage = hides_usage
        self._has_begun = False
        self._has_ended = False

    def read(self, block: bytes) -> Event:
        """Read one block: most are chunks whose content is nobody's business here."""
        if self._has_begun and _is_content(block):
            return passing(_OUTPUT, block)
        data = payload_of(block)
        if not data:
            return passing(Kind.VENDOR, block)
        if data == _DONE:
            return self._terminal(block)
        try:
            chunk = _decode(data)
        except msgspec.MsgspecError:
            return self._begun(block)
        if bytes(chunk.error) != _NULL or chunk.object == "error":
            return broken(data, block)
        self._note(chunk)
        if self._hides_usage and not chunk.choices and bytes(chunk.usage) != _NULL:
            return passing(Kind.VENDOR, b"")
        if not (self._has_begun or any(map(_shows, chunk.choices or ()))):
            return Event(Kind.OPENING, "", b"", self._ending.id, wire=block)
        return self._begun(block)

    def _begun(self, block: bytes) -> Event:
        self._has_begun = True
        return passing(Kind.OUTPUT, block)

    def _note(self, chunk: _Chunk) -> None:
        before = self._ending
        cut, usage = before.cut, before.usage
        for choice in chunk.choices or ():
            if choice.finish_reason:
                self._has_ended = True
                cut = cut or _CUTS.get(INCOMPLETE.get(choice.finish_reason, ""), "")
        used = chunk.usage
        if bytes(used) == _NULL == usage and chunk.x_groq is not NULL:
            used = usage_beside(chunk.x_groq)
        if bytes(used) != _NULL:
            counted = usage_of(used, self._profile)
            usage = usage if counted == _NULL else counted
        self._ending = Ending(chunk.id or before.id, chunk.model or before.model, cut, usage)

    def _terminal(self, wire: bytes) -> Event:
        return terminal_of(self._ending, wire)

    def ended(self) -> Event | None:
        """Return the terminal of a stream without `[DONE]`, if it said why it ended."""
        return self._terminal(b"") if self._has_ended else None

    def whole(self, body: bytes) -> Event:
        """Read a completion that comes whole; what has no choices is an error."""
        try:
            completion = _decode(body)
        except msgspec.MsgspecError:
            return broken(body, body)
        if completion.choices is None:
            return broken(body, body)
        self._note(completion)
        return self._terminal(body)


def _is_content(block: bytes) -> bool:
    """Whether a block is a chunk that says nothing beyond what the model made."""
    if not block.startswith(_CHUNK):
        return False
    try:
        chunk = _decode_pieces(block[len(_CHUNK) - 1 :])
    except msgspec.MsgspecError:
        return False
    if chunk.usage is not None or chunk.error is not None:
        return False
    return not any(choice.finish_reason for choice in chunk.choices)


def _shows(choice: _Choice) -> bool:
    """Whether a chunk has more than the role, or ends its choice."""
    delta = split_members(choice.delta) if bytes(choice.delta)[:1] == b"{" else {}
    said = any(bytes(raw) not in _SILENT for name, raw in delta.items() if name != "role")
    return said or choice.finish_reason is not None
