"""The event sequence of one response, as SSE data and WebSocket frames both carry it.

Law: sequence numbers run 0.. without gaps, every item is added and done, one terminal comes last
(OpenAI reference, streaming events).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from longwire.emulator.items import Item
from longwire.emulator.options import Json, Options, Script
from longwire.emulator.requests import Request

Mark = Literal["", "created", "delta", "item", "terminal"]
ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
FAR_AWAY = 4_102_444_800
"""When the windows of the Codex backend reset, in seconds since 1970: later than any test."""

TERMINAL_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its type, its JSON, and which point of the response it reaches."""

    kind: str
    payload: bytes
    mark: Mark = ""

    def alias(self) -> "Event":
        """The terminal under the name that some upstreams use."""
        old, new = f'"type":"{self.kind}"', '"type":"response.done"'
        payload = self.payload.replace(old.encode(), new.encode(), 1)
        return Event("response.done", payload, self.mark)


class Telling(Protocol):
    """The events of one answer, in the words of any API."""

    request: Request
    usage: dict[str, Any]
    output_bytes: int

    @property
    def response_id(self) -> str:
        """What the answer is called."""

    def opening(self) -> Iterator[Event]:
        """What stands before all output."""

    def item(self, item: Item) -> Iterator[Event]:
        """One output item, whole or in pieces."""

    def ending(self) -> Iterator[Event]:
        """The terminal, and what stands behind it."""


