"""Alerts from what happens to whom it concerns, over real gateways and real receivers."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from types import SimpleNamespace

import aiohttp
import pytest

from longwire.app import opening
from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.access import Actor, ApiKey, Budgets, Grant
from longwire.core.nouns.alert import AlertRule, Watched
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.nouns.delivery import DeliveryStatus
from longwire.core.nouns.secret import Secret
from longwire.emulator import Fault
from longwire.relay.channels.reconcile import Declared
from longwire.server.alerts import watch
from longwire.server.alerts.deliveries import Deliveries
from longwire.server.alerts.facts import Facts
from longwire.store.store import now_ms
from tests.conftest import KEY, serving, settings_for
from tests.doubles.receivers import receiving
from tests.store.test_alerts import OPS, RULE, look, say
from tests.store.turn_rows import NOON, row

pytestmark = pytest.mark.process

RESTS = {"name": "rests", "watched": "channel_resting"}
BUSY = Fault(at="before_create", act="error", status=429, code="busy", headers={"retry-after": "2"})
NOWHERE = "http://127.0.0.1:9/hook"
TURN = {"model": "gpt", "input": "hi"}


def settings_of(emulator, receiver, url, **tables):
    """A gateway before the emulator, which looks often and tells the receiver."""
    hook = {"name": "ops", "kind": "webhook", "url": receiver.url}
    return settings_for(
        f"{emulator.url}/v1",
        database={"url": url},
        alerts={"interval": "300ms"},
        alert_destinations=(hook,),
        **{"alert_rules": (RESTS,), **tables},
    )


async def ask(gateway):
    """The status of one turn."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{gateway.url}/v1/responses", json=TURN) as answer,
    ):
        return answer.status


async def metrics_of(gateway):
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/metrics") as answer:
        return await answer.text()


async def served(gateway):
    """Ask until a turn is served: after its rest the channel is tried again."""
    async with asyncio.timeout(20):
        while await ask(gateway) != 200:  # noqa: ASYNC110 - an upstream tells nobody
            await asyncio.sleep(0.2)


async def sent_by(deliveries):
    """Send what is due, and wait until it is."""
    async with asyncio.TaskGroup() as group:
        await deliveries.begin_due(group)


async def test_a_channel_that_rests_is_told_and_its_end_too(emulator, tmp_path):
    """A webhook hears that it rests, why, and that it serves again; so do the metrics."""
    url = f"sqlite:///{tmp_path}/longwire.db"
    async with receiving("webhook", answers=[[200, {}]]) as receiver:
        settings = settings_of(emulator, receiver, url)
        emulator.faults.add(BUSY)
        async with serving(settings, opening(settings)) as gateway:
            assert 429 == await ask(gateway)
            fired = json.loads((await receiver.message())["body"])
            figures = await metrics_of(gateway)
            await served(gateway)
            resolved = json.loads((await receiver.message())["body"])
    assert ("alert.fired", "alert.resolved") == (fired["type"], resolved["type"])
    assert "[Longwire] Alert: channel main rests after failures" == fired["text"]
    assert ("file:main", "main") == (fired["data"]["subject"], fired["data"]["label"])
    assert fired["data"]["id"] == resolved["data"]["id"]
    assert (None, True) == (fired["data"]["until"], bool(resolved["data"]["until"]))
    assert 'longwire_alerts_open{rule="rests"} 1.0' in figures
    assert 'longwire_alert_deliveries_total{result="delivered"} 1.0' in figures


async def test_two_nodes_tell_it_once(emulator, database_url):
    """Both rest, both look, one of them tells; the other hears of it by the database alone."""
    async with receiving("webhook", answers=[[200, {}]]) as receiver, AsyncExitStack() as stack:
        settings = settings_of(emulator, receiver, database_url)
        emulator.faults.add(BUSY, BUSY)
        nodes = [
            await stack.enter_async_context(serving(settings, opening(settings))) for _ in range(2)
        ]
        assert [429, 429] == [await ask(node) for node in nodes]
        fired = json.loads((await receiver.message())["body"])
        assert ("alert.fired", True) == (fired["type"], await receiver.is_quiet(1.2))


async def test_a_delivery_survives_a_restart(store):
    """What was due when a gateway ended is sent by the next one, as the same message."""
    await store.alerts.step(look(1.0, rule=replace(RULE, lasts=0)), say, NOON)
    answers = [[503, {"retry-after": "1"}], [200, {}]]
    async with receiving("webhook", answers=answers) as receiver:
        hook = replace(OPS.webhook, url=Secret(receiver.url))
        destinations = [replace(OPS, webhook=hook)]
        now = NOON

        async def known():
            return destinations

        first = Deliveries(store.alerts, known, lambda: now)
        await sent_by(first)
        one = await receiver.message()
        (waiting,) = (await store.alerts.page()).items[0].deliveries
        assert (DeliveryStatus.PENDING, 1) == (waiting.status, waiting.attempts)
        assert waiting.answer.startswith("503")
        second = Deliveries(store.alerts, known, lambda: now)
        now = waiting.next_at
        await sent_by(second)
        other = await receiver.message()
    (ended,) = (await store.alerts.page()).items[0].deliveries
    assert (DeliveryStatus.DELIVERED, 2, None) == (ended.status, ended.attempts, ended.next_at)
    assert one["headers"]["webhook-id"] == other["headers"]["webhook-id"] == ended.id
    assert ({"retried": 1}, {"delivered": 1}) == (dict(first.results), dict(second.results))


