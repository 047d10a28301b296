"""What was said in a conversation, read from a client's request and from what a model was shown.

Law: two transcripts are equal only where roles, texts, calls with their ids and arguments, and
outputs are. Left out is what the dialects cannot all say: reasoning, ids and borders of texts.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from longwire.emulator import Turn, oracle, rendering

Said = tuple[str, ...]
Json = Any
BILLING = "x-anthropic-billing-header:"
INSTRUCTING = {"system", "developer"}
TEXTS = {"text", "input_text", "output_text"}


def of_items(items: Sequence[Mapping[str, Json]]) -> list[Said]:
    """The transcript of items of the Responses API."""
    return merged(said for item in items for said in of_item(item))


def of_item(item: Mapping[str, Json]) -> Iterator[Said]:
    """What one item says."""
    match item.get("type", "message"):
        case "message":
            role = "system" if item["role"] in INSTRUCTING else item["role"]
            yield from of_parts(role, item["content"])
        case "function_call":
            yield called(item["call_id"], item["name"], item["arguments"])
        case "function_call_output":
            yield "output", item["call_id"], plain(item["output"])
        case "reasoning":
            return
        case kind:
            raise AssertionError(f"a transcript has no {kind}")


def of_chat(body: Mapping[str, Json]) -> list[Said]:
    """The transcript of a request of Chat Completions."""
    return merged(said for message in body["messages"] for said in of_chat_message(message))


def of_chat_message(message: Mapping[str, Json]) -> Iterator[Said]:
    """What one message of Chat Completions says."""
    role = "system" if message["role"] in INSTRUCTING else message["role"]
    if role == "tool":
        yield "output", message["tool_call_id"], plain(message["content"])
        return
    yield from of_parts(role, message.get("content") or "")
    for call in message.get("tool_calls") or ():
        yield called(call["id"], call["function"]["name"], call["function"]["arguments"])


def of_messages(body: Mapping[str, Json]) -> list[Said]:
    """The transcript of a request of Anthropic Messages."""
    system = list(of_parts("system", body.get("system") or ""))
    leading = [said for said in system if not said[1].startswith(BILLING)]
    turns = (said for message in body["messages"] for said in of_blocks(message))
    return merged([*leading, *turns])


def of_blocks(message: Mapping[str, Json]) -> Iterator[Said]:
    """What one message of Anthropic Messages says."""
    content = message["content"]
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        match block["type"]:
            case "tool_use":
                yield called(block["id"], block["name"], json.dumps(block["input"]))
            case "tool_result":
                yield "output", block["tool_use_id"], plain(block.get("content") or "")
            case "thinking" | "redacted_thinking":
                continue
            case _:
                yield from of_parts(message["role"], [block])


def of_contents(body: Mapping[str, Json]) -> list[Said]:
    """The transcript of a request of Gemini's API; what a resumed session repeats is said once."""
    instruction = {"role": "system", **body.get("systemInstruction", {})}
    answered: set[str] = set()
    found = (
        said
        for content in [{**instruction, "role": "system"}, *body["contents"]]
        for part in content.get("parts", ())
        for said in of_content_part(content["role"], part, answered)
    )
    return merged(found)


def of_content_part(role: str, part: Mapping[str, Json], answered: set[str]) -> Iterator[Said]:
    """What one part says; its client may put a function's name before the id of a call."""
    if call := part.get("functionCall"):
        call_id = call["id"].removeprefix(f"{call['name']}__")
        yield called(call_id, call["name"], json.dumps(call["args"]))
    elif result := part.get("functionResponse"):
        call_id = result["id"].removeprefix(f"{result['name']}__")
        if call_id not in answered:
            answered.add(call_id)
            (text,) = result["response"].values()
            yield "output", call_id, plain(text)
    elif not part.get("thought"):
        yield "assistant" if role == "model" else role, part["text"]


def of_parts(role: str, content: str | Sequence[Mapping[str, Json]]) -> Iterator[Said]:
    """What a role says: texts; of anything else, its kind."""
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        yield role, part["text"] if part["type"] in TEXTS else part["type"]


def called(call_id: str, name: str, arguments: str) -> Said:
    """A call; its arguments are JSON values, whose numbers count by their value."""
    return "call", call_id, name, json.dumps(json.loads(arguments or "{}"), sort_keys=True)


def plain(output: str | Sequence[Mapping[str, Json]]) -> str:
    """The text of an output, whose parts have no borders here."""
    return squeezed("".join(text for _, text in of_parts("output", output)))


def merged(transcript: Iterable[Said]) -> list[Said]:
    """A transcript in which nobody speaks twice in a row; space does not count, nor its lack."""
    found: list[Said] = []
    for role, *words in transcript:
        if len(words) != 1:
            found.append((role, *words))
        elif text := squeezed(words[0]):
            before = found.pop()[1] if found and found[-1][0] == role else ""
            found.append((role, before + text))
    return found


def numbered(transcript: Iterable[Said]) -> list[Said]:
    """A transcript in which the ids of calls are counted through, where they mean little."""
    names: dict[str, str] = {}
    found: list[Said] = []
    for kind, *words in transcript:
        if kind in {"call", "output"}:
            words[0] = names.setdefault(words[0], f"call_{len(names)}")
        found.append((kind, *words))
    return found


def squeezed(text: str) -> str:
    """A text without its space."""
    return "".join(text.split())


class Shown:
    """What an emulator showed its model, item by item, whoever sent which of them when."""

    def __init__(self) -> None:
        self._items: dict[bytes, Mapping[str, Json]] = {}
        self._contexts: dict[str, list[Mapping[str, Json]]] = {}

    def listen(self, monkeypatch) -> None:
        """Note each item and each context from now on."""

        def digested(item, *rest):
            found = oracle.item_digest(item, *rest)
            self._items[found] = item
            return found

        def combined(digests):
            found = oracle.combined(digests)
            self._contexts[found] = [self._items[one] for one in digests]
            return found

        monkeypatch.setattr(rendering, "item_digest", digested)
        monkeypatch.setattr(rendering, "combined", combined)

    def items(self, turn: Turn) -> list[Mapping[str, Json]]:
        """The whole context of a turn."""
        return self._contexts[turn.digest]
