"""What a turn gets: the events of its response, with how they came and what is left of limits."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack

from longwire.core.aggregate import Aggregate
from longwire.core.events import Event
from longwire.upstream.transport import Facts, Stream, Take


class Answer:
    """The answer to one turn: iterate it once for batches of events, up to the terminal.

    An empty batch tells of silence. `limits` are headers that tell what the caller has left; `told`
    are those of the upstream that a Codex client understands; `seats` are the places that its turn
    takes among those of its key and its channel.
    """

    __slots__ = ("_batches", "_first", "_stream", "channel", "facts", "limits", "seats", "told")

    def __init__(
        self,
        channel: str,
        stream: Stream,
        first: Sequence[Event],
        batches: AsyncIterator[Sequence[Event]],
    ) -> None:
        self.channel = channel
        self.facts: Facts = stream.facts
        self.limits: Mapping[str, str] = {}
        self.told: Mapping[str, str] = {}
        self.seats: list[AsyncExitStack] = []
        self._stream = stream
        self._first: Sequence[Event] | None = first
        self._batches = batches

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    def pass_on(self, take: Take) -> None:
        """Offer events to `take` as they arrive; see `transport.Stream`."""
        self._stream.pass_on(take)

    def __aiter__(self) -> "Answer":
        """Give the events as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch. Raises `UpstreamError` where the response broke off.

        The places that its turn took are free before its terminal is handed on: some clients send
        the next turn the instant they have read it.
        """
        first, self._first = self._first, None
        batch = await anext(self._batches) if first is None else first
        if self.aggregate.terminal is not None:
            for seat in self.seats:
                await seat.aclose()
        return batch