async def test_a_delivery_is_given_up_after_its_last_attempt(store):
    """Eight waits, each no shorter than the one before; then it has failed, and says why."""
    await store.alerts.step(look(1.0, rule=replace(RULE, lasts=0)), say, NOON)
    now, waits = NOON, []

    async def known():
        return [replace(OPS, webhook=replace(OPS.webhook, url=Secret(NOWHERE)))]

    deliveries = Deliveries(store.alerts, known, lambda: now)
    for _ in range(9):
        await sent_by(deliveries)
        (delivery,) = (await store.alerts.page()).items[0].deliveries
        if delivery.next_at is not None:
            waits.append(delivery.next_at - now)
            now = delivery.next_at
    assert (8, sorted(waits)) == (len(waits), waits)
    assert (DeliveryStatus.FAILED, 9) == (delivery.status, delivery.attempts)
    assert "Cannot connect" in delivery.answer


async def test_what_goes_to_a_destination_that_is_gone_fails(store):
    """Nobody waits for it for ever."""
    await store.alerts.step(look(1.0, rule=replace(RULE, lasts=0)), say, NOON)

    async def known():
        return ()

    await sent_by(Deliveries(store.alerts, known, lambda: NOON))
    (delivery,) = (await store.alerts.page()).items[0].deliveries
    expected = (DeliveryStatus.FAILED, "the destination is there no more")
    assert expected == (delivery.status, delivery.answer)


async def test_a_log_that_cannot_be_written_is_told_without_a_database(
    emulator, tmp_path, monkeypatch
):
    """The very database that would keep the alert is away: the node tells it by itself, once."""
    url = f"sqlite:///{tmp_path}/longwire.db"
    failing = {"name": "log", "watched": "turn_log_failing"}
    async with receiving("webhook", answers=[[200, {}]]) as receiver:
        settings = settings_of(emulator, receiver, url, alert_rules=(failing,))
        async with serving(settings, opening(settings)) as gateway:
            alerting = gateway.app.control.alerting
            await alerting._watch.look()
            log = gateway.app.control._log

            async def away(*_arguments):
                raise StoreUnavailable("disk I/O error")

            with monkeypatch.context() as patch:
                patch.setattr(watch, "take", away)
                patch.setattr(log, "problem", "disk I/O error")
                fired = json.loads((await receiver.message())["body"])
                assert await receiver.is_quiet(1.0)
            log.problem = ""
            resolved = json.loads((await receiver.message())["body"])
    assert ("alert.fired", "alert.resolved") == (fired["type"], resolved["type"])
    assert fired["text"].endswith("cannot write the turn log")
    assert "The database says: disk I/O error" == fired["data"]["note"]


async def test_budgets_are_shares_of_what_was_spent(store, actor):
    """Of each limit that a key has, and of each budget of the gateway."""
    budgets = Budgets(tokens_per_day=30, cost_per_month=4_000)
    draft = ApiKey("", "ci", "", b"", Grant("", "prj_default", budgets=budgets))
    key = (await store.keys.create(draft, actor)).key
    await store.budgets.create(
        Budget("", SubjectKind.PROJECT, "prj_default", Period.WEEK, Unit.TOKENS, 60), actor
    )
    await store.turns.add([row(key_id=key.id, project_id="prj_default")])
    facts = Facts(store, SimpleNamespace(declared=Declared()), *[None] * 3)
    rule = AlertRule("", "r", Watched.BUDGET_SHARE, 0.8)
    found = await facts.of([rule], NOON)
    assert {
        "key ci, tokens of this day": 0.5,
        "key ci, dollars of this month": 0.25,
        "project Default, tokens of this week": 0.25,
    } == {fact.label: fact.value for fact in found[""]}


@pytest.mark.parametrize(
    ("watched", "label", "note"),
    [
        (Watched.ERROR_RATE, "main", "10 of 10 turns failed."),
        (Watched.CONTINUED_SHARE, "all channels", "0 of 10 turns were continued."),
        (Watched.CONTINUED_DROP, "all channels", "It was 100% of 10 turns, and is 0% of 10."),
    ],
)
async def test_shares_of_turns_are_watched(watched, label, note, emulator, tmp_path):
    """Ten turns that failed or were not continued, after ten that were; with the figures."""
    url = f"sqlite:///{tmp_path}/longwire.db"
    async with receiving("webhook", answers=[[200, {}]]) as receiver:
        settings = settings_of(emulator, receiver, url, alert_rules=())
        async with serving(settings, opening(settings)) as gateway:
            store = gateway.app.control._administration.store
            now = now_ms()
            good = {"channel_id": "file:main", "continuity": "continued"}
            bad = {"channel_id": "file:main", "continuity": "fresh", "error_code": "x"}
            before = [row(number, now - 90_000, **good) for number in range(10)]
            lately = [row(number, now - 1_000, **bad) for number in range(10)]
            await store.turns.add([*before, *lately])
            rule = AlertRule("", "r", watched, 0.5, window=60, least_turns=10)
            await store.alert_rules.create(rule, Actor("", "test"))
            fired = json.loads((await receiver.message())["body"])
    told = fired["data"]
    assert (watched.value, label, note) == (told["watched"], told["label"], told["note"])
