"""One agent's conversation as bodies: instructions, tools, and a history that grows each turn."""

import json
from dataclasses import dataclass, field
from typing import ClassVar

from bench.wire import REPLIES

INSTRUCTIONS = "You work in a repository; read before you write, and say what you checked. " * 30
TOOLS = [
    {
        "type": "function",
        "name": name,
        "description": f"{name} in the repository that was checked out for this task. " * 4,
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "line": {"type": "integer"}},
            "required": ["path"],
        },
    }
    for name in ("read_file", "edit_file", "search", "run_tests")
]
_LINE = b"    return ledger.balance(account, until=day)  # as the statement has it\\n"
_MEMBERS = b'"instructions":%b,"tools":%b,"store":false' % (
    json.dumps(INSTRUCTIONS).encode(),
    json.dumps(TOOLS, separators=(",", ":")).encode(),
)
HEAD = len(_MEMBERS)
"""The bytes of a body without its input, roughly."""


@dataclass(slots=True)
class Talk:
    """A conversation: the first body has about `size` bytes, each turn adds about `growth`."""

    plan: str
    size: int
    growth: int
    streams: bool = True
    history: list[bytes] = field(default_factory=list)
    sent: int = 0
    path: ClassVar = "/v1/responses"
    headers: ClassVar = ""
    sends_back: ClassVar = False

    def __post_init__(self) -> None:
        """Begin with the user's message."""
        text = text_of(self.size - HEAD)
        part = b'{"type":"input_text","text":"%b"}' % text
        self.history.append(b'{"type":"message","role":"user","content":[%b]}' % part)

    def body(self) -> bytes:
        """Return the whole body of the next turn."""
        return b"{%b,%b" % (self._head(), self._items(self.history))

    def create(self, previous: bytes) -> bytes:
        """Return the create of the next turn, with what is new behind a response."""
        told = b'"type":"response.create",'
        if previous:
            told += b'"previous_response_id":"%b",' % previous
        new, self.sent = self.history[self.sent :], len(self.history) + len(REPLIES)
        return b"{%b%b,%b" % (told, self._head(), self._items(new))

    def grow(self, _answer: bytes) -> None:
        """Add what the model said, which is known beforehand, and what its tool gave."""
        output = text_of(self.growth - sum(map(len, REPLIES)))
        call = b'{"type":"function_call_output","call_id":"call_bench","output":"%b"}' % output
        self.history += (*REPLIES, call)

    def _head(self) -> bytes:
        streams = b"true" if self.streams else b"false"
        return b'"model":"bench","user":"%b","stream":%b,%b' % (
            self.plan.encode(),
            streams,
            _MEMBERS,
        )

    def _items(self, items: list[bytes]) -> bytes:
        return b'"input":[%b]}' % b",".join(items)


def text_of(size: int) -> bytes:
    """Return a text of about so many bytes, as raw JSON without its quotes."""
    return _LINE * max(1, size // len(_LINE))
