"""The items of an input as Gemini's contents: turns of the user and of the model, one by one.

Law: the contents of a longer history begin with those of the shorter one. What the calls of one
turn returned stands in the next one, each behind the other in the order of the calls.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.client_tools import BY_CALL, CALLS, FOUND, MAYBE_TRACES, OUTPUTS
from longwire.dialects.fields import decoded, invalid
from longwire.dialects.gemini_models import DUMMY_SIGNATURE
from longwire.dialects.generate_content.call_items import arguments_of, seal_of
from longwire.dialects.generate_content.call_parts import parts_of, text_part
from longwire.dialects.generate_content.function_names import sent_name
from longwire.dialects.input_items import ROLES, SILENT, Item, decode_items, unknown_role
from longwire.dialects.losses import Losses, refuse_reference

_encode: Final = msgspec.json.Encoder().encode
_NO_OUTPUT: Final = b'{"output":"The call has no output."}'
_ORPHAN: Final = "The output of a call that is not in this conversation:"
_RETURNED: Final = "What the call of {} has returned beside its text:"
_BEGINNING: Final = b'{"role":"user","parts":[{"text":"(The conversation goes on.)"}]}'
"""What stands before a model that speaks first: Gemini's conversations begin with the user."""

_SYSTEM: Final = frozenset({"system", "developer"})
_LIST_OF_PARTS: Final = b"["
_TEXT: Final = b'{"text":'
_EMPTY: Final = b'""'
_QUOTE: Final = b'"'


@dataclass(slots=True)
class _Call:
    """A call of the model's last turn: `response` is what it returned, `beside` parts of it.

    Its `head` are the members that it shares with its response.
    """

    name: str
    head: bytes
    response: bytes = b""
    beside: Sequence[bytes] = ()


