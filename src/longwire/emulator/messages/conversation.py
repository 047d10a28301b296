"""A request with its whole conversation: merged, verified, and as the model knows it."""

from collections.abc import Container

from longwire.emulator.items import Item
from longwire.emulator.messages.context import Message, items_of, merged
from longwire.emulator.messages.order import check_order, verified
from longwire.emulator.messages.requests import Request
from longwire.emulator.messages.threads import Thread, check_fixed
from longwire.emulator.messages.tools import check_choice, own_choice, own_tools
from longwire.emulator.options import Script
from longwire.emulator.oracle import encode
from longwire.emulator.rendering import Context
from longwire.emulator.requests import Body
from longwire.emulator.requests import Request as ModelRequest


def conversation(
    body: Body, account: str, before: Thread | None = None, paused: Container[bytes] = ()
) -> Request:
    """The request with its conversation, in order and with genuine seals; raises `Rejected`.

    An answer of which the last block is one of those that `paused` is let go on.
    """
    if before is not None:
        check_fixed(body, before)
        body = body | before.fixed
        check_choice(body)
    binding = (body.get("thinking") or {}).get("block_binding") or {}
    drops = binding.get("prefix_mismatch_behavior") == "drop_block"
    messages = list(verified(merged(body["messages"]), account, drops=drops))
    known = before.messages if before is not None else []
    whole = merged([*known, *messages])
    resumes = bool(whole) and whole[-1]["role"] == "assistant" and mark_of(whole[-1]) in paused
    request = Request(body, account, whole, resumes)
    check_order(request)
    return request


def mark_of(message: Message) -> bytes:
    """What an answer is known by: its last block."""
    return encode({k: v for k, v in message["content"][-1].items() if v is not None})


def model_request(request: Request, script: Script) -> ModelRequest:
    """The request as the model of the emulator knows it."""
    body = request.body
    tools = list(own_tools(body.get("tools") or []))
    config, choice = body.get("output_config") or {}, body.get("tool_choice") or {}
    own: Body = {
        "tools": [tool for tool in tools if not tool.get("defer_loading")],
        "tool_choice": own_choice(choice),
        "parallel_tool_calls": not choice.get("disable_parallel_tool_use"),
        "max_output_tokens": body.get("max_tokens"),
        "text": {"format": config.get("format") or body.get("output_format")},
        "reasoning": {"effort": config.get("effort")},
    }
    items = items_of(body.get("system"), request.messages, tools)
    return ModelRequest(
        body=own,
        items=settled(items, config.get("effort")),
        model=body["model"],
        store=False,
        previous=None,
        lane=None,
        generates=True,
        script=script,
    )


def settled(items: list[Item], effort: str | None) -> list[Item]:
    """Items without changes of the effort that change nothing; of two in a row the last counts."""
    found: list[Item] = []
    now = earlier = effort
    for item in items:
        if item["type"] != "configuration_update":
            found.append(item)
            continue
        if found and found[-1]["type"] == "configuration_update":
            found.pop()
            now = earlier
        if (wanted := item["reasoning"]["effort"]) != now:
            earlier, now = now, wanted
            found.append(item)
    return found


def context_of(items: list[Item]) -> Context:
    """The context that the model sees."""
    context = Context()
    for item in items:
        context.add(item)
    return context
