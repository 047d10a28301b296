"""Cancel a coroutine at its n-th suspension, either as it falls asleep or just as it wakes up."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Literal

Moment = Literal["asleep", "waking"]


class _CancelAt:
    """Awaits `inner` and counts how often that suspends the running task."""

    def __init__(self, inner: Coroutine[Any, Any, Any], point: int, moment: Moment) -> None:
        self.inner = inner
        self.left = point
        self.moment = moment

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.inner.__await__()
        error: BaseException | None = None
        while True:
            try:
                future = steps.throw(error) if error is not None else steps.send(None)
            except StopIteration as end:
                return end.value
            self.left -= 1
            if self.left == 0:
                self._cancel_with(future)
            try:
                yield future
                error = None
            except BaseException as thrown:  # noqa: BLE001 - handed on to the coroutine
                error = thrown

    def _cancel_with(self, future: asyncio.Future[Any] | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        if future is None or self.moment == "asleep":
            task.cancel()
        else:
            # Called before the task's own wake-up: its result is there, and it never sees it.
            future.add_done_callback(lambda _: task.cancel())


async def cancelled_at(
    inner: Coroutine[Any, Any, Any], point: int, moment: Moment = "asleep"
) -> bool:
    """Run `inner` in a task of its own; say whether it was cancelled before it had ended."""
    cancelling = _CancelAt(inner, point, moment)

    async def run() -> None:
        await cancelling

    task = asyncio.get_running_loop().create_task(run())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return cancelling.left <= 0
