"""What the model answers as blocks of Messages: thinking, text, calls and searches."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from longwire.emulator.errors import Rejected
from longwire.emulator.items import Item
from longwire.emulator.messages.context import Block
from longwire.emulator.messages.requests import Request
from longwire.emulator.messages.seals import REDACTED, sealed
from longwire.emulator.model import PAGE
from longwire.emulator.options import Script
from longwire.emulator.requests import decode


@dataclass(slots=True)
class Answer:
    """The blocks of the model's items, and why the answer ends."""

    request: Request
    script: Script
    digest: str
    stop_sequence: str | None = None
    calls: int = 0

    def blocks(self, item: Item) -> Iterator[tuple[Block, str]]:
        """The blocks of an item, each with the arguments of a call as they were written."""
        match item["type"]:
            case "reasoning" if self.request.thinking:
                yield self._thinking(item), ""
            case "message":
                yield from self._text(item["content"][0])
            case "web_search_call":
                yield from search(item)
            case "function_call" | "custom_tool_call":
                yield self._call(item)
            case _:
                return

    def reason(self, *, is_cut: bool) -> Item:
        """Why the answer ends, as `message_delta` says it."""
        reason = "tool_use" if self.calls else "end_turn"
        if is_cut or self.script.finish == "incomplete":
            reason = "max_tokens"
        if self.stop_sequence is not None:
            reason = "stop_sequence"
        if self.script.refusal and not self.calls:
            reason = "refusal"
        if not (self.request.resumes and self.script.finish_reason == "pause_turn"):
            reason = self.script.finish_reason or reason
        stop: Item = {"stop_reason": reason, "stop_sequence": self.stop_sequence}
        if reason == "refusal":
            said = self.script.refusal or None
            stop["stop_details"] = {"type": "refusal", "category": None, "explanation": said}
        return stop

    def _thinking(self, item: Item) -> Block:
        text = "\n\n".join(part["text"] for part in item["summary"])
        account, seed = self.request.account, self.digest
        if not text:
            return {"type": "redacted_thinking", "data": sealed(account, REDACTED, seed)}
        if self.request.thinking.get("display") == "omitted":
            text = ""
        return {"type": "thinking", "thinking": text, "signature": sealed(account, text, seed)}

    def _text(self, part: Item) -> Iterator[tuple[Block, str]]:
        if part["type"] == "refusal":
            return
        text, cited = self._stopped(part["text"]), [cite(each) for each in part["annotations"]]
        if text:
            yield {"type": "text", "text": text, **({"citations": cited} if cited else {})}, ""

    def _stopped(self, text: str) -> str:
        """A text up to the first of the stop sequences."""
        stops = [stop for stop in self.request.body.get("stop_sequences") or () if stop in text]
        if not stops:
            return text
        self.stop_sequence = min(stops, key=text.index)
        return text[: text.index(self.stop_sequence)]

    def _call(self, item: Item) -> tuple[Block, str]:
        self.calls += 1
        arguments = item.get("arguments") or msgspec.json.encode({"input": item["input"]}).decode()
        identity = "toolu_" + item["call_id"].removeprefix("call_")
        return call("tool_use", identity, item["name"], arguments), arguments


def call(kind: str, identity: str, name: str, arguments: str) -> Block:
    """A call; what a script says that is no object stands in a stream alone."""
    try:
        values = decode(arguments.encode())
    except Rejected:
        values = {}
    return {"type": kind, "id": identity, "name": name, "input": values}


def search(item: Item) -> Iterator[tuple[Block, str]]:
    """A search of the web and what it found."""
    identity = "srvtoolu_" + item["id"].partition("_")[2]
    arguments = msgspec.json.encode({"query": item["action"]["query"]}).decode()
    yield call("server_tool_use", identity, "web_search", arguments), arguments
    page = {"type": "web_search_result", "url": PAGE, "title": "Naïve", "page_age": None}
    found = [page | {"encrypted_content": identity}]
    yield {"type": "web_search_tool_result", "tool_use_id": identity, "content": found}, ""


def cite(annotation: Item) -> Item:
    """A citation of a page that a search found."""
    cited = {"url": annotation["url"], "title": annotation["title"]}
    return {
        "type": "web_search_result_location",
        **cited,
        "encrypted_index": "naive",
        "cited_text": "Naïve",
    }
