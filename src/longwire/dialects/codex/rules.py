"""A turn as the Codex backend takes it: its own rules, beyond those of the public API.

Law: a pure function of the turn, idempotent, item by item: what was adapted once is a byte-prefix
of what is adapted with more items behind it, so that a known history stays known. An item that no
rule concerns keeps its bytes and is not decoded.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import Turn
from longwire.dialects.codex.client import with_metadata
from longwire.dialects.raw_json import splice, splice_items, tolerant
from longwire.dialects.responses.errors import PREVIOUS_NOT_FOUND
from longwire.dialects.responses.history import BodyProperties, InputHistory
from longwire.dialects.responses.items import user_message

IDENTITY = {
    "originator": "codex_cli_rs",
    "user-agent": "codex_cli_rs/0.169.0 (Linux; x86_64) unknown",
}
"""As whom to speak for a caller that is no Codex client itself (Codex CLI 0.169)."""

BETA = {"openai-beta": "responses_websockets=2026-02-06"}
"""What Codex CLI 0.169 sends with the handshake of a WebSocket, and not over HTTP."""

METADATA = "response.metadata"
ENCRYPTED = "reasoning.encrypted_content"
STRIPPED = {
    # 400 {"detail":"Unsupported parameter: ..."} (kortix suna#5124, ChatMock#103, sub2api#3954).
    "max_output_tokens": "codegraff#247",
    # Stripped by other gateways of this backend (codex-lb, BerriAI/litellm#21209).
    "metadata": "codex-lb",
    "temperature": "codex-lb",
    "top_p": "codex-lb",
    "truncation": "codex-lb",
    "user": "codex-lb",
    "safety_identifier": "codex-lb",
    "prompt_cache_retention": "codex-lb",
    "prompt_cache_options": "codex-lb",
    "prompt_cache_breakpoint": "codex-lb",
    "context_management": "codex-lb",
    # One lane per socket: 400 for any (router-for-me/CLIProxyAPI#5561).
    "stream_id": "CLIProxyAPI#5561",
}
"""Members that the backend refuses or has no use for, each with where that was seen."""

TIERS = (b'"priority"', b'"fast"')
"""The service tiers it takes (codex-lb); any other means the usual one and is left out."""

LONGEST_ITEM_ID = 64
PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fc",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctc",
    "web_search_call": "ws",
}
"""How an item's id begins, by type (codex-lb; Codex CLI 0.169); other types are not checked."""

_SAID, _INTERNAL = "ws_request_header_", "x-openai-internal-"
_TRACING = frozenset({"traceparent", "tracestate"})
_NAME = re.compile(r"[a-z0-9-]{1,100}")
_SYSTEM, _ID = b'"system"', b'"id"'
_GOOD_ID = rb"(?:msg|rs|fco?|ctco?|ws|at|cmp|ig|lsh|sh|ci|mcp|tsc|tso|ap|apo)_[^\"\\]{0,59}\""
_ODD_ID = re.compile(rb'"id"\s*:\s*"(?!' + _GOOD_ID + rb")")


class _Metadata(msgspec.Struct):
    headers: dict[str, Any]


