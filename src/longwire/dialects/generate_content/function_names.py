"""Names of functions as Gemini takes them, which follow from the client's own names alone."""

import re
from typing import Final

from blake3 import blake3

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_KEPT: Final = 50
_DIGEST_SIZE: Final = 6


def sent_name(name: str, namespace: str = "") -> str:
    """Return the name that a function is declared by.

    It begins with a letter or an underscore, and has at most 64 letters, digits, underscores, dots,
    colons and dashes (Gemini API, `FunctionDeclaration.name`). Others end with a digest.
    """
    full = f"{namespace}__{name}" if namespace else name
    if _NAME.fullmatch(full):
        return full
    digest = blake3(full.encode("utf-8", "surrogatepass")).hexdigest(length=_DIGEST_SIZE)
    return f"_{_FOREIGN.sub('_', full)[:_KEPT]}_{digest}"
