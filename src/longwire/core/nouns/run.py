"""What groups turns: a session that a client names, or a trace with all that an agent set off."""

from dataclasses import dataclass, replace
from operator import add
from typing import Literal, NamedTuple

from blake3 import blake3

Kind = Literal["session", "trace"]


class RunSums(NamedTuple):
    """The turns of a run added up: sizes in bytes, cost in billionths of a US dollar.

    `failures` ended with an error code. What is not known counts as 0.
    """

    turns: int
    continued: int
    failures: int
    bytes_received: int
    bytes_sent: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: int

    @property
    def bytes_saved(self) -> int:
        """What needed not be sent upstream."""
        return max(0, self.bytes_received - self.bytes_sent)


@dataclass(frozen=True, slots=True)
class Run:
    """A session of one key, or a trace of one project; times in ms since 1970 UTC.

    `name` is what clients call it. A trace names the key of its last turn. `models` and the ids in
    `channels` are those that served it, the first ones first.
    """

    id: str
    kind: Kind
    name: str
    project_id: str
    key_id: str
    key_name: str
    first_at: int
    last_at: int
    models: tuple[str, ...]
    channels: tuple[str, ...]
    sums: RunSums

    def plus(self, later: "Run") -> "Run":
        """Return the run of both: this one's turns, and those of a part that ended later."""
        return replace(
            later,
            first_at=min(self.first_at, later.first_at),
            models=tuple(dict.fromkeys(self.models + later.models)),
            channels=tuple(dict.fromkeys(self.channels + later.channels)),
            sums=RunSums(*map(add, self.sums, later.sums)),
        )


def run_id(kind: Kind, name: str, project_id: str, key_id: str = "") -> str:
    """Return the id of a run: of a session with its key, of a trace without."""
    parts = (kind, project_id, key_id, name)
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return blake3(text.encode("utf-8", "replace")).hexdigest(length=16)
