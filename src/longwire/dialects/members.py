"""The form of the tables that say what becomes of each member of another API's requests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec

_LONGEST, _MOST = 64, 32
_UNSEEN = re.compile("[^!-~]")


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
    """One member: what becomes of it, and how; values that are `neutral` ask for nothing."""

    fate: Fate
    sentence: str
    neutral: tuple[object, ...] = ()

    def is_neutral(self, raw: bytes) -> bool:
        """Whether a value asks for nothing."""
        return bool(self.neutral) and _decode(raw) in self.neutral


def names_of(dropped: Iterable[str]) -> tuple[str, ...]:
    """Return names of what is left out as a header can have them: visible, short, not too many."""
    names = sorted({_UNSEEN.sub("?", name)[:_LONGEST] for name in dropped})
    return (*names[:_MOST], *(["..."] if len(names) > _MOST else []))


def _decode(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
