"""A request of the Messages API decoded to a `Turn`, whose members are those of Responses.

Law: the same messages, tools and settings give the same bytes, whatever moved around them. What
becomes of each member stands in `members.MEMBERS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import msgspec
from blake3 import blake3
from msgspec import Raw

from longwire.core.errors import CallerError, InvalidRequest, UnknownResponse
from longwire.core.nouns.access import Grant
from longwire.core.rules.turn import STOP, Purpose, Source, Turn, Wish
from longwire.dialects.fields import decoded, invalid, member
from longwire.dialects.halves import Halves
from longwire.dialects.input_items import SILENT
from longwire.dialects.members import PREFILL, names_of
from longwire.dialects.messages.conversation import (
    Conversation,
    Message,
    decode_messages,
    without_prefill,
)
from longwire.dialects.messages.errors import THREAD_GONE
from longwire.dialects.messages.ids import response_id
from longwire.dialects.messages.image import image_of
from longwire.dialects.messages.members import left_out_of, says_something
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.reasoning import Reasoning, output_of, reasoning_of, text_member
from longwire.dialects.messages.tools import Toolbox, choice_of, toolbox_of
from longwire.dialects.names import shortened
from longwire.dialects.ports import Headers, PassesOn
from longwire.dialects.raw_json import (
    NULL,
    boolean_of,
    decode_members,
    text_of,
    without_mark,
)
from longwire.dialects.repeats import check_repeats, compact
from longwire.dialects.responses.history import BodyProperties, InputHistory
from longwire.dialects.unread import never, unread_turn
from longwire.dialects.wishes import wishes_of

API: Final = "messages"
_SESSION_HEADER: Final = "x-claude-code-session-id"
_WRITTEN_ANEW: Final = ("messages", "system", "tools", "tool_choice", "output_config")
"""Members whose texts travel inside others of the hub."""

_WISHES: Final = {STOP: "stop_sequences"}
_MOST_STOPS: Final = 64
_LONGEST_STOP: Final = 1000
_ENCRYPTED: Final = "reasoning.encrypted_content"
_SOURCES: Final = "web_search_call.action.sources"
_COUNTED: Final = frozenset(
    {"model", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text"}
)
_TIERS: Final = {"auto": None, "standard_only": b'"default"'}
_encode: Final = msgspec.json.Encoder().encode
Members = Mapping[str, bytes]


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _UserId(msgspec.Struct):
    session_id: str = ""


class _Thread(msgspec.Struct):
    type: str
    previous_message_id: str | None = None


class _Trigger(msgspec.Struct):
    value: int | None = None


class _Edit(msgspec.Struct):
    type: str
    trigger: _Trigger | None = None
    keep: Raw = NULL


class _Management(msgspec.Struct):
    edits: list[_Edit] = []


_decode_integer: Final = msgspec.json.Decoder(int | None).decode
_decode_number: Final = msgspec.json.Decoder(float | None).decode
_decode_texts: Final = msgspec.json.Decoder(list[str] | None).decode
_decode_metadata: Final = msgspec.json.Decoder(_Metadata | None).decode
_decode_user_id: Final = msgspec.json.Decoder(_UserId).decode
_decode_thread: Final = msgspec.json.Decoder(_Thread | None).decode
_decode_management: Final = msgspec.json.Decoder(_Management | None).decode


@dataclass(slots=True)
class _Settings:
    """What a body says beside its messages, as members of the Responses API."""

    toolbox: Toolbox
    reasoning: Reasoning
    members: dict[str, bytes]
    dropped: tuple[str, ...]
    stop_sequences: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ()
    refusal: InvalidRequest | None = None


def decode_request(
    body: bytes, headers: Mapping[str, str], _grant: Grant, passes_on: PassesOn = never
) -> Turn:
    """Decode the body of `POST /v1/messages`; what cannot be read has a `Source.refusal`.

    Raises `InvalidRequest` for what is no object, or names no model.
    """
    return _decoded(body, headers, passes_on=passes_on)


def decode_count(body: bytes, headers: Mapping[str, str], _grant: Grant) -> Turn:
    """Decode the body of `POST /v1/messages/count_tokens`. Raises `InvalidRequest`, likewise."""
    turn = _decoded(body, headers, is_count=True)
    kept = {name: raw for name, raw in turn.members.items() if name in _COUNTED}
    source = replace(turn.source, api=f"{API}/count_tokens", is_side_call=False, is_in_thread=False)
    return replace(turn, source=source, members=kept, purpose=Purpose.COUNT, streams=False)


def _decoded(
    body: bytes, headers: Headers, *, is_count: bool = False, passes_on: PassesOn = never
) -> Turn:
    body, halves = without_mark(body), Halves(*_WRITTEN_ANEW)
    members = decode_members(body, halves)
    model, streams = _model(members), boolean_of(members, "stream")
    source = Source(API, len(body), body=body, options=Options(members["model"]))
    try:
        if passes_on(model):
            session = headers.get(_SESSION_HEADER) or _session_of(_user_id(members))
            return unread_turn(source, model, members["model"], streams=streams, session=session)
        if not is_count:
            _check_limit(members)
        return _turn_of(members, source, headers, halves, is_count=is_count)
    except CallerError as error:
        refusal = left_out_of(members).refusal or error.with_traceback(None)
        source = replace(source, refusal=refusal)
        return unread_turn(source, model, members["model"], streams=streams)


def _check_limit(members: Members) -> None:
    if members.get("max_tokens", b"null") == b"null":
        message = "'max_tokens' is required: how many tokens the answer may have at most."
        raise InvalidRequest(message, param="max_tokens")


def _turn_of(
    members: Members, source: Source, headers: Headers, halves: Halves, *, is_count: bool
) -> Turn:
    """Return a turn in the words of the Responses API. Raises `CallerError` for what has none."""
    settings = _settings(members)
    previous, is_in_thread = _previous(members), says_something(members, "thread")
    messages = _messages(members, may_be_none=previous is not None)
    messages, prefill = (messages, None) if is_count else without_prefill(messages)
    conversation = _conversation(members, settings, messages, is_first=previous is None)
    user_id = _user_id(members)
    session = headers.get(_SESSION_HEADER) or _session_of(user_id)
    kept = halves.restore_in(settings.members | _identity(user_id, session))
    raw_input = halves.restore(b"[%b]" % b",".join(conversation.items))
    options = _options(members, settings)
    blocks = [f"messages.content.{name}" for name in conversation.left_out]
    refusals = settings.refusal, prefill, conversation.refusal
    source = replace(
        source,
        previous_response_id=previous,
        options=options,
        wishes=settings.wishes,
        refusal=next(filter(None, refusals), None),
        dropped=names_of([*settings.dropped, *blocks, *([PREFILL] if prefill else [])]),
        leading=conversation.leading,
        is_side_call=bool(session) and not is_in_thread and _is_side_call(kept, messages),
        is_in_thread=is_in_thread,
    )
    return Turn(
        source=source,
        model=_model(members),
        members=kept,
        input=raw_input,
        history=InputHistory(raw_input),
        properties=BodyProperties(kept),
        streams=boolean_of(members, "stream"),
        has_tools="tools" in kept,
        previous_response_id=previous,
        session_hints=(session,),
        image=partial(image_of, options),
    )


def _model(members: Mapping[str, bytes]) -> str:
    model = text_of(members, "model")
    if not model:
        raise invalid("model", "is required and must be a non-empty string")
    return model


def _messages(members: Mapping[str, bytes], *, may_be_none: bool) -> Sequence[Message]:
    raw = compact(members.get("messages", b"[]"))
    messages = decoded(decode_messages, raw, "messages") or ()
    if messages:
        check_repeats(raw, messages, "messages")
    if not messages and not may_be_none:
        raise invalid("messages", "needs at least one message")
    return messages


def _conversation(
    members: Mapping[str, bytes],
    settings: _Settings,
    messages: Sequence[Message],
    *,
    is_first: bool,
) -> Conversation:
    """Return the items; a thread that goes on has its system prompt already."""
    conversation = Conversation(settings.toolbox.deferred, settings.reasoning.effort)
    if is_first and members.get("system", b"null") != b"null":
        conversation.add_system(Raw(members["system"]))
    for index, message in enumerate(messages):
        conversation.add(message, index)
    if conversation.silent:
        raise conversation.refusal or invalid(conversation.silent, SILENT)
    return conversation


def _settings(members: Mapping[str, bytes]) -> _Settings:
    """Return all but messages and system. Raises `InvalidRequest`."""
    left_out, refusal = left_out_of(members)
    toolbox, output, model = toolbox_of(members), output_of(members), _model(members)
    most = _integer(members, "max_tokens")
    reasoning = reasoning_of(members, output.effort, model, most)
    kept = {"model": members["model"], "store": b"false"}
    if most is not None:
        kept["max_output_tokens"] = b"%d" % most
    if toolbox.offered:
        kept["tools"] = b"[" + b",".join(toolbox.offered) + b"]"
    kept |= choice_of(members, toolbox)
    _set(kept, "reasoning", reasoning.member())
    _set(kept, "text", text_member(output.format))
    wanted = [_ENCRYPTED] * reasoning.shows + [_SOURCES] * bool(toolbox.searches)
    if wanted:
        kept["include"] = _encode(wanted)
    if bytes(output.task_budget) != b"null":
        left_out.append("output_config.task_budget")
    left_out += _sampling(members, kept, reasoning)
    left_out += _management(members, kept)
    left_out += [f"tools.{name}" for name in toolbox.left_out]
    _set(kept, "service_tier", _tier(members))
    if toolbox.refused:
        refusal = refusal or next(iter(toolbox.refused.values()))
    settings = _Settings(toolbox, reasoning, kept, tuple(left_out), refusal=refusal)
    if "stop_sequences" in members:
        settings.stop_sequences = _stop_sequences(members)
        settings.wishes = wishes_of(members, _WISHES, settings.stop_sequences)
    return settings


def _set(kept: dict[str, bytes], name: str, value: bytes | None) -> None:
    if value is not None:
        kept[name] = value


def _integer(members: Mapping[str, bytes], name: str) -> int | None:
    value = member(members, name, _decode_integer)
    if value is not None and value < 1:
        raise invalid(name, "must be at least 1")
    return value


def _stop_sequences(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return them without empty ones. Each is sought in every piece of text: they have bounds."""
    name = "stop_sequences"
    texts = member(members, name, _decode_texts) or ()
    if len(texts) > _MOST_STOPS:
        raise invalid(name, f"must be at most {_MOST_STOPS}")
    for index, each in enumerate(texts):
        if len(each) > _LONGEST_STOP:
            raise invalid(f"{name}.{index}", f"must have at most {_LONGEST_STOP} characters")
    return tuple(filter(None, texts))


