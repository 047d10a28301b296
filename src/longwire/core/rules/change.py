"""What of a turn differs from what was held, in words short enough for a header: never content.

Law: no text of a prompt is in it; names of members and tools are, in visible ASCII, and cut.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_CHANGE: Final = 256
"""So many letters has a change at most."""

_LONGEST_NAME: Final = 64


class Edit(StrEnum):
    """What became of the first item that differs."""

    CHANGED = ""
    INSERTED = "inserted"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The first item that differs, at `index` of the `count` items of the turn, from 0 on.

    Its `kind` is that of what was held there, of one that was inserted its own. Items
    `of_reply` the model wrote last. Where it `is_later`, it is this one or one behind it.
    """

    index: int
    count: int
    kind: str = ""
    edit: Edit = Edit.CHANGED
    of_reply: bool = False
    is_later: bool = False

    def __str__(self) -> str:
        """Return it as `input[13] of 31: function_call_output`, and what became of it."""
        if self.is_later:
            return f"input[{self.index}] or later of {self.count}"
        reply, edit = " of the reply" * self.of_reply, f" {self.edit}".rstrip()
        return f"input[{self.index}] of {self.count}: {self.kind}{reply}{edit}"


@dataclass(frozen=True, slots=True)
class Change:
    """What differs from the nearest history that was held: an item, properties, or both.

    Properties are named by their path: `instructions`, `text.format`, `tools[2] "shell"`.
    """

    item: ItemChange | None = None
    properties: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `input[0] of 1: user message; model, tools[2] "shell" and 3 more`."""
        properties = _listed(self.properties, LONGEST_CHANGE - 64)
        return "; ".join(filter(None, (str(self.item or ""), properties)))


def shown_name(name: str) -> str:
    """Return the name of a member or tool as it may stand in a header."""
    visible = name.encode("ascii", "replace").decode().replace('"', "'")
    return "".join(letter if letter.isprintable() else "?" for letter in visible)[:_LONGEST_NAME]


def _listed(names: tuple[str, ...], most: int) -> str:
    """Return the names in a row, as many as there is room for, and how many there are more."""
    text = ""
    for count, name in enumerate(names):
        longer = f"{text}, {name}" if text else name
        if len(longer) > most:
            return f"{text} and {len(names) - count} more"
        text = longer
    return text
