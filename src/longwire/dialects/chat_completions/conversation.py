"""Items of the Responses API as messages of a conversation.

Law: item by item, so that a longer history begins with the messages of a shorter one. Texts and
arguments are the client's own bytes. What one issuer sealed is sent to nobody else.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.call_ids import call_id
from longwire.dialects.chat_completions.chunks import decode_text
from longwire.dialects.chat_completions.foreign import DUMMY_EXTRA
from longwire.dialects.chat_completions.functions import wire_name
from longwire.dialects.chat_completions.reasoned import Recalled
from longwire.dialects.chat_completions.said_items import (
    TEXTS,
    Item,
    Part,
    items_of,
    parts_of,
    spelled,
)
from longwire.dialects.client_tools import (
    BY_CALL,
    CALLS,
    CLIENT_TOOLS,
    FOUND,
    MAYBE_TRACES,
    OUTPUTS,
    input_object,
    is_trace,
)
from longwire.dialects.fields import invalid, text
from longwire.dialects.input_items import SILENT, unknown_role
from longwire.dialects.losses import Losses, refuse_reference
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import splice
from longwire.dialects.responses.output import joined

_NULL: Final = b"null"
_ASSISTANT: Final = b'{"role":"assistant"'
_BETWEEN: Final = rb'"\n\n"'
_LINE: Final = rb'"\n"'
_NO_OUTPUT: Final = b'"There is no output of this call."'
_IMAGES: Final = b'"What the result of the call %b shows:"'
_SEEN_BELOW: Final = b'"The result is shown in the next message of the user."'
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Answer:
    """The items of the model that make up one message."""

    texts: list[bytes] = field(default_factory=list)
    refusals: list[bytes] = field(default_factory=list)
    calls: list[tuple[int, Item]] = field(default_factory=list)
    recalled: Recalled = field(default_factory=Recalled)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said or called."""
        return not (self.texts or self.refusals or self.calls)


