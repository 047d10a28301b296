"""The list of models as clients of Anthropic's API read it."""

from collections.abc import Sequence
from typing import Final

ANTHROPIC_VERSION: Final = "anthropic-version"
"""The header by which clients of this API are known where a path is that of others, too."""

_UNKNOWN: Final = "1970-01-01T00:00:00Z"


def model_of(name: str) -> dict[str, object]:
    """Return one model; nobody says here when it was made."""
    return {"type": "model", "id": name, "display_name": name, "created_at": _UNKNOWN}


def models_page(names: Sequence[str]) -> dict[str, object]:
    """Return all models, which are one page."""
    return {
        "data": [model_of(name) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }
