"""What models of other vendors have said, in a body of Chat Completions that is passed on.

Law: a message that the vendor's own model wrote keeps its bytes. Of the others' reasoning nothing
is sent, neither its seal nor its words.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from longwire.dialects.chat_completions.call_ids import call_id
from longwire.dialects.gemini_models import DUMMY_SIGNATURE, needs_signatures
from longwire.dialects.passing import has_seals
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import (
    NULL,
    map_items,
    splice,
    splice_items,
    split_items,
    split_members,
)
from longwire.dialects.seals import PREFIX, REASONING, opened

_CALLS: Final = b'"tool_calls"'
_EXTRA: Final = b'"extra_content"'
_OURS: Final = "lw_"
_OUR_ID: Final = b'"lw_rs_'
DUMMY_EXTRA: Final = b'{"google":{"thought_signature":%b}}' % DUMMY_SIGNATURE
"""What a call has beside it whose signature nobody knows."""

_WORDS: Final = ("reasoning_content", "reasoning")
_OWN: Final = (*_WORDS, "reasoning_details")
THOUGHTS: Final = tuple(b'"%b"' % name.encode() for name in (*_OWN, "extra_content"))
"""The members of messages and calls that bring back what a model has thought."""

_SUMMARY: Final = "reasoning.summary"
_NOTHING: Final = (b"null", b'""', b"[]")


class _Detail(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    index: int | None = None
    data: str | None = None
    signature: str | None = None

    @property
    def seal(self) -> str:
        """What we have sealed in it, "" for nothing."""
        both = (self.data or "", self.signature or "")
        return next((each for each in both if each.startswith(PREFIX)), "")


_decode_detail: Final = msgspec.json.Decoder(_Detail).decode


def readable_messages(
    body: bytes, profile: Profile, model: str, left_out: set[str]
) -> dict[str, bytes | None]:
    """Return `messages` as a vendor can read them for a model, nothing where they are so.

    Others' reasoning is named among what is `left_out`.
    Where a message with calls must have reasoning, an empty text stands for what is not known, as
    it does in what is translated; likewise a dummy for a signature.
    """
    own = partial(_without_seals, issuer=profile.issuer, left_out=left_out)
    changes: list[Callable[[bytes], bytes]] = [own] if _has_ours(body) else []
    if profile.refuses_unknown and any(mark in body for mark in THOUGHTS):
        changes.append(partial(_without_unknown, profile=profile))
    if profile.needs_reasoning and _CALLS in body:
        changes.append(partial(_with_reasoning, member=profile.reasoning))
    if profile.call_ids != "any" and _CALLS in body:
        changes.append(partial(_with_ids, profile=profile))
    if needs_dummies(profile, model) and _CALLS in body:
        changes.append(_with_dummy)
    if not changes:
        return {}
    messages = bytes(split_members(body).get("messages", NULL))
    kept = messages
    for change in changes if messages[:1] == b"[" else ():
        kept = splice_items(kept, change)
    return {} if kept is messages else {"messages": kept}


def thoughts_in(message: bytes) -> bytes:
    """Return all that a message brings back of what its model has thought, b"" for nothing."""
    members = split_members(message)
    calls = bytes(members.get("tool_calls", NULL))
    found = [bytes(members[name]) for name in _OWN if name in members]
    for call in split_items(calls) if calls[:1] == b"[" else ():
        extra = split_members(call).get("extra_content") if bytes(call)[:1] == b"{" else None
        found += [bytes(extra)] if extra is not None else []
    return b"\n".join(each for each in found if each not in _NOTHING)


def without_thoughts(message: bytes) -> bytes:
    """Return a message without that."""
    changes: dict[str, bytes | None] = dict.fromkeys(_OWN)
    calls = bytes(split_members(message).get("tool_calls", NULL))
    if calls[:1] == b"[" and _EXTRA in calls:
        changes["tool_calls"] = map_items(calls, _without_extra)
    return splice(message, changes)


def _without_extra(call: bytes) -> bytes:
    return splice(call, {"extra_content": None}) if call[:1] == b"{" else call


def needs_dummies(profile: Profile, model: str) -> bool:
    """Whether a call without a signature is refused for a model, unless it has a dummy."""
    return profile.signs_calls and needs_signatures(model)


def _has_ours(raw: bytes) -> bool:
    """Whether something may be reasoning as we have written it."""
    return _OUR_ID in raw or has_seals(raw)


def _without_unknown(message: bytes, profile: Profile) -> bytes:
    """Return a message without reasoning in members that its vendor does not know."""
    if message[:1] != b"{" or not any(mark in message for mark in THOUGHTS):
        return message
    members = split_members(message)
    changes: dict[str, bytes | None] = {
        name: None for name in _OWN if name in members and name != profile.reasoning
    }
    calls = bytes(members.get("tool_calls", NULL))
    if calls[:1] == b"[" and _EXTRA in calls and not profile.signs_calls:
        changes["tool_calls"] = map_items(calls, _without_extra)
    return splice(message, changes) if changes else message


def _with_ids(message: bytes, profile: Profile) -> bytes:
    """Return a message whose calls, or whose result, have ids as the vendor takes them."""
    if message[:1] != b"{":
        return message
    members = split_members(message)
    calls = bytes(members.get("tool_calls", NULL))
    changes: dict[str, bytes | None] = {}
    if calls[:1] == b"[":
        kept = splice_items(calls, lambda call: _with_id(call, "id", profile))
        changes = {} if kept is calls else {"tool_calls": kept}
    kept = splice(message, changes) if changes else message
    return _with_id(kept, "tool_call_id", profile)


def _with_id(raw: bytes, name: str, profile: Profile) -> bytes:
    own = bytes(split_members(raw).get(name, NULL)) if raw[:1] == b"{" else b""
    if own[:1] != b'"':
        return raw
    sent = call_id(own, profile)
    return raw if sent == own else splice(raw, {name: sent})


def _with_dummy(message: bytes) -> bytes:
    """Return a message whose first call has a signature, if only a dummy."""
    calls = bytes(split_members(message).get("tool_calls", NULL)) if message[:1] == b"{" else b""
    first = bytes(next(iter(split_items(calls)), NULL)) if calls[:1] == b"[" else b""
    if first[:1] != b"{" or b'"thought_signature"' in first:
        return message
    signed = splice(first, {"extra_content": DUMMY_EXTRA})
    return splice(message, {"tool_calls": calls.replace(first, signed, 1)})


def _with_reasoning(message: bytes, member: str) -> bytes:
    if _CALLS not in message or b'"%b"' % member.encode() in message or message[:1] != b"{":
        return message
    members = split_members(message)
    if bytes(members.get("tool_calls", NULL))[:1] != b"[":
        return message
    return splice(message, {member: b'""'})


def _without_seals(message: bytes, issuer: str, left_out: set[str]) -> bytes:
    """Return a message without the details that we have written, and without their words.

    Its own words stay, for they are what its vendor wants back.
    """
    if not _has_ours(message) or message[:1] != b"{":
        return message
    raw = bytes(split_members(message).get("reasoning_details", NULL))
    if raw[:1] != b"[":
        return message
    ours: dict[int | None, str] = {}
    kept = map_items(raw, lambda detail: _noted(detail, ours))
    if not ours:
        return message
    kept = map_items(kept, lambda detail: None if _is_summary(detail, ours) else detail)
    changes: dict[str, bytes | None] = {"reasoning_details": None if kept == b"[]" else kept}
    if any(opened(seal).issuer != issuer for seal in ours.values()):
        left_out.add(REASONING)
        changes |= dict.fromkeys(_WORDS)
    return splice(message, changes)


def _noted(raw: bytes, ours: dict[int | None, str]) -> bytes | None:
    """Return a detail, None for one that we have written, which is noted by its place."""
    detail = _detail(raw)
    if not detail.seal and not (detail.id or "").startswith(_OURS):
        return raw
    ours[detail.index] = detail.seal or ours.get(detail.index, "")
    return None


def _is_summary(raw: bytes, ours: Mapping[int | None, str]) -> bool:
    """Whether a detail has words of what we have sealed."""
    detail = _detail(raw)
    return detail.type == _SUMMARY and detail.index in ours


def _detail(raw: bytes) -> _Detail:
    try:
        return _decode_detail(raw)
    except msgspec.MsgspecError:
        return _Detail()
