"""The list of models as clients of Gemini's API read it."""

from collections.abc import Mapping, Sequence
from typing import Final

from longwire.dialects.fields import invalid

GOOGLE_CLIENT: Final = "x-goog-api-client"
"""The header by which Google's clients are known where a path is that of others, too."""

_USUAL: Final = 50
_MOST: Final = 1_000
_ACTIONS: Final = ["generateContent", "countTokens"]


def gemini_model(name: str) -> dict[str, object]:
    """Return one model; nobody says here what it can do."""
    return {
        "name": f"models/{name}",
        "baseModelId": name,
        "version": "",
        "displayName": name,
        "supportedGenerationMethods": _ACTIONS,
    }


def gemini_page(names: Sequence[str], query: Mapping[str, str]) -> dict[str, object]:
    """Return the page that a query asks for. Raises `InvalidRequest`, naming the parameter.

    Its token is the name of the last model before it.
    """
    size = _size(query)
    first = 0
    if token := query.get("pageToken", ""):
        if token not in names:
            raise invalid("pageToken", "is none of this list; begin again without it")
        first = names.index(token) + 1
    page = names[first : first + size]
    said: dict[str, object] = {"models": [gemini_model(name) for name in page]}
    if page and page[-1] != names[-1]:
        said["nextPageToken"] = page[-1]
    return said


def _size(query: Mapping[str, str]) -> int:
    """Return how many models a page has; more than the most is the most, as the API says."""
    written = query.get("pageSize") or "0"
    if not (written.isascii() and written.isdecimal()):
        raise invalid("pageSize", "must be a whole number")
    return min(int(written[:9]) or _USUAL, _MOST)
