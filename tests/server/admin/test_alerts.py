"""Alerts, their rules and destinations over GraphQL."""

import json
from dataclasses import replace

import pytest

from longwire.core.nouns.alert import AlertRule, Watched
from longwire.core.nouns.destination import AlertDestination, DestinationKind, Webhook
from longwire.core.nouns.secret import Secret
from tests.doubles.receivers import receiving
from tests.server.admin.conftest import SQLITE
from tests.store.test_alerts import OPS, RULE, look, say
from tests.store.turn_rows import NOON

RULE_FIELDS = " fragment all on AlertRule { id name watched threshold window enabled revision }"
CREATE = "mutation($i: AlertRuleInput!) { createAlertRule(input: $i) { ...all } }" + RULE_FIELDS
UPDATE = (
    """mutation($id: ID!, $r: Int!, $i: AlertRuleInput!) {
    updateAlertRule(id: $id, revision: $r, input: $i) { ...all } }"""
    + RULE_FIELDS
)
DELETE = "mutation($id: ID!, $r: Int!) { deleteAlertRule(id: $id, revision: $r) }"
TO = " fragment all on AlertDestination { id name kind address isSigned recipients revision }"
CREATE_TO = (
    """mutation($i: AlertDestinationInput!) {
    createAlertDestination(input: $i) { secret destination { ...all } } }"""
    + TO
)
UPDATE_TO = (
    """mutation($id: ID!, $r: Int!, $i: AlertDestinationInput!) {
    updateAlertDestination(id: $id, revision: $r, input: $i) { ...all } }"""
    + TO
)
DELETE_TO = "mutation($id: ID!, $r: Int!) { deleteAlertDestination(id: $id, revision: $r) }"
TEST = "mutation($id: ID!) { testAlertDestination(id: $id) { status answer event } }"
HOOK = {"name": "ops", "kind": "WEBHOOK", "url": "https://hooks.example.org/planted"}


async def test_the_whole_life_of_a_rule(admin):
    """Made with the usual threshold of what it watches, changed, deleted."""
    made = await admin.get(CREATE, i={"name": "mine", "watched": "BUDGET_SHARE"})
    assert (0.8, True, 1) == (made["threshold"], made["enabled"], made["revision"])
    changed = await admin.get(UPDATE, id=made["id"], r=1, i={"threshold": 0.5, "enabled": False})
    assert (0.5, False, 2) == (changed["threshold"], changed["enabled"], changed["revision"])
    assert 2 == (await admin.fail(UPDATE, id=made["id"], r=1, i={"threshold": 0.6}))["revision"]
    assert changed in await admin.get("{ alertRules { ...all } }" + RULE_FIELDS)
    assert await admin.get(DELETE, id=made["id"], r=2) is True
    assert "NOT_FOUND" == (await admin.fail(DELETE, id=made["id"], r=2))["code"]


async def test_a_rule_informs_destinations_that_there_are(admin, store):
    """Others are refused, with what else is wrong; one that has gone since stays till changed."""
    to = (await admin.get(CREATE_TO, i=HOOK))["destination"]["id"]
    wrong = {"name": "x", "window": 1, "destinations": [to, "nix"]}
    problems = (await admin.fail(CREATE, i=wrong))["fields"]
    assert ["window", "destinations"] == [each["field"] for each in problems]
    assert "nix" in problems[1]["message"]
    made = await admin.get(CREATE, i={"name": "x", "destinations": [to]})
    refusal = await admin.fail(UPDATE, id=made["id"], r=1, i={"destinations": ["nix"]})
    assert ["destinations"] == [each["field"] for each in refusal["fields"]]
    assert await admin.get(DELETE_TO, id=to, r=1)
    (rule,) = [each for each in await store.alert_rules.all() if each.id == made["id"]]
    changed = await admin.get(UPDATE, id=made["id"], r=rule.revision, i={"enabled": False})
    assert changed["enabled"] is False


@SQLITE
@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x", "watched": "ERROR_RATE", "threshold": 2.0}, ["threshold"]),
        ({"name": "x", "window": 1, "lasts": -1}, ["window", "lasts"]),
        ({"name": "x", "repeatAfter": 10**6, "leastTurns": 0}, ["repeatAfter", "leastTurns"]),
    ],
)
async def test_a_bad_rule_is_refused_by_its_fields(draft, fields, admin):
    """Every one of them at once, each with the mend."""
    problems = (await admin.fail(CREATE, i=draft))["fields"]
    assert fields == [each["field"] for each in problems]
    assert all(each["message"] for each in problems)