class Contents:
    """Collects the contents of a turn; `system` are the parts of its leading instructions.

    `found` has lists of tools that a search of the client's has found, each with its path, as raw
    JSON. `needs_signatures`: the first call of a turn must be signed.
    """

    def __init__(self, *, needs_signatures: bool, losses: Losses) -> None:
        self.system: list[bytes] = []
        self.found: list[tuple[str, bytes]] = []
        self._needs_signatures = needs_signatures
        self._losses = losses
        self._contents: list[bytes] = []
        self._model: list[bytes] = []
        self._user: list[bytes] = []
        self._calls: list[_Call] = []
        self._unanswered: dict[str, deque[_Call]] = {}
        self._signatures: dict[str, list[bytes]] = {}
        self._has_call = False
        self._is_leading = True
        self._silent = ""
        self._index = 0

    def add_input(self, raw: bytes | None) -> None:
        """Add an input, a text or items. Raises `InvalidRequest`, which names the place."""
        if raw is None or raw[:1] != _LIST_OF_PARTS:
            self._user += parts_of(Raw(raw or b"null"), "input", self._losses)
            return
        for self._index, item in enumerate(decoded(decode_items, raw, "input")):
            self._add(item)

    def finished(self) -> list[bytes]:
        """Return all contents; instructions alone are what the user says.

        Raises `InvalidRequest` where nothing is left of what the user said last.
        """
        if self._silent and not self._user and not self._calls:
            raise invalid(self._silent, SILENT)
        self._end_model()
        self._end_user()
        if not self._contents and self.system:
            self._user, self.system = self.system, []
            self._end_user()
        return self._contents

    def _at(self, name: str) -> str:
        """Return the path of a member of the item that is being added."""
        return f"input.{self._index}.{name}"

    def _add(self, item: Item) -> None:
        kind = item.type or "message"
        if kind == "message":
            self._add_message(item)
            return
        self._is_leading = False
        if kind == "reasoning":
            self._add_reasoning(item)
        elif kind in MAYBE_TRACES and item.is_trace:
            self._losses.drop(f"input.{kind}")
        elif kind in CALLS:
            self._add_call(item)
        elif kind == FOUND:
            self._end_model()
            self.found.append((self._at("tools"), bytes(item.tools)))
            self._respond(item.call_id or "", bytes(item.tools))
        elif kind in OUTPUTS:
            self._add_output(item)
        elif kind == "item_reference":
            refuse_reference(f"input.{self._index}")
        else:
            fault = f"is '{kind[:60]}', which Gemini cannot read"
            self._losses.refuse(self._at("type"), fault, f"input.{kind[:40]}")

    def _add_message(self, item: Item) -> None:
        if item.role not in ROLES:
            raise unknown_role(f"input.{self._index}")
        parts = list(parts_of(item.content, self._at("content"), self._losses))
        if item.role == "user":
            self._silent = "" if parts else self._at("content")
        if item.role == "assistant":
            self._is_leading = False
            for part in parts:
                self._add_to_model(self._signed(part, "text"))
        elif item.role in _SYSTEM and self._is_leading:
            self.system += parts
        else:
            self._is_leading = False
            self._end_model()
            self._user += parts

    def _add_reasoning(self, item: Item) -> None:
        """Keep a signature for the part that it was on; those of others are left out."""
        seal = seal_of(item)
        if seal is None:
            if item.encrypted_content:
                self._losses.drop("input.reasoning")
            return
        signature = _encode(seal.content)
        if seal.kind == "thought":
            said = b'{"text":%b,"thought":true,"thoughtSignature":%b}'
            self._add_to_model(said % (item.thoughts, signature))
        elif seal.kind == "end":
            self._add_to_model(b'{"text":"","thoughtSignature":%b}' % signature)
        else:
            self._end_user()
            self._signatures.setdefault(seal.kind, []).append(signature)

    def _add_call(self, item: Item) -> None:
        name = BY_CALL.get(item.type or "") or item.name
        if not name:
            raise invalid(self._at("name"), "is required")
        sent, call_id = sent_name(name, item.namespace or ""), item.own_id
        head = b'"name":%b,' % _encode(sent)
        if call_id:
            head = b'"id":%b,%b' % (_encode(call_id), head)
        part = b'{"functionCall":{%b"args":%b}}' % (head, arguments_of(item))
        self._add_to_model(self._signed(part, "call"))
        self._has_call = True
        call = _Call(sent, head)
        self._calls.append(call)
        self._unanswered.setdefault(call_id, deque()).append(call)

    def _signed(self, part: bytes, kind: str) -> bytes:
        """Return a part with the signature that it came with; the first call must have one."""
        waiting = self._signatures.get(kind)
        is_first_call = kind == "call" and not self._has_call
        if waiting:
            signature = waiting.pop(0)
        elif is_first_call and self._needs_signatures:
            signature = DUMMY_SIGNATURE
        else:
            return part
        return b'%b,"thoughtSignature":%b}' % (part[:-1], signature)

    def _add_output(self, item: Item) -> None:
        self._end_model()
        output, call_id = bytes(item.output), item.own_id
        if output[:1] == _QUOTE or item.type == "shell_call_output":
            self._respond(call_id, output)
            return
        parts = list(parts_of(item.output, self._at("output"), self._losses))
        texts = [part[len(_TEXT) + 1 : -2] for part in parts if part.startswith(_TEXT)]
        beside = [part for part in parts if not part.startswith(_TEXT)]
        self._respond(call_id, b'"%b"' % b"\\n".join(texts), beside)

    def _respond(self, call_id: str, output: bytes, beside: Sequence[bytes] = ()) -> None:
        """Keep what a call returned, as raw JSON; it is said by the user if there is no call."""
        unanswered = self._unanswered.get(call_id)
        if unanswered:
            call = unanswered.popleft()
            call.response, call.beside = b'{"output":%b}' % output, beside
            return
        text = output if output[:1] == _QUOTE else _encode(output.decode("utf-8", "replace"))
        said = [text_part(text)] if text != _EMPTY else []
        self._user += [text_part(_encode(_ORPHAN)), *said, *beside]

    def _add_to_model(self, part: bytes) -> None:
        self._silent = ""
        self._end_user()
        self._model.append(part)

    def _end_model(self) -> None:
        """End the model's turn, if it is under way."""
        if self._model:
            if not self._contents:
                self._contents.append(_BEGINNING)
            self._contents.append(_content(b"model", self._model))
            self._model, self._has_call = [], False
        self._signatures.clear()

    def _end_user(self) -> None:
        """End the user's turn: what was called first, then what was said."""
        if self._model:
            return
        parts = [*self._responses(), *self._user]
        if parts:
            self._contents.append(_content(b"user", parts))
        self._user, self._calls = [], []
        self._unanswered.clear()

    def _responses(self) -> list[bytes]:
        parts = [
            b'{"functionResponse":{%b"response":%b}}' % (call.head, call.response or _NO_OUTPUT)
            for call in self._calls
        ]
        for call in self._calls:
            if call.beside:
                parts += [text_part(_encode(_RETURNED.format(call.name))), *call.beside]
        return parts


def _content(role: bytes, parts: Sequence[bytes]) -> bytes:
    return b'{"role":"%b","parts":[%b]}' % (role, b",".join(parts))
