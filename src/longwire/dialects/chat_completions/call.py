"""A turn as a body of Chat Completions, for whatever vendor its profile describes.

Law: the same turn gives the same bytes, and a longer history begins with a shorter one's.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.composer import AnswerForm
from longwire.dialects.chat_completions.conversation import Conversation
from longwire.dialects.chat_completions.foreign import needs_dummies
from longwire.dialects.chat_completions.functions import Functions, add_functions
from longwire.dialects.chat_completions.reading import ChatReading
from longwire.dialects.chat_completions.said_members import SAID
from longwire.dialects.chat_completions.wishes import (
    Members,
    Text,
    choice_of,
    effort_of,
    format_of,
    limit_of,
    logprobs_of,
    schema_prompt,
    text_of,
)
from longwire.dialects.fields import invalid, text
from longwire.dialects.losses import Losses, refuse_outside
from longwire.dialects.members import Fate
from longwire.dialects.ports import Terms, UpstreamCall
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.responses.call import sent_model
from longwire.dialects.responses.native_items import without_items
from longwire.dialects.responses.output import echo_of
from longwire.dialects.wishes import said_wishes

_NULL: Final = b"null"
_IN_MEMBERS: Final = ("additional_tools", "configuration_update")
"""Items of an input that say what stands in members of a body."""

_STREAM: Final = b'"stream":true}'
_STREAM_WITH_USAGE: Final = b'"stream":true,"stream_options":{"include_usage":true}}'
_MOST_STOPS: Final = 4
_LONG: Final = 32
"""What has so many bytes asks for something."""

_SILENT: Final = frozenset({"store", "client_metadata"})
"""Members whose loss nobody notices."""


def call_of(turn: Turn, terms: Terms) -> UpstreamCall:
    """Return the call that a turn is. Raises `Unsayable`, and `InvalidRequest` for bad fields."""
    refuse_outside(turn, can_count=False)
    turn, losses = without_items(turn, _IN_MEMBERS), Losses(may_drop=terms.may_drop)
    profile, members = terms.profile, _said(turn, losses)
    functions = Functions()
    if "tools" in members:
        add_functions(functions, members["tools"], "tools", profile, losses)
    wanted = text_of(members)
    conversation = Conversation(profile, losses, signs=needs_dummies(profile, sent_model(turn)))
    conversation.read(turn.input, _leading(members, wanted, profile))
    for path, tools in conversation.tools:
        add_functions(functions, tools, path, profile, losses)
    messages = conversation.messages
    if not messages:
        raise invalid("input", "says nothing: send a message that has a content")
    messages[0] = b'"messages":[' + messages[0]
    messages[-1] += b"]"
    parts = [  # joined at once, since a copy of a long history costs most
        b'{"model":' + members.get("model", _NULL),
        *messages,
        *choice_of(members, functions, profile, losses),
        *_wishes(members, turn, profile, losses),
        *_extra(members, wanted, profile, losses),
        _STREAM_WITH_USAGE if profile.takes_stream_options else _STREAM,
    ]
    form = AnswerForm(members["model"], echo_of(turn.members), functions.renamed, profile)
    return UpstreamCall(b",".join(parts), partial(ChatReading, form), dropped=losses.names)


def _said(turn: Turn, losses: Losses) -> Members:
    """Return the members that ask for something, without those that nothing stands for."""
    kept: dict[str, bytes] = {}
    for name, raw in turn.members.items():
        row = SAID.get(name)
        if raw == _NULL or (row is not None and len(raw) < _LONG and row.is_neutral(raw)):
            continue
        if row is not None and row.fate is Fate.REFUSED:
            why = row.sentence[:-1].partition(": ")[2]
            losses.refuse(name, f"cannot be said in Chat Completions: {why}")
        else:
            kept[name] = raw
    return kept


def _leading(members: Members, wanted: Text, profile: Profile) -> list[bytes]:
    """Return the texts that stand before the conversation, as raw JSON."""
    said = [schema_prompt(wanted, profile)]
    if "instructions" in members:
        said.insert(0, text(members["instructions"], "instructions"))
    return [each for each in said if each and each != b'""']


def _wishes(members: Members, turn: Turn, profile: Profile, losses: Losses) -> Iterator[bytes]:
    model = sent_model(turn)
    yield from limit_of(members, model, profile)
    for name in ("temperature", "top_p"):
        if name in members:
            yield b'"%b":%b' % (name.encode(), members[name])
    words: dict[str, str] = {kind: kind for kind in profile.wishes}
    for name, raw in said_wishes(turn.source, words, losses, _MOST_STOPS):
        yield b'"%b":%b' % (name.encode(), raw)
    yield from format_of(text_of(members), profile)
    yield from effort_of(members, model, profile, losses)
    yield from logprobs_of(members)


def _extra(members: Members, wanted: Text, profile: Profile, losses: Losses) -> Iterator[bytes]:
    """Give the members that only some vendors take, and name those that this one does not."""
    verbosity = bytes(wanted.verbosity)
    found = {"text.verbosity": verbosity} if verbosity != _NULL else {}
    for name, raw in members.items():
        row = SAID.get(name)
        if row is None or row.fate is Fate.DROPPED:
            found[name] = raw
    for name, raw in found.items():
        if name in profile.extra_members:
            yield msgspec.json.encode(name.removeprefix("text.")) + b":" + raw
        elif name not in _SILENT:
            losses.drop(name)
