"""Flow control by itself: a queue with one reader, and a sender that waits for its socket."""

import asyncio

import pytest

from longwire.upstream.websocket.flow import ReceiveQueue, WriteFlow

SOON = 5.0


class TestReceiveQueue:
    async def test_order_and_size(self):
        """Messages come out as they went in, all at once."""
        queue = ReceiveQueue()
        queue.put([b"a", b"bc"])
        queue.put([b"def"])
        assert queue.size == 6
        assert [b"a", b"bc", b"def"] == queue.take()
        assert ([], 0) == (queue.take(), queue.size)

    @pytest.mark.parametrize("wake", [lambda queue: queue.put([b"a"]), ReceiveQueue.wake])
    async def test_waking(self, wake):
        """A reader that waits is woken once, by a message or without one."""
        queue = ReceiveQueue()
        async with asyncio.TaskGroup() as group:
            group.create_task(queue.wait(SOON))
            await asyncio.sleep(0)
            assert queue.is_awaited
            wake(queue)
            assert not queue.is_awaited
            wake(queue)

    @pytest.mark.looptime
    async def test_deadlines(self):
        """Each wait lasts its own span, whether the one before was longer or shorter."""
        queue, now = ReceiveQueue(), asyncio.get_running_loop().time
        for span in (100, 10, 50, 1, 1, 1, 1000, 5):
            start = now()
            await queue.wait(span)
            assert now() - start == pytest.approx(span, abs=0.1)

    @pytest.mark.looptime
    async def test_one_timer(self, monkeypatch):
        """However often the reader waits and is woken, a timer is not set for each wait."""
        queue, loop, timers = ReceiveQueue(), asyncio.get_running_loop(), []
        call_at = loop.call_at

        def counted(when, callback, *args, **kwargs):
            if "_watch_deadline" in repr(callback):
                timers.append(when)
            return call_at(when, callback, *args, **kwargs)

        monkeypatch.setattr(loop, "call_at", counted)
        for _ in range(50):
            loop.call_soon(queue.put, [b"a"])
            await queue.wait(SOON)
            assert queue.take() == [b"a"]
        assert len(timers) == 1


class TestWriteFlow:
    async def test_not_paused(self):
        """A socket that takes everything lets nobody wait."""
        assert await WriteFlow().drain(0)

    @pytest.mark.parametrize("took_all", [True, False])
    async def test_paused(self, took_all):
        """A sender waits until the socket took what was written, or never will."""
        flow = WriteFlow()
        flow.pause()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(flow.drain(SOON))
            await asyncio.sleep(0)
            flow.resume(took_all=took_all)
        assert (took_all, False) == (sending.result(), flow.is_paused)

    @pytest.mark.looptime
    async def test_deadline(self):
        """A socket that takes nothing is waited for so long and no longer."""
        flow = WriteFlow()
        flow.pause()
        with pytest.raises(TimeoutError):
            await flow.drain(SOON)
        flow.resume(took_all=True)
        assert not flow.is_paused
