"""A text that must not be shown: its `repr` and `str` are `***`."""

import re
from dataclasses import dataclass
from typing import Final

_LOOKS_SECRET: Final = re.compile(
    r"\b(?:sk|rk|pk|lw|sess|key)[-_][\w*.-]{6,}"  # API keys by the starts that they have
    r"|\beyJ[\w-]{6,}(?:\.[\w-]*){0,2}"  # JSON web tokens
    r"|(?<=\bBearer )\S+",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Something to be sent or compared, never to be shown; `reveal` is the only way to it."""

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


def concealed(text: str) -> str:
    """Return what somebody else wrote, with `***` for what looks like a key or a token in it."""
    return _LOOKS_SECRET.sub("***", text)
