"""What is sent of turns, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from longwire.core.nouns.secret import Secret


@dataclass(frozen=True, slots=True)
class TelemetryOptions:
    """What is sent where: `endpoint` "" is what the environment says. Spans in seconds.

    Of the traces that begin here the share `ratio` is sampled. At most `queue` spans wait.
    """

    endpoint: str = ""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    has_traces: bool = True
    has_metrics: bool = True
    ratio: float = 1.0
    interval: float = 60.0
    queue: int = 8_192
    service: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
