"""What a turn says and this API cannot: refused, or left out and named."""

from longwire.core.errors import Unsayable


class Losses:
    """Collects the names of what is left out.

    What changes the answer is refused, unless its channel may drop it.
    """

    __slots__ = ("_may_drop", "names")

    def __init__(self, *, may_drop: bool) -> None:
        self._may_drop = may_drop
        self.names: list[str] = []

    def omit(self, name: str) -> None:
        """Leave out a hint, without which the answer means the same."""
        self.names.append(name)

    def refuse(self, name: str, fault: str, at: str = "") -> None:
        """Leave out what changes the answer. Raises `Unsayable` where that must not be."""
        if not self._may_drop:
            path, mend = at or name, 'or set the channel\'s unsupported = "drop"'
            raise Unsayable(f"'{path}' {fault}; leave it out, {mend}.", param=path)
        self.names.append(name)
