"""The events of one response, written as an upstream of the Responses API writes them.

For upstreams of other APIs: what they say is put here piece by piece, and the events are taken.
Texts come as raw JSON and are never decoded.
Law: every item is added and done, numbers have no gap, and the terminal holds the whole output.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from longwire.core.events import Event, Kind
from longwire.dialects.responses import output_events
from longwire.dialects.responses.stream import kind_of

_OUTPUT: Final = Kind.OUTPUT  # for every piece: on Python 3.11 a member is dear to name
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = msgspec.json.Decoder(str).decode
_EMPTY: Final = b'""'
_NULL: Final = b"null"
_DEFAULTS: Final = {
    "instructions": _NULL,
    "max_output_tokens": _NULL,
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "reasoning": b'{"effort":null,"summary":null}',
    "temperature": _NULL,
    "text": b'{"format":{"type":"text"}}',
    "tool_choice": b'"auto"',
    "top_p": _NULL,
}
"""Members of a request that its response repeats, with what they are where it says nothing."""

_SHORT: Final = {"reasoning": "rs", "message": "msg", "custom_tool_call": "ctc"}
"""How ids of items begin, by type, behind the mark of those that no upstream of the API has."""


def echo_of(members: Mapping[str, bytes]) -> bytes:
    """Return what a response repeats of its request; its tools are too much of it."""
    said = ((name, members.get(name, _NULL), value) for name, value in _DEFAULTS.items())
    echoed = (
        b'"%b":%b' % (name.encode(), value if raw == _NULL else raw) for name, raw, value in said
    )
    return b'%b,"tools":[],"truncation":"disabled"' % b",".join(echoed)


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return texts as one, all of them raw JSON."""
    return b'"%b"' % b"".join([piece[1:-1] for piece in pieces])


