"""The messages of a request: what is refused of them, and the items they stand for.

Law: the same conversation said in Responses has the same digest; reasoning, which has no place in
messages but a vendor's own member, is left out of the items.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from longwire.emulator.chat.vendors import Vendor
from longwire.emulator.errors import Rejected
from longwire.emulator.items import Item, check_length, check_name, missing, wrong_type, wrong_value
from longwire.emulator.options import Json

ROLES = ("system", "developer", "user", "assistant", "tool")
MEMBERS: Mapping[str, frozenset[str]] = {
    "system": frozenset(("role", "content", "name")),
    "developer": frozenset(("role", "content", "name")),
    "user": frozenset(("role", "content", "name")),
    "assistant": frozenset(
        ("role", "content", "name", "refusal", "tool_calls", "annotations", "audio")
    ),
    "tool": frozenset(("role", "content", "tool_call_id")),
}
OF_REASONING = frozenset(("reasoning_content", "reasoning", "reasoning_details"))
DETAILS = ("auto", "low", "high", "original")
SHORT = re.compile(r"[A-Za-z0-9]{9}")
SOURCES = ("file_id", "file_data", "filename")


@dataclass(slots=True)
class Conversation:
    """The items of messages, read one after the other."""

    vendor: Vendor
    thinks: bool
    items: list[Item] = field(default_factory=list)
    open_calls: dict[str, str] = field(default_factory=dict)
    """Kind of each call of the last assistant message that has no answer yet."""

    def read(self, messages: Sequence[Json]) -> list[Item]:
        """The items; raises Rejected for what no correct client sends."""
        for index, message in enumerate(messages):
            where = f"messages[{index}]"
            role = self._role(message, where)
            if role != "tool":
                self._require_outputs(where)
            if role == "assistant":
                self._assistant(message, where, index)
            elif role == "tool":
                self._output(message, where)
            else:
                self._text(message, role, where)
        self._require_outputs(f"messages[{len(messages) - 1}]")
        self._check_last(messages[-1])
        return self.items

    def _role(self, message: Json, where: str) -> str:
        if not isinstance(message, dict):
            raise wrong_type(where)
        role = message.get("role")
        if role is None:
            raise missing(f"{where}.role")
        if not isinstance(role, str) or role not in self.vendor.roles:
            known = ", ".join(f"'{name}'" for name in ROLES if name in self.vendor.roles)
            message = f"Invalid value: '{role}'. Supported values are: {known}."
            raise Rejected(message, code="invalid_value", param=f"{where}.role")
        for name in () if self.vendor.ignores_unknown else message:
            ours = name in OF_REASONING and self.vendor.thinking != "hidden"
            if name not in MEMBERS[role] and not ours:
                raise unknown(f"{where}.{name}", self.vendor.unknown_status)
        return role

    def _text(self, message: Item, role: str, where: str) -> None:
        if role == "system" and self.vendor.one_system and self.items:
            raise Rejected("System message must be at the beginning.", param=where)
        parts = self._parts(message, role, where)
        self.items.append({"type": "message", "role": role, "content": parts})

    def _parts(self, message: Item, role: str, where: str) -> list[Item]:
        content = message.get("content")
        place = f"{where}.content"
        if isinstance(content, str):
            return [{"type": "input_text", "text": content}]
        if not isinstance(content, list):
            kind = "null" if content is None else type(content).__name__
            text = f"Invalid value for 'content': expected a string, got {kind}."
            raise Rejected(text, param=place)
        if not content:
            raise empty_array(place)
        kinds = self.vendor.parts if role == "user" else frozenset(("text",))
        return [part_of(part, kinds, f"{place}[{at}]") for at, part in enumerate(content)]

    def _assistant(self, message: Item, where: str, index: int) -> None:
        calls = message.get("tool_calls")
        parts = [*spoken_parts(message, self.vendor, where)]
        if parts:
            self.items.append({"type": "message", "role": "assistant", "content": parts})
        elif calls is None and message.get("content") is None:
            text = "Invalid value for 'content': expected a string, got null."
            raise Rejected(text, param=f"{where}.content")
        if calls is None:
            return
        if not isinstance(calls, list):
            raise wrong_type(f"{where}.tool_calls")
        if not calls:
            raise empty_array(f"{where}.tool_calls")
        self._check_reasoning(message, index)
        for number, call in enumerate(calls):
            self._call(call, f"{where}.tool_calls[{number}]", is_first=number == 0)

    def _check_reasoning(self, message: Item, index: int) -> None:
        needed = self.vendor.needs_reasoning and self.thinks
        if needed and not isinstance(message.get("reasoning_content"), str):
            text = (
                "Missing `reasoning_content` field in the assistant message at message index"
                f" {index}. Send back what the answer had there."
            )
            raise Rejected(text)

    def _call(self, call: Json, where: str, *, is_first: bool) -> None:
        item = call_of(call, self.vendor, where)
        identity = item["call_id"]
        self._check_signature(call, item, where, is_first=is_first)
        if identity in self.open_calls:
            text = f"Duplicate value for 'tool_call_id' of '{identity}' in one message."
            raise Rejected(text, param=f"{where}.id")
        self.open_calls[identity] = item["type"]
        self.items.append(item)

    def _check_signature(self, call: Item, item: Item, where: str, *, is_first: bool) -> None:
        extra = call.get("extra_content")
        google = extra.get("google") if isinstance(extra, dict) else None
        signature = google.get("thought_signature") if isinstance(google, dict) else None
        if self.vendor.signs and self.thinks and is_first and not signature:
            text = (
                "Function call is missing a thought_signature in functionCall parts. Additional"
                f" data, function call `default_api:{item.get('name')}`, position {where}."
            )
            raise Rejected(text, param=where)

    def _output(self, message: Item, where: str) -> None:
        identity = message.get("tool_call_id")
        if not isinstance(identity, str):
            raise missing(f"{where}.tool_call_id")
        kind = self.open_calls.pop(identity, None)
        if kind is None:
            text = (
                "Invalid parameter: messages with role 'tool' must be a response to a preceding"
                " message with 'tool_calls'."
            )
            raise Rejected(text, param=f"{where}.role")
        content = message.get("content")
        output = content if isinstance(content, str) else self._parts(message, "tool", where)
        self.items.append({"type": f"{kind}_output", "call_id": identity, "output": output})

    def _require_outputs(self, where: str) -> None:
        if self.open_calls:
            text = (
                "An assistant message with 'tool_calls' must be followed by tool messages"
                " responding to each 'tool_call_id'. The following tool_call_ids did not have"
                f" response messages: {', '.join(self.open_calls)}"
            )
            raise Rejected(text, param=f"{where}.role")

    def _check_last(self, message: Item) -> None:
        if self.vendor.ends_with_question and message["role"] not in ("user", "tool"):
            text = f"Expected last role User or Tool for serving but got {message['role']}"
            raise Rejected(text)


def part_of(part: Json, kinds: frozenset[str], where: str) -> Item:
    """One part of a message of the user, of the system or of a tool."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(f"'{name}'" for name in sorted(kinds))
        message = f"Invalid value: {kind!r}. Supported values are: {known}."
        raise Rejected(message, code="invalid_value", param=f"{where}.type")
    body = part.get(kind)
    if kind == "text":
        if not isinstance(body, str):
            raise missing(f"{where}.text")
        return {"type": "input_text", "text": body}
    if not isinstance(body, dict):
        raise wrong_type(f"{where}.{kind}")
    if kind == "image_url":
        return image_of(body, f"{where}.image_url")
    if kind == "file":
        return file_of(body, f"{where}.file")
    raise Rejected("This model does not support audio.", code="invalid_value", param=where)


