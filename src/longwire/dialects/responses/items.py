"""Items of the Responses API in canonical form: when two of them mean the same.

The rules stand in one table: per item type what no client rewrites, what some drop on replay, and
what anchors it. Fields in no row count in full, so that doubt always reads as "not equal".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blake3 import blake3
from msgspec import Raw

from longwire.core.rules.turn import CanonicalItem, Digest
from longwire.dialects.canonical import (
    AmbiguousJson,
    Json,
    decode,
    decode_values,
    digest,
    digest_bytes,
)

_NEVER_COMPARED = frozenset(
    {
        "status",
        "created_by",
        "parsed",
        "parsed_arguments",
        "provider_data",
        "internal_chat_message_metadata_passthrough",
    }
)
_DROPPED_WHEN_EMPTY = frozenset({"annotations", "logprobs"})
_PART_TRIM = _NEVER_COMPARED | _DROPPED_WHEN_EMPTY | {"prompt_cache_breakpoint"}
_RAW_DIGEST = 16
_VERBATIM = frozenset({"tools", "arguments", "input", "output"})


@dataclass(frozen=True, slots=True)
class ItemRule:
    """How items of one type compare.

    `ignored` never counts, `optional` counts where both sides have it, of `anchors` one must be
    shared where any is set; all else is the core.
    """

    ignored: frozenset[str] = frozenset()
    optional: tuple[str, ...] = ("id",)
    anchors: tuple[str, ...] = ()


_CALL = ItemRule()
_OUTPUT = ItemRule(ignored=frozenset({"id", "name"}), optional=())
_RESULTS = ("results", "result", "outputs", "output", "error")
_HOSTED = ItemRule(optional=("id", "call_id", "sources", *_RESULTS), anchors=("id", "call_id"))
_UNKNOWN = ItemRule(optional=())
ITEM_RULES: Mapping[str, ItemRule] = {
    "message": ItemRule(optional=("id", "phase")),
    "reasoning": ItemRule(
        optional=("id", "encrypted_content", "summary"), anchors=("encrypted_content", "id")
    ),
    "function_call": _CALL,
    "custom_tool_call": _CALL,
    "function_call_output": _OUTPUT,
    "custom_tool_call_output": _OUTPUT,
    "item_reference": _UNKNOWN,
    "compaction": ItemRule(ignored=frozenset({"id"}), optional=()),
    "additional_tools": ItemRule(),
    **dict.fromkeys(
        (
            "web_search_call",
            "file_search_call",
            "code_interpreter_call",
            "image_generation_call",
            "computer_call",
            "local_shell_call",
            "shell_call",
            "apply_patch_call",
            "mcp_call",
            "mcp_list_tools",
            "mcp_approval_request",
            "tool_search_call",
            "tool_search_output",
            "program",
            "program_output",
        ),
        _HOSTED,
    ),
}
"""Item type to rule; a type that is not here compares in full, id included."""

KINDS = {
    **{kind: kind for kind in ITEM_RULES},
    **{role: f"{role} message" for role in ("user", "assistant", "system", "developer")},
}
"""What people are told of an item, by its type or, of a message, its role: no client's own word."""


def canonical_item(raw: bytes) -> CanonicalItem:
    """Return the canonical form of one item, which comes as raw JSON.

    An item whose JSON has no single meaning equals only the very same bytes.
    """
    try:
        item = decode(raw.decode("utf-8", "surrogatepass"))
        return _canonical(item, raw_digest(raw)) if isinstance(item, dict) else _verbatim(raw)
    except (AmbiguousJson, UnicodeDecodeError):
        return _verbatim(raw)


def raw_digest(raw: bytes | Raw) -> bytes:
    """Digest the bytes of an item."""
    return blake3(raw).digest(length=_RAW_DIGEST)


def user_message(text: bytes) -> bytes:
    """Return the item that an input stands for which is a text, as raw JSON."""
    return b'{"type":"message","role":"user","content":' + text + b"}"


def _verbatim(raw: bytes) -> CanonicalItem:
    bare = digest_bytes(b"verbatim", raw)
    return CanonicalItem(sent=bare, core=bare)


