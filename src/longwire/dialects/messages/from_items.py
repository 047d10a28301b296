"""Items of the Responses API as messages: the history as Anthropic takes it.

Law: item by item, so that a longer history begins with the blocks of the shorter one. A step is an
assistant's message and one of the user's, which begins with the results of its calls, in order.
Made is a missing result, and the user's word where the assistant begins or ends.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.client_tools import (
    BY_CALL,
    CALLS,
    CLIENT_TOOLS,
    FOUND,
    MAYBE_TRACES,
    OUTPUTS,
    input_object,
)
from longwire.dialects.fields import decoded, invalid
from longwire.dialects.input_items import ROLES, SILENT, Item, decode_items, unknown_role
from longwire.dialects.losses import Losses, refuse_reference
from longwire.dialects.messages.blocks import is_blank
from longwire.dialects.messages.claude import Claude
from longwire.dialects.messages.from_parts import blocks_of, text_block
from longwire.dialects.messages.from_tools import Offer
from longwire.dialects.messages.render import input_of
from longwire.dialects.messages.upstream_names import safe_id, safe_name
from longwire.dialects.raw_json import NULL, tolerant

ISSUER: Final = "anthropic"
REDACTED: Final = "redacted"
COMPACTION: Final = "compaction"

_SPOKEN: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_RULES: Final = frozenset({"system", "developer"})
_TEXT: Final = b'{"type":"text","text":'
_RESULT: Final = b'{"type":"tool_result"'
_THOUGHTS: Final = (b'{"type":"thinking"', b'{"type":"redacted_thinking"')
_NOTHING: Final = (b'""', b"[]")
_NO_OUTPUT: Final = b'"The tool was not run: its output is not in this conversation."'
_OPENING: Final = b'{"type":"text","text":"(The conversation begins with your answer.)"}'
_GO_ON: Final = b'{"type":"text","text":"Continue."}'
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class _Effort(msgspec.Struct):
    effort: str | None = None


class _Format(msgspec.Struct):
    format: Raw = NULL


_decode_effort: Final = msgspec.json.Decoder(_Effort | None).decode
_decode_format: Final = msgspec.json.Decoder(_Format | None).decode


class Message(NamedTuple):
    """One message: its role, and its blocks as raw JSON."""

    role: str
    blocks: Sequence[bytes]


def items_of(raw: bytes | None) -> list[Item]:
    """Return the items of an input; a text is a user's message. Raises `InvalidRequest`."""
    if raw is None or raw == b"null":
        raise invalid("input", "is required")
    if raw[:1] == b'"':
        if is_blank(Raw(raw)):
            raise invalid("input", SILENT)
        return [Item("message", "user", Raw(raw))]
    return decoded(decode_items, raw, "input")


class _Call(NamedTuple):
    """A call as it is sent, its id as raw JSON, and its output, where there is one."""

    id: bytes
    block: bytes
    output: Item | None