class Conversation:
    """Turns items into messages.

    `tools` are those that a search has found, each with its path. Where a call `signs`, the first
    of a message has a signature, if only a dummy.
    """

    def __init__(self, profile: Profile, losses: Losses, *, signs: bool = False) -> None:
        self.messages: list[bytes] = []
        self.tools: list[tuple[str, bytes]] = []
        self._profile = profile
        self._losses = losses
        self._signs = signs
        self._answer = _Answer()
        self._extras: dict[str, bytes] = {}
        self._outputs: dict[bytes, deque[tuple[int, Item]]] = defaultdict(deque)
        self._used: set[int] = set()
        self._silent = ""
        self._leading: list[bytes] | None = []

    def read(self, raw: bytes | None, leading: Sequence[bytes]) -> None:
        """Read an input behind texts of the system. Raises `InvalidRequest`, naming the field."""
        for each in leading:
            self._instruct(b"system", [Part("input_text", Raw(each))], "instructions")
        items = items_of(raw)
        self._find_outputs(items)
        for at, item in enumerate(items):
            self._read(at, item)
        self._flush()
        self._end_leading()
        if self._silent and (not self.messages or self.messages[-1].startswith(_ASSISTANT)):
            raise invalid(self._silent, SILENT)

    def _find_outputs(self, items: Iterable[Item]) -> None:
        for at, item in enumerate(items):
            if item.type in OUTPUTS and not _is_trace(item):
                self._outputs[_id_of(item, at)].append((at, item))

    def _read(self, at: int, item: Item) -> None:
        kind = item.type or ""
        if kind == "message":
            self._message(at, item)
        elif kind == "reasoning":
            if not self._recall(item):
                self._losses.drop("input.reasoning")
        elif kind in MAYBE_TRACES and _is_trace(item):
            self._losses.drop(f"input.{kind}")
        elif kind in CALLS:
            self._end_leading()
            self._answer.calls.append((at, item))
        elif kind in OUTPUTS:
            self._output(at, item)
        elif kind == "item_reference":
            refuse_reference(f"input.{at}")
        else:
            fault = f"is {kind}, which {self._profile.name} cannot read; send the whole history"
            self._losses.refuse(f"input.{at}", fault, f"input.{kind}")

    def _recall(self, item: Item) -> bool:
        return self._answer.recalled.recall(
            item.encrypted_content, self._profile.issuer, self._extras
        )

    def _message(self, at: int, item: Item) -> None:
        path = f"input.{at}.content"
        parts = parts_of(item.content, path)
        if item.role == "assistant":
            self._end_leading()
            self._say(parts, path)
            return
        self._flush()
        if item.role in ("system", "developer"):
            self._instruct(item.role.encode(), parts, path)
        elif item.role == "user":
            self._end_leading()
            if alone := _text_alone(parts, path):
                self._put(b'"role":"user","content":' + alone)
            else:
                said = [self._spelled(part, f"{path}.{n}") for n, part in enumerate(parts)]
                self._silent = "" if any(said) else path
                self._put_user(said)
        else:
            raise unknown_role(f"input.{at}")

    def _spelled(self, part: Part, path: str) -> bytes:
        said = spelled(part, path, self._profile)
        if not said:
            fault = f"is {part.type or 'of no type'}, which {self._profile.name} does not take"
            self._losses.refuse(path, fault, f"input.{part.type}")
        return said

    def _put_user(self, parts: Sequence[bytes]) -> None:
        said = [part for part in parts if part]
        if said:
            self._put(b'"role":"user","content":%b' % self._content(said))

    def _content(self, parts: Sequence[bytes]) -> bytes:
        """Return parts as a content: a text alone is that text."""
        texts = [_text_in(part) for part in parts]
        if len(parts) == 1 and texts[0]:
            return texts[0]
        if not self._profile.takes_text_parts and all(texts):
            return _between(texts, _BETWEEN)
        return b"[%b]" % b",".join(parts)

    def _put(self, members: bytes) -> None:
        self.messages.append(b"{%b}" % members)

    def _instruct(self, role: bytes, parts: Sequence[Part], path: str) -> None:
        said = [self._spelled(part, f"{path}.{at}") for at, part in enumerate(parts)]
        said = [part for part in said if part]
        if not said:
            return
        texts = [found for found in map(_text_in, said) if found]
        if not self._profile.takes_developer:
            role = b"system"
        if not self._profile.one_system_message:
            self._put(b'"role":"%b","content":%b' % (role, self._content(said)))
        elif self._leading is not None:
            self._leading += texts
        else:
            reminder = [rb'"<system-reminder>\n"', *texts, rb'"\n</system-reminder>"']
            self._put(b'"role":"user","content":%b' % joined(reminder))

    def _end_leading(self) -> None:
        """Put the one message of the system that some vendors take, all leading ones in one."""
        leading, self._leading = self._leading, None
        if leading:
            self._put(b'"role":"system","content":%b' % _between(leading, _BETWEEN))

    def _say(self, parts: Sequence[Part], path: str) -> None:
        """Take a message of the model; texts of one message are one text."""
        texts: list[bytes] = []
        for at, part in enumerate(parts):
            if part.type == "refusal":
                refusal = text(part.refusal, f"{path}.{at}", "refusal")
                (self._answer.refusals if self._profile.takes_refusals else texts).append(refusal)
            elif part.type in TEXTS:
                texts.append(text(part.text, f"{path}.{at}", "text"))
            else:
                raise invalid(f"{path}.{at}.type", "must be one of output_text, refusal")
        if said := joined(texts)[1:-1]:
            self._answer.texts.append(b'"%b"' % said)

    def _flush(self) -> None:
        """Put the message of the model that is under way, and the outputs of its calls."""
        answer, self._answer = self._answer, _Answer()
        if answer.is_empty:
            return
        self._silent = ""
        said = [b'"role":"assistant"']
        content = _between(answer.texts, _BETWEEN) if answer.texts else b""
        said.append(b'"content":' + (content or (_NULL if answer.calls else b'""')))
        if answer.refusals:
            said.append(b'"refusal":' + _between(answer.refusals, _BETWEEN))
        said += self._reasoning(answer)
        pairs = [(at, item, _id_of(item, at)) for at, item in answer.calls]
        if pairs:
            first, *others = [self._call(item, own, at) for at, item, own in pairs]
            calls = b",".join([self._signed(first), *others])
            said.append(b'"tool_calls":[%b]' % calls)
        self._put(b",".join(said))
        self._return([(own, self._output_of(own, at)) for at, _, own in pairs])

    def _reasoning(self, answer: _Answer) -> list[bytes]:
        """Return the reasoning that a message brings back, where its vendor wants it."""
        profile, recalled = self._profile, answer.recalled
        if not profile.reasoning or (profile.reasoning_turns == "calls" and not answer.calls):
            return []
        if recalled.details:
            return [b'"reasoning_details":[%b]' % b",".join(recalled.details)]
        if recalled.texts or profile.needs_reasoning:
            return [b'"%b":%b' % (profile.reasoning.encode(), joined(recalled.texts))]
        return []

    def _call(self, item: Item, own: bytes, at: int) -> bytes:
        path = f"input.{at}"
        kind = BY_CALL.get(item.type or "")
        if kind:
            tool = CLIENT_TOOLS[kind]
            name = b'"%b"' % kind.encode()
            arguments = as_text(tool.arguments_of(getattr(item, tool.member)))
        else:
            name = wire_name(text(item.name, path, "name"), bytes(item.namespace))
            if item.type == "custom_tool_call":
                arguments = as_text(input_object(text(item.input, path, "input")))
            else:
                arguments = text(item.arguments, path, "arguments")
        extra = self._extras.get(decode_text(own)) if self._extras else None
        beside = b',"extra_content":' + extra if extra else b""
        said = b'{"id":%b,"type":"function","function":{"name":%b,"arguments":%b}%b}'
        return said % (call_id(own, self._profile), name, arguments, beside)

    def _signed(self, call: bytes) -> bytes:
        """Return the first call of a message, which some vendors refuse without a signature."""
        if not self._signs or b'"thought_signature"' in call:
            return call
        return splice(call, {"extra_content": DUMMY_EXTRA})

    def _output_of(self, own: bytes, at: int) -> tuple[int, Item] | None:
        """Return the first output of a call behind it that no other call of its id has."""
        outputs = self._outputs.get(own)
        while outputs:
            found = outputs.popleft()
            if found[0] > at:
                self._used.add(found[0])
                return found
        return None

    def _return(self, outputs: Sequence[tuple[bytes, tuple[int, Item] | None]]) -> None:
        """Put the outputs of calls in the order of these, and what they show behind them all."""
        shown: list[bytes] = []
        for own, found in outputs:
            content = _NO_OUTPUT
            if found is not None:
                content, images = self._result(*found)
                if images:
                    marker = _IMAGES % own[1:-1]
                    shown += [b'{"type":"text","text":%b}' % marker, *images]
            sent_id = call_id(own, self._profile)
            self._put(b'"role":"tool","tool_call_id":%b,"content":%b' % (sent_id, content))
        self._put_user(shown)

    def _result(self, at: int, item: Item) -> tuple[bytes, list[bytes]]:
        """Return an output as a content, and its parts that are no text and have no place there."""
        value = bytes(item.output)
        if item.type == FOUND:
            value = bytes(item.tools)
            if value[:1] == b"[":
                self.tools.append((f"input.{at}.tools", value))
            return as_text(value), []
        if value[:1] == b'"':
            return value, []
        if item.type == "shell_call_output" or value[:1] != b"[":
            return as_text(value), []
        path = f"input.{at}.output"
        said = [
            self._spelled(part, f"{path}.{n}") for n, part in enumerate(parts_of(item.output, path))
        ]
        said = [part for part in said if part]
        texts = [found for found in map(_text_in, said) if found]
        others = [part for part in said if not _text_in(part)]
        if others and self._profile.takes_result_images:
            return b"[%b]" % b",".join(said), []
        content = _between(texts, _LINE) if texts else (_SEEN_BELOW if others else b'""')
        return content, others

    def _output(self, at: int, item: Item) -> None:
        """Take an output: its call puts it; one that no call has is something the user says."""
        self._flush()
        if at in self._used:
            return
        self._end_leading()
        content, others = self._result(at, item)
        own = text(item.call_id, f"input.{at}", "call_id")
        said = joined([b'"The result of an earlier call, %b:\\n"' % own[1:-1], content])
        self._put_user([b'{"type":"text","text":%b}' % said, *others])