def _sampling(
    members: Mapping[str, bytes], kept: dict[str, bytes], reasoning: Reasoning
) -> list[str]:
    """Keep how tokens are drawn; beside reasoning it is refused, so name it as left out."""
    names = [
        name
        for name in ("temperature", "top_p")
        if member(members, name, _decode_number) is not None
    ]
    if reasoning.is_on:
        return names
    kept |= {name: members[name] for name in names}
    return []


def _management(members: Mapping[str, bytes], kept: dict[str, bytes]) -> list[str]:
    """Keep what the API can do with a long context, and name what it cannot."""
    management = member(members, "context_management", _decode_management)
    left_out: list[str] = []
    for edit in management.edits if management is not None else ():
        if edit.type.startswith("compact_"):
            threshold = edit.trigger.value if edit.trigger is not None else None
            rule: dict[str, object] = {"type": "compaction"}
            rule |= {"compact_threshold": threshold} if threshold else {}
            kept["context_management"] = _encode([rule])
        elif not edit.type.startswith("clear_thinking_") or bytes(edit.keep) != b'"all"':
            left_out.append("context_management.edits")
    return left_out


def _tier(members: Mapping[str, bytes]) -> bytes | None:
    """Return `service_tier`: the fast one where speed is wanted."""
    speed = text_of(members, "speed")
    if speed == "fast":
        return b'"priority"'
    if speed not in (None, "standard"):
        raise InvalidRequest("'speed' must be fast or standard.", param="speed")
    tier = text_of(members, "service_tier")
    if tier is not None and tier not in _TIERS:
        raise invalid("service_tier", "must be auto or standard_only")
    return _TIERS[tier] if tier is not None else None


