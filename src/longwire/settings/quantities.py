"""Durations and sizes as people write them: `"1h30m"` is seconds, `"64MiB"` is bytes.

A number without a unit is refused: nobody should have to guess which unit was meant.
"""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_BYTES = {
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "kB": 1000,
    "KB": 1000,
    "B": 1,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])", re.ASCII)
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+", re.ASCII)
_SIZE = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_BYTES)})", re.ASCII)


def parse_duration(text: object) -> float:
    """`"50m"`, `"250ms"`, `"1h30m"` → seconds, always more than 0; `ValueError` names the mend."""
    seconds = parse_wait(text)
    if not seconds > 0:
        raise ValueError('must be longer than nothing; write for example "1s"')
    return seconds


def parse_wait(text: object) -> float:
    """Like `parse_duration`, where `"0s"` is not to wait at all, or never to happen."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(_unit_wanted(text, "duration", '"20s", "250ms" or "1h30m"'))
    seconds = sum(float(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text))
    if seconds == math.inf:
        raise ValueError('must end; write for example "1s"')
    return seconds


def parse_size(text: object) -> int:
    """`"64MiB"`, `"1GB"`, `"512B"` → bytes, at least 1; `ValueError` names the mend."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(_unit_wanted(text, "size", '"64MiB", "1GB" or "512B"'))
    count, unit = found.groups()
    size = int(count) * _BYTES[unit] if count.isdigit() else int(float(count) * _BYTES[unit])
    if size < 1:
        raise ValueError('must be at least one byte; write for example "1MiB"')
    return size


def format_duration(seconds: float) -> str:
    """Seconds → the shortest spelling that `parse_duration` reads back, to the millisecond."""
    left = round(seconds * 1000)
    parts = []
    for unit, size in _SECONDS.items():
        count, left = divmod(left, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_size(size: int) -> str:
    """Bytes → the largest unit that divides them, which `parse_size` reads back exactly."""
    unit = next(unit for unit, factor in _BYTES.items() if size % factor == 0)
    return f"{size // _BYTES[unit]}{unit}"


def _unit_wanted(text: object, what: str, examples: str) -> str:
    bare = isinstance(text, int | float) or re.fullmatch(r"[\d.]+", str(text)) is not None
    fault = f"a bare number is no {what}" if bare else f"no {what}"
    return f"{fault}; write a number with its unit, as in {examples}"


Duration = Annotated[float, BeforeValidator(parse_duration)]
Wait = Annotated[float, BeforeValidator(parse_wait)]
Size = Annotated[int, BeforeValidator(parse_size)]