class ResponseWriter:
    """Writes one response; `take` what was written so far. One item is open at a time.

    `echo` is what the response repeats of its request; `created_at` is in seconds since 1970 UTC.
    """

    def __init__(self, echo: bytes) -> None:
        self._echo = echo
        self._events: list[Event] = []
        self._sequence = 0
        self._head = b""
        self._model = _NULL
        self._items: list[bytes] = []
        self._open = ""
        self._where = b""
        self._pieces: list[bytes] = []
        self._annotations: list[bytes] = []
        self._logprobs: list[bytes] = []
        self._next_logprobs = b""
        self._status = b"completed"
        self.response_id = ""

    @property
    def is_open(self) -> bool:
        """Whether the response has begun."""
        return bool(self.response_id)

    @property
    def open_item(self) -> str:
        """The type of the item that is open, "" for none."""
        return self._open

    @property
    def text(self) -> str:
        """The text of the item that is open, as far as it has come."""
        return _decode_text(joined(self._pieces))

    def take(self) -> list[Event]:
        """Return the events that were written since the last time."""
        events, self._events = self._events, []
        return events

    def open(self, response_id: str, model: bytes, created_at: int = 0) -> None:
        """Begin the response. The model's name is raw JSON."""
        self.response_id, self._model = response_id, model
        self._head = b'"id":%b,"object":"response","created_at":%d' % (
            _encode(response_id),
            created_at,
        )
        for name in ("response.created", "response.in_progress"):
            self._write_state(name, Kind.OPENING)

    def add_text(self, piece: bytes) -> None:
        """Add to the text of the message, which is opened where none is."""
        if self._open != "message":
            self._begin("message", b'"role":"assistant","content":[]')
            part = b'{"type":"output_text","text":"","annotations":[],"logprobs":[]}'
            self._write("response.content_part.added", b'"content_index":0,"part":%b' % part)
        if piece != _EMPTY:
            logprobs, self._next_logprobs = self._next_logprobs, b""
            self._pieces.append(piece)
            if logprobs:
                self._logprobs.append(logprobs)
            said = b'%b"content_index":0,"delta":%b,"logprobs":[%b]'
            said %= (self._where, piece, logprobs)
            self._write_event(output_events.TEXT, _OUTPUT, said)

    def add_logprobs(self, logprobs: bytes) -> None:
        """Say how likely the tokens of the next piece of text are: raw JSON without brackets."""
        self._next_logprobs = logprobs

    def annotate(self, annotation: bytes) -> None:
        """Add an annotation to the message that is open."""
        said = b'"content_index":0,"annotation_index":%d,"annotation":%b'
        self._write(
            "response.output_text.annotation.added", said % (len(self._annotations), annotation)
        )
        self._annotations.append(annotation)

    def add_thought(self, piece: bytes) -> None:
        """Add to the summary of the reasoning, which is opened where none is."""
        if self._open != "reasoning":
            self._begin("reasoning", b'"summary":[]')
            part = b'{"type":"summary_text","text":""}'
            self._write(
                "response.reasoning_summary_part.added", b'"summary_index":0,"part":%b' % part
            )
        if piece != _EMPTY:
            self._pieces.append(piece)
            self._write(
                "response.reasoning_summary_text.delta", b'"summary_index":0,"delta":%b' % piece
            )

    def seal(self, encrypted: bytes) -> None:
        """End reasoning with its encrypted content; it is an item of its own where none is open."""
        if self._open != "reasoning":
            self._begin("reasoning", b'"summary":[]')
        self._end_reasoning(b',"encrypted_content":%b' % encrypted)

    def put_call(self, said: bytes, arguments: bytes) -> None:
        """Write a whole call of a function; `said` are its other members.

        The arguments are a text, as raw JSON.
        """
        self._begin("function_call", b'%b,"arguments":""' % said)
        stem = "response.function_call_arguments"
        self._write(f"{stem}.delta", b'"delta":%b' % arguments)
        self._write(f"{stem}.done", b'"arguments":%b' % arguments)
        self._end(b'%b,"arguments":%b' % (said, arguments))

    def put_custom_call(self, said: bytes, text: bytes) -> None:
        """Write a whole call of a custom tool, likewise."""
        self._begin("custom_tool_call", b'%b,"input":""' % said)
        stem = "response.custom_tool_call_input"
        self._write(f"{stem}.delta", b'"delta":%b' % text)
        self._write(f"{stem}.done", b'"input":%b' % text)
        self._end(b'%b,"input":%b' % (said, text))

    def put_item(self, kind: str, said: bytes) -> None:
        """Write a whole item of a type that has no deltas; `said` are its members."""
        self._begin(kind, said)
        self._end(said)

    def close(self) -> None:
        """End the item that is open."""
        if self._open == "message":
            self._end_message()
        elif self._open == "reasoning":
            self._end_reasoning(b"")

    def complete(self, usage: bytes) -> None:
        """End the response, which is whole; `usage` is raw JSON or null."""
        self.close()
        self._write_state("response.completed", Kind.COMPLETED, {"usage": usage})

    def cut(self) -> None:
        """Take what is not done yet for incomplete: the answer stops early."""
        self._status = b"incomplete"

    def leave_incomplete(self, reason: str, usage: bytes) -> None:
        """End the response, which stopped early."""
        self.cut()
        self.close()
        said = {"incomplete_details": _encode({"reason": reason}), "usage": usage}
        self._write_state("response.incomplete", Kind.INCOMPLETE, said)

    def fail(self, code: str, message: str, usage: bytes = _NULL) -> None:
        """End the response, which failed."""
        self.close()
        error = _encode({"code": code, "message": message})
        self._write_state("response.failed", Kind.FAILED, {"error": error, "usage": usage})

    def _begin(self, kind: str, said: bytes) -> None:
        self.close()
        short = _SHORT.get(kind, "fc" if kind == "function_call" else "item")
        own = _encode(f"lw_{short}_{self.response_id}_{len(self._items)}")
        self._open, self._pieces, self._annotations, self._logprobs = kind, [], [], []
        self._where = b'"item_id":%b,"output_index":%d,' % (own, len(self._items))
        status = b"" if kind == "reasoning" else b',"status":"in_progress"'
        item = b'{"id":%b,"type":"%b"%b,%b}' % (own, kind.encode(), status, said)
        self._write_item("response.output_item.added", item)

    def _end_message(self) -> None:
        text, annotations = joined(self._pieces), b",".join(self._annotations)
        logprobs = b",".join(self._logprobs)
        part = b'{"type":"output_text","text":%b,"annotations":[%b],"logprobs":[%b]}'
        part %= (text, annotations, logprobs)
        said = b'"content_index":0,"text":%b,"logprobs":[%b]' % (text, logprobs)
        self._write("response.output_text.done", said)
        self._write("response.content_part.done", b'"content_index":0,"part":%b' % part)
        self._end(b'"role":"assistant","content":[%b]' % part)

    def _end_reasoning(self, encrypted: bytes) -> None:
        summary = b""
        if self._pieces:
            text = joined(self._pieces)
            summary = b'{"type":"summary_text","text":%b}' % text
            stem = "response.reasoning_summary"
            self._write(f"{stem}_text.done", b'"summary_index":0,"text":%b' % text)
            self._write(f"{stem}_part.done", b'"summary_index":0,"part":%b' % summary)
        self._end(b'"summary":[%b]%b' % (summary, encrypted))

    def _end(self, said: bytes) -> None:
        kind, self._open = self._open, ""
        own = self._where[len(b'"item_id":') : self._where.index(b',"output_index"')]
        status = b"" if kind == "reasoning" else b',"status":"%b"' % self._status
        item = b'{"id":%b,"type":"%b"%b,%b}' % (own, kind.encode(), status, said)
        self._write_item("response.output_item.done", item)
        self._items.append(item)

    def _write_item(self, name: str, item: bytes) -> None:
        where = b'"output_index":%d,"item":%b' % (len(self._items), item)
        self._write_event(name, kind_of(name), where)

    def _write(self, name: str, said: bytes) -> None:
        self._write_event(name, _OUTPUT, self._where + said)

    def _write_state(
        self, name: str, kind: Kind, said: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        status = name.removeprefix("response.") if kind is not Kind.OPENING else "in_progress"
        response = b'%b,"status":"%b","error":%b,"incomplete_details":%b,"model":%b,%b' % (
            self._head,
            status.encode(),
            said.get("error", _NULL),
            said.get("incomplete_details", _NULL),
            self._model,
            self._echo,
        )
        output = b"" if kind is Kind.OPENING else b",".join(self._items)
        response += b',"output":[%b],"usage":%b' % (output, said.get("usage", _NULL))
        self._write_event(name, kind, b'"response":{%b}' % response, self.response_id)

    def _write_event(
        self, name: str, kind: Kind, said: bytes, response_id: str | None = None
    ) -> None:
        raw = b'{"type":"%b","sequence_number":%d,%b}' % (name.encode(), self._sequence, said)
        parts = (kind, name, raw, response_id, self._sequence, None, b"")
        # The tuple itself: the class of a named one is a call into Python.
        self._events.append(tuple.__new__(Event, parts))
        self._sequence += 1