class History:
    """Collects messages from items; `system` are the texts of the rules that lead them.

    `called` are the names of tools that were. `effort` and `format` are those that updates among
    the items have set last. `answered` is the index of the last item that the assistant said, and
    `equipped` that of the last one that brought tools; -1 for none.
    """

    def __init__(self, claude: Claude, offer: Offer, losses: Losses) -> None:
        self._claude = claude
        self._offer = offer
        self._losses = losses
        self._outputs: dict[str, list[Item]] = {}
        self._times: Counter[str] = Counter()
        self._matched: set[int] = set()
        self._ids: dict[str, int] = {}
        self._names: dict[tuple[str, str | None, str | None], bytes] = {}
        self._index = 0
        self._silent = ""
        self._said: list[bytes] = []
        self._calls: list[_Call] = []
        self._heard: list[bytes] = []
        self._rules: list[bytes] = []
        self.system: list[bytes] = []
        self.messages: list[Message] = []
        self.called: dict[str, None] = {}
        self.effort: str | None = None
        self.format: Raw = NULL
        self.answered = self.equipped = -1

    def add_all(self, items: Sequence[Item]) -> None:
        """Add all items, then what the history needs at its end. Raises `InvalidRequest`."""
        self._match(items)
        for index, item in enumerate(items):
            self._index = index
            self._add(item)
        self._end_answer()
        if not self._heard and not self._rules and not self._ends_with_user():
            self._heard += self._last_word()
        self._end_step()

    def _last_word(self) -> Sequence[bytes]:
        """Return what the user says where the assistant was the last, or rules are all there is.

        Raises `InvalidRequest` where nothing is left of what the user said last.
        """
        if self._silent:
            raise invalid(self._silent, SILENT)
        if self.messages:
            return (_GO_ON,)
        if not self.system:
            raise invalid("input", SILENT)
        rules, self.system = self.system, []
        return rules

    def _match(self, items: Sequence[Item]) -> None:
        """Keep the outputs for their calls: each has one, which may also stand before it."""
        calls, found = self._times, dict[str, list[int]]()
        for index, item in enumerate(items):
            if item.type in MAYBE_TRACES and item.is_trace:
                continue
            own = item.own_id
            if item.type in CALLS:
                calls[own] += 1
            elif item.type in OUTPUTS:
                outputs = found.setdefault(own, [])
                if not 0 < calls[own] <= len(outputs):
                    outputs.append(index)
        for own, outputs in found.items():
            matched = outputs[: calls[own]]
            self._matched.update(matched)
            self._outputs[own] = [items[index] for index in matched]

    @property
    def lacks_thinking(self) -> bool:
        """Whether the last answer called tools without a thought before, which some refuse."""
        said = [message for message in self.messages if message.role == "assistant"]
        if not said or self.messages[-1].blocks[0][: len(_RESULT)] != _RESULT:
            return False
        return not said[-1].blocks[0].startswith(_THOUGHTS)

    @property
    def _at(self) -> str:
        return f"input.{self._index}"

    def _ends_with_user(self) -> bool:
        return bool(self.messages) and self.messages[-1].role != "assistant"

    def _add(self, item: Item) -> None:
        kind = item.kind
        if kind == "message":
            self._add_message(item)
        elif kind in MAYBE_TRACES and item.is_trace:
            self._losses.drop(f"input.{kind}")
        elif kind in CALLS:
            self._call(kind, item)
        elif kind in OUTPUTS:
            self._result(item)
        elif kind == "reasoning":
            self._think(item)
        elif kind == "additional_tools":
            self._bring(item)
        elif kind == "configuration_update":
            self._update(item)
        elif kind == "compaction":
            self._compact(item)
        else:
            self._refuse(kind)

    def _refuse(self, kind: str) -> None:
        if kind == "item_reference":
            refuse_reference(self._at)
        known = kind[:40]
        self._losses.refuse(
            f"{self._at}.type", f"is '{known}', unknown to Claude", f"input.{known}"
        )

    def _add_message(self, item: Item) -> None:
        if item.role not in ROLES:
            raise unknown_role(self._at)
        blocks = list(blocks_of(item.content, f"{self._at}.content", self._losses))
        if item.role == "user":
            self._silent = "" if blocks else f"{self._at}.content"
        if not blocks:
            return
        if item.role == "assistant":
            self._begin_answer()
            self._said += blocks
        elif item.role in _RULES:
            self._rule(blocks)
        else:
            self._hear(blocks)

    def _rule(self, blocks: Sequence[bytes]) -> None:
        """Keep rules: those before all else are the system prompt, later ones stay in place."""
        texts = [block for block in blocks if block.startswith(_TEXT)]
        if not (self.messages or self._said or self._calls or self._heard):
            self.system += texts
            return
        self._end_answer()
        self._rules += texts

    def _hear(self, blocks: Sequence[bytes]) -> None:
        self._end_answer()
        self._remind()
        self._heard += blocks

    def _remind(self) -> None:
        """Say rules within the user's words, where no message of the role system can stand."""
        self._heard += [
            text_block(_encode(f"<system-reminder>\n{_text_in(rule)}\n</system-reminder>"))
            for rule in self._rules
        ]
        self._rules = []

    def _think(self, item: Item) -> None:
        seal = item.seal
        if seal.issuer != ISSUER or not seal.content:
            self._losses.drop("input.reasoning")
            return
        self._begin_answer()
        if self._calls:  # thoughts stay where they were: what follows calls is another step
            self._end_answer()
            self._end_step()
        content = _encode(seal.content)
        if seal.kind == REDACTED:
            self._said.append(b'{"type":"redacted_thinking","data":%b}' % content)
            return
        said = b'{"type":"thinking","thinking":%b,"signature":%b}' % (item.thoughts, content)
        self._said.append(said)

    def _compact(self, item: Item) -> None:
        seal = item.seal
        if seal.issuer != ISSUER:
            fault = "is a compaction that another vendor has made, which Claude cannot read"
            self._losses.refuse(self._at, fault, "input.compaction")
            return
        self._begin_answer()
        self._said.append(b'{"type":"compaction","content":%b}' % _encode(seal.content))

    def _call(self, kind: str, item: Item) -> None:
        self._begin_answer()
        own = item.own_id
        if not own:
            raise invalid(f"{self._at}.call_id", "is required")
        if kind == "function_call":
            value = input_of(item.arguments)
        elif kind in BY_CALL:
            tool = CLIENT_TOOLS[BY_CALL[kind]]
            value = tool.arguments_of(getattr(item, tool.member))
        else:
            value = input_object(item.input)
        again = self._ids[own] = self._ids.get(own, 0) + 1
        identity = _encode(safe_id(own if again == 1 else f"{own}_again_{again}"))
        name = self._name(kind, item)
        block = b'{"type":"tool_use","id":%b,"name":%b,"input":%b}' % (identity, name, value)
        outputs = self._outputs.get(own)
        self._calls.append(_Call(identity, block, outputs.pop(0) if outputs else None))

    def _name(self, kind: str, item: Item) -> bytes:
        """Return the name that a tool is called by, as raw JSON."""
        key = (kind, item.name, item.namespace)
        known = self._names.get(key)
        if known is None:
            own = BY_CALL.get(kind) or item.name
            if not own:
                raise invalid(f"{self._at}.name", "is required")
            name = safe_name(own, item.namespace or "")
            self.called[name] = None
            known = self._names[key] = _encode(name)
        return known

    def _result(self, item: Item) -> None:
        """End the answer whose result it is; what no call waits for is the user's word."""
        self._end_answer()
        if item.type == FOUND:
            self._bring(item)
        if self._index not in self._matched:
            self._remind()
            words = f"Output of the tool call {item.own_id}, which is not in this conversation:"
            if item.own_id in self._times:
                words = f"Another output of the tool call {item.own_id}:"
            self._heard.append(text_block(_encode(words)))
            self._heard += _output_blocks(item, f"{self._at}.output", self._losses)

    def _bring(self, item: Item) -> None:
        self.equipped = self._index
        self._offer.add(item.tools, f"{self._at}.tools")

    def _update(self, item: Item) -> None:
        reasoning = decoded(_decode_effort, item.reasoning, f"{self._at}.reasoning")
        text = decoded(_decode_format, item.text, f"{self._at}.text")
        if reasoning is not None and reasoning.effort:
            self.effort = reasoning.effort
        if text is not None and text.format is not NULL:
            self.format = text.format

    def _begin_answer(self) -> None:
        self._silent = ""
        self.answered = self._index
        if self._heard or self._rules:
            self._end_step()

    def _end_answer(self) -> None:
        """Write what the assistant said, and begin the user's word with the results."""
        if not self._said and not self._calls:
            return
        if not self.messages:
            self.messages.append(Message("user", (_OPENING,)))
        self._said += [call.block for call in self._calls]
        self.messages.append(Message("assistant", self._said))
        self._heard = [_result_block(call, self._losses) for call in self._calls]
        self._said, self._calls = [], []

    def _end_step(self) -> None:
        """Write what the user said, and the rules behind it."""
        rules = self._rules
        if rules and not (self._claude.takes_system and self._heard):
            self._remind()
            rules = []
        if self._heard:
            self.messages.append(Message("user", self._heard))
        if rules:
            self.messages.append(Message("system", rules))
        self._heard, self._rules = [], []


def _result_block(call: _Call, losses: Losses) -> bytes:
    head = b'{"type":"tool_result","tool_use_id":%b' % call.id
    if call.output is None:
        return b'%b,"content":%b,"is_error":true}' % (head, _NO_OUTPUT)
    raw = bytes(call.output.returned)
    if raw[:1] != b'"':
        blocks = _output_blocks(call.output, f"input.{call.output.own_id}.output", losses)
        raw = b"[%b]" % b",".join(blocks)
    return head + (b"}" if raw in _NOTHING else b',"content":%b}' % raw)


def _output_blocks(item: Item, at: str, losses: Losses) -> list[bytes]:
    """Return what a tool gave as blocks; what is no text and no parts is shown as it is."""
    if item.type in _SPOKEN or bytes(item.output)[:1] == b'"':
        return list(blocks_of(item.output, at, losses))
    return [text_block(_encode(bytes(item.returned).decode("utf-8", "replace")))]


def _text_in(block: bytes) -> str:
    return _decode_text(block[len(_TEXT) : -1])
