"""Overrides put into what is sent: members spliced as raw JSON, headers by their names.

Law: what no override names keeps its bytes, and once put in nothing changes by doing so again. A
member that is null counts as absent; what is no object has no members, and stays as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from longwire.core.errors import UpstreamRejected
from longwire.core.nouns.override import Override
from longwire.core.rules.continuity import Continue
from longwire.core.rules.threads import ThreadFault
from longwire.core.rules.turn import Turn
from longwire.dialects.ports import Headers, Thread, UpstreamCall
from longwire.dialects.raw_json import merge, split_members
from longwire.dialects.responses.history import BodyProperties

_NULL: Final = b"null"
_MARK: Final = "(overrides)"
"""A property that no request has: what is set in a thread, which is bound to it."""

_OF_A_THREAD: Final = frozenset({"system", "tools"})
"""What a thread has from its beginning."""

_JSON: Final = "application/json"


def changed_members(
    members: Mapping[str, bytes], overrides: Sequence[Override]
) -> dict[str, bytes]:
    """Return the members of a request with the overrides of members put in."""
    changed = dict(members)
    for each in overrides:
        if not each.member:
            continue
        top, *rest = each.path
        value = _changed(changed.get(top), rest, each)
        if value is None:
            changed.pop(top, None)
        else:
            changed[top] = value
    return changed


def _changed(raw: bytes | None, rest: Sequence[str], override: Override) -> bytes | None:
    """Return a value with an override put in below it, None for none."""
    is_absent = raw is None or raw == _NULL
    if not rest:
        if override.action == "remove":
            return None
        return override.raw if override.action == "set" or is_absent else raw
    if is_absent:
        return raw if override.action == "remove" else _nested(rest, override.raw)
    if raw is None or not raw.lstrip().startswith(b"{"):
        return raw
    members, name = split_members(raw), rest[0]
    held = bytes(members[name]) if name in members else None
    value = _changed(held, rest[1:], override)
    return raw if value == held else merge(members, {name: value})


def _nested(path: Sequence[str], raw: bytes) -> bytes:
    for name in reversed(path):
        raw = b"{%b:%b}" % (msgspec.json.encode(name), raw)
    return raw


def changed_headers(headers: Headers, overrides: Sequence[Override]) -> dict[str, str]:
    """Return headers, with names in lower case, with the overrides of headers put in."""
    changed = dict(headers)
    for each in overrides:
        name = each.header.lower()
        if not name:
            continue
        if each.action == "remove":
            changed.pop(name, None)
        elif each.action == "set" or name not in changed:
            changed[name] = each.header_value.reveal()
    return changed


def changed_turn(turn: Turn, overrides: Sequence[Override]) -> Turn:
    """Return a turn for an upstream of the Responses API: what is set is a property of it."""
    members = changed_members(turn.members, overrides)
    return replace(turn, members=members, properties=BodyProperties(members))


def marked_turn(turn: Turn, overrides: Sequence[Override]) -> Turn:
    """Return a turn for another API, which goes on only from what was sent with the same."""
    written = [(each.action, each.member, each.value) for each in overrides if each.member]
    members = {**turn.members, _MARK: msgspec.json.encode(written)}
    return replace(turn, properties=BodyProperties(members))


def changed_call(
    said: UpstreamCall, overrides: Sequence[Override], *, but: Collection[str] = ()
) -> UpstreamCall:
    """Return a call with the overrides put into its body, if that is JSON, and its headers."""
    headers, body, thread = changed_headers(said.headers, overrides), said.body, said.thread
    is_json = said.media is None or said.media.content_type == _JSON
    of_members = [each for each in overrides if each.member and each.path[0] not in but]
    if of_members and is_json and isinstance(body, bytes):
        members = {name: bytes(raw) for name, raw in split_members(body).items()}
        changed = changed_members(members, of_members)
        body = msgspec.json.encode({name: msgspec.Raw(raw) for name, raw in changed.items()})
    if thread is not None:
        thread = ChangedThread(thread, overrides)
    return replace(said, headers=headers, body=body, thread=thread)


@dataclass(frozen=True, slots=True)
class ChangedThread:
    """A thread each of whose requests has the overrides put in."""

    thread: Thread
    overrides: Sequence[Override]

    def begin(self) -> UpstreamCall:
        """Say all of the turn, as the beginning of a thread."""
        return changed_call(self.thread.begin(), self.overrides)

    def go_on(self, decision: Continue) -> UpstreamCall | None:
        """Say what is new of the turn; None where a thread cannot take it."""
        said = self.thread.go_on(decision)
        return None if said is None else changed_call(said, self.overrides, but=_OF_A_THREAD)

    def fault(self, rejection: UpstreamRejected) -> ThreadFault | None:
        """Return what an error says of the thread; None where it is about something else."""
        return self.thread.fault(rejection)
