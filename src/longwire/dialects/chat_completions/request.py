"""A request of Chat Completions decoded to a `Turn` of the hub.

What becomes of each member stands in `members.MEMBERS`; here is how.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import Grant
from longwire.core.rules.turn import PENALTIES, SEED, STOP, Source, Turn
from longwire.dialects.chat_completions.image import image_of
from longwire.dialects.chat_completions.members import MEMBERS, Checked, checked
from longwire.dialects.chat_completions.messages import ItemReader
from longwire.dialects.chat_completions.options import Options
from longwire.dialects.chat_completions.tools import tools_of
from longwire.dialects.chat_completions.wire import Reading
from longwire.dialects.fields import decoded, invalid, text
from longwire.dialects.halves import Halves
from longwire.dialects.members import Fate, names_of
from longwire.dialects.ports import Headers, PassesOn
from longwire.dialects.raw_json import (
    NULL,
    boolean_of,
    decode_members,
    text_of,
    without_mark,
)
from longwire.dialects.responses.history import BodyProperties, InputHistory
from longwire.dialects.schemas import answer_schema
from longwire.dialects.unread import never, unread_turn
from longwire.dialects.wishes import wishes_of

API = "chat_completions"
_NULL = bytes(NULL)
_MOST_STOPS = 4
_WRITTEN_ANEW = (
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "response_format",
    "reasoning",
    "web_search_options",
)
"""Members whose texts travel inside others of the hub."""

_WISHES = {STOP: "stop", SEED: "seed", **{name: name for name in PENALTIES}}
"""What this API calls its wishes."""

_SAME = tuple(name for name, row in MEMBERS.items() if row.fate is Fate.SAME)
_ENCRYPTED = b'"reasoning.encrypted_content"'
_LOGPROBS = b'"message.output_text.logprobs"'


class _Schema(msgspec.Struct):
    name: Raw
    description: Raw = NULL
    schema: Raw = NULL
    strict: Raw = NULL


class _Format(msgspec.Struct):
    type: str
    json_schema: _Schema | None = None


class _Reasoning(msgspec.Struct):
    effort: Raw = NULL
    summary: Raw = NULL
    max_tokens: Raw = NULL
    enabled: bool | None = None
    exclude: bool | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


_FORMAT = Reading(_Format, "response_format")
_REASONING = Reading(_Reasoning, "reasoning")
_STREAM_OPTIONS = Reading(_StreamOptions, "stream_options")
_decode_stops = msgspec.json.Decoder(str | list[str]).decode
_decode_count = msgspec.json.Decoder(int).decode
_NO_OPTIONS, _NO_WISH = _StreamOptions(), _Reasoning()


class _Wishes(NamedTuple):
    """How the answer is to be: `shows` is what the request says of reasoning, if it does."""

    reasoning: _Reasoning
    stream: _StreamOptions
    shows: bool | None
    by_key: bool

    def shows_reasoning(self, *, echoes: bool = False) -> bool:
        """Whether the client sees reasoning: as the request says, else its key, or what it echoes.

        An echo is no reason for more from upstream: a later turn has it, and an earlier one not.
        """
        return self.by_key or echoes if self.shows is None else self.shows


Members = Mapping[str, bytes]
"""Members of a body as raw JSON, none of them null."""


def decode_request(
    body: bytes, _headers: Headers, grant: Grant, passes_on: PassesOn = never
) -> Turn:
    """Decode the body of `POST /chat/completions`; what cannot be read has a `Source.refusal`.

    Raises `InvalidRequest` for what is no object, or names no model.
    """
    body, halves = without_mark(body), Halves(*_WRITTEN_ANEW)
    written = decode_members(body, halves)
    model, streams = _model(written), boolean_of(written, "stream")
    source = Source(API, len(body), body=body, options=Options())
    if passes_on(model):
        session = text_of(written, "prompt_cache_key") or ""
        return unread_turn(source, model, written["model"], streams=streams, session=session)
    found = checked(written)
    source = replace(source, refusal=found.refusal)
    try:
        return _turn_of(found, halves, source, grant)
    except InvalidRequest as error:
        refusal = found.refusal or error.with_traceback(None)
        source = replace(source, refusal=refusal)
        return unread_turn(source, model, written["model"], streams=streams)


def _turn_of(found: Checked, halves: Halves, source: Source, grant: Grant) -> Turn:
    """Return a turn in the words of the Responses API. Raises `InvalidRequest`, naming a field."""
    members = found.kept
    dropped, originals = set(found.dropped), dict[str, str]()
    reader = ItemReader(originals, dropped)
    reader.read(_messages(members))
    wishes = _wishes(members, dropped, by_key=grant.shows_reasoning)
    refusals = [each for each in (source.refusal, reader.refusal) if each is not None]
    called = tools_of(members, originals, dropped, refusals)
    hub = halves.restore_in({**_hub_members(members, wishes, dropped), **called})
    options = Options(
        wants_usage=wishes.stream.include_usage or False,
        shows_reasoning=wishes.shows_reasoning(echoes=reader.echoes),
        calls_functions="functions" in members,
        wants_logprobs=boolean_of(members, "logprobs"),
        stops=_stops(members),
        originals=originals,
    )
    source = replace(source, wishes=wishes_of(members, _WISHES, options.stops))
    raw_input = halves.restore(_input(reader))
    return Turn(
        source=replace(
            source,
            dropped=names_of(dropped),
            options=options,
            leading=reader.leading,
            refusal=next(iter(refusals), None),
            has_audio=reader.has_audio,
        ),
        model=_model(members),
        members=hub,
        input=raw_input,
        history=InputHistory(raw_input),
        properties=BodyProperties(hub),
        image=partial(image_of, options),
        streams=boolean_of(members, "stream"),
        has_tools="tools" in hub,
        is_stored=hub["store"] == b"true",
        session_hints=(text_of(members, "prompt_cache_key") or "",),
    )


def _model(members: Members) -> str:
    model = text_of(members, "model")
    if not model:
        raise InvalidRequest(
            "'model' is required and must be a non-empty string.",
            param="model",
            code="missing_required_parameter",
        )
    return model


def _messages(members: Members) -> bytes:
    raw = members.get("messages", b"null")
    if raw[:1] != b"[" or not raw[1:-1].strip():
        raise invalid("messages", "is required and must be an array with a message, at least")
    return raw


def _input(reader: ItemReader) -> bytes:
    if not reader.items:
        raise invalid("messages", "says nothing: send a message that has a content")
    return b"[%b]" % b",".join(reader.items)


def _hub_members(members: Members, wishes: _Wishes, dropped: set[str]) -> dict[str, bytes]:
    """Return the members of a request of the Responses API, each under its name there.

    The tools are not among them.
    """
    hub = {name: members[name] for name in _SAME if name in members}
    hub["store"] = b"true" if boolean_of(members, "store") else b"false"
    hub |= _limit(members) | _text(members, dropped) | _include(members, wishes)
    hub |= _reasoning(members, wishes)
    obfuscates = wishes.stream.include_obfuscation
    if obfuscates is not None:
        hub["stream_options"] = b'{"include_obfuscation":%b}' % msgspec.json.encode(obfuscates)
    if "functions" in members:
        hub["parallel_tool_calls"] = b"false"  # its answers have room for one call
    return hub


def _wishes(members: Members, dropped: set[str], *, by_key: bool) -> _Wishes:
    reasoning, stream, shows = _NO_WISH, _NO_OPTIONS, None
    if "reasoning" in members:
        reasoning = _REASONING.decode(members["reasoning"], "reasoning", dropped)
        shows = not reasoning.exclude
    if "stream_options" in members:
        stream = _STREAM_OPTIONS.decode(members["stream_options"], "stream_options", dropped)
    if bytes(reasoning.max_tokens) != _NULL:
        dropped.add("reasoning.max_tokens")
    if "include_reasoning" in members:
        shows = boolean_of(members, "include_reasoning")
    return _Wishes(reasoning, stream, shows, by_key)


def _limit(members: Members) -> dict[str, bytes]:
    for name in ("max_completion_tokens", "max_tokens"):
        if name in members:
            most = decoded(_decode_count, members[name], name)
            if most < 1:
                raise invalid(name, "must be at least 1")
            return {"max_output_tokens": b"%d" % most}
    return {}


def _text(members: Members, dropped: set[str]) -> dict[str, bytes]:
    said: list[bytes] = []
    if "response_format" in members:
        said.append(b'"format":' + _format(members["response_format"], dropped))
    if "verbosity" in members:
        said.append(b'"verbosity":' + text(members["verbosity"], "verbosity"))
    return {"text": b"{%b}" % b",".join(said)} if said else {}


def _format(raw: bytes, dropped: set[str]) -> bytes:
    """Flatten the schema of a format; others are the same in both APIs, whatever is in them."""
    unread: set[str] = set()
    style = _FORMAT.decode(raw, "response_format", unread)
    if style.type != "json_schema":
        return raw
    dropped |= unread
    if style.json_schema is None:
        raise invalid("response_format.json_schema", "is required")
    answer_schema(style.json_schema.schema, "response_format.json_schema.schema")
    said = b'{"type":"json_schema"'
    for name in ("name", "description", "schema", "strict"):
        value = bytes(getattr(style.json_schema, name))
        if value != _NULL:
            said += b',"%b":%b' % (name.encode(), value)
    return said + b"}"


def _reasoning(members: Members, wishes: _Wishes) -> dict[str, bytes]:
    """Return how the model reasons: as the API says it, or else as OpenRouter does."""
    wish = wishes.reasoning
    said: list[bytes] = []
    if wish.enabled is False:
        effort = b'"none"'
    elif "reasoning_effort" in members:
        effort = text(members["reasoning_effort"], "reasoning_effort")
    else:
        effort = bytes(wish.effort)
        effort = effort if effort == _NULL else text(effort, "reasoning.effort")
    if effort != _NULL:
        said.append(b'"effort":' + effort)
    summary = bytes(wish.summary)
    if summary == _NULL and wishes.shows_reasoning() and effort != b'"none"':
        summary = b'"auto"'
    if summary != _NULL:
        said.append(b'"summary":' + text(summary, "reasoning.summary"))
    return {"reasoning": b"{%b}" % b",".join(said)} if said else {}


def _include(members: Members, wishes: _Wishes) -> dict[str, bytes]:
    """Return what the answer is to include beside its output, and the most logprobs."""
    included: list[bytes] = []
    hub: dict[str, bytes] = {}
    if wishes.shows_reasoning():
        included.append(_ENCRYPTED)
    if boolean_of(members, "logprobs"):
        included.append(_LOGPROBS)
        if "top_logprobs" in members:
            hub["top_logprobs"] = members["top_logprobs"]
    elif members.get("top_logprobs", b"0") != b"0":
        raise invalid("top_logprobs", "needs 'logprobs' to be true")
    return {**hub, "include": b"[%b]" % b",".join(included)} if included else hub


def _stops(members: Members) -> tuple[str, ...]:
    raw = members.get("stop")
    if raw is None:
        return ()
    stops = decoded(_decode_stops, raw, "stop")
    found = (stops,) if isinstance(stops, str) else tuple(stops)
    if len(found) > _MOST_STOPS:
        raise invalid("stop", f"has {len(found)} sequences, and may have {_MOST_STOPS}")
    return tuple(filter(None, found))
