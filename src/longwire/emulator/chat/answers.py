"""Answers of Chat Completions: chunks of a stream, or one whole completion.

Law: both are the same answer, in the shape of the vendor that its row of traits describes; the
points of a turn, at which faults strike, are those of Responses.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.emulator.chat.refusals import envelope
from longwire.emulator.chat.usage import usage_of
from longwire.emulator.chat.vendors import TAGS, Vendor
from longwire.emulator.events import Event, Mark, pieces
from longwire.emulator.failures import failure
from longwire.emulator.items import Item
from longwire.emulator.options import Json
from longwire.emulator.requests import Request

Delta = Mapping[str, Any]
DONE = Event("", b"[DONE]")
ALWAYS = frozenset(("id", "created", "model"))
SHORT_ID = 9
PADDED = 16


@dataclass(slots=True)
class Head:
    """What all chunks of one answer say, and whether it comes in chunks."""

    vendor: Vendor
    created: int
    streams: bool
    wants_usage: bool = False
    obfuscates: bool = False
    thinks: bool = True
    ending: str = "plain"
    choices: int = 1


@dataclass(slots=True)
class Completion:
    """The events of one answer; `usage` is filled in before the ending."""

    request: Request
    response_id: str
    head: Head
    usage: dict[str, Any] = field(default_factory=dict)
    output_bytes: int = 0
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    annotations: list[Item] = field(default_factory=list)
    calls: list[Item] = field(default_factory=list)
    signature: str = ""
    has_role: bool = False

    def opening(self) -> Iterator[Event]:
        """The chunk with the role; nothing where the answer fails before its output."""
        if self.request.script.finish.startswith("failed") and not self.request.script.output:
            return
        vendor = self.head.vendor
        if vendor.comments:
            yield Event("comment", b": PROCESSING" if self.head.streams else b"")
        if vendor.filters:
            found = [{"prompt_index": 0, "content_filter_results": {}}]
            yield self._event({"id": "", "choices": [], "prompt_filter_results": found})
        if vendor.first is None:
            yield Event("", b"", "created")
        else:
            yield from self._chunks(vendor.first, mark="created")

    def item(self, item: Item) -> Iterator[Event]:
        """One output item."""
        self.output_bytes += len(msgspec.json.encode(item))
        match item["type"]:
            case "reasoning":
                yield from self._reasoning(item)
            case "message":
                yield from self._message(item["content"][0])
            case "function_call" | "custom_tool_call":
                yield from self._call(item)
            case _:
                pass
        yield Event("", b"", "item")

    def ending(self) -> Iterator[Event]:
        """The finish chunk and what comes behind it, or the whole completion."""
        status, _, code = self.request.script.finish.partition(":")
        if status == "failed":
            yield self._failure(code)
        elif not self.head.streams:
            yield Event("", msgspec.json.encode(self._whole()), "terminal")
        elif status == "cancelled":
            yield Event("", b"", "terminal")
        else:
            yield from self._finish()

    def _failure(self, code: str) -> Event:
        error = failure(self.request.script, code)
        if not (self.head.streams and self.has_role):
            raise error
        return Event("", msgspec.json.encode(envelope(self.head.vendor, error)), "terminal")

    def _finish(self) -> Iterator[Event]:
        vendor = self.head.vendor
        delta = dict(vendor.last)
        if vendor.calls == "at_the_end" and self.calls:
            delta = {"content": None, "tool_calls": [self._shown(call) for call in self.calls]}
        in_finish = vendor.usage == "finish"
        usage = self._usage() if in_finish else None
        reason = None if self.head.ending == "no_reason" else self._reason()
        yield from self._chunks(delta, "terminal", finish=reason, usage=usage)
        if self.head.ending == "twice":
            yield from self._chunks({}, "", finish="stop")
        if vendor.usage == "always" or (vendor.usage == "if_wanted" and self.head.wants_usage):
            yield self._event({"choices": [], "usage": self._usage()})
        if self.head.ending != "no_done":
            yield DONE

    def _reason(self) -> str:
        script = self.request.script
        if script.finish_reason:
            return script.finish_reason
        if script.finish == "incomplete":
            return "length"
        return self.head.vendor.calls_end if self.calls else "stop"

    def _reasoning(self, item: Item) -> Iterator[Event]:
        self.signature = item.get("encrypted_content", "")
        text = "\n\n".join(part["text"] for part in item["summary"])
        if self.head.vendor.thinking == "hidden" or not self.head.thinks or not text:
            return
        if self.head.vendor.thinking == "tags":
            text = text.join(TAGS)
            self.texts.append(text)
        else:
            self.thoughts.append(text)
        for piece in pieces(text, self.request.script):
            yield from self._chunks(thought(piece, self.head.vendor))

    def _message(self, part: Item) -> Iterator[Event]:
        vendor = self.head.vendor
        text = part["refusal"] if part["type"] == "refusal" else part["text"]
        is_apart = part["type"] == "refusal" and vendor.refuses_apart
        kept = self.refusals if is_apart else self.texts
        text = f"\n\n{text}" if kept and vendor.thinking != "tags" else text
        kept.append(text)
        for piece in pieces(text, self.request.script):
            yield from self._chunks({"refusal": piece} if is_apart else self._content(piece))
        found = [nested(entry) for entry in part.get("annotations") or ()]
        self.annotations += found
        if found and vendor.refuses_apart:
            yield from self._chunks({"annotations": found}, mark="")

    def _content(self, text: str) -> Delta:
        if self.head.vendor.thinking == "parts" and self.thoughts:
            return {"content": [text_part(text)]}
        return {"content": text} | ({"reasoning_content": None} if self.head.vendor.pairs else {})

    def _call(self, item: Item) -> Iterator[Event]:
        index, vendor = len(self.calls), self.head.vendor
        call = call_of(item, vendor)
        if vendor.signs and not self.calls and self.signature:
            call["extra_content"] = {"google": {"thought_signature": self.signature}}
        self.calls.append(call)
        if vendor.calls == "at_the_end":
            return
        index += vendor.first_index or 0
        shown = {"index": index, **self._shown(call)}
        if vendor.calls == "whole":
            yield from self._chunks({"tool_calls": [shown]})
            return
        kind = call["type"]
        name = "arguments" if kind == "function" else "input"
        begun = shown | {kind: call[kind] | {name: ""}}
        yield from self._chunks({"tool_calls": [begun]}, mark="")
        for piece in pieces(call[kind][name], self.request.script):
            later = {"index": index, **vendor.later_piece, kind: {name: piece}}
            yield from self._chunks({"tool_calls": [later]})
        if vendor.later_piece:
            empty = {"index": index, **vendor.later_piece, kind: {name: ""}}
            yield self._event({"choices": [{"index": 0, "delta": {"tool_calls": [empty]}}]})

    def _shown(self, call: Item) -> Item:
        if self.head.vendor.first_index is not None:
            return call
        return {name: value for name, value in call.items() if name != "type"}

    def _chunks(
        self,
        delta: Delta,
        mark: Mark = "delta",
        finish: str | None = None,
        usage: Json = None,
    ) -> Iterator[Event]:
        """One chunk for each choice."""
        named = {} if self.has_role else {"role": "assistant"}
        self.has_role = True
        in_chunks = self.head.vendor.in_chunks
        for index in range(self.head.choices):
            choice: Item = {"index": index, "delta": {**named, **delta}}
            if "logprobs" in in_chunks:
                choice["logprobs"] = None
            if finish is not None or "finish_reason" in in_chunks:
                choice["finish_reason"] = finish
            members: Item = {"choices": [choice]}
            if usage is not None or (self.head.wants_usage and "usage" in in_chunks):
                members["usage"] = usage
            yield self._event(members, mark if index == self.head.choices - 1 else "")

    def _event(self, members: Item, mark: Mark = "") -> Event:
        if not self.head.streams:
            return Event("", b"", mark)
        chunk = self._named("chat.completion.chunk") | members
        if self.head.obfuscates:
            chunk["obfuscation"] = "x" * (PADDED - len(str(members)) % PADDED)
        return Event("", msgspec.json.encode(chunk), mark)

    def _named(self, kind: str) -> Item:
        vendor = self.head.vendor
        named = {
            "id": vendor.id_prefix + self.response_id.removeprefix("resp_"),
            "object": kind,
            "created": self.head.created,
            "model": self.request.model,
            "system_fingerprint": vendor.fingerprint,
        }
        return {name: named[name] for name in named if name in vendor.in_chunks | ALWAYS}

    def _whole(self) -> Item:
        message = self._whole_message()
        choice = {"message": message, "logprobs": None, "finish_reason": self._reason()}
        choices = [{"index": index, **choice} for index in range(self.head.choices)]
        return self._named("chat.completion") | {"choices": choices, "usage": self._usage()}

    def _whole_message(self) -> Item:
        vendor, thoughts = self.head.vendor, "\n\n".join(self.thoughts)
        text = "".join(self.texts)
        message: Item = {"role": "assistant", "content": text}
        if thoughts:
            message |= thought(thoughts, vendor)
            is_list = vendor.thinking == "parts"
            message["content"] = [*message["content"], text_part(text)] if is_list else text
        if vendor.refuses_apart:
            message["content"] = text or None
            message |= {"refusal": "".join(self.refusals) or None, "annotations": self.annotations}
        if self.calls:
            message["tool_calls"] = [self._shown(call) for call in self.calls]
        return message

    def _usage(self) -> Item:
        return usage_of(self.usage, self.head.vendor)


def thought(text: str, vendor: Vendor) -> Item:
    """Reasoning in a delta, or in a message."""
    match vendor.thinking:
        case "parts":
            return {"content": [{"type": "thinking", "thinking": [text_part(text)]}]}
        case "tags":
            return {"content": text}
        case "reasoning":
            return {"reasoning": text}
        case "reasoning_details":
            detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
            return {"reasoning": text, "reasoning_details": [detail]}
        case _:
            return ({"content": None} if vendor.pairs else {}) | {"reasoning_content": text}


def call_of(item: Item, vendor: Vendor) -> Item:
    """A call as messages have it."""
    identity = item["call_id"]
    if vendor.short_ids:
        identity = hashlib.sha256(identity.encode()).hexdigest()[:SHORT_ID]
    kind = "custom" if item["type"] == "custom_tool_call" else "function"
    name = "input" if kind == "custom" else "arguments"
    return {"id": identity, "type": kind, kind: {"name": item["name"], name: item[name]}}


def text_part(text: str) -> Item:
    """A text among parts."""
    return {"type": "text", "text": text}


def nested(annotation: Item) -> Item:
    """A citation as Chat Completions nests it."""
    kind = annotation["type"]
    return {"type": kind, kind: {k: v for k, v in annotation.items() if k != "type"}}