async def test_the_whole_life_of_a_destination(admin):
    """Its signing secret is told once, its URL never; what is left out stays."""
    made = await admin.get(CREATE_TO, i=HOOK)
    assert made["secret"].startswith("whsec_")
    shown = made["destination"]
    assert ("hooks.example.org/…", True) == (shown["address"], shown["isSigned"])
    changed = await admin.get(UPDATE_TO, id=shown["id"], r=1, i={"name": "renamed"})
    assert {**shown, "name": "renamed", "revision": 2} == changed
    audit = await admin.get('{ audit(noun: "alert-destination") { nodes { action changes } } }')
    assert "planted" not in json.dumps([audit, changed, made])
    assert ["update", "create"] == [each["action"] for each in audit["nodes"]]
    assert await admin.get(DELETE_TO, id=shown["id"], r=2) is True


@SQLITE
@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        ({**HOOK, "url": "ftp://x"}, ["url"]),
        ({**HOOK, "secret": "short"}, ["secret"]),
        ({"name": "m", "kind": "MAIL"}, ["host", "sender", "recipients"]),
        (
            {"name": "m", "kind": "MAIL", "host": "mx", "sender": "a@b", "recipients": ["c"]},
            ["recipients"],
        ),
        (
            {
                "name": "m",
                "kind": "MAIL",
                "host": "mx",
                "sender": "a@b",
                "port": 0,
                "recipients": ["c@d"],
                "password": "p",
                "security": "NONE",
            },
            ["port", "user", "security"],
        ),
    ],
)
async def test_a_bad_destination_is_refused_by_its_fields(draft, fields, admin):
    """Every one of them at once; no secret is repeated."""
    problems = (await admin.fail(CREATE_TO, i=draft))["fields"]
    assert fields == [each["field"] for each in problems]


@SQLITE
async def test_what_the_file_declares_is_not_changed_here(admin, administration):
    """It is shown, and a change is refused with the place."""
    declared = administration.reconciler.declared
    hook = AlertDestination("file:h", "h", DestinationKind.WEBHOOK, is_declared=True)
    rule = AlertRule("file:r", "r", Watched.NODE_GONE, is_declared=True)
    administration.reconciler.declared = replace(
        declared, alert_rules=(rule,), alert_destinations=(hook,)
    )
    shown = await admin.get("{ alertRules { id managedBy } }")
    assert {"id": "file:r", "managedBy": "FILE"} == shown[0]
    for query, target in ((DELETE, "file:r"), (DELETE_TO, "file:h")):
        told = await admin.ask(query, id=target, r=1)
        (error,) = told["errors"]
        assert ("CONFLICT", True) == (error["extensions"]["code"], "managed by" in error["message"])


@SQLITE
async def test_the_history_has_what_was_sent(admin, store):
    """With the words for people, the newest first; those that last are counted."""
    rule = replace(RULE, lasts=0)
    await store.alerts.step(look(1.0, rule=rule), say, NOON)
    await store.alerts.step(look(1.0, 1.0, rule=rule), say, NOON + 1)
    await store.alerts.step(look(0.0, 1.0, rule=rule), say, NOON + 2)
    query = """query($open: Boolean!) { alerts(onlyOpen: $open) { nodes {
        text until deliveries { event status destinationName } } } }"""
    newest, oldest = (await admin.get(query, open=False))["nodes"]
    assert ("channel B rests after failures", None) == (newest["text"], newest["until"])
    fired = {"event": "FIRED", "status": "PENDING", "destinationName": OPS.name}
    assert [fired, {**fired, "event": "RESOLVED"}] == oldest["deliveries"]
    assert [newest] == (await admin.get(query, open=True))["nodes"]
    assert 1 == await admin.get("{ openAlerts }")


@SQLITE
@pytest.mark.process
async def test_a_test_tells_what_came_back(admin, store, actor):
    """The answer of a real receiver, and that somebody tried it."""
    async with receiving("webhook", answers=[[200, {}], [401, {}]]) as receiver:
        webhook = Webhook(Secret(receiver.url))
        hook = await store.alert_destinations.create(replace(OPS, webhook=webhook), actor)
        good, bad = [await admin.get(TEST, id=hook.id) for _ in range(2)]
    assert {"status": "DELIVERED", "answer": "200 OK: as you wish", "event": "TEST"} == good
    assert ("FAILED", True) == (bad["status"], bad["answer"].startswith("401"))
    audit = await admin.get('{ audit(noun: "alert-destination") { nodes { action } } }')
    assert ["test", "test", "create"] == [each["action"] for each in audit["nodes"]]
