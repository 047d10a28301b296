"""What a request lacks of the turn that it says."""

from longwire.dialects.fields import unsayable


class Losses:
    """Names what is left out; what changes the answer is refused unless it may be dropped."""

    def __init__(self, *, may_drop: bool) -> None:
        self.names: set[str] = set()
        self._may_drop = may_drop

    def drop(self, name: str) -> None:
        """Leave out what can be done without."""
        self.names.add(name)

    def refuse(self, path: str, name: str, fault: str) -> None:
        """Leave out by its name what stands at a path. Raises `Unsayable` where it must not be."""
        if not self._may_drop:
            raise unsayable(path, f'{fault}. A channel with unsupported = "drop" leaves it out')
        self.names.add(name)
