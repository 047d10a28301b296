"""Deliveries to destinations of which some hang, and a database that goes away meanwhile."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from sqlalchemy import text

from longwire.core.nouns.alert import AlertEvent
from longwire.core.nouns.delivery import Delivery, DeliveryStatus, Message
from longwire.core.nouns.secret import Secret
from longwire.server.alerts.deliveries import Deliveries
from longwire.store.alerts import AT_ONCE
from longwire.upstream.notices import send
from tests.store.test_alerts import OPS, RULE, look, say
from tests.store.turn_rows import NOON

MESSAGE = Message("It rests", "It rests.", "alert.fired", {})


class Hooks:
    """Webhooks: what goes to `/slow` waits until it is let go; `posted` has all paths."""

    def __init__(self):
        self.posted, self.news, self.let_go = [], asyncio.Condition(), asyncio.Event()
        self.url = ""

    def destination(self, name):
        """One that posts to a path."""
        hook = replace(OPS.webhook, url=Secret(f"{self.url}/{name}"))
        return replace(OPS, id=f"ald_{name}", name=name, webhook=hook)

    async def reached(self, *paths):
        """Wait until exactly these were posted to."""
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: sorted(self.posted) == sorted(paths))

    async def take(self, request):
        async with self.news:
            self.posted.append(request.path)
            self.news.notify_all()
        if request.path == "/slow":
            await self.let_go.wait()
        return web.Response(text="taken")


@pytest.fixture
async def hooks():
    """A server of webhooks."""
    hooks, app = Hooks(), web.Application()
    app.router.add_post("/{path:.*}", hooks.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hooks.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield hooks
    hooks.let_go.set()
    await runner.cleanup()


@asynccontextmanager
async def keeping(store, *destinations):
    """Deliveries that look for what is due all the while."""

    async def known():
        return destinations

    deliveries = Deliveries(store.alerts, known, lambda: NOON, pause=0.05)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(deliveries.keep_sending())
        yield deliveries
        task.cancel()


async def fire(store, *destinations, subject=1.0, rule="r1"):
    """Let a rule fire that informs these."""
    rule = replace(RULE, id=rule, lasts=0)
    seen = look(subject, rule=rule, destinations=destinations)
    await store.alerts.step(seen, say, NOON)


async def all_settled(store):
    """The deliveries of the newest alert, once none of them waits."""
    async with asyncio.timeout(20):
        while True:
            (alert,) = (await store.alerts.page(first=1)).items
            if all(each.status is not DeliveryStatus.PENDING for each in alert.deliveries):
                return alert.deliveries
            await asyncio.sleep(0.02)


async def rename(store, table, to):
    """Let a table be there no more, or again: whatever is asked of it fails."""
    async with store.database.write() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


async def test_a_database_that_goes_away_while_one_is_sent(store, hooks):
    """What came of it is kept once it is back, and nothing is sent twice; sending goes on."""
    slow = hooks.destination("slow")
    async with keeping(store, slow) as deliveries:
        await fire(store, slow)
        deliveries.send_soon()
        await hooks.reached("/slow")
        await rename(store, "alert_deliveries", "away")
        hooks.let_go.set()
        async with asyncio.timeout(20):
            while not deliveries.results:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await rename(store, "away", "alert_deliveries")
        (ended,) = await all_settled(store)
    assert (DeliveryStatus.DELIVERED, 1) == (ended.status, ended.attempts)
    assert (["/slow"], {"delivered": 1}) == (hooks.posted, dict(deliveries.results))


async def test_a_slow_destination_holds_up_no_other(store, hooks):
    """However much is due there, what others are to hear reaches them at once."""
    slow, fast = hooks.destination("slow"), hooks.destination("fast")
    async with keeping(store, slow, fast) as deliveries:
        await fire(store, *[slow] * 60)
        deliveries.send_soon()
        await hooks.reached(*["/slow"] * AT_ONCE)
        await fire(store, fast, rule="r2")
        deliveries.send_soon()
        await hooks.reached(*["/slow"] * AT_ONCE, "/fast")
        hooks.let_go.set()
        await hooks.reached(*["/slow"] * 60, "/fast")


async def test_it_holds_up_none_without_a_database_either(store, hooks):
    """What a node tells by itself is sent side by side, too."""
    async with keeping(store) as deliveries:
        deliveries.send_unkept(MESSAGE, AlertEvent.FIRED, hooks.destination("slow"))
        await hooks.reached("/slow")
        deliveries.send_unkept(MESSAGE, AlertEvent.FIRED, hooks.destination("fast"))
        await hooks.reached("/slow", "/fast")
        hooks.let_go.set()
        async with asyncio.timeout(20):
            while deliveries.results["delivered"] < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    assert 2 == len(hooks.posted)


async def test_what_nobody_expected_is_one_delivery_that_failed(hooks):
    """Not the end of a gateway."""
    message = replace(MESSAGE, members={"no JSON": object()})
    delivery = Delivery("msg_1", None, "ald_fast", "fast", AlertEvent.FIRED, message)
    sent = await send.send(hooks.destination("fast"), delivery, 0.0)
    assert (False, False) == (sent.is_delivered, sent.may_succeed_later)
    assert "It cannot be sent (TypeError); the log has more." == sent.answer


async def test_an_attempt_ends(hooks, monkeypatch):
    """However slowly a server goes on, an attempt is over before another one makes it."""
    monkeypatch.setattr(send, "_LONGEST", 0.05)
    delivery = Delivery("msg_1", None, "ald_slow", "slow", AlertEvent.FIRED, MESSAGE)
    sent = await send.send(hooks.destination("slow"), delivery, 0.0)
    assert ("no answer in time", True) == (sent.answer, sent.may_succeed_later)
