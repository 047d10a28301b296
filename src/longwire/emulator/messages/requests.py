"""Reading one request of Messages: its members, and what else may be said beside them.

Law: what no correct client sends is refused in the words of the API, with the place it names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from longwire.emulator.messages.blocks import check_messages, check_system
from longwire.emulator.messages.context import Message
from longwire.emulator.messages.errors import extra, refused, required
from longwire.emulator.messages.marks import check_marks
from longwire.emulator.messages.tools import check_choice, check_tools
from longwire.emulator.options import Json
from longwire.emulator.requests import Body

PROMPT = (
    "billing_policy cache_control compaction context_management mcp_servers messages model"
    " output_config speed system thinking tool_choice tools user_profile_id workspace_id"
)
BESIDE = (
    "container diagnostics fallback_credit_token fallbacks inference_geo max_tokens metadata"
    " output_format safeguards service_tier stop_sequences stream temperature thread top_k top_p"
)
COUNTED = frozenset(PROMPT.split())
"""What a count of tokens takes (anthropic `message_count_tokens_params.py`)."""
TAKEN = COUNTED | frozenset(BESIDE.split())
BY_BETA: Mapping[str, tuple[str, ...]] = {
    "compaction": ("compact-", "compaction-"),
    "context_management": ("context-management-", "compact-"),
    "fallback_credit_token": ("fallback-",),
    "fallbacks": ("fallback-", "server-side-fallback-"),
    "mcp_servers": ("mcp-client-",),
    "output_format": ("structured-outputs-",),
    "safeguards": ("dangerous-tool-use-",),
    "thread": ("message-threads-",),
}
"""Members that exist only with a beta, and how its name begins."""
Kinds = type | tuple[type, ...]
TYPES: Mapping[str, tuple[Kinds, str]] = {
    **dict.fromkeys(("temperature", "top_p"), ((int, Raw), "number")),
    **dict.fromkeys(("max_tokens", "top_k"), (int, "integer")),
    **dict.fromkeys(("messages", "stop_sequences", "tools"), (list, "list")),
    **dict.fromkeys(
        ("metadata", "output_config", "thinking", "tool_choice", "thread"), (dict, "dictionary")
    ),
    "model": (str, "string"),
    "stream": (bool, "boolean"),
}
INSIDE: Mapping[str, frozenset[str]] = {
    "metadata": frozenset(["user_id"]),
    "output_config": frozenset(["effort", "format", "task_budget"]),
    "thinking": frozenset(["type", "budget_tokens", "display", "block_binding"]),
    "tool_choice": frozenset(["type", "name", "disable_parallel_tool_use"]),
    "thread": frozenset(["type", "previous_message_id"]),
}
"""The members that an object takes."""
OLDER = re.compile(r"claude-3.*|claude-\w+-4(-[015])?(-\d{8})?")
"""Models before adaptive thinking: by budget, with thinking before a call, and with prefills."""
LARGEST, LARGEST_OLDER = 128_000, 64_000
LEAST_BUDGET = 1024
EFFORTS = ("low", "medium", "high", "xhigh", "max")
LEAST_TOP_P = 0.95
DOCS = "Please consult our documentation at https://platform.claude.com/docs/en/build-with-claude"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its body, who asks, and the whole conversation.

    Of a thread that goes on, system, tools and the messages before are those it keeps. One that
    `resumes` lets an answer go on that had paused.
    """

    body: Body
    account: str
    messages: list[Message]
    resumes: bool

    @property
    def thinking(self) -> Mapping[str, Any]:
        """The thinking that is wanted, empty where there is none."""
        config: Mapping[str, Any] = self.body.get("thinking") or {}
        return config if config.get("type") in ("enabled", "adaptive") else {}

    @property
    def is_older(self) -> bool:
        """Whether the model is of those before adaptive thinking."""
        return is_older(self.body)


def is_older(body: Body) -> bool:
    """Whether a request is for a model of those before adaptive thinking."""
    return OLDER.fullmatch(body["model"]) is not None


def check(body: Body, betas: frozenset[str], *, strict: bool, counts: bool = False) -> None:
    """All checks of a request that need no history; raises `Rejected`."""
    check_members(body, betas, COUNTED if counts else TAKEN, strict=strict)
    for name in ("model", "messages") if counts else ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            raise required(name)
    check_values(body)
    check_thinking(body)
    check_tools(body.get("tools") or [])
    check_choice(body)
    check_system(body.get("system"))
    check_messages(body["messages"], frozenset() if is_older(body) else betas)
    check_marks(body)


