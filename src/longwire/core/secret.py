"""A text that must not be shown: its `repr` and `str` are `***`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Something to be sent or compared, never to be told; `reveal` is the only way to it."""

    _text: str

    def __repr__(self) -> str:
        """Tell nothing."""
        return "***"

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._text)

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text