class _Head(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    role: str | None = None


_metadata = msgspec.json.Decoder(_Metadata)
_decode_head = tolerant(msgspec.json.Decoder(_Head).decode)


def adapted(turn: Turn) -> Turn:
    """Return a turn as the backend takes it over a WebSocket."""
    members = {name: raw for name, raw in turn.members.items() if name not in STRIPPED}
    # 400 {"detail":"Store must be set to false"} (openai/codex#26173).
    members["store"] = b"false"
    # Nothing is stored: a history that is sent in full again needs the encrypted reasoning.
    members["include"] = _with_encrypted(members.get("include"))
    if members.get("service_tier") not in TIERS:
        members.pop("service_tier", None)
    return replace(_with_input(turn), members=members, properties=BodyProperties(members))


def compacted(turn: Turn) -> Turn:
    """Return the body of a compaction as the backend takes it: the same rules but for `store`."""
    dropped = {*STRIPPED, "store", "include", "service_tier"}
    members = {name: raw for name, raw in turn.members.items() if name not in dropped}
    return replace(_with_input(turn), members=members)


def over_http(turn: Turn) -> Turn:
    """Return an adapted turn as the backend takes it in a POST, which is always a stream.

    Raises `InvalidRequest` for what only an open WebSocket can answer: a response before this one
    (Locus#35, codex-proxy#84), or a warm-up (CLIProxyAPI#1901).
    """
    if turn.previous_response_id is not None:
        raise InvalidRequest(
            "This upstream holds no earlier response over HTTP; send the whole input without "
            "'previous_response_id'.",
            param="previous_response_id",
            code=PREVIOUS_NOT_FOUND,
        )
    if turn.members.get("generate", b"true") == b"false":
        raise InvalidRequest(
            "A warm-up needs a WebSocket upstream; leave 'generate' out.", param="generate"
        )
    members = {name: raw for name, raw in turn.members.items() if name != "generate"}
    return replace(turn, members=members, streams=True)


def decode_metadata(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a `response.metadata` frame as a client may see it, and the headers in it."""
    try:
        named = _metadata.decode(raw).headers
        if "openai-model" in named:
            del named["openai-model"]
            raw = splice(raw, {"headers": msgspec.json.encode(named)})
    except (msgspec.MsgspecError, RecursionError):
        return raw, {}
    return raw, {name: value for name, value in named.items() if isinstance(value, str)}


def encode_metadata(headers: Mapping[str, str]) -> bytes:
    """Return the frame that tells on a WebSocket what a header tells over HTTP."""
    return msgspec.json.encode({"type": METADATA, "headers": headers})


def with_request_headers(turn: Turn, headers: Mapping[str, str]) -> Turn:
    """Return a turn that says on a WebSocket what stood in the headers of its request.

    An open socket has no headers: Codex puts them into `client_metadata` (Codex CLI 0.169).
    """
    said = {
        _SAID + name.replace("-", "_"): value
        for name, value in headers.items()
        if _is_forwarded(name)
    }
    return with_metadata(turn, said) if said else turn


def request_headers(turn: Turn) -> dict[str, str]:
    """Return the headers that a frame says in its `client_metadata`, to be sent as headers."""
    raw = turn.members.get("client_metadata", b"")
    if _SAID.encode() not in raw:
        return {}
    try:
        metadata = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
    headers: dict[str, str] = {}
    for said, value in metadata.items():
        name = said.removeprefix(_SAID).replace("_", "-")
        is_header = said.startswith(_SAID) and _is_forwarded(name) and _NAME.fullmatch(name)
        if is_header and isinstance(value, str) and value.isascii() and value.isprintable():
            headers[name] = value
    return headers


def _is_forwarded(name: str) -> bool:
    return name in _TRACING or name.startswith(_INTERNAL)


def _with_encrypted(include: bytes | None) -> bytes:
    try:
        names = msgspec.json.decode(include or b"null", type=list[str] | None) or []
    except msgspec.MsgspecError:
        return include or b""
    if include is not None and ENCRYPTED in names:
        return include
    return msgspec.json.encode([*names, ENCRYPTED])


def _with_input(turn: Turn) -> Turn:
    raw = _adapted_input(turn.input)
    return turn if raw is turn.input else replace(turn, input=raw, history=InputHistory(raw))


def _adapted_input(raw: bytes | None) -> bytes | None:
    """Return the items, the changed ones in place; a text becomes the one message it stands for."""
    if raw is None:
        return None
    if raw[:1] == b'"':
        return b"[" + user_message(raw) + b"]"
    return splice_items(raw, _adapted_item) if _is_suspect(raw) else raw


def _is_suspect(raw: bytes) -> bool:
    """Whether a rule may concern it: by bytes alone, since most histories concern none."""
    if _SYSTEM in raw:
        return True
    at = raw.find(_ID)
    while at >= 0:
        if _ODD_ID.match(raw, at):
            return True
        at = raw.find(_ID, at + len(_ID))
    return False


def _adapted_item(raw: bytes) -> bytes:
    if not _is_suspect(raw):
        return raw
    try:
        head = _decode_head(raw)
    except msgspec.MsgspecError:
        return raw
    changes: dict[str, bytes | None] = {}
    if head.role == "system":
        # 400 for the role (codex-lb): developer is its name here.
        changes["role"] = b'"developer"'
    if head.id is not None and head.type != "item_reference" and not _is_usable(head):
        changes["id"] = None
    return splice(raw, changes) if changes else raw


def _is_usable(head: _Head) -> bool:
    item_id, prefix = head.id or "", PREFIXES.get(head.type or "message", "")
    return len(item_id) <= LONGEST_ITEM_ID and item_id.startswith(prefix)
