"""The keys of a channel that has several: each is an entry of its own, as an account is.

Law: a key that its upstream refuses or limits rests alone; the channel rests when all of them do.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from longwire.core.errors import FieldProblem
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.weight import WEIGHT_MEND, is_weight

OWN_KEY = "own"
"""What the key is called that stands in the channel itself, among several ones."""

_SHOWN, _SHORTEST_SHOWN = 4, 12
_VISIBLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{0,100}")


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """One key of an upstream; `weight` is its share of the sessions among the keys."""

    id: str
    secret: Secret
    label: str = ""
    weight: float = 1.0
    is_enabled: bool = True

    @property
    def entry(self) -> str:
        """Return what its route is told by: the channel's own key runs as the channel itself."""
        return "" if self.id == OWN_KEY else self.id

    @property
    def masked(self) -> str:
        """Return what may be shown of it: the last four characters of a long one."""
        text = self.secret.reveal()
        return f"…{text[-_SHOWN:]}" if len(text) >= _SHORTEST_SHOWN else "…"


def declared_key_id(secret: Secret) -> str:
    """Return the id of a key of the file: the same key keeps it, wherever in the list it stands."""
    return f"key_{sha256(b'longwire channel key ' + secret.reveal().encode()).hexdigest()[:20]}"


def check_keys(own: Secret, keys: Sequence[ChannelKey]) -> Iterator[FieldProblem]:
    """Yield what is wrong with the keys that a channel has besides its `own`."""
    seen = {own.reveal()}
    for number, key in enumerate(keys):
        place, text = f"keys.{number}", key.secret.reveal()
        if not _VISIBLE.fullmatch(text):
            yield FieldProblem(f"{place}.key", "must be printable ASCII, no spaces")
        elif text in seen:
            yield FieldProblem(f"{place}.key", "stands twice; keep one")
        seen.add(text)
        if not is_weight(key.weight):
            yield FieldProblem(f"{place}.weight", WEIGHT_MEND)
        if not _LABEL.fullmatch(key.label):
            yield FieldProblem(f"{place}.label", "has at most 100 printable characters")