@dataclass(slots=True)
class Story:
    """The events of one response; `usage` is filled in before the ending is sent.

    The terminal repeats the output items only up to `TERMINAL_LIMIT` bytes in all, then none of
    them, unless `keeps_output`; every item stands whole in its `response.output_item.done`.
    """

    request: Request
    options: Options
    response_id: str
    created_at: int
    keeps_output: bool = False
    usage: dict[str, Any] = field(default_factory=dict)
    output: list[msgspec.Raw] = field(default_factory=list)
    output_bytes: int = 0
    items: int = 0
    number: int = 0

    def vendor(self, state: str, used: float) -> Iterator[Event]:
        """What the Codex backend says before anything else; these events have no number."""
        primary = {"used_percent": used, "window_minutes": 300, "reset_at": FAR_AWAY}
        limits = {"allowed": True, "limit_reached": False, "primary": primary}
        yield plain({"type": "codex.rate_limits", "plan_type": "pro", "rate_limits": limits})
        yield plain({"type": "response.metadata", "headers": {"x-codex-turn-state": state}})

    def opening(self) -> Iterator[Event]:
        """`response.created` and `response.in_progress`."""
        yield self._event("response.created", "created", response=self.response("in_progress"))
        yield self._event("response.in_progress", response=self.response("in_progress"))
        if self.request.script.unknown_events:
            yield self._event("response.emulator.unknown", novelty={"since": "tomorrow"})

    def item(self, item: Item) -> Iterator[Event]:
        """The events of one output item."""
        index: dict[str, Any] = {"output_index": self.items}
        started = {key: opening_value(key, value) for key, value in item.items()}
        yield self._event("response.output_item.added", **index, item=started)
        yield from self._inside(item, index | {"item_id": item["id"]})
        encoded = msgspec.Raw(msgspec.json.encode(item))
        self.items += 1
        self.output_bytes += len(bytes(encoded))
        if self.keeps_output or self.output_bytes <= TERMINAL_LIMIT:
            self.output.append(encoded)
        yield self._event("response.output_item.done", "item", **index, item=encoded)

    def ending(self) -> Iterator[Event]:
        """The terminal that the script asks for."""
        status, _, code = self.request.script.finish.partition(":")
        scripted = {"code": code, "message": f"The scripted failure {code}."} if code else None
        error = self.request.script.error or scripted
        named = self.request.script.finish_reason or "max_output_tokens"
        reason = {"reason": named} if status == "incomplete" else None
        response = self.response(status, error=error, incomplete_details=reason)
        if self.options.terminal_output == "missing":
            del response["output"]
        yield self._event(f"response.{status}", "terminal", response=response)

    def response(self, status: str, **members: Json) -> dict[str, Any]:
        """The Response object as it stands now."""
        body = self.request.body
        done = status != "in_progress"
        whole = len(self.output) == self.items
        output = self.output if done and whole and self.options.terminal_output == "full" else []
        null = done and self.options.terminal_output == "null"
        return {
            "id": self.response_id,
            "object": "response",
            "created_at": self.created_at,
            "completed_at": self.created_at if status == "completed" else None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self.request.model,
            "store": self.request.store,
            "output": None if null else output,
            "usage": self.usage if done else None,
            **{name: with_defaults(body.get(name), value) for name, value in ECHOED.items()},
            **members,
        }

    def _inside(self, item: Item, where: dict[str, Any]) -> Iterator[Event]:
        match item["type"]:
            case "message":
                yield from self._part(item["content"][0], where | {"content_index": 0})
            case "reasoning":
                for index, part in enumerate(item["summary"]):
                    yield from self._summary(part, where | {"summary_index": index})
            case "web_search_call":
                for stage in ("in_progress", "searching", "completed"):
                    yield self._event(f"response.web_search_call.{stage}", **where)
            case "function_call":
                stem, text = "response.function_call_arguments", item["arguments"]
                yield from self._deltas(stem, text, where)
                yield self._event(f"{stem}.done", **where, name=item["name"], arguments=text)
            case "custom_tool_call":
                yield from self._deltas("response.custom_tool_call_input", item["input"], where)
                stem = "response.custom_tool_call_input.done"
                yield self._event(stem, **where, input=item["input"])
            case _:
                return

    def _part(self, part: Item, where: dict[str, Any]) -> Iterator[Event]:
        is_refusal = part["type"] == "refusal"
        begun = {"refusal": ""} if is_refusal else {"text": "", "annotations": []}
        yield self._event("response.content_part.added", **where, part=part | begun)
        yield from self._refusal(part, where) if is_refusal else self._text(part, where)
        yield self._event("response.content_part.done", **where, part=part)

    def _refusal(self, part: Item, where: dict[str, Any]) -> Iterator[Event]:
        yield from self._deltas("response.refusal", part["refusal"], where)
        yield self._event("response.refusal.done", **where, refusal=part["refusal"])

    def _text(self, part: Item, where: dict[str, Any]) -> Iterator[Event]:
        text = part["text"]
        yield from self._deltas("response.output_text", text, where, logprobs=[])
        for index, annotation in enumerate(part["annotations"]):
            members = {**where, "annotation_index": index, "annotation": annotation}
            yield self._event("response.output_text.annotation.added", **members)
        yield self._event("response.output_text.done", **where, text=text, logprobs=[])

    def _summary(self, part: Item, where: dict[str, Any]) -> Iterator[Event]:
        stem = "response.reasoning_summary"
        yield self._event(f"{stem}_part.added", **where, part=part | {"text": ""})
        yield from self._deltas(f"{stem}_text", part["text"], where)
        yield self._event(f"{stem}_text.done", **where, text=part["text"])
        yield self._event(f"{stem}_part.done", **where, part=part)

    def _deltas(
        self, stem: str, text: str, where: dict[str, Any], **members: Json
    ) -> Iterator[Event]:
        stream_options = self.request.body.get("stream_options") or {}
        obfuscates = (
            self.options.obfuscation and stream_options.get("include_obfuscation") is not False
        )
        for delta in pieces(text, self.request.script):
            if obfuscates:
                members["obfuscation"] = "x" * (16 - len(delta) % 16)
            yield self._event(f"{stem}.delta", "delta", **where, delta=delta, **members)

    def _event(self, kind: str, mark: Mark = "", **members: Json) -> Event:
        event = {"type": kind, "sequence_number": self.number, **members}
        if self.request.lane is not None:
            event["stream_id"] = self.request.lane
        self.number += 1
        return Event(kind, msgspec.json.encode(event), mark)


def pieces(text: str, script: Script) -> Iterator[str]:
    """A text as the script wants it streamed."""
    size = script.delta_bytes or -(-len(text) // script.deltas)
    for start in range(0, len(text), size or 1):
        yield text[start : start + size]


def opening_value(name: str, value: Json) -> Json:
    """A member of an item as it stands before the item is done."""
    if name in ("content", "summary"):
        return []
    if name in ("arguments", "input"):
        return ""
    return "in_progress" if name == "status" else value


def with_defaults(value: Json, default: Json) -> Json:
    """The request's value, or the default; an object takes the members it lacks from it."""
    if isinstance(value, dict) and isinstance(default, dict):
        return default | value
    return default if value is None else value


def plain(event: dict[str, Any]) -> Event:
    """An event outside the numbered sequence."""
    return Event(event.get("type", ""), msgspec.json.encode(event))
