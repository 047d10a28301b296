"""Turns over HTTP as parts of threads that their upstream keeps, so that only what is new is sent.

Law: a client never sees that a thread is gone: all is sent again at once, and once without a thread
where the upstream keeps none. A thread whose answer did not end well is gone on with by nobody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from longwire.core.errors import UpstreamRejected
from longwire.core.events import Event, Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Continue, Fresh, Reason, extend, words_of
from longwire.core.rules.threads import ThreadFault, Threads
from longwire.core.rules.turn import SessionKey
from longwire.dialects.ports import Thread, UpstreamCall
from longwire.dialects.responses.image import output_of
from longwire.upstream.ports import Call, Delivery, FastPath, Stream

_DIGESTED_AT_ONCE = 64
_FORGOTTEN = Fresh(Reason.UPSTREAM_FORGOT)


Open = Callable[[Call], AbstractAsyncContextManager[Stream]]
"""Sends a turn as it is said, and gives its stream."""


def open_in_thread(
    open_plain: Open, threads: Threads, call: Call
) -> AbstractAsyncContextManager[Stream]:
    """Send a turn of a session in a thread, where it can be, and any other one as it is."""
    key, thread = call.session_key, call.said.thread if call.said is not None else None
    if key is None or thread is None or threads.is_left(key):
        return open_plain(call)
    return _Turn(open_plain, threads, call, key, thread).open()


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn that may be in a thread."""

    open_plain: Open
    threads: Threads
    call: Call
    key: SessionKey
    thread: Thread

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stream]:
        async with AsyncExitStack() as stack:
            decision, said = self._decision()
            stream = await self._entered(stack, said) if said is not None else None
            if stream is None and not self.threads.is_left(self.key):
                decision = decision if isinstance(decision, Fresh) else _FORGOTTEN
                stream = await self._entered(stack, self.thread.begin())
            if stream is None:
                yield await stack.enter_async_context(self.open_plain(self.call))
                return
            await _digest_history(self.call, decision)
            delivery = _delivered(stream.delivery, decision)
            yield _InThread(stream, delivery, partial(self._keep, decision))

    def _decision(self) -> tuple[Continue | Fresh, UpstreamCall | None]:
        """Return how the turn travels, and what goes on with a thread; None for all of it."""
        call = self.call
        decision = self.threads.take(self.key, call.turn, asyncio.get_running_loop().time())
        if call.reason not in (None, Reason.TRANSLATED):
            return Fresh(call.reason), None
        if isinstance(decision, Fresh):
            return decision, None
        said = self.thread.go_on(decision)
        return (decision if said is not None else Fresh(Reason.PROPERTIES_CHANGED)), said

    async def _entered(self, stack: AsyncExitStack, said: UpstreamCall) -> Stream | None:
        """Send it in a thread; None where that is not taken. Raises `UpstreamError`."""
        try:
            return await stack.enter_async_context(self.open_plain(replace(self.call, said=said)))
        except UpstreamRejected as error:
            fault = self.thread.fault(error)
            if fault is None:
                raise
            if fault is ThreadFault.UNSUPPORTED:
                self.threads.leave(self.key)
            return None

    def _keep(self, decision: Continue | Fresh, seen: Aggregate) -> None:
        """Hold the thread of an answer that ended well, where its client may go on from it."""
        terminal, turn = seen.terminal, self.call.turn
        if terminal is None or terminal.kind is not Kind.COMPLETED or not terminal.response_id:
            return
        replies = turn.image(output_of(seen))
        if replies is not None:
            before = decision.chain if isinstance(decision, Continue) else None
            chain = extend(turn, terminal.response_id, replies, before)
            self.threads.keep(self.key, chain, asyncio.get_running_loop().time())


def _delivered(delivery: Delivery, decision: Continue | Fresh) -> Delivery:
    continuity, reason, changed = words_of(decision)
    return replace(delivery, continuity=continuity, reason=reason, changed=changed)


async def _digest_history(call: Call, decision: Continue | Fresh) -> None:
    """Digest a history seen for the first time while the upstream thinks, a piece at a time."""
    if isinstance(decision, Continue):
        return
    history = call.turn.history
    for count in range(_DIGESTED_AT_ONCE, len(history), _DIGESTED_AT_ONCE):
        history.digest(count)
        await asyncio.sleep(0)


class _InThread:
    """The stream of a turn in a thread, which is kept before its terminal is handed on."""

    __slots__ = ("_keep", "_stream", "delivery")

    def __init__(
        self, stream: Stream, delivery: Delivery, keep: Callable[[Aggregate], None]
    ) -> None:
        self._stream = stream
        self._keep: Callable[[Aggregate], None] | None = keep
        self.delivery = delivery

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        return self._stream.headers

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    def set_fast_path(self, fast_path: FastPath) -> None:
        """Offer events; see `ports.Stream`."""
        self._stream.set_fast_path(fast_path)

    def when_drained(self, then: Callable[[], object]) -> bool:
        """Whether the rest is read; see `ports.Stream`."""
        return self._stream.when_drained(then)

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch."""
        events = await anext(aiter(self._stream))
        if self._keep is not None and self._stream.aggregate.terminal is not None:
            keep, self._keep = self._keep, None
            keep(self._stream.aggregate)
        return events
