"""Responses as an upstream streams them, and what a client of Chat Completions makes of them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import settings
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from longwire.core import sse
from longwire.core.nouns.access import Grant
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.request import decode_request
from tests.dialects.refusals import sayable

LAW = settings(deadline=None)
"""A law that reads each chunk with OpenAI's own types takes as long as these do."""

Item = dict[str, Any]
QUESTION: Item = {"role": "user", "content": "hi"}
HIDING, SHOWING = Grant(), Grant(shows_reasoning=True)
USAGE = {
    "input_tokens": 90,
    "output_tokens": 12,
    "total_tokens": 102,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens_details": {"reasoning_tokens": 5},
}
RESPONSE = {"id": "resp_1", "created_at": 1_700_000_000, "model": "gpt-5.5-1", "status": "x"}
_BEGIN_EMPTY = ("content", "summary", "arguments", "input")


def body(*messages: Item, **members: Any) -> bytes:
    """The body of a request."""
    said = {"model": "m", "messages": list(messages) or [QUESTION], **members}
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")


def turn_of(*messages: Item, grant: Grant = HIDING, **members: Any) -> Turn:
    """The turn of a request."""
    return sayable(decode_request(body(*messages, **members), {}, grant))


def items_of(turn: Turn) -> list[Item]:
    """The input of a turn."""
    return json.loads(turn.input)


def message(*texts: str, refusal: str | None = None, **members: Any) -> Item:
    """A message of the model."""
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    own = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {**own, "content": parts, **members}


def call(call_id: str, name: str = "read", arguments: str = "{}", **members: Any) -> Item:
    """A call of a function."""
    own = {"type": "function_call", "id": "fc_1", "status": "completed"}
    return {**own, "call_id": call_id, "name": name, "arguments": arguments, **members}


def custom(call_id: str, name: str = "patch", value: str = "") -> Item:
    """A call of a custom tool."""
    own = {"type": "custom_tool_call", "id": "ctc_1", "status": "completed"}
    return {**own, "call_id": call_id, "name": name, "input": value}


def reasoning(item_id: str, *summary: str, sealed: str | None = "gAAA") -> Item:
    """A reasoning item."""
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": item_id, "summary": parts, "encrypted_content": sealed}


def frame(kind: str, **members: Any) -> bytes:
    """One event of the upstream."""
    return json.dumps({"type": kind, **members}).encode()


def opening() -> list[bytes]:
    """What a stream begins with."""
    return [frame("response.created", response=RESPONSE, sequence_number=0)]


def ending(status: str = "completed", **members: Any) -> bytes:
    """What a stream ends with."""
    response = {**RESPONSE, "usage": USAGE, "output": [], **members}
    return frame(f"response.{status}", response=response)


def item_frames(index: int, item: Item, size: int = 3) -> list[bytes]:
    """The events of one item, its texts in pieces of a size; 0 for none."""
    where = {"output_index": index}
    begun = {**item, **{name: type(item[name])() for name in _BEGIN_EMPTY if item.get(name)}}
    found = [frame("response.output_item.added", **where, item=begun)]
    for kind, members, text in _texts(item) if size else ():
        parts = (text[start : start + size] for start in range(0, len(text), size))
        found += [frame(kind, **where, **members, delta=part) for part in parts]
        found.append(frame(kind.replace(".delta", ".done"), **where, **members, text=text))
    return [*found, frame("response.output_item.done", **where, item=item)]


def _texts(item: Item) -> Iterator[tuple[str, Item, str]]:
    for at, part in enumerate(item.get("content") or ()):
        if part["type"] == "output_text":
            yield "response.output_text.delta", {"content_index": at}, part["text"]
        else:
            yield "response.refusal.delta", {"content_index": at}, part["refusal"]
    for at, part in enumerate(item.get("summary") or ()):
        yield "response.reasoning_summary_text.delta", {"summary_index": at}, part["text"]
    if "arguments" in item:
        yield "response.function_call_arguments.delta", {}, item["arguments"]
    if "input" in item:
        yield "response.custom_tool_call_input.delta", {}, item["input"]


def frames_of(*output: Item, size: int = 3, status: str = "completed") -> list[bytes]:
    """The whole stream of a response."""
    found = opening()
    for index, item in enumerate(output):
        found += item_frames(index, item, size)
    return [*found, ending(status)]


def read(sent: bytes) -> list[bytes]:
    """The data of a stream's events."""
    return [data for _, data in sse.Decoder().feed(sent)]


def chunks_of(sent: bytes) -> list[Item]:
    """The chunks of a stream that ended well, each of OpenAI's own type."""
    *events, last = read(sent)
    assert b"[DONE]" == last
    chunks = [json.loads(event) for event in events]
    for chunk in chunks:
        if not any("custom" in call for call in _calls(chunk)):
            ChatCompletionChunk.model_validate(chunk)
    return chunks


def _calls(chunk: Item) -> list[Item]:
    return chunk["choices"][0]["delta"].get("tool_calls", []) if chunk["choices"] else []


def accumulated(chunks: Sequence[Item]) -> Item:
    """The message that chunks add up to, as clients add them up, with its `finish_reason`."""
    found: Item = {"role": None, "content": None, "refusal": None}
    reasons = []
    for chunk in chunks:
        for choice in chunk["choices"]:
            reasons += [choice["finish_reason"]] if choice["finish_reason"] else []
            _add(found, choice["delta"])
    (reason,) = reasons
    return {**found, "finish_reason": reason}


def _add(found: Item, delta: Item) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            for part in value:
                _add_call(found.setdefault("tool_calls", []), part)
        elif isinstance(value, list):
            found.setdefault(name, []).extend(value)
        elif isinstance(value, dict):
            old = found.setdefault(name, {})
            old |= {key: old.get(key, "") + text for key, text in value.items()}
        elif value is not None:
            found[name] = (found.get(name) or "") + value


def _add_call(calls: list[Item], part: Item) -> None:
    if part["index"] == len(calls):
        calls.append({name: value for name, value in part.items() if name != "index"})
        return
    (kind,) = set(part) - {"index"}
    for name, text in part[kind].items():
        calls[part["index"]][kind][name] += text


def completion(raw: bytes) -> Item:
    """A completion, of OpenAI's own type."""
    found = json.loads(raw)
    ChatCompletion.model_validate(found)
    return found
