"""Gemini's API passed on: the body of a client to an upstream that speaks the same API.

The model stands in the path. A stream has its end where its body ends; one that is wanted as an
array comes at once, when it is whole.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, cast
from urllib.parse import quote

import msgspec
from msgspec import Raw

from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.generate_content.chunks import PromptFeedback, UsageMetadata
from longwire.dialects.generate_content.finish import INCOMPLETE, merged, usage_of
from longwire.dialects.generate_content.foreign import SEAL, readable_contents
from longwire.dialects.generate_content.options import Options
from longwire.dialects.passing import (
    Ending,
    PassedReading,
    broken,
    counted_of,
    passing,
    payload_of,
    terminal_of,
)
from longwire.dialects.ports import Fallback, UpstreamCall
from longwire.dialects.raw_json import (
    NULL,
    splice,
    split_items,
    split_members,
    tolerant,
)
from longwire.dialects.seals import REASONING

_CUTS: Final = {"max_output_tokens": "length", "content_filter": "filter"}
_NULL: Final = bytes(NULL)
_REQUESTS: Final = ("generateContentRequest", "generate_content_request")
_encode: Final = msgspec.json.Encoder().encode


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str | None = None


class _Response(msgspec.Struct, rename="camel"):
    """A response, whole or a chunk of one, as far as the gateway reads it."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    total_tokens: int | None = None
    error: Raw = NULL


_decode: Final = tolerant(msgspec.json.Decoder(_Response).decode)


def pass_on(turn: Turn) -> UpstreamCall:
    """Return a client's request as it is passed on."""
    model = msgspec.json.decode(turn.members["model"], type=str)
    is_array = cast("Options", turn.source.options).is_array
    is_count = turn.purpose is Purpose.COUNT
    action = "generateContent"
    if is_count or turn.streams:
        action = "countTokens" if is_count else "streamGenerateContent"
    as_events = "?alt=sse" if turn.streams and not is_array else ""
    body, dropped = _body(turn.source.body, model if model != turn.model else "")
    return UpstreamCall(
        body,
        partial(_reading, streams=bool(as_events)),
        suffix=f"/{quote(model, safe='')}:{action}{as_events}",
        dropped=dropped,
        is_passed_on=True,
    )


def _reading(fallback: Fallback, *, streams: bool) -> PassedReading:
    return PassedReading(_Notes(fallback.id), streams=streams)


def _body(body: bytes, sent_name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a body as it is, but for a model that it names, too, and what we have sealed.

    The latter is named.
    """
    names = _REQUESTS if sent_name else ()
    if not any(name.encode() in body for name in names) and SEAL not in body:
        return body, ()
    members = split_members(body)
    changes = _readable(members)
    named: dict[str, bytes] = {"model": _encode(f"models/{sent_name}")} if sent_name else {}
    is_less = bool(changes)
    for name in _REQUESTS:
        request = bytes(members.get(name, NULL))
        if request[:1] == b"{" and (inner := _readable(split_members(request)) | named):
            is_less = is_less or "contents" in inner
            changes[name] = splice(request, inner)
    return (splice(body, changes) if changes else body), (REASONING,) * is_less


def _readable(members: Mapping[str, Raw]) -> dict[str, bytes]:
    """Return the contents of a request without what we have sealed, where they have any of it."""
    contents = bytes(members.get("contents", NULL))
    if SEAL not in contents or contents[:1] != b"[":
        return {}
    readable = readable_contents(contents)
    return {} if readable == contents else {"contents": readable}


class _Notes:
    """What is read of one answer: who made it, how it ended, what it cost."""

    __slots__ = ("_counts", "_ending", "_has_begun", "_has_ended")

    def __init__(self, identity: str) -> None:
        self._ending = Ending(identity, "")
        self._counts: list[UsageMetadata] = []
        self._has_begun = False
        self._has_ended = False

    def read(self, block: bytes) -> Event:
        """Read one block, a response with what the model made since the one before."""
        data = payload_of(block)
        if not data:
            return passing(Kind.VENDOR, block)
        try:
            response = _decode(data)
        except msgspec.MsgspecError:
            response = _Response([])
        if bytes(response.error) != _NULL:
            return broken(data, block)
        self._note(response)
        self._has_begun = self._has_begun or response.candidates is not None
        return passing(Kind.OUTPUT if self._has_begun else Kind.OPENING, block)

    def _note(self, response: _Response) -> None:
        before, cut = self._ending, self._ending.cut
        if response.usage_metadata is not None:
            self._counts.append(response.usage_metadata)
        for candidate in response.candidates or ():
            if candidate.finish_reason is not None:
                self._has_ended = True
                cut = cut or _CUTS.get(INCOMPLETE.get(candidate.finish_reason, ""), "")
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            self._has_ended, cut = True, "filter"
        identity, model = response.response_id, response.model_version
        self._ending = Ending(identity or before.id, model or before.model, cut)

    def _terminal(self, wire: bytes) -> Event:
        usage = usage_of(merged(self._counts))
        return terminal_of(self._ending._replace(usage=usage), wire)

    def ended(self) -> Event | None:
        """Return the terminal of a stream whose body is over, if it said why it ended."""
        return self._terminal(b"") if self._has_ended else None

    def whole(self, body: bytes) -> Event:
        """Read a response that comes whole, all chunks in an array, or a count."""
        try:
            parts = split_items(body) if body.lstrip()[:1] == b"[" else [Raw(body)]
            responses = [(bytes(part), _decode(part)) for part in parts]
        except msgspec.MsgspecError:
            return broken(body, body)
        for part, response in responses:
            if bytes(response.error) != _NULL:
                return broken(part, body)
            if response.total_tokens is not None:
                return counted_of(response.total_tokens, body)
            self._note(response)
        return self._terminal(body) if self._has_ended else broken(body, body)
