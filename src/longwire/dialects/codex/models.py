"""The model list as Codex reads it: `{"models": [...]}`, every entry whole or not at all.

Law: one entry that misses a field costs Codex the whole list, and it goes on with its own. So what
an upstream says of a model passes as it is but for the name, and what it left out is filled in.
"""

from typing import Any, Final

import msgspec

from longwire.dialects.raw_json import merge, split_members

CLIENT_VERSION = "0.169.0"
"""The version of Codex for which the list is fetched where no Codex asks."""

_CONTEXT_WINDOW = 272_000
_EFFORTS = ("low", "medium", "high", "xhigh")
_DEFAULTS: Final[dict[str, Any]] = {
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
"""What Codex CLI 0.169 reads of a model, where no upstream says it."""


def entry(name: str, listed: bytes | None = None) -> bytes:
    """Return the entry of a model under the name that callers use; `listed` is the upstream's."""
    defaults = {"display_name": name, **_DEFAULTS, "slug": name}
    if listed is None:
        return msgspec.json.encode(defaults)
    known = split_members(listed)
    if "model_messages" in known:
        del defaults["base_instructions"]
    changes = {key: value for key, value in defaults.items() if key not in known} | {"slug": name}
    return merge(known, {key: msgspec.json.encode(value) for key, value in changes.items()})
