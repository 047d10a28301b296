"""What a request is posted to: the path names the model, and what is to be done with it."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

ACTIONS: Final = ("generateContent", "streamGenerateContent", "countTokens")
_TARGET: Final = re.compile(
    rb"/v1(?:beta)?/models/(?P<model>[^?%%]+)"
    rb":(?P<action>%b)" % "|".join(ACTIONS).encode()
)
PATHS: Final = "/v1beta/"
"""What the paths begin with that are of this API alone."""


@dataclass(frozen=True, slots=True)
class Target:
    """One action with one model; `key` is the gateway's key where the query has one.

    `is_array`: a stream is wanted as one JSON array, as the API has it without `alt=sse`.
    """

    model: str
    action: str = "generateContent"
    is_array: bool = False
    key: str = field(default="", repr=False)

    @property
    def streams(self) -> bool:
        """Whether the answer comes in pieces."""
        return self.action == "streamGenerateContent"

    @property
    def counts(self) -> bool:
        """Whether tokens are asked for, and no answer."""
        return self.action == "countTokens"


def is_target(path: bytes) -> bool:
    """Whether a path, in its one spelling, is posted to in this API."""
    return _TARGET.fullmatch(path) is not None


def target_of(path: bytes, query: bytes) -> Target:
    """Return what a path and a query lead to. Raises `ValueError` for a path of another API."""
    found = _TARGET.fullmatch(path)
    if found is None:
        raise ValueError(path)
    said = parse_qs(query.decode("latin-1"))
    action = found["action"].decode()
    is_array = action == "streamGenerateContent" and said.get("alt", [""])[0] != "sse"
    key = said.get("key", [""])[0]
    return Target(found["model"].decode("utf-8", "replace"), action, is_array, key)
