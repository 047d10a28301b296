"""What an answer must know of its request: `Source.options` in this dialect."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """How a request wants its answer.

    `originals` has the names of functions that were too long to be sent, by those sent instead.
    `calls_functions`: it offered `functions`, the API's first form, so that calls come back alike.
    """

    wants_usage: bool = False
    shows_reasoning: bool = False
    calls_functions: bool = False
    wants_logprobs: bool = False
    stops: tuple[str, ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)

    @property
    def call_reason(self) -> str:
        """Why an answer ends that has calls."""
        return "function_call" if self.calls_functions else "tool_calls"