def _options(members: Mapping[str, bytes], settings: _Settings) -> Options:
    reasoning = settings.reasoning
    return Options(
        members["model"],
        settings.stop_sequences,
        settings.toolbox.originals,
        shows_thinking=reasoning.shows,
        omits_text=reasoning.is_omitted,
    )


def _previous(members: Mapping[str, bytes]) -> str | None:
    """Return the response that a thread goes on from. Raises `UnknownResponse`.

    The API keeps a thread's tools, the gateway does not: who leaves them out replays the thread.
    """
    thread = member(members, "thread", _decode_thread)
    if thread is None or thread.type == "create":
        return None
    if thread.type != "continue" or not thread.previous_message_id:
        raise invalid("thread", "must be create, or continue with a 'previous_message_id'")
    previous = response_id(thread.previous_message_id)
    if previous is None:
        raise UnknownResponse(thread.previous_message_id)
    if "tools" not in members:
        words = "A thread goes on with its 'tools' repeated; send all messages, and 'create' it."
        raise InvalidRequest(words, param="tools", code=THREAD_GONE)
    return previous


def _user_id(members: Mapping[str, bytes]) -> str:
    metadata = member(members, "metadata", _decode_metadata)
    return (metadata.user_id if metadata is not None else None) or ""


def _session_of(user_id: str) -> str:
    """Return the session that Claude Code writes into the user's id, in either of its shapes."""
    if user_id[:1] == "{":
        try:
            return _decode_user_id(user_id).session_id
        except msgspec.MsgspecError:
            return ""
    _, mark, session = user_id.rpartition("__session_")
    return session if mark else ""


def _identity(user_id: str, session: str) -> dict[str, bytes]:
    """Return who asks, by a digest that does not change with the session, and a key for caches."""
    members: dict[str, bytes] = {}
    if user_id:
        user = user_id.replace(session, "") if session else user_id
        members["safety_identifier"] = _encode(blake3(user.encode("utf-8", "replace")).hexdigest())
    if session:
        members["prompt_cache_key"] = _encode(shortened(session))
    return members


def _is_side_call(kept: Mapping[str, bytes], messages: Sequence[Message]) -> bool:
    """Whether an agent puts one question beside its conversation, with nothing it could call."""
    roles = [message.role for message in messages if message.role != "system"]
    return roles == ["user"] and "tools" not in kept
