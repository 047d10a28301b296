"""Alerts in the database, on both engines."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.alert import AlertEvent, AlertRule, Fact, Watched
from longwire.core.nouns.delivery import Delivery, DeliveryStatus, Message
from longwire.core.nouns.destination import AlertDestination, DestinationKind, Mail, Webhook
from longwire.core.nouns.secret import Secret
from longwire.store.alert_destinations import signed
from longwire.store.alert_figures import Share, shares
from longwire.store.alert_tables import alert_deliveries, alert_destinations, alerts
from longwire.store.alerts import KEPT_MS, Look, sweep_alerts
from longwire.store.usage import HOUR
from tests.store.turn_rows import NOON, row

MINUTE = 60_000
RULE = AlertRule("r1", "It rests", Watched.CHANNEL_RESTING, lasts=60)
OPS = AlertDestination("ald_1", "ops", DestinationKind.WEBHOOK, Webhook(Secret("https://a.b/c")))
MAIL = AlertDestination(
    "", "mail", DestinationKind.MAIL, mail=Mail("mx", sender="a@b", recipients=("c@d",))
)


def say(alert_id, rule, notice):
    return Message(notice.event.value, rule.name, f"alert.{notice.event}", {"id": alert_id})


def look(value=None, *others, rule=RULE, destinations=(OPS,)):
    """What a look found: figures of the subjects a, b, …, none for one that is not there."""
    figures = zip("abc", (value, *others), strict=False)
    facts = [Fact(name, name.upper(), each) for name, each in figures if each is not None]
    return Look([rule], {rule.id: facts}, destinations)


async def _count(database, table):
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(table))


async def test_the_whole_life_of_an_alert(store):
    """It waits, fires, is told, and is over; what was sent stands beside it."""
    step = store.alerts.step
    assert {} == await step(look(1.0), say, NOON)
    assert ((), 0) == ((await store.alerts.page()).items, await store.alerts.count_open())
    assert {"It rests": 1} == await step(look(1.0), say, NOON + MINUTE)
    (lasting,) = (await store.alerts.page(only_open=True)).items
    assert (NOON, NOON + MINUTE, None) == (lasting.since, lasting.fired_at, lasting.until)
    assert {} == await step(look(0.0), say, NOON + 2 * MINUTE)
    (ended,) = (await store.alerts.page()).items
    assert ((), NOON + 2 * MINUTE) == (
        (await store.alerts.page(only_open=True)).items,
        ended.until,
    )
    events = [(each.event, each.destination_name) for each in ended.deliveries]
    assert [(AlertEvent.FIRED, "ops"), (AlertEvent.RESOLVED, "ops")] == events
    assert {"id": ended.id} == ended.deliveries[0].message.members


async def test_what_did_not_last_leaves_nothing(store, database):
    """Neither a row nor a message."""
    for minute, value in enumerate([1.0, 0.0, 1.0, None]):
        await store.alerts.step(look(value), say, NOON + minute * MINUTE)
    assert (0, 0) == (
        await _count(store.database, alerts),
        await _count(store.database, alert_deliveries),
    )


async def test_alerts_of_a_rule_that_is_gone_end_untold(store):
    """Deleted or disabled: they last no longer, and nobody is told."""
    rule = replace(RULE, lasts=0)
    await store.alerts.step(look(1.0, rule=rule), say, NOON)
    await store.alerts.step(Look([], {}, (OPS,)), say, NOON + MINUTE)
    (ended,) = (await store.alerts.page()).items
    assert (NOON + MINUTE, 1) == (ended.until, len(ended.deliveries))


async def test_what_could_not_be_looked_at_stays(store):
    """No facts are no news."""
    rule = replace(RULE, lasts=0)
    await store.alerts.step(look(1.0, rule=rule), say, NOON)
    assert {"It rests": 1} == await store.alerts.step(Look([rule], {}, (OPS,)), say, NOON + 1)


async def test_a_rule_informs_whom_it_names(store):
    """Others, and those that are disabled, get nothing."""
    others = [replace(OPS, id="ald_2", name="b"), replace(OPS, id="ald_3", name="c", enabled=False)]
    rule = replace(RULE, lasts=0, destinations=("ald_2", "ald_3"))
    await store.alerts.step(look(1.0, rule=rule, destinations=(OPS, *others)), say, NOON)
    assert ["b"] == [each.destination_name for each in await store.alerts.claim_due(NOON)]


async def test_several_nodes_step_at_once_and_tell_it_once(store):
    """The second one finds what the first one wrote."""
    rule = replace(RULE, lasts=0)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(store.alerts.step(look(1.0, 1.0, rule=rule), say, NOON))
    found = (await store.alerts.page()).items
    assert ["a", "b"] == sorted(each.subject for each in found)
    assert [1, 1] == [len(each.deliveries) for each in found]


async def test_a_delivery_is_claimed_by_one(store):
    """Of several who look at once; who dies with it leaves it to the next after a while."""
    await store.alerts.step(look(1.0, 1.0, rule=replace(RULE, lasts=0)), say, NOON)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.alerts.claim_due(NOON)) for _ in range(4)]
    claimed = [each.id for task in tasks for each in task.result()]
    assert (2, 2) == (len(claimed), len(set(claimed)))
    assert () == await store.alerts.claim_due(NOON + MINUTE)
    assert 2 == len(await store.alerts.claim_due(NOON + 2 * MINUTE))


async def test_what_became_of_a_delivery_is_kept(store):
    """Delivered is never due again; what is to be tried again is, at its time."""
    await store.alerts.step(look(1.0, 1.0, rule=replace(RULE, lasts=0)), say, NOON)
    one, other = await store.alerts.claim_due(NOON)
    done = {"status": DeliveryStatus.DELIVERED, "next_at": None, "ended_at": NOON}
    await store.alerts.settle(replace(one, attempts=1, answer="200 OK", **done))
    await store.alerts.settle(replace(other, attempts=1, answer="503", next_at=NOON + 5))
    assert () == await store.alerts.claim_due(NOON + 4)
    (again,) = await store.alerts.claim_due(NOON + 5)
    assert (other.id, 1, "503") == (again.id, again.attempts, again.answer)


async def test_old_history_is_swept_and_what_lasts_stays(store, database):
    """With the deliveries of what goes, and tests."""
    rule = replace(RULE, lasts=0)
    await store.alerts.step(look(1.0, 1.0, rule=rule), say, NOON)
    await store.alerts.step(look(1.0, 0.0, rule=rule), say, NOON + MINUTE)
    message = Message("t", "t", "alert.test", {})
    await store.alerts.add(Delivery("msg_t", None, "x", "x", AlertEvent.TEST, message))
    await sweep_alerts(store.database, NOON + KEPT_MS)
    assert (2, 3) == (
        await _count(store.database, alerts),
        await _count(store.database, alert_deliveries),
    )
    await sweep_alerts(store.database, NOON + 2 * MINUTE + KEPT_MS)
    (kept,) = (await store.alerts.page()).items
    assert ("a", 1) == (kept.subject, await _count(store.database, alert_deliveries))


async def test_a_new_database_has_rules_that_inform_everybody(store):
    """One of each kind that needs no figure of the operator's own."""
    rules = await store.alert_rules.all()
    assert set(Watched) - {Watched.CONTINUED_SHARE} == {rule.watched for rule in rules}
    assert {((), True)} == {(rule.destinations, rule.enabled) for rule in rules}


