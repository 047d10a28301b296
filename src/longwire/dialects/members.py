"""The form of the tables that say what becomes of each member of another API's requests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec

_LONGEST, _MOST = 64, 32
_UNSEEN = re.compile("[^!-~]")
PREFILL = "prefill"
"""What the beginning of an answer is called where it is left out."""

PENALTY = (
    "Sent where the upstream's API has it: Chat Completions, Gemini. Elsewhere it is refused where "
    "it is not 0."
)
SEEDED = "Sent where the upstream's API has it: Chat Completions, Gemini. Elsewhere it is left out."
LIMITED = (
    "`max_output_tokens`; 1 to 15 become 16 for upstreams of the Responses API, which take no less."
)
"""Sentences of the tables that are the same for more than one API."""


class Fate(Enum):
    """What becomes of a member."""

    SAME = "sent as it is"
    TRANSLATED = "translated"
    EMULATED = "done by the gateway"
    REFUSED = "refused"
    IGNORED = "ignored"
    DROPPED = "left out"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: what becomes of it, and how.

    Values that are `neutral` ask for nothing, nor do objects all of whose values are
    `neutral_inside`.
    """

    fate: Fate
    sentence: str
    neutral: tuple[object, ...] = ()
    neutral_inside: tuple[object, ...] = ()

    def is_neutral(self, raw: bytes) -> bool:
        """Whether a value asks for nothing."""
        if not self.neutral:
            return False
        value = _decode(raw)
        if value in self.neutral:
            return True
        inside = value.values() if isinstance(value, dict) and self.neutral_inside else (value,)
        return all(each in self.neutral_inside for each in inside)


def names_of(dropped: Iterable[str]) -> tuple[str, ...]:
    """Return names of what is left out as a header can have them: visible, short, not too many."""
    names = sorted({_UNSEEN.sub("?", name)[:_LONGEST] for name in dropped})
    return (*names[:_MOST], *(["..."] if len(names) > _MOST else []))


def _decode(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
