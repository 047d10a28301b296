"""Answers of generateContent: chunks that are each a response of their own, or one response.

Law: both are the same answer; the points of a turn, at which faults strike, are those of Responses.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.emulator.errors import Rejected
from longwire.emulator.events import Event, Mark, pieces
from longwire.emulator.failures import failure
from longwire.emulator.gemini.errors import envelope
from longwire.emulator.gemini.pieces import in_pieces
from longwire.emulator.items import Item
from longwire.emulator.options import Json
from longwire.emulator.requests import DECODER, Request

WITH_CONTENT = ("STOP", "MAX_TOKENS")
"""Finish reasons of answers that have a last part."""


@dataclass(slots=True)
class Candidate:
    """The events of one answer; `usage` is filled in before the ending."""

    request: Request
    response_id: str
    streams: bool
    signs: bool
    """Whether the first call, or the end of a text, has a thought signature."""
    has_ids: bool
    in_pieces: bool
    usage: dict[str, Any] = field(default_factory=dict)
    output_bytes: int = 0
    parts: list[Item] = field(default_factory=list)
    signature: str = ""
    calls: int = 0
    is_refused: bool = False

    def opening(self) -> Iterator[Event]:
        """Nothing is said before the output."""
        yield Event("", b"", "created")

    def item(self, item: Item) -> Iterator[Event]:
        """One output item."""
        self.output_bytes += len(msgspec.json.encode(item))
        if self.request.script.block_reason:
            return
        match item["type"]:
            case "reasoning":
                yield from self._reasoning(item)
            case "message":
                yield from self._message(item["content"][0])
            case "function_call":
                yield from self._call(item)
            case _:
                pass
        yield Event("", b"", "item")

    def ending(self) -> Iterator[Event]:
        """The chunk with the finish reason and the usage, or the whole response."""
        script = self.request.script
        status, _, code = script.finish.partition(":")
        if status == "failed":
            yield self._failure(failure(script, code))
        elif script.block_reason:
            feedback = {"promptFeedback": {"blockReason": script.block_reason}}
            yield self._event(feedback | self._usage(), "terminal")
        elif status == "cancelled":
            yield Event("", b"", "terminal")
        else:
            yield self._event(self._finished() | self._usage(), "terminal")

    def _failure(self, error: Rejected) -> Event:
        if not (self.streams and self.parts):
            raise error
        return Event("", msgspec.json.encode(envelope(error)), "terminal")

    def _finished(self) -> Item:
        reason = self._reason()
        candidate: Item = {"finishReason": reason, "index": 0}
        last = self._last_parts() if reason in WITH_CONTENT else []
        parts = last if self.streams else self._joined(last)
        if parts:
            candidate = {"content": {"parts": parts, "role": "model"}, **candidate}
        if reason not in WITH_CONTENT:
            candidate["finishMessage"] = f"The answer ended with {reason}."
        return {"candidates": [candidate]}

    def _last_parts(self) -> list[Item]:
        """An empty text that a stream ends with; the signature of a text stands there."""
        if self.signs and self.signature and not self.calls:
            return [{"text": "", "thoughtSignature": self.signature}]
        return [{"text": ""}] if self.streams else []

    def _joined(self, last: list[Item]) -> list[Item]:
        """All parts of a whole answer, its texts each in one piece."""
        joined: list[Item] = []
        for part in [*self.parts, *last]:
            before = joined[-1] if joined else {}
            if "text" in part and "text" in before and before.get("thought") == part.get("thought"):
                joined[-1] = before | part | {"text": before["text"] + part["text"]}
            else:
                joined.append(part)
        return joined

    def _reason(self) -> str:
        script = self.request.script
        if script.finish_reason:
            return script.finish_reason
        if self.is_refused:
            return "SAFETY"
        return "MAX_TOKENS" if script.finish == "incomplete" else "STOP"

    def _reasoning(self, item: Item) -> Iterator[Event]:
        sealed = item.get("encrypted_content", "")
        self.signature = base64.b64encode(sealed.encode()).decode()
        text = "\n\n".join(part["text"] for part in item["summary"])
        if text and self.request.body.get("thoughts"):
            yield from self._text(text, thought=True)

    def _message(self, part: Item) -> Iterator[Event]:
        if part["type"] == "refusal":
            self.is_refused = True
            return
        has_text = any(not part.get("thought") for part in self.parts)
        yield from self._text(f"\n\n{part['text']}" if has_text else part["text"])

    def _text(self, text: str, *, thought: bool = False) -> Iterator[Event]:
        for piece in pieces(text, self.request.script):
            yield self._chunk({"text": piece} | ({"thought": True} if thought else {}))

    def _call(self, item: Item) -> Iterator[Event]:
        named = {"id": item["call_id"]} if self.has_ids else {}
        call: Item = named | {"name": item["name"]}
        arguments = DECODER.decode(item["arguments"])
        members = iter((call | {"args": arguments},))
        if self.in_pieces and self.streams:
            members = in_pieces(call, arguments, self.request.script)
        signs = self.signs and not self.calls and self.signature
        signed = {"thoughtSignature": self.signature} if signs else {}
        self.calls += 1
        for member in members:
            yield self._chunk({"functionCall": member} | signed)
            signed = {}

    def _chunk(self, part: Item) -> Event:
        self.parts.append(part)
        content = {"parts": [part], "role": "model"}
        return self._event({"candidates": [{"content": content, "index": 0}]}, "delta")

    def _event(self, members: Item, mark: Mark) -> Event:
        if not self.streams and mark != "terminal":
            return Event("", b"", mark)
        named = {"modelVersion": self.request.model, "responseId": self.response_id}
        return Event("", msgspec.json.encode(members | named), mark)

    def _usage(self) -> Item:
        prompt, output = self.usage["input_tokens"], self.usage["output_tokens"]
        thoughts = self.usage["output_tokens_details"]["reasoning_tokens"]
        cached = self.usage["input_tokens_details"]["cached_tokens"]
        counted: Item = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": output - thoughts,
            "totalTokenCount": prompt + output,
            "promptTokensDetails": tokens_of_text(prompt),
            "thoughtsTokenCount": thoughts,
        }
        if cached:
            counted |= {"cachedContentTokenCount": cached}
            counted |= {"cacheTokensDetails": tokens_of_text(cached)}
        return {"usageMetadata": counted}


def tokens_of_text(count: int) -> Json:
    """Tokens by what they are of: all are of text."""
    return [{"modality": "TEXT", "tokenCount": count}]
