"""Values as requests have them, fractions in the spelling they came in."""

import msgspec

from longwire.emulator.options import Json


def number(value: Json) -> float | None:
    """A number of a request; None where there is none."""
    if value is None:
        return None
    return float(bytes(value) if isinstance(value, msgspec.Raw) else value)
