"""What a client of each API is told by an answer, whole or streamed, in one form."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
STOPS = {
    "completed": "end",
    "incomplete": "length",
    "stop": "end",
    "tool_calls": "end",
    "length": "length",
    "end_turn": "end",
    "tool_use": "end",
    "max_tokens": "length",
    "STOP": "end",
    "MAX_TOKENS": "length",
    "content_filter": "refused",
    "refusal": "refused",
    "SAFETY": "refused",
}
"""Why an answer ended, by what each API calls it."""


@dataclass
class Answer:
    """An answer: its text, its calls by name and arguments, whether it thought, why it ended."""

    text: str = ""
    refusal: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    has_thought: bool = False
    stop: str = ""
    has_usage: bool = False

    @property
    def ending(self) -> str:
        """Why it ended; a refusal in words is one, whatever the API calls its end."""
        return "refused" if self.refusal else STOPS[self.stop]


def events_of(body: bytes) -> Iterable[Json]:
    """The events of a stream, but for `[DONE]`."""
    for block in body.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
        if lines and lines != ["[DONE]"]:
            yield json.loads("\n".join(lines))


def answer_of(api: str, body: bytes, *, streams: bool) -> Answer:
    """What a body says."""
    return _READ[api](list(events_of(body)) if streams else [json.loads(body)], streams)


def _responses(events: list[Json], streams: bool) -> Answer:
    response = events[-1]["response"] if streams else events[0]
    answer = Answer(stop=response["status"], has_usage=bool(response["usage"]))
    for item in response["output"]:
        if item["type"] == "reasoning":
            answer.has_thought = True
        elif item["type"] == "function_call":
            answer.calls.append((item["name"], json.loads(item["arguments"])))
        else:
            answer.text += "".join(part.get("text", "") for part in item["content"])
            answer.refusal += "".join(part.get("refusal", "") for part in item["content"])
    reason = (response.get("incomplete_details") or {}).get("reason")
    if reason == "content_filter":
        answer.stop = reason
    return answer


def _chat_completions(events: list[Json], streams: bool) -> Answer:
    answer, calls = Answer(), {}
    for event in events:
        answer.has_usage = answer.has_usage or bool(event.get("usage"))
        for choice in event["choices"]:
            said = choice["delta" if streams else "message"]
            answer.text += said.get("content") or ""
            answer.refusal += said.get("refusal") or ""
            answer.has_thought = answer.has_thought or bool(said.get("reasoning_content"))
            for at, call in enumerate(said.get("tool_calls") or ()):
                name, arguments = calls.get(call.get("index", at), ("", ""))
                function = call["function"]
                name += function.get("name") or ""
                calls[call.get("index", at)] = name, arguments + (function.get("arguments") or "")
            answer.stop = choice.get("finish_reason") or answer.stop
    answer.calls = [(name, json.loads(arguments)) for name, arguments in calls.values()]
    return answer


def _messages(events: list[Json], streams: bool) -> Answer:
    if not streams:
        message = events[0]
        blocks = message["content"]
    else:
        message = {**events[0]["message"]}
        blocks = []
        for event in events:
            if event["type"] == "content_block_start":
                blocks.append({**event["content_block"], "json": ""})
            elif event["type"] == "content_block_delta":
                _add(blocks[event["index"]], event["delta"])
            elif event["type"] == "message_delta":
                message |= event["delta"]
    answer = Answer(stop=message["stop_reason"], has_usage=bool(message["usage"]))
    for block in blocks:
        if block["type"] == "text":
            answer.text += block["text"]
        elif block["type"] == "tool_use":
            spelled = block.get("json")
            answer.calls.append((block["name"], json.loads(spelled) if spelled else block["input"]))
        else:
            answer.has_thought = True
    if answer.stop == "refusal":
        answer.refusal, answer.text = answer.text, ""
    return answer


def _add(block: Json, delta: Json) -> None:
    if delta["type"] == "text_delta":
        block["text"] += delta["text"]
    elif delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]


def _generate_content(events: list[Json], streams: bool) -> Answer:
    answer = Answer()
    for event in events:
        answer.has_usage = answer.has_usage or bool(event.get("usageMetadata"))
        for candidate in event.get("candidates", ()):
            answer.stop = candidate.get("finishReason") or answer.stop
            for part in candidate.get("content", {}).get("parts", ()):
                if part.get("thought"):
                    answer.has_thought = True
                elif "functionCall" in part:
                    call = part["functionCall"]
                    answer.calls.append((call["name"], call.get("args", {})))
                else:
                    answer.text += part.get("text", "")
    return answer


_READ = {
    "responses": _responses,
    "chat_completions": _chat_completions,
    "messages": _messages,
    "generate_content": _generate_content,
}
