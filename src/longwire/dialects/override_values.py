"""The values that overrides put into requests: whether they are JSON, and which ones are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

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


def with_kept_values(
    overrides: Sequence[Override], held: Sequence[Override]
) -> tuple[Override, ...]:
    """Return overrides where headers without a value have the one that they have in `held`.

    That is the value under the same conditions, else the only one of that header: where several
    could be meant none is, and the override goes without.
    """
    left = [each for each in held if each.header_value]
    kept = []
    for each in overrides:
        if not each.header or each.action == "remove" or each.has_value:
            kept.append(each)
            continue
        of_header = [one for one in held if one.header_value and _names_same(one, each)]
        same = next((one for one in left if one in of_header and _is_alike(one, each)), None)
        if same is not None:
            left.remove(same)
        elif len(of_header) == 1:
            same = of_header[0]
        kept.append(each if same is None else replace(each, header_value=same.header_value))
    return tuple(kept)


def _names_same(one: Override, other: Override) -> bool:
    return one.header.lower() == other.header.lower()


def _is_alike(one: Override, other: Override) -> bool:
    return (one.action, one.models, one.apis) == (other.action, other.models, other.apis)