def _is_trace(item: Item) -> bool:
    """Whether an item is a trace of what an upstream ran by itself, which needs no id."""
    return is_trace(item.type or "", has_call_id=bytes(item.call_id)[:1] == b'"')


def as_text(raw: bytes) -> bytes:
    """Return raw JSON as a raw JSON text that holds it."""
    return _encode(raw.decode("utf-8", "replace"))


def _text_alone(parts: Sequence[Part], path: str) -> bytes:
    """Return the one text that a content is, b"" for any other."""
    if len(parts) == 1 and parts[0].type in TEXTS:
        return text(parts[0].text, f"{path}.0", "text")
    return b""


def _id_of(item: Item, at: int) -> bytes:
    """Return the id of a call or of whose output it is; a shell's may have its own alone."""
    value = bytes(item.call_id)
    return value if value[:1] == b'"' else text(item.id, f"input.{at}", "call_id")


def _text_in(part: bytes) -> bytes:
    """Return the text of a part, as raw JSON, b"" for any other."""
    start = b'{"type":"text","text":'
    return part[len(start) : -1] if part.startswith(start) else b""


def _between(texts: Sequence[bytes], between: bytes) -> bytes:
    """Return raw JSON texts as one, with another between every two."""
    return b'"%b"' % between[1:-1].join([each[1:-1] for each in texts])