def _canonical(item: dict[str, Json], raw: bytes) -> CanonicalItem:
    kind = item.get("type") or ("message" if "role" in item else "")
    rule = ITEM_RULES.get(kind, _UNKNOWN) if isinstance(kind, str) else _UNKNOWN
    fields = _spell(kind, _trim(item, rule.ignored))
    optional: list[tuple[str, bytes]] = []
    for name in rule.optional:
        if name in fields:
            optional.append((name, digest(fields.pop(name))[:16]))  # noqa: PERF401 - the hot path
    core = digest(fields)
    identity = item.get("id")
    return CanonicalItem(
        sent=_sent(core, optional, rule.anchors),
        core=core,
        optional=tuple(optional),
        anchors=rule.anchors,
        id=identity if isinstance(identity, str) else None,
        reference=identity if kind == "item_reference" and isinstance(identity, str) else None,
        raw=raw,
        is_reasoning=kind == "reasoning",
        kind=KINDS.get(str(item.get("role") if kind == "message" else kind), "item"),
    )


def _sent(core: Digest, optional: list[tuple[str, bytes]], anchors: tuple[str, ...]) -> Digest:
    """Digest an item as sent; its id counts only where nothing else anchors it."""
    values, anchor = dict(optional), None
    for name in anchors:
        if name in values:
            anchor = name
            break
    parts: list[bytes] = [core]
    for name, value in optional:
        if name != "id" or anchor == "id":
            parts.append(name.encode() + value)
    return digest_bytes(*parts)


def _trim(item: dict[str, Json], ignored: frozenset[str]) -> dict[str, Json]:
    fields = {
        name: _without_nulls(value)
        if isinstance(value, dict | list) and name not in _VERBATIM
        else value
        for name, value in item.items()
        if value is not None and name not in _NEVER_COMPARED and name not in ignored
    }
    if item.get("status") not in (None, "completed"):
        fields["status"] = item["status"]
    return fields


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(v) for name, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(element) for element in value]
    return value


def _spell(kind: str, fields: dict[str, Json]) -> dict[str, Json]:
    """Bring the fields of one type to the one spelling that every client's replay has too."""
    fields["type"] = kind
    match kind:
        case "message":
            fields["content"] = _message_content(fields.get("content"), fields.get("role"))
        case "reasoning":
            _drop_empty(fields, "content", "summary")
        case "function_call":
            fields["arguments"] = _arguments(fields.get("arguments"))
        case "function_call_output" | "custom_tool_call_output":
            fields["output"] = _parts(fields.get("output"), "input_text")
        case "web_search_call":
            _set_sources_apart(fields)
        case _:
            pass
    if not fields.get("namespace"):
        fields.pop("namespace", None)
    if fields.get("caller") == {"type": "direct"}:
        del fields["caller"]
    for name in ("async", "async_"):
        if fields.get(name) is False:
            del fields[name]
    return fields


def _drop_empty(fields: dict[str, Json], *names: str) -> None:
    for name in names:
        if fields.get(name) == []:
            del fields[name]


def _set_sources_apart(fields: dict[str, Json]) -> None:
    action = fields.get("action")
    if isinstance(action, dict) and "sources" in action:
        sources = action.pop("sources")
        if sources:
            fields["sources"] = sources


def _arguments(arguments: Json) -> Json:
    """Arguments compare as a JSON object where they are one, as text where they are not.

    Most clients parse and write them again, so numbers count by their value.
    """
    if not isinstance(arguments, str):
        return {"value": arguments}
    try:
        value = decode_values(arguments)
    except AmbiguousJson:
        return {"text": arguments}
    return {"object": value} if isinstance(value, dict) else {"text": arguments}


def _message_content(content: Json, role: Json) -> Json:
    if role != "assistant":
        return _parts(content, "input_text")
    parts = _parts(content, "output_text")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return parts
    texts: dict[str, list[str]] = {"text": [], "refusal": []}
    for part in parts:
        for kind, name in (("output_text", "text"), ("refusal", "refusal")):
            if part.get("type") == kind and isinstance(part.get(name), str):
                texts[name].append(part.pop(name))
                del part["type"]
    # What a part says beyond its text stays in it, so that nothing goes uncompared.
    joined = {name: "".join(each) for name, each in texts.items()}
    return {**joined, "other": [part for part in parts if part]}


def _parts(content: Json, text_type: str) -> Json:
    """Spell content as a list of parts; a string is one text part."""
    if isinstance(content, str):
        return [{"type": text_type, "text": content}]
    if not isinstance(content, list):
        return content
    return [_part(part) if isinstance(part, dict) else part for part in content]


def _part(part: dict[str, Json]) -> Json:
    kept = {
        name: value for name, value in part.items() if value is not None and name not in _PART_TRIM
    }
    if kept.get("type") == "input_image":
        kept.setdefault("detail", "auto")
    return kept
