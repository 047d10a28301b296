"""A `Turn` as the body of a request to Anthropic.

Law: the same turn gives the same bytes, and of a history that grows only the end and the marks are
new. What changes the answer and has no equivalent is refused, unless its channel may drop it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from blake3 import blake3
from msgspec import Raw

from longwire.core.rules.turn import STOP, Purpose, Turn
from longwire.dialects.client_tools import Declared
from longwire.dialects.fields import decoded, invalid, member
from longwire.dialects.losses import Losses, refuse_outside
from longwire.dialects.messages.blocks import is_blank
from longwire.dialects.messages.claude import Claude, claude_of
from longwire.dialects.messages.effort import Effort, Room, effort_of
from longwire.dialects.messages.from_items import History, Message, items_of
from longwire.dialects.messages.from_parts import text_block
from longwire.dialects.messages.from_tools import Offer
from longwire.dialects.messages.marks import last_marked, with_marks
from longwire.dialects.ports import Terms
from longwire.dialects.raw_json import NULL, text_of
from longwire.dialects.responses.call import sent_model
from longwire.dialects.schemas import answer_schema
from longwire.dialects.wishes import said_wishes

SYSTEM_BETA: Final = "mid-conversation-system-2026-04-07"
_COMPACT_BETA: Final = "compact-2026-01-12"
_COMPACT: Final = "compact_20260112"
_NULL: Final = b"null"
_ROLES: Final = {
    role: b'{"role":"%b","content":[' % role.encode() for role in ("user", "assistant", "system")
}
_WISHES: Final = {STOP: "stop_sequences"}
_FORCED: Final = ("any", "tool")
_HIGHEST: Final = {"temperature": 2, "top_p": 1}
"""The highest values in any API. Anthropic's temperature ends at 1, and that is what it gets."""

_SAID: Final = frozenset(
    [
        "model",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "max_output_tokens",
        "temperature",
        "top_p",
        "instructions",
        "safety_identifier",
        "user",
        "service_tier",
        "context_management",
    ]
)
"""Members that are said in other words."""

_SILENT: Final = frozenset(
    [
        "store",
        "include",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
        "stream_options",
        "client_metadata",
        "generate",
    ]
)
"""Members that change nothing in an answer."""

_REFUSED: Final = {
    "prompt": "names a template that another vendor holds",
    "top_logprobs": "asks for probabilities, of which Claude says nothing",
}
_LOGPROBS: Final = b'"message.output_text.logprobs"'
"""What `include` names where probabilities are wanted."""

_encode: Final = msgspec.json.encode


class _Form(msgspec.Struct):
    type: str = "text"
    schema: Raw = NULL


class _Text(msgspec.Struct):
    format: _Form | None = None
    verbosity: str | None = None


class _Rule(msgspec.Struct):
    type: str
    compact_threshold: int | None = None


_decode_integer: Final = msgspec.json.Decoder(int | None).decode
_decode_number: Final = msgspec.json.Decoder(float | None).decode
_decode_text: Final = msgspec.json.Decoder(_Text | None).decode
_decode_form: Final = msgspec.json.Decoder(_Form | None).decode
_decode_rules: Final = msgspec.json.Decoder(list[_Rule] | None).decode


@dataclass(frozen=True, slots=True)
class Request:
    """A request to Anthropic: its members as raw JSON, the messages, and what it needs beside.

    `tools` are those that the client runs, by the names they have upstream. Of the items of the
    input `answered` is the index of the last one that the assistant said, `equipped` that of the
    last one that brought tools.
    """

    members: Mapping[str, bytes]
    messages: Sequence[Message]
    betas: tuple[str, ...]
    dropped: tuple[str, ...]
    tools: Mapping[str, Declared]
    answered: int
    equipped: int

    @property
    def body(self) -> bytes:
        """The request as it is sent."""
        return body_of(self.members, self.messages)


def body_of(members: Mapping[str, bytes], messages: Sequence[Message]) -> bytes:
    """Return the body of a request, whose messages, one at least, stand last.

    A long history is copied once: copies of megabytes cost more than all else here.
    """
    parts = [b"{"]
    for name, raw in members.items():
        parts += (b'"%b":' % name.encode(), raw, b",")
    opening = b'"messages":['
    for role, blocks in messages:
        parts += (opening, _ROLES[role], b",".join(blocks))
        opening = b"]},"
    parts.append(b"]}]}")
    return b"".join(parts)


def request_of(turn: Turn, terms: Terms) -> Request:
    """Return the request that a turn is. Raises `Unsayable` for what it cannot be."""
    refuse_outside(turn)
    return _Writer(turn, terms).request()


