"""Every member of a Messages request, with what becomes of it: one table, printed into the docs.

What changes the answer and has no equivalent is refused by its name; a hint without one is left
out and named to the caller. Values that say nothing (`null`, `[]`, `{}`) count as absent.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid
from longwire.dialects.members import LIMITED, Fate, Member

_NOTHING = frozenset({b"null", b"[]", b"{}", b'""', b"false"})


MEMBERS: Final[Mapping[str, Member]] = {
    "model": Member(Fate.TRANSLATED, "As it is; the answer names it as the client wrote it."),
    "messages": Member(Fate.TRANSLATED, "Items of `input`, block by block, in their order."),
    "system": Member(Fate.TRANSLATED, "A leading `developer` message; billing lines are left out."),
    "max_tokens": Member(Fate.TRANSLATED, LIMITED),
    "stream": Member(Fate.TRANSLATED, "The answer comes as events."),
    "tools": Member(
        Fate.TRANSLATED, "Functions and `web_search`; deferred ones once they are found."
    ),
    "tool_choice": Member(
        Fate.TRANSLATED, "`tool_choice`, and `parallel_tool_calls` where forbidden."
    ),
    "thinking": Member(
        Fate.TRANSLATED, "`reasoning`: its budget as an effort, its display as summary."
    ),
    "output_config": Member(
        Fate.TRANSLATED, "`effort` as `reasoning.effort`, `format` as a schema."
    ),
    "output_format": Member(
        Fate.TRANSLATED, "`text.format`, as the older form of `output_config.format`."
    ),
    "temperature": Member(Fate.TRANSLATED, "As it is; dropped beside reasoning, which refuses it."),
    "top_p": Member(Fate.TRANSLATED, "As it is; dropped beside reasoning, which refuses it."),
    "metadata": Member(
        Fate.TRANSLATED, "`user_id` hashed as `safety_identifier`, its session a hint."
    ),
    "service_tier": Member(
        Fate.TRANSLATED, "`standard_only` is `default`; `auto` is the same as none."
    ),
    "speed": Member(Fate.TRANSLATED, "`fast` is `service_tier: priority`."),
    "context_management": Member(
        Fate.TRANSLATED, "Compaction as its threshold; other edits are dropped."
    ),
    "thread": Member(
        Fate.TRANSLATED,
        "`continue` names the response before; what is gone, or lacks its `tools`, is a 404. "
        "Where the upstream is asked over HTTP it is a 400, `thread_unsupported_request`.",
    ),
    "stop_sequences": Member(
        Fate.EMULATED,
        "Sent where the upstream's API has it; the gateway cuts the text there, and ends the turn. "
        "Gemini and Chat Completions do not say that they obeyed one: it is told as `end_turn`.",
    ),
    "safeguards": Member(Fate.IGNORED, "A client that gets no results stops sending it."),
    "cache_control": Member(
        Fate.IGNORED, "A session needs no marks: what was sent is kept upstream."
    ),
    "betas": Member(Fate.IGNORED, "No beta is refused; new ones appear with any release."),
    "top_k": Member(Fate.DROPPED, "The Responses API knows no such sampling."),
    "inference_geo": Member(Fate.DROPPED, "Where an upstream runs is set by its channel."),
    "diagnostics": Member(Fate.DROPPED, "The gateway's own headers say how a turn went upstream."),
    "fallbacks": Member(Fate.DROPPED, "Which channel takes over is set in the gateway."),
    "fallback_credit_token": Member(Fate.DROPPED, "A credit of Anthropic's own billing."),
    "compaction": Member(Fate.DROPPED, "Compaction is asked for in `context_management`."),
    "user_profile_id": Member(Fate.DROPPED, "A name within Anthropic's own platform."),
    "workspace_id": Member(Fate.DROPPED, "A name within Anthropic's own platform."),
    "billing_policy": Member(Fate.DROPPED, "A rule of Anthropic's own billing."),
    "container": Member(Fate.REFUSED, "Code would run on Anthropic's machines; use client tools."),
    "mcp_servers": Member(Fate.REFUSED, "Connect MCP servers in the client, as its own tools."),
    "prefill": Member(
        Fate.REFUSED,
        "An answer cannot be begun for the model, nor by a last message; instruct it.",
    ),
}
"""All members that are known; one that is not here is dropped, and named."""


def says_something(members: Mapping[str, bytes], name: str) -> bool:
    """Whether a member is there and has a value that is not the same as none."""
    return members.get(name, b"null") not in _NOTHING


class LeftOut(NamedTuple):
    """The names of what is left out; the `refusal` is of the first that changes the answer."""

    names: list[str]
    refusal: InvalidRequest | None


def left_out_of(members: Mapping[str, bytes]) -> LeftOut:
    """Return what has no equivalent."""
    names: list[str] = []
    refusal: InvalidRequest | None = None
    for name in members:
        member = MEMBERS.get(name)
        fate = member.fate if member is not None else Fate.DROPPED
        if fate not in (Fate.REFUSED, Fate.DROPPED) or not says_something(members, name):
            continue
        names.append(name)
        if member is not None and fate is Fate.REFUSED:
            fault = f"has no equivalent in other APIs. {member.sentence[:-1]}"
            refusal = refusal or invalid(name, fault)
    return LeftOut(names, refusal)
