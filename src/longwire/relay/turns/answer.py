"""What a turn gets: the events of its response, with how they came and what is left of limits."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from longwire.core.events import Event
from longwire.upstream.ports import Delivery, Stream, Take

Leave = Callable[[], Awaitable[None]]


class Permits:
    """The places that a turn takes among those of its key and its channel; left once."""

    __slots__ = ("_leaves",)

    def __init__(self) -> None:
        self._leaves: list[Leave] = []

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return len(self._leaves)

    def take(self, leave: Leave) -> None:
        """Take one more place, which `leave` gives back."""
        self._leaves.append(leave)

    async def leave(self, kept: int = 0) -> None:
        """Give back all places but the first ones that are `kept`, the last one first."""
        while len(self._leaves) > kept:
            await self._leaves.pop()()


class Answer:
    """The answer to one turn: iterate it once for batches of events, up to the terminal.

    An empty batch tells of silence. `aggregate` is what was seen so far; `limits` are headers that
    tell what the caller has left, `told` those of the upstream that a Codex client understands.
    `opened` is the stream's context.
    """

    __slots__ = (
        "_batches",
        "_first",
        "_opened",
        "_permits",
        "_stream",
        "aggregate",
        "channel",
        "delivery",
        "limits",
        "told",
    )

    def __init__(
        self,
        channel: str,
        stream: Stream,
        first: Sequence[Event],
        batches: AsyncIterator[Sequence[Event]],
        opened: AbstractAsyncContextManager[Stream],
        permits: Permits,
    ) -> None:
        self.channel = channel
        self.aggregate = stream.aggregate
        self.delivery: Delivery = stream.delivery
        self.limits: Mapping[str, str] = {}
        self.told: Mapping[str, str] = {}
        self._stream = stream
        self._first: Sequence[Event] | None = first
        self._batches = batches
        self._opened = opened
        self._permits = permits

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
            await self._permits.leave()
        return batch

    async def close(self, failure: BaseException | None) -> None:
        """Leave the stream, which is abandoned where its terminal has not come."""
        trace = failure.__traceback__ if failure else None
        await self._opened.__aexit__(type(failure) if failure else None, failure, trace)