class _Writer:
    """Writes one request."""

    def __init__(self, turn: Turn, terms: Terms) -> None:
        self._turn = turn
        self._losses = Losses(may_drop=terms.may_drop)
        self._claude: Claude = claude_of(sent_model(turn))
        self._offer = Offer(self._losses, may_be_strict=self._claude.takes_schemas)
        self._history = History(self._claude, self._offer, self._losses)
        self._betas: list[str] = []
        self._is_count = turn.purpose is Purpose.COUNT

    def request(self) -> Request:
        turn, members = self._turn, self._turn.members
        if "tools" in members:
            self._offer.add(members["tools"], "tools")
        self._history.add_all(items_of(turn.input))
        choice = self._choice()
        said = {"model": turn.members["model"], **self._prompt()}
        if choice:
            said["tool_choice"] = _encode(choice)
        if not self._is_count:
            said |= self._settings(is_forced=choice.get("type") in _FORCED)
        self._lose_others()
        history, messages = self._history, self._history.messages
        if any(message.role == "system" for message in messages):
            self._betas.append(SYSTEM_BETA)
        return Request(
            said,
            messages if self._is_count else with_marks(messages),
            tuple(self._betas),
            self._losses.names,
            self._offer.by_name,
            history.answered,
            history.equipped,
        )

    def _prompt(self) -> dict[str, bytes]:
        """Return the system prompt and the tools."""
        said: dict[str, bytes] = {}
        system = [*self._instructions(), *self._history.system]
        if system:
            said["system"] = self._listed(system)
        if not self._offer.raw and self._history.called:
            self._offer.add_called(self._history.called)
        if self._offer.raw:
            said["tools"] = self._listed(self._offer.raw)
        return said

    def _listed(self, raw: list[bytes]) -> bytes:
        return b"[%b]" % b",".join(raw if self._is_count else last_marked(raw))

    def _instructions(self) -> list[bytes]:
        raw = Raw(self._turn.members.get("instructions", _NULL))
        return [text_block(raw)] if bytes(raw)[:1] == b'"' and not is_blank(raw) else []

    def _choice(self) -> dict[str, object]:
        """Return how tools may be called; none of those that are there only for the history."""
        members = self._turn.members
        choice: dict[str, object] = {**self._offer.choice(members.get("tool_choice"))}
        if not self._offer.raw:
            return {"type": "none"} if self._history.called else {}
        if members.get("parallel_tool_calls") == b"false" and choice.get("type") != "none":
            choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
        return choice

    def _settings(self, *, is_forced: bool) -> dict[str, bytes]:
        """Return what says how to answer."""
        members, claude, history = self._turn.members, self._claude, self._history
        wanted = member(members, "max_output_tokens", _decode_integer) or claude.longest
        most = min(wanted, claude.longest)
        room = Room(most, is_forced, history.lacks_thinking)
        effort = effort_of(members, history.effort, claude, room, self._losses)
        said = {"max_tokens": b"%d" % most, "stream": b"true"}
        if effort.thinking is not None:
            said["thinking"] = _encode(effort.thinking)
        output = self._output(effort)
        if output:
            said["output_config"] = _encode(output)
        said |= self._sampling(is_thinking=effort.is_on)
        said |= said_wishes(self._turn.source, _WISHES, self._losses)
        said |= self._user()
        said |= self._tier()
        said |= self._management()
        return said

    def _output(self, effort: Effort) -> dict[str, object]:
        output: dict[str, object] = {}
        if effort.effort is not None:
            output["effort"] = effort.effort
        text = member(self._turn.members, "text", _decode_text) or _Text()
        form, at = text.format, "text.format"
        if self._history.format is not NULL:
            at = "input.text.format"
            form = decoded(_decode_form, self._history.format, at)
        if text.verbosity is not None:
            self._losses.drop("text.verbosity")
        if form is not None and form.type == "json_schema" and self._claude.takes_schemas:
            schema = answer_schema(form.schema, f"{at}.schema")
            output["format"] = {"type": "json_schema", "schema": Raw(schema)}
        elif form is not None and form.type != "text":
            fault = f"is '{form.type}', which this model cannot be made to heed"
            self._losses.refuse("text.format.type", fault, "text.format")
        return output

    def _sampling(self, *, is_thinking: bool) -> dict[str, bytes]:
        """Return how tokens are drawn, one way alone: beside another one it is refused."""
        members = self._turn.members
        said: dict[str, bytes] = {}
        for name in _HIGHEST:
            value = member(members, name, _decode_number)
            if value is None:
                continue
            if not 0 <= value <= _HIGHEST[name]:
                raise invalid(name, f"must be from 0 to {_HIGHEST[name]}")
            if said or is_thinking or not self._claude.takes_sampling:
                self._losses.drop(name)
            else:
                said[name] = members[name]
                if value > 1:
                    self._losses.drop(name)
                    said[name] = b"1"
        return said

    def _user(self) -> dict[str, bytes]:
        """Return who asks, as a digest: Anthropic wants no name there."""
        members = self._turn.members
        user = text_of(members, "safety_identifier") or text_of(members, "user")
        if not user:
            return {}
        digest = blake3(user.encode("utf-8", "surrogatepass")).hexdigest()
        return {"metadata": _encode({"user_id": digest})}

    def _tier(self) -> dict[str, bytes]:
        tier = text_of(self._turn.members, "service_tier")
        if tier == "default":
            return {"service_tier": b'"standard_only"'}
        if tier not in (None, "auto"):
            self._losses.drop("service_tier")
        return {}

    def _management(self) -> dict[str, bytes]:
        rules = member(self._turn.members, "context_management", _decode_rules) or ()
        edits: list[dict[str, object]] = []
        for rule in rules:
            if rule.type != "compaction":
                self._losses.drop("context_management")
                continue
            edit: dict[str, object] = {"type": _COMPACT}
            if rule.compact_threshold:
                edit["trigger"] = {"type": "input_tokens", "value": rule.compact_threshold}
            edits.append(edit)
        if not edits:
            return {}
        self._betas.append(_COMPACT_BETA)
        return {"context_management": _encode({"edits": edits})}

    def _lose_others(self) -> None:
        if _LOGPROBS in self._turn.members.get("include", b""):
            self._losses.drop("logprobs")
        for name, raw in self._turn.members.items():
            if name in _SAID or name in _SILENT or raw in (_NULL, b"{}"):
                continue
            if name in _REFUSED:
                if raw != b"0":
                    self._losses.refuse(name, _REFUSED[name])
            elif not (name == "truncation" and raw == b'"disabled"'):
                self._losses.drop(name)
