"""Reading one request: JSON, the parameters of its route, and what the emulator needs of it.

Law: what no correct client sends is refused, by the same rules for a WebSocket frame and an HTTP
body, but for the members that belong to one of them (OpenAI guide, WebSocket mode).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from longwire.emulator.errors import Rejected, detail, unknown_parameter
from longwire.emulator.items import check_effort, check_format, check_tools, wrong_value
from longwire.emulator.options import Json, Options, Route, Script, Transport
from longwire.emulator.oracle import listed, spelled

Body = dict[str, Any]

TYPES: Mapping[str, tuple[type, ...]] = {
    name: types
    for types, names in (
        ((str,), "type stream_id model prompt_cache_key prompt_cache_retention truncation user"),
        ((str,), "previous_response_id safety_identifier service_tier"),
        ((bool,), "background generate parallel_tool_calls store stream"),
        ((dict,), "access_programs background_options client_metadata image metadata moderation"),
        ((dict,), "multi_agent prompt prompt_cache_options reasoning stream_options text"),
        ((list,), "context_management include tools"),
        ((int,), "max_output_tokens max_tool_calls top_logprobs"),
        ((int, msgspec.Raw), "temperature top_p"),
        ((str, list), "input instructions"),
        ((str, dict), "conversation tool_choice"),
    )
    for name in names.split()
}
WEBSOCKET_ONLY = frozenset(("type", "generate", "stream_id"))
STRIPPED = (
    "max_output_tokens metadata temperature top_p truncation user safety_identifier background"
    " prompt_cache_retention prompt_cache_options prompt_cache_breakpoint context_management"
    " stream_options max_tool_calls top_logprobs prompt conversation"
)
CODEX_REFUSES = frozenset((*STRIPPED.split(), "stream_id"))
MAX_PAIRS, MAX_TEXT = 16, 512
LEAST_TOKENS = 16
CHOICES = ("none", "auto", "required")
COUNTED = frozenset(
    [
        "model",
        "input",
        "previous_response_id",
        "tools",
        "text",
        "reasoning",
        "truncation",
        "instructions",
        "conversation",
        "tool_choice",
        "parallel_tool_calls",
    ]
)
"""What a count of tokens takes (OpenAI reference, get input token counts)."""
LANE = re.compile(r"[A-Za-z0-9_.-]{1,256}")
DECODER = msgspec.json.Decoder(float_hook=spelled)


@dataclass(frozen=True, slots=True)
class Request:
    """One `response.create`, or the body of one POST."""

    body: Body
    items: list[Any]
    model: str
    store: bool
    previous: str | None
    lane: str | None
    generates: bool
    script: Script


def decode(content: bytes) -> Body:
    """The JSON object in `content`; numbers with a fraction keep their spelling."""
    try:
        body = DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(f"We could not parse the JSON body: {error}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise Rejected("The message must be a JSON object.", code="invalid_json")
    return body


def read(
    body: Body, route: Route, transport: Transport, options: Options, script: Script
) -> Request:
    """The request in `body` after all checks that need no history; raises `Rejected`."""
    for name, value in body.items():
        check_parameter(name, value, route, transport, strict=options.strict)
    check_together(body, transport)
    check_values(body)
    if route == "codex":
        check_codex(body, transport)
        if options.needs_instructions and not isinstance(body.get("instructions"), str):
            raise detail("Instructions are required")
    return Request(
        body=body,
        items=list(listed(body.get("input") or [])),
        model=body.get("model") or options.models[0],
        store=body.get("store") is not False and not options.zdr,
        previous=body.get("previous_response_id"),
        lane=body.get("stream_id"),
        generates=body.get("generate") is not False,
        script=overridden(script, body),
    )


def check_parameter(
    name: str, value: Json, route: Route, transport: Transport, *, strict: bool
) -> None:
    """One top-level member: known on this route and transport, of the right type."""
    codex = route == "codex" and name in CODEX_REFUSES
    foreign = transport == "http" and name in WEBSOCKET_ONLY
    if codex or foreign or (strict and name not in TYPES):
        raise unknown_parameter(name, route)
    types = TYPES.get(name, (object,))
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if value is not None and not fits:
        expected = " or ".join(kind.__name__ for kind in types)
        message = f"Invalid type for '{name}': expected {expected}, got {type(value).__name__}."
        raise Rejected(message, code="invalid_type", param=name)


def check_together(body: Body, transport: Transport) -> None:
    """Rules between members: required ones, and those that exclude each other."""
    for name in () if body.get("prompt") else ("model", "input"):
        carried = name == "input" and (body.get("previous_response_id") or "generate" in body)
        if body.get(name) is None and not carried:
            message = f"Missing required parameter: '{name}'."
            raise Rejected(message, code="missing_required_parameter", param=name)
    if body.get("previous_response_id") and body.get("conversation"):
        message = "'previous_response_id' and 'conversation' are mutually exclusive."
        raise Rejected(message, code="mutually_exclusive_parameters", param="conversation")
    if body.get("conversation"):
        raise Rejected("Conversation not found.", param="conversation", status=404)
    if body.get("background"):
        message = f"Background mode is not available over {transport} here."
        raise Rejected(message, code="unsupported_parameter", param="background")
    metadata = body.get("metadata") or {}
    texts = [text for pair in metadata.items() for text in pair]
    if len(metadata) > MAX_PAIRS or not all(
        isinstance(text, str) and len(text) <= MAX_TEXT for text in texts
    ):
        raise Rejected("Invalid 'metadata': at most 16 pairs of strings.", param="metadata")


def check_values(body: Body) -> None:
    """What single members may say."""
    tokens = body.get("max_output_tokens")
    if tokens is not None and tokens < LEAST_TOKENS:
        message = (
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
            f"{LEAST_TOKENS}, but got {tokens} instead."
        )
        raise Rejected(message, code="integer_below_min_value", param="max_output_tokens")
    check_tools(body.get("tools"), "tools")
    check_effort(body.get("reasoning"), "reasoning")
    check_format(body.get("text"), "text")
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in CHOICES:
        raise wrong_value(choice, "tool_choice")


def check_codex(body: Body, transport: Transport) -> None:
    """What the Codex backend demands of every request."""
    if body.get("store") is not False:
        raise detail("Store must be set to false")
    if body.get("service_tier") not in (None, "priority", "fast"):
        raise detail("Unsupported parameter: service_tier")
    if isinstance(body.get("input"), str):
        raise detail("Input must be a list")
    if transport == "http" and body.get("stream") is not True:
        raise detail("Stream must be set to true")
    if transport == "http" and body.get("previous_response_id"):
        raise detail("Unsupported parameter: previous_response_id")


def overridden(script: Script, body: Body) -> Script:
    """`script` with the members of the JSON object in `metadata.emulator` replaced."""
    text = (body.get("metadata") or body.get("client_metadata") or {}).get("emulator")
    if text is None:
        return script
    try:
        changes = msgspec.json.decode(text, type=dict[str, Any])
        return msgspec.convert(msgspec.structs.asdict(script) | changes, Script)
    except msgspec.MsgspecError as error:
        raise Rejected(f"metadata.emulator: {error}", param="metadata.emulator") from error


def check_lane(lane: Json) -> None:
    """`stream_id` as the multiplexing rules spell it."""
    if lane is not None and not (isinstance(lane, str) and LANE.fullmatch(lane)):
        message = (
            "The 'stream_id' field must be a non-empty string with at most 256 characters and may"
            " only contain letters, numbers, underscores, hyphens, and periods."
        )
        raise Rejected(message, code="invalid_stream_id", param="stream_id")
