"""The model list as Codex reads it: `{"models": [...]}`, every entry whole or not at all.

Law: one entry that misses a field costs Codex the whole list, and it goes on with its own. So what
an upstream tells of a model passes as it is but for the name, and what it left out is made up.
"""

from typing import Any, Final

import msgspec

from longwire.dialects.raw_json import splice, split_members

CLIENT_VERSION = "0.169.0"
"""As which Codex the list is asked for where no Codex asks."""

_CONTEXT_WINDOW = 272_000
_EFFORTS = ("low", "medium", "high", "xhigh")
_MADE: Final[dict[str, Any]] = {
    "description": "",
    "default_reasoning_level": "medium",
    "supported_reasoning_levels": [{"effort": each, "description": each} for each in _EFFORTS],
    "shell_type": "shell_command",
    "visibility": "list",
    "supported_in_api": True,
    "priority": 50,
    "availability_nux": None,
    "upgrade": None,
    "base_instructions": (
        "You are a coding agent. Work in the user's workspace with the tools you are given, "
        "until the task is done; then say briefly what you did."
    ),
    "supports_reasoning_summaries": True,
    "default_reasoning_summary": "none",
    "support_verbosity": True,
    "default_verbosity": "low",
    "apply_patch_tool_type": "freeform",
    "web_search_tool_type": "text",
    "truncation_policy": {"mode": "tokens", "limit": 10_000},
    "supports_parallel_tool_calls": True,
    "context_window": _CONTEXT_WINDOW,
    "max_context_window": _CONTEXT_WINDOW,
    "experimental_supported_tools": [],
    "input_modalities": ["text", "image"],
}
"""What Codex CLI 0.169 reads of a model, for one of which no upstream told."""


def entry(name: str, told: bytes | None = None) -> bytes:
    """Return the entry of a model under the name that callers use; `told` is the upstream's own."""
    made = {"display_name": name, **_MADE, "slug": name}
    if told is None:
        return msgspec.json.encode(made)
    known = split_members(told)
    if "model_messages" in known:
        del made["base_instructions"]
    missing = {key: msgspec.json.encode(value) for key, value in made.items() if key not in known}
    return splice(told, {**missing, "slug": msgspec.json.encode(name)})
