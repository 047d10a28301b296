"""Every member of a Messages request, with what becomes of it: one table, printed into the docs.

What changes the answer and has no equivalent is refused by its name; a hint without one is left
out and named to the caller. Values that say nothing (`null`, `[]`, `{}`) count as absent.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from longwire.core.errors import InvalidRequest

_NOTHING = frozenset({b"null", b"[]", b"{}", b'""', b"false"})
_NAMEABLE = re.compile(r"[\w.-]{1,64}", re.ASCII)


class Fate(Enum):
    """What becomes of a member."""

    MAPPED = "translated"
    EMULATED = "done by the gateway"
    IGNORED = "ignored"
    DROPPED = "left out"
    REFUSED = "refused"


class Member(NamedTuple):
    """One member of a request: its fate, and in one sentence what that means."""

    name: str
    fate: Fate
    meaning: str


MEMBERS: Final = (
    Member("model", Fate.MAPPED, "As it is; the answer names it as the client wrote it."),
    Member("messages", Fate.MAPPED, "Items of `input`, block by block, in their order."),
    Member("system", Fate.MAPPED, "A leading `developer` message; billing lines are left out."),
    Member("max_tokens", Fate.MAPPED, "`max_output_tokens`, raised to 16, the least it may be."),
    Member("stream", Fate.MAPPED, "The answer comes as events."),
    Member("tools", Fate.MAPPED, "Functions and `web_search`; deferred ones once they are found."),
    Member("tool_choice", Fate.MAPPED, "`tool_choice`, and `parallel_tool_calls` where forbidden."),
    Member(
        "thinking", Fate.MAPPED, "`reasoning`: its budget as an effort, its display as summary."
    ),
    Member("output_config", Fate.MAPPED, "`effort` as `reasoning.effort`, `format` as a schema."),
    Member(
        "output_format", Fate.MAPPED, "`text.format`, as the older form of `output_config.format`."
    ),
    Member("temperature", Fate.MAPPED, "As it is; dropped beside reasoning, which refuses it."),
    Member("top_p", Fate.MAPPED, "As it is; dropped beside reasoning, which refuses it."),
    Member("metadata", Fate.MAPPED, "`user_id` hashed as `safety_identifier`, its session a hint."),
    Member(
        "service_tier", Fate.MAPPED, "`standard_only` is `default`; `auto` is the same as none."
    ),
    Member("speed", Fate.MAPPED, "`fast` is `service_tier: priority`."),
    Member(
        "context_management", Fate.MAPPED, "Compaction as its threshold; other edits are dropped."
    ),
    Member(
        "thread",
        Fate.MAPPED,
        "`continue` names the response before; what is gone, or lacks its `tools`, is a 404.",
    ),
    Member(
        "stop_sequences", Fate.EMULATED, "The gateway cuts the text, and the answer ends there."
    ),
    Member("safeguards", Fate.IGNORED, "A client that gets no results stops sending it."),
    Member(
        "cache_control", Fate.IGNORED, "A session needs no marks: what was sent is kept upstream."
    ),
    Member("betas", Fate.IGNORED, "No beta is refused; new ones appear with any release."),
    Member("top_k", Fate.DROPPED, "The Responses API knows no such sampling."),
    Member("inference_geo", Fate.DROPPED, "Where an upstream runs is set by its channel."),
    Member("diagnostics", Fate.DROPPED, "The gateway's own headers say how a turn went upstream."),
    Member("fallbacks", Fate.DROPPED, "Which channel takes over is set in the gateway."),
    Member("fallback_credit_token", Fate.DROPPED, "A credit of Anthropic's own billing."),
    Member("compaction", Fate.DROPPED, "Compaction is asked for in `context_management`."),
    Member("user_profile_id", Fate.DROPPED, "A name within Anthropic's own platform."),
    Member("workspace_id", Fate.DROPPED, "A name within Anthropic's own platform."),
    Member("billing_policy", Fate.DROPPED, "A rule of Anthropic's own billing."),
    Member("container", Fate.REFUSED, "Code would run on Anthropic's machines; use client tools."),
    Member("mcp_servers", Fate.REFUSED, "Connect MCP servers in the client, as its own tools."),
    Member("prefill", Fate.REFUSED, "An answer cannot be begun for the model; instruct it."),
)
"""All members that are known; one that is not here is dropped, and named."""

_BY_NAME: Final = {member.name: member for member in MEMBERS}


def says_something(members: Mapping[str, bytes], name: str) -> bool:
    """Whether a member is there and has a value that is not the same as none."""
    return members.get(name, b"null") not in _NOTHING


def dropped(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the names of what is left out. Raises `InvalidRequest` for what is refused."""
    left_out = []
    for name in members:
        member = _BY_NAME.get(name)
        fate = member.fate if member is not None else Fate.DROPPED
        if fate is Fate.REFUSED and says_something(members, name):
            meaning = member.meaning if member is not None else ""
            raise InvalidRequest(f"'{name}' has no equivalent here. {meaning}", param=name)
        if fate is Fate.DROPPED and says_something(members, name) and _NAMEABLE.fullmatch(name):
            left_out.append(name)
    return tuple(left_out)
