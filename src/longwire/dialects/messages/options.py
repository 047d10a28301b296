"""What an answer must know of its request: `Source.options` in this dialect."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """How one answer is written for its client.

    `model` is the name that the client used, as raw JSON; `originals` has the names of tools that
    were too long to be sent, by those sent instead. A client that `shows_thinking` gets its blocks,
    without their text where it `omits_text`.
    """

    model: bytes = b'""'
    stop_sequences: tuple[str, ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    shows_thinking: bool = False
    omits_text: bool = False