def check_members(
    body: Body, betas: frozenset[str], taken: frozenset[str], *, strict: bool
) -> None:
    """Known members of the right types, those of a beta only with it."""
    for name, value in body.items():
        families = BY_BETA.get(name)
        if families and not any(beta.startswith(families) for beta in betas):
            raise extra(name)
        if strict and name not in taken:
            raise extra(name)
        kind, word = TYPES.get(name, (object, ""))
        is_flag = isinstance(value, bool) and word not in ("", "boolean")
        if value is not None and (is_flag or not isinstance(value, kind)):
            raise refused(f"{name}: Input should be a valid {word}")
    for name in INSIDE if strict else ():
        check_inside(name, body.get(name) or {})


def check_inside(name: str, value: Mapping[str, Any]) -> None:
    """The members of an object at the top."""
    for inner in value:
        if inner not in INSIDE[name]:
            raise extra(f"{name}.{inner}")


def check_values(body: Body) -> None:
    """What single members may say."""
    tokens, largest = body.get("max_tokens", 1), LARGEST_OLDER if is_older(body) else LARGEST
    if tokens < 1:
        raise refused("max_tokens: Input should be greater than or equal to 1")
    if tokens > largest:
        message = (
            f"max_tokens: {tokens} > {largest}, which is the maximum allowed number of output"
            f" tokens for {body['model']}"
        )
        raise refused(message)
    for name in ("temperature", "top_p"):
        value = number(body.get(name))
        if value is not None and not 0 <= value <= 1:
            raise refused(f"{name}: range: 0..1")
    for text in body.get("stop_sequences") or ():
        if not isinstance(text, str) or not text.strip():
            raise refused("stop_sequences: each stop sequence must contain non-whitespace")
    config = body.get("output_config") or {}
    if config.get("effort") not in (None, *EFFORTS):
        expected = ", ".join(f"'{effort}'" for effort in EFFORTS)
        raise refused(f"output_config.effort: Input should be {expected}")
    check_format(config.get("format"))


def check_format(form: Json) -> None:
    """A format of the answer: a schema of JSON, without a name."""
    if form is None:
        return
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        raise refused("output_config.format.type: Input should be 'json_schema'")
    if not isinstance(form.get("schema"), dict):
        raise required("output_config.format.schema")
    for name in form:
        if name not in ("type", "schema"):
            raise extra(f"output_config.format.{name}")


def number(value: Json) -> float | None:
    """A number, be it kept as it was spelled."""
    return None if value is None else float(bytes(value) if isinstance(value, Raw) else value)


def check_thinking(body: Body) -> None:
    """What may stand beside thinking, and of which models it may be asked."""
    config = body.get("thinking") or {"type": "disabled"}
    kind = config.get("type")
    if kind not in ("enabled", "adaptive", "disabled", "between_tools"):
        raise refused(
            f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected"
            " tags: 'adaptive', 'between_tools', 'disabled', 'enabled'"
        )
    if kind == "adaptive" and is_older(body):
        raise refused("adaptive thinking is not supported on this model")
    if kind == "enabled":
        check_budget(config.get("budget_tokens"), body)
    if kind in ("enabled", "adaptive"):
        check_sampling(body)


def check_budget(budget: Json, body: Body) -> None:
    """A budget of at least 1,024 tokens, below `max_tokens`, and no call that is forced."""
    where = "thinking.enabled.budget_tokens"
    if budget is None:
        raise required(where)
    if not isinstance(budget, int) or budget < LEAST_BUDGET:
        raise refused(f"{where}: Input should be greater than or equal to {LEAST_BUDGET}")
    if budget >= body.get("max_tokens", budget + 1):
        docs = f"{DOCS}/extended-thinking#max-tokens-and-context-window-size"
        raise refused(f"`max_tokens` must be greater than `thinking.budget_tokens`. {docs}")
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise refused("Thinking may not be enabled when tool_choice forces tool use.")


def check_sampling(body: Body) -> None:
    """Thinking leaves the sampling alone."""
    if number(body.get("temperature")) not in (None, 1.0):
        message = "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
        raise refused(f"{message} {DOCS}/extended-thinking")
    if body.get("top_k") is not None:
        raise refused("`top_k` must be unset when thinking is enabled or in adaptive mode.")
    if (number(body.get("top_p")) or 1.0) < LEAST_TOP_P:
        message = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
        raise refused(message)
