"""The pretended model: output items from the rendered context and the script, nothing else.

Law: the same context, model and script give the same items, ids and encrypted content; and one
message tells the digest of the context the model was shown.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from longwire.emulator.items import Item
from longwire.emulator.options import Json
from longwire.emulator.rendering import Context, identify, mint
from longwire.emulator.requests import Request
from longwire.emulator.schema import example

Tool = tuple[str, str, str | None, Item]
"""Type, name, namespace and parameter schema."""
WEB_SEARCH = "web_search"
BYTES_A_TOKEN = 4
QUERY, PAGE = "naïve search ✓", "https://example.org/naive"


@dataclass(slots=True)
class Model:
    """One answer in the making; it `is_cut` where more tokens were wanted than are allowed."""

    request: Request
    context: Context
    account: str
    digest: str
    is_cut: bool = False

    def answer(self) -> Iterator[Item]:
        """The output items in order, each complete, made one at a time."""
        script = self.request.script
        if self.context.last == "compaction_trigger":
            yield self._item("compaction", "cmp", 0, encrypted_content=self._sealed("cmp", 0))
            return
        if script.reasoning:
            yield self._reasoning()
        tools = self._tools()
        if tools and (self._must_call() or self.context.rounds < script.tool_rounds):
            yield from self._commentary()
            for number in range(1 if self._is_sequential() else script.parallel_calls):
                yield self._call(number, tools)
            return
        if script.phases:
            yield from self._commentary()
        if script.searches and self._offers_search():
            action: Item = {"type": "search", "query": QUERY, "queries": [QUERY]}
            if "web_search_call.action.sources" in (self.request.body.get("include") or ()):
                action["sources"] = [{"type": "url", "url": PAGE}]
            yield self._item("web_search_call", "ws", 0, status="completed", action=action)
        yield from self._messages()

    def _item(self, kind: str, prefix: str, number: int, **members: Json) -> Item:
        return {"id": self._identity(prefix, number), "type": kind, **members}

    def _identity(self, prefix: str, number: int) -> str:
        script = self.request.script
        seed = f"{self.digest}{self.request.model}{script}"
        base = hashlib.sha256(seed.encode()).hexdigest()[:24]
        return identify(self.account if script.reasoning else "", base, prefix, number)

    def _sealed(self, prefix: str, number: int) -> str:
        return mint(self.account, self._identity(prefix, number))

    def _reasoning(self) -> Item:
        wants_sealed = "reasoning.encrypted_content" in (self.request.body.get("include") or ())
        sealed = {"encrypted_content": self._sealed("rs", 0)} if wants_sealed else {}
        text = f"Weighing {len(self.context.digests)} items, naïvely."
        count = self.request.script.summaries
        summary = [{"type": "summary_text", "text": text}] * count
        return self._item("reasoning", "rs", 0, summary=summary, **sealed)

    def _commentary(self) -> Iterator[Item]:
        if self.request.script.commentary:
            text = f"context sha256:{self.digest}"
            yield self._message(0, "commentary", text)

    def _messages(self) -> Iterator[Item]:
        script = self.request.script
        if script.refusal:
            part = {"type": "refusal", "refusal": script.refusal}
            yield self._message_of(0, "final_answer", part)
            return
        limit = (self.request.body.get("max_output_tokens") or 1 << 40) * BYTES_A_TOKEN
        text = self._text()
        wanted = max(script.text_bytes, script.deltas * script.delta_bytes, len(text))
        left, text, self.is_cut = min(wanted, limit), text[:limit], wanted > limit
        number = int(script.phases)
        while left > 0:
            size = min(left, script.item_bytes)
            whole = padded(text, size)
            shown = self._before_stop(whole)
            if shown:
                yield self._message(number, "final_answer", shown)
            if shown != whole:
                self.is_cut = False
                return
            text, left, number = f"part {number + 1}", left - size, number + 1

    def _before_stop(self, text: str) -> str:
        """A text up to the first of the stop sequences that other APIs than Responses take."""
        found = [text.find(stop) for stop in self.request.body.get("stop_sequences") or () if stop]
        return text[: min((place for place in found if place >= 0), default=len(text))]

    def _text(self) -> str:
        """What is answered: what the script says, else JSON where a format asks for it."""
        if self.request.script.text:
            return self.request.script.text
        form = (self.request.body.get("text") or {}).get("format") or self.context.format or {}
        if form.get("type") in ("json_schema", "json_object"):
            return example(form.get("schema"), 0)
        return f"context sha256:{self.digest}"

    def _message(self, number: int, phase: str, text: str) -> Item:
        found: list[Item] = []
        if self.request.script.searches and phase == "final_answer" and self._offers_search():
            source = {"url": PAGE, "title": "Naïve", "start_index": 0, "end_index": len(text)}
            found = [{"type": "url_citation", **source}]
        part = {"type": "output_text", "text": text, "annotations": found, "logprobs": []}
        return self._message_of(number, phase, part)

    def _message_of(self, number: int, phase: str, part: Item) -> Item:
        is_whole = self.request.script.finish != "incomplete" and not self.is_cut
        status = "completed" if is_whole else "incomplete"
        members = {"status": status, "role": "assistant", "phase": phase, "content": [part]}
        return self._item("message", "msg", number, **members)

    def _tools(self) -> list[Tool]:
        choice = self.request.body.get("tool_choice")
        if choice == "none":
            return []
        tools = [tool for entry in self._offered() for tool in callable_tools(entry)]
        if isinstance(choice, dict) and "name" in choice:
            tools = [tool for tool in tools if tool[1] == choice["name"]]
        if named := [tool for tool in tools if tool[1] == self.request.script.tool]:
            return named
        kind = "custom" if self.request.script.custom_tools else "function"
        return [tool for tool in tools if tool[0] == kind] or tools

    def _offered(self) -> list[Json]:
        return [*(self.request.body.get("tools") or ()), *self.context.tools]

    def _offers_search(self) -> bool:
        return any(str(tool.get("type")).startswith(WEB_SEARCH) for tool in self._offered())

    def _must_call(self) -> bool:
        choice = self.request.body.get("tool_choice")
        return choice == "required" or (isinstance(choice, dict) and "name" in choice)

    def _is_sequential(self) -> bool:
        return self.request.body.get("parallel_tool_calls") is False

    def _call(self, number: int, tools: list[Tool]) -> Item:
        tool, values = self._chosen(self.context.rounds + number, tools)
        kind, name, namespace, schema = tool
        members = {"call_id": self._identity("call", number), "name": name}
        if namespace is not None:
            members["namespace"] = namespace
        if kind == "custom":
            return self._item("custom_tool_call", "ctc", number, **members, input=f"naïve {number}")
        members |= {"arguments": values or example(schema, number), "status": "completed"}
        return self._item("function_call", "fc", number, **members)

    def _chosen(self, place: int, tools: list[Tool]) -> tuple[Tool, str]:
        """The tool that is called in this place, and with what if the script says so."""
        script = self.request.script
        offered = {tool[1]: tool for tool in tools}
        calls = [call for call in script.calls if call.tool in offered]
        if calls:
            call = calls[place % len(calls)]
            return offered[call.tool], call.arguments
        return tools[place % len(tools)], script.arguments


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


def padded(text: str, size: int) -> str:
    """`text` continued with words up to `size` characters."""
    missing = max(0, size - len(text))
    return text + (" and so on" * (missing // 10 + 1))[:missing]
