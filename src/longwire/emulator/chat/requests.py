"""Reading a request of Chat Completions: its members, and the request that a turn is run with.

Law: what OpenAI refuses is refused with its words and codes; a vendor refuses what its row says.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from longwire.emulator.chat.messages import Conversation, empty_array, unknown
from longwire.emulator.chat.tools import chosen_tool, flat_format, flat_tools
from longwire.emulator.chat.vendors import FORMATS, Vendor
from longwire.emulator.errors import Rejected
from longwire.emulator.items import missing, wrong_type, wrong_value
from longwire.emulator.options import Json, Script
from longwire.emulator.requests import Body, Request, overridden
from longwire.emulator.values import number

NUMBER = (int, msgspec.Raw)
TYPES: Mapping[str, tuple[type, ...]] = {
    name: types
    for types, names in (
        ((str,), "model reasoning_effort verbosity service_tier user safety_identifier"),
        ((str,), "prompt_cache_key prompt_cache_retention"),
        ((bool,), "stream store parallel_tool_calls logprobs"),
        ((dict,), "response_format stream_options metadata audio prediction web_search_options"),
        ((dict,), "logit_bias prompt_cache_options moderation"),
        ((list,), "messages tools modalities"),
        ((int,), "max_tokens max_completion_tokens n top_logprobs seed"),
        (NUMBER, "temperature top_p frequency_penalty presence_penalty"),
        ((str, list), "stop"),
        ((str, dict), "tool_choice"),
    )
    for name in names.split()
}
BOUNDS: Mapping[str, tuple[float, float]] = {
    "n": (1, 128),
    "max_tokens": (1, 1 << 40),
    "max_completion_tokens": (1, 1 << 40),
    "top_logprobs": (0, 20),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
SAMPLING: Mapping[str, float] = {
    "temperature": 1,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
"""What settings of models that think may be."""
MOST_STOPS = 4
LIMITS = ("max_tokens", "max_completion_tokens")


def read(body: Body, vendor: Vendor, script: Script) -> Request:
    """The request in `body`; raises Rejected for what the vendor refuses."""
    for name, value in body.items():
        check_member(name, value, vendor)
    for name in ("model", "messages"):
        if body.get(name) is None:
            raise missing(name)
    if not body["messages"]:
        raise empty_array("messages")
    check_bounds(body)
    check_together(body, vendor)
    check_reasoning_model(body, vendor)
    check_forcing(body, vendor)
    items = Conversation(vendor, thinks(body, vendor)).read(body["messages"])
    return Request(
        body=responses_body(body, vendor),
        items=items,
        model=body["model"],
        store=False,
        previous=None,
        lane=None,
        generates=True,
        script=overridden(script, body),
    )


def responses_body(body: Body, vendor: Vendor) -> Body:
    """What the pretended model looks at, as a request of Responses says it."""
    limits = [body[name] for name in vendor.limits if body.get(name) is not None]
    tools = flat_tools(body.get("tools"))
    if body.get("web_search_options") is not None:
        tools.append({"type": "web_search"})
    stop = body.get("stop") or []
    members: dict[str, Any] = {
        "tools": tools,
        "tool_choice": chosen_tool(body.get("tool_choice")),
        "parallel_tool_calls": body.get("parallel_tool_calls"),
        "text": {"format": flat_format(body.get("response_format"))},
        "max_output_tokens": limits[0] if limits else None,
        "stop_sequences": [stop] if isinstance(stop, str) else stop,
        "include": ["reasoning.encrypted_content"],
    }
    if body.get("reasoning_effort"):
        members["reasoning"] = {"effort": body["reasoning_effort"]}
    return members


def check_member(name: str, value: Json, vendor: Vendor) -> None:
    """One top-level member: known, and of the right type."""
    if name not in TYPES:
        if vendor.ignores_unknown:
            return
        raise unknown(name, vendor.unknown_status)
    if name in LIMITS and name not in vendor.limits and not vendor.ignores_unknown:
        raise unknown(name, vendor.unknown_status)
    types = TYPES[name]
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if value is not None and not fits:
        expected = " or ".join(kind.__name__ for kind in types)
        message = f"Invalid type for '{name}': expected {expected}, got {type(value).__name__}."
        raise Rejected(message, code="invalid_type", param=name)


def check_bounds(body: Body) -> None:
    """Numbers within their bounds, and not too many stop sequences."""
    for name, (least, most) in BOUNDS.items():
        value = number(body.get(name))
        if value is not None and not least <= value <= most:
            side, word, bound = ("below", "minimum", least)
            if value > most:
                side, word, bound = ("above", "maximum", most)
            kind = "integer" if int in TYPES[name] and len(TYPES[name]) == 1 else "decimal"
            message = (
                f"Invalid '{name}': {kind} {side} {word} value. Expected a value"
                f" {'>=' if side == 'below' else '<='} {bound:g}, but got {value:g} instead."
            )
            raise Rejected(message, code=f"{kind}_{side}_{word[:3]}_value", param=name)
    stop = body.get("stop")
    if isinstance(stop, list) and not all(isinstance(text, str) for text in stop):
        raise wrong_type("stop")
    if isinstance(stop, list) and len(stop) > MOST_STOPS:
        message = f"Invalid 'stop': array too long. Expected at most {MOST_STOPS}."
        raise Rejected(message, code="array_above_max_length", param="stop")


def check_together(body: Body, vendor: Vendor) -> None:
    """Rules between members."""
    tools = body.get("tools")
    if tools is not None and not tools:
        raise empty_array("tools")
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) not in (None, "none") and not tools and not vendor.ignores_unknown:
            message = (
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
            )
            raise Rejected(message, param=name)
    if body.get("stream_options") is not None and body.get("stream") is not True:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Rejected(message, param="stream_options")
    kind = (body.get("response_format") or {}).get("type", "text")
    if not isinstance(kind, str) or kind not in FORMATS:
        raise wrong_value(kind, "response_format.type")
    if kind not in vendor.formats:
        raise Rejected("This response_format type is unavailable now")
    if kind == "json_object" and b"json" not in msgspec.json.encode(body["messages"]).lower():
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type"
            " 'json_object'."
        )
        raise Rejected(message, param="messages")
    effort = body.get("reasoning_effort")
    if effort is not None and vendor.efforts and effort not in vendor.efforts:
        raise wrong_value(effort, "reasoning_effort")


def check_reasoning_model(body: Body, vendor: Vendor) -> None:
    """What OpenAI's models that think do not take."""
    if not vendor.thinkers or not body["model"].startswith(vendor.thinkers):
        return
    if body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
            " 'max_completion_tokens' instead."
        )
        raise Rejected(message, code="unsupported_parameter", param="max_tokens")
    for name, only in SAMPLING.items() if body.get("reasoning_effort") != "none" else ():
        if number(body.get(name)) not in (None, only):
            message = (
                f"Unsupported value: '{name}' does not support {number(body[name]):g} with this"
                f" model. Only the default ({only:g}) value is supported."
            )
            raise Rejected(message, code="unsupported_value", param=name)


def check_forcing(body: Body, vendor: Vendor) -> None:
    """Calls that cannot be forced while the model thinks."""
    choice = body.get("tool_choice")
    if vendor.forces or not thinks(body, vendor):
        return
    if choice == "required" or isinstance(choice, dict):
        word = "required" if choice == "required" else "specified"
        raise Rejected(f"tool_choice '{word}' is incompatible with thinking enabled")


def thinks(body: Body, vendor: Vendor) -> bool:
    """Whether the model thinks: it does unless its name or the request says otherwise."""
    if str(body.get("model")).startswith(vendor.plain_models):
        return False
    thinking = body.get("thinking")
    disabled = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    return not (disabled or body.get("enable_thinking") is False)
