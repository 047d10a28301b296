"""The pretended model: output items from the rendered context and the script, nothing else.

Law: the same context, model and script give the same items, ids and encrypted content; and one
message tells the digest of the context the model was shown.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from longwire.emulator.options import Json
from longwire.emulator.rendering import Context, Item, mint
from longwire.emulator.requests import Request

Tool = tuple[str, str, str | None, Item]
"""Type, name, namespace and parameter schema."""
EXAMPLES: dict[str, Any] = {
    "string": "naïve ✓",
    "number": msgspec.Raw(b"1.50"),
    "integer": 7,
    "boolean": True,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Model:
    """One answer in the making."""

    request: Request
    context: Context
    account: str
    digest: str

    def answer(self) -> Iterator[Item]:
        """The output items in order, each complete, made one at a time."""
        script = self.request.script
        if self.context.last == "compaction_trigger":
            yield self._item("compaction", "cmp", 0, encrypted_content=self._sealed("cmp", 0))
            return
        if script.reasoning:
            yield self._reasoning()
        tools = self._tools()
        if tools and self.context.rounds < script.tool_rounds:
            yield from self._commentary()
            for number in range(script.parallel_calls):
                yield self._call(number, tools)
        else:
            yield from self._messages()

    def _item(self, kind: str, prefix: str, number: int, **members: Json) -> Item:
        return {"id": self._identity(prefix, number), "type": kind, **members}

    def _identity(self, prefix: str, number: int) -> str:
        seed = f"{self.digest}{self.request.model}{self.request.script}{prefix}{number}"
        return f"{prefix}_{hashlib.sha256(seed.encode()).hexdigest()[:48]}"

    def _sealed(self, prefix: str, number: int) -> str:
        return mint(self.account, self._identity(prefix, number))

    def _reasoning(self) -> Item:
        wants_sealed = "reasoning.encrypted_content" in (self.request.body.get("include") or ())
        sealed = {"encrypted_content": self._sealed("rs", 0)} if wants_sealed else {}
        text = f"Weighing {len(self.context.digests)} items, naïvely."
        summary = [{"type": "summary_text", "text": text}]
        return self._item("reasoning", "rs", 0, summary=summary, **sealed)

    def _commentary(self) -> Iterator[Item]:
        if self.request.script.commentary:
            text = f"context sha256:{self.digest}"
            yield self._message(0, "commentary", text)

    def _messages(self) -> Iterator[Item]:
        script = self.request.script
        text = f"context sha256:{self.digest}"
        left = max(script.text_bytes, script.deltas * script.delta_bytes, len(text))
        number = 0
        while left > 0:
            size = min(left, script.item_bytes)
            yield self._message(number, "final_answer", padded(text, size))
            text, left, number = f"part {number + 1}", left - size, number + 1

    def _message(self, number: int, phase: str, text: str) -> Item:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        status = "incomplete" if self.request.script.finish == "incomplete" else "completed"
        members = {"status": status, "role": "assistant", "phase": phase, "content": [part]}
        return self._item("message", "msg", number, **members)

    def _tools(self) -> list[Tool]:
        if self.request.body.get("tool_choice") == "none":
            return []
        offered = [*(self.request.body.get("tools") or ()), *self.context.tools]
        tools = [tool for entry in offered for tool in callable_tools(entry)]
        if named := [tool for tool in tools if tool[1] == self.request.script.tool]:
            return named
        kind = "custom" if self.request.script.custom_tools else "function"
        return [tool for tool in tools if tool[0] == kind] or tools

    def _call(self, number: int, tools: list[Tool]) -> Item:
        kind, name, namespace, schema = tools[(self.context.rounds + number) % len(tools)]
        members = {"call_id": self._identity("call", number), "name": name}
        if namespace is not None:
            members["namespace"] = namespace
        if kind == "custom":
            return self._item("custom_tool_call", "ctc", number, **members, input=f"naïve {number}")
        values = self.request.script.arguments or arguments(schema, number)
        members |= {"arguments": values, "status": "completed"}
        return self._item("function_call", "fc", number, **members)


def callable_tools(entry: Json, namespace: str | None = None) -> Iterator[Tool]:
    """The tools a client would run itself, those of a namespace included."""
    match entry:
        case {"type": "namespace", "name": str(name), "tools": list(tools)}:
            for tool in tools:
                yield from callable_tools(tool, name)
        case {"type": "function" | "custom" as kind, "name": str(name)}:
            yield kind, name, namespace, entry.get("parameters") or {}
        case _:
            return


def arguments(schema: Item, number: int) -> str:
    """JSON that fits the schema's properties, with a number and a non-ASCII string if it may."""
    properties = schema.get("properties") or {"text": {"type": "string"}, "n": {"type": "number"}}
    values = {}
    for name, rule in properties.items():
        kind = rule.get("type") if isinstance(rule, dict) else None
        example = EXAMPLES.get(str(kind[0] if isinstance(kind, list) else kind), "")
        example = example or EXAMPLES["string"]
        values[name] = (rule.get("enum") or [example])[0] if isinstance(rule, dict) else example
        if values[name] is EXAMPLES["string"]:
            values[name] = f"naïve ✓ {number}"
    return msgspec.json.encode(values).decode()


def padded(text: str, size: int) -> str:
    """`text` continued with words up to `size` characters."""
    missing = max(0, size - len(text))
    return text + (" and so on" * (missing // 10 + 1))[:missing]
