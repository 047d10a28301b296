"""The rules between messages: who begins, what follows a call, and what seals thinking.

Law: each call is answered once, at the beginning of the very next message.
"""

from collections.abc import Iterator
from itertools import takewhile

from longwire.emulator.messages.context import Block, Message
from longwire.emulator.messages.errors import refused
from longwire.emulator.messages.requests import DOCS, Request
from longwire.emulator.messages.seals import REDACTED, is_sealed

THOUGHTS = ("thinking", "redacted_thinking")
SERVER_RESULTS = ("web_search_tool_result", "advisor_tool_result")


def check_order(request: Request) -> None:
    """All rules between the messages of a conversation; raises `Rejected`."""
    messages = request.messages
    if not messages:
        raise refused("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise refused('messages: first message must use the "user" role')
    check_unique(messages)
    before: Message = {"role": "", "content": []}
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            check_answered(message, messages[index + 1 : index + 2], f"messages.{index}")
            check_hosted(message, f"messages.{index}")
        check_results(message, before, f"messages.{index}")
        before = message
    if "max_tokens" in request.body:  # a count may end as it likes
        check_end(messages[-1], request)
    check_thought(request)


def of_type(message: Message, *kinds: str) -> list[Block]:
    """The blocks of these types."""
    return [block for block in message["content"] if block["type"] in kinds]


def check_unique(messages: list[Message]) -> None:
    """No two calls of one id."""
    seen: set[str] = set()
    for index, message in enumerate(messages):
        for number, block in enumerate(message["content"]):
            if block["type"] == "tool_use" and block["id"] in seen:
                place = f"messages.{index}.content.{number}"
                raise refused(f"{place}: `tool_use` ids must be unique")
            seen |= {block["id"]} if block["type"] == "tool_use" else set()


def check_answered(message: Message, rest: list[Message], where: str) -> None:
    """Each call has its result among the first blocks of the next message."""
    calls = [block["id"] for block in of_type(message, "tool_use")]
    following = rest[0]["content"] if rest and rest[0]["role"] == "user" else []
    first = takewhile(lambda block: block["type"] == "tool_result", following)
    answered = {block["tool_use_id"] for block in first}
    if missing := [identity for identity in calls if identity not in answered]:
        raise refused(
            f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after:"
            f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result`"
            " block in the next message."
        )


def check_results(message: Message, before: Message, where: str) -> None:
    """Each result is of a call in the message before, and the only one of it."""
    calls = {block["id"] for block in of_type(before, "tool_use")}
    seen: set[str] = set()
    for number, block in enumerate(message["content"]):
        if block["type"] != "tool_result":
            continue
        identity = block["tool_use_id"]
        if identity not in calls:
            raise refused(
                f"{where}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks:"
                f" {identity}. Each `tool_result` block must have a corresponding `tool_use` block"
                " in the previous message."
            )
        if identity in seen:
            raise refused(
                f"{where}.content.{number}: each tool_use must have a single result. Found multiple"
                f" `tool_result` blocks with id: {identity}"
            )
        seen.add(identity)


def check_hosted(message: Message, where: str) -> None:
    """A result of a tool that ran upstream stands behind its call."""
    calls: set[str] = set()
    for number, block in enumerate(message["content"]):
        kind = block["type"]
        if kind == "server_tool_use":
            calls.add(block["id"])
        if kind in SERVER_RESULTS and block["tool_use_id"] not in calls:
            raise refused(
                f"{where}.content.{number}: unexpected `tool_use_id` found in `{kind}` blocks:"
                f" {block['tool_use_id']}. Each `{kind}` block must have a corresponding"
                " `server_tool_use` block before it."
            )


def check_end(message: Message, request: Request) -> None:
    """The last message is the user's; older models also go on from a text of their own."""
    if message["role"] != "assistant" or request.resumes:
        return
    if not request.is_older or request.thinking:
        raise refused(
            "This model does not support assistant message prefill. The conversation must end with"
            " a user message."
        )
    texts = [block["text"] for block in of_type(message, "text")]
    if texts and texts[-1] != texts[-1].rstrip():
        raise refused("messages: final assistant content cannot end with trailing whitespace")


def check_thought(request: Request) -> None:
    """An older model that thinks wants its thinking before its last call."""
    if not (request.thinking and request.is_older):
        return
    answers = [number for number, each in enumerate(request.messages) if each["role"] != "user"]
    if not answers or request.messages[answers[-1]]["role"] != "assistant":
        return
    message = request.messages[answers[-1]]
    first = message["content"][0]["type"]
    if of_type(message, "tool_use") and first not in THOUGHTS:
        raise refused(
            f"messages.{answers[-1]}.content.0.type: Expected `thinking` or `redacted_thinking`,"
            f" but found `{first}`. When `thinking` is enabled, a final `assistant` message must"
            " start with a thinking block (preceeding the lastmost set of `tool_use` and"
            " `tool_result` blocks). We recommend you include thinking blocks from previous turns."
            f" To avoid this requirement, disable `thinking`. {DOCS}/extended-thinking"
        )


def verified(messages: list[Message], account: str, *, drops: bool) -> Iterator[Message]:
    """The messages with thinking that was sealed here; raises `Rejected`, or drops the rest."""
    for index, message in enumerate(messages):
        kept = []
        for number, block in enumerate(message["content"]):
            if is_genuine(block, account):
                kept.append(block)
            elif not drops:
                name = "signature" if block["type"] == "thinking" else "data"
                place = f"messages.{index}.content.{number}"
                raise refused(f"{place}: Invalid `{name}` in `{block['type']}` block")
        yield message | {"content": kept}


def is_genuine(block: Block, account: str) -> bool:
    """Whether a block is none of thinking, or as it was sealed."""
    match block["type"]:
        case "thinking":
            return is_sealed(account, block["thinking"], block["signature"])
        case "redacted_thinking":
            return is_sealed(account, REDACTED, block["data"])
        case _:
            return True
