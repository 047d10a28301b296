"""What an answer must know of its request: `Source.options` in this dialect."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """How one answer is written for its client.

    `originals` has the names of functions as the client knows them, by those that were sent. Where
    it `is_array`, a stream is one JSON array rather than server-sent events.
    """

    stops: tuple[str, ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    shows_thoughts: bool = False
    is_array: bool = False
