"""The list of models as clients of Anthropic's API read it."""

from collections.abc import Mapping, Sequence
from typing import Final

from longwire.dialects.fields import invalid

ANTHROPIC_VERSION: Final = "anthropic-version"
"""The header by which clients of this API are known where a path is that of others, too."""

_UNKNOWN: Final = "1970-01-01T00:00:00Z"
_MOST: Final = 1_000
_NOT_SAID: Final = ("capabilities", "line", "max_input_tokens", "max_tokens")


def model_of(name: str) -> dict[str, object]:
    """Return one model; nobody says here when it was made, or what it can do."""
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _UNKNOWN,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        **dict.fromkeys(_NOT_SAID),
    }


def models_page(names: Sequence[str], query: Mapping[str, str]) -> dict[str, object]:
    """Return the page that a query asks for: all models where it sets no limit.

    Raises `InvalidRequest`, which names the parameter.
    """
    limit = _limit(query)
    if "before_id" in query:
        if "after_id" in query:
            raise invalid("before_id", "cannot stand beside 'after_id'; send one of them")
        rest = names[: _place(names, query, "before_id")]
        page = rest[-limit:]
    else:
        rest = names[_place(names, query, "after_id") + 1 :] if "after_id" in query else names
        page = rest[:limit]
    return {
        "data": [model_of(name) for name in page],
        "has_more": len(page) < len(rest),
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }


def _limit(query: Mapping[str, str]) -> int:
    written = query.get("limit", str(_MOST))
    limit = int(written) if written.isascii() and written.isdecimal() else 0
    if "limit" in query and not 1 <= limit <= _MOST:
        raise invalid("limit", f"must be a whole number from 1 to {_MOST}")
    return limit


def _place(names: Sequence[str], query: Mapping[str, str], name: str) -> int:
    """Return where the model of a cursor stands."""
    if query[name] not in names:
        raise invalid(name, "is no model of this list; begin again without it")
    return names.index(query[name])