def image_of(image: Item, where: str) -> Item:
    """A picture by its address, or in a data URL."""
    url, detail = image.get("url"), image.get("detail")
    if not isinstance(url, str):
        raise missing(f"{where}.url")
    if not url.startswith(("http://", "https://", "data:image/")):
        message = f"Invalid '{where}.url'. Expected a valid URL."
        raise Rejected(message, code="invalid_image_url", param=f"{where}.url")
    if detail is not None and detail not in DETAILS:
        raise wrong_value(detail, f"{where}.detail")
    return {"type": "input_image", "image_url": url} | ({"detail": detail} if detail else {})


def file_of(file: Item, where: str) -> Item:
    """A file by its id, or whole."""
    found = {name: file[name] for name in SOURCES if isinstance(file.get(name), str)}
    if not found.keys() & {"file_id", "file_data"}:
        raise missing(f"{where}.file_id")
    return {"type": "input_file", **found}


def spoken_parts(message: Item, vendor: Vendor, where: str) -> Iterator[Item]:
    """What an assistant said, text by text; thinking is left out."""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    if not isinstance(content, (list, type(None))):
        raise wrong_type(f"{where}.content")
    for at, part in enumerate(content or ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "thinking" and vendor.thinking == "parts":
            continue
        if kind not in ("text", "refusal") or not isinstance(part.get(kind), str):
            raise wrong_value(kind, f"{where}.content[{at}].type")
        yield spoken(kind, part[kind])
    if message.get("refusal"):
        yield spoken("refusal", message["refusal"])


def spoken(kind: str, text: str) -> Item:
    """A part of an assistant's message."""
    return {"type": "output_text", "text": text} if kind == "text" else {"type": kind, kind: text}


def call_of(call: Json, vendor: Vendor, where: str) -> Item:
    """The item of a call."""
    if not isinstance(call, dict):
        raise wrong_type(where)
    kind = call.get("type") or ("function" if vendor.ignores_unknown else None)
    if kind == "custom" and vendor.has_custom_tools:
        return custom_call(call, where)
    if kind not in ("function", None) or (kind is None and vendor.first_index is not None):
        raise wrong_value(kind, f"{where}.type")
    function = call.get("function")
    if not isinstance(function, dict):
        raise missing(f"{where}.function")
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        raise (missing if arguments is None else wrong_type)(f"{where}.function.arguments")
    check_name(function.get("name"), f"{where}.function.name")
    members = {"name": function["name"], "arguments": arguments}
    return {"type": "function_call", "call_id": call_id(call, vendor, where), **members}


def custom_call(call: Item, where: str) -> Item:
    """The item of a call with free text."""
    custom = call.get("custom")
    if not isinstance(custom, dict) or not isinstance(custom.get("input"), str):
        raise missing(f"{where}.custom")
    check_name(custom.get("name"), f"{where}.custom.name")
    identity = call.get("id")
    if not isinstance(identity, str):
        raise missing(f"{where}.id")
    members = {"name": custom["name"], "input": custom["input"]}
    return {"type": "custom_tool_call", "call_id": identity, **members}


def call_id(call: Item, vendor: Vendor, where: str) -> str:
    """The id of a call, as the vendor wants it."""
    identity = call.get("id")
    if not isinstance(identity, str):
        raise missing(f"{where}.id")
    check_length(identity, f"{where}.id")
    if not vendor.short_ids or SHORT.fullmatch(identity):
        return identity
    message = f"Tool call id was {identity} but must be a-z, A-Z, 0-9, with a length of 9."
    error = Rejected(message, code="3280")
    error.error["type"] = "invalid_function_call"
    raise error


def unknown(where: str, status: int = 400) -> Rejected:
    """A member that there is not."""
    message = f"Unknown parameter: '{where}'."
    return Rejected(message, code="unknown_parameter", param=where, status=status)


def empty_array(where: str) -> Rejected:
    """A list that must have something in it."""
    message = (
        f"Invalid '{where}': empty array. Expected an array with minimum length 1, but got an empty"
        " array instead."
    )
    return Rejected(message, code="empty_array", param=where)


def has_thought(message: Item) -> bool:
    """Whether a message brings back what a model thought, or the signature of it."""
    calls, content = message.get("tool_calls") or (), message.get("content")
    parts = content if isinstance(content, list) else ()
    return (
        any(message.get(name) for name in OF_REASONING)
        or any(part.get("type") == "thinking" for part in parts)
        or any("extra_content" in call for call in calls)
    )