async def test_the_whole_life_of_a_rule(store, actor):
    """Made, changed at the revision seen, deleted; each is in the audit log."""
    draft = AlertRule("", "mine", Watched.ERROR_RATE, 0.3, destinations=("ald_1",))
    rule = await store.alert_rules.create(draft, actor)
    assert rule == await store.alert_rules.get(rule.id)
    changed = await store.alert_rules.update(replace(rule, threshold=0.4), actor)
    assert (0.4, 2) == (changed.threshold, changed.revision)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await store.alert_rules.update(rule, actor)
    with pytest.raises(Conflict, match="with the name"):
        await store.alert_rules.create(draft, actor)
    with pytest.raises(InvalidFields):
        await store.alert_rules.create(replace(draft, name="b", threshold=2.0), actor)
    await store.alert_rules.delete(rule.id, 2, actor)
    with pytest.raises(NotFound):
        await store.alert_rules.get(rule.id)
    seen = (await store.audit.page(kind="alert-rule")).items
    assert ["delete", "update", "create"] == [each.action for each in seen]
    assert {"threshold": [0.3, 0.4]} == seen[1].changes


async def test_the_whole_life_of_a_destination(store, actor, database):
    """Its secrets are sealed, opened again, and never in the audit log."""
    wanted, secret = signed(replace(OPS, id="", name="hook"))
    hook = await store.alert_destinations.create(wanted, actor)
    assert hook == await store.alert_destinations.get(hook.id)
    assert secret == hook.webhook.secret
    changed = replace(MAIL.mail, user="u", password=Secret("planted"))
    mail = await store.alert_destinations.create(MAIL, actor)
    mail = await store.alert_destinations.update(replace(mail, mail=changed), actor)
    assert [hook, mail] == list(await store.alert_destinations.all())
    async with store.database.read() as connection:
        rows = (await connection.execute(select(alert_destinations))).all()
    assert not any(text in str(rows).encode() for text in (b"planted", b"a.b/c", b"whsec"))
    shown = str([each.changes for each in (await store.audit.page()).items])
    assert ("***" in shown, "planted" in shown, "whsec" in shown) == (True, False, False)
    await store.alert_destinations.delete(mail.id, 2, actor)
    assert [hook] == list(await store.alert_destinations.all())


async def test_shares_of_a_short_and_a_long_window(store):
    """From the turns themselves, or from the sums by hour; what no channel served is left out."""
    rows = [
        row(0, NOON, continuity="continued"),
        row(1, NOON, continuity="fresh", error_code="x"),
        row(2, NOON, channel_id="ch_2"),
        row(3, NOON, channel_id="", error_code="x"),
        row(4, NOON - 2 * HOUR),
    ]
    await store.turns.add(rows)
    short = await shares(store.database, NOON - MINUTE, NOON + 1)
    assert [Share("ch_1", 2, 1, 1), Share("ch_2", 1, 1, 0)] == sorted(short)
    long = await shares(store.database, NOON - 3 * HOUR, NOON + 1)
    assert [Share("ch_1", 3, 2, 1), Share("ch_2", 1, 1, 0)] == sorted(long)
