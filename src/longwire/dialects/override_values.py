"""Whether the values that overrides put into requests are JSON."""

from collections.abc import Iterator, Sequence

import msgspec

from longwire.core.errors import FieldProblem
from longwire.core.nouns.override import Override

_MEND = 'is no JSON; write for example "high" with its quotes, 3, true or {"a": 1}'


def check_values(overrides: Sequence[Override]) -> Iterator[FieldProblem]:
    """Yield the values of members that are no JSON, by field, as `overrides.0.value`."""
    for number, override in enumerate(overrides):
        if override.member and override.action != "remove" and not _is_json(override.raw):
            yield FieldProblem(f"overrides.{number}.value", _MEND)


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
