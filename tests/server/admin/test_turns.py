"""The turn log and usage over GraphQL, and turns as they end."""

import asyncio
import json
from dataclasses import fields

import pytest

from longwire.core.nouns.access import Actor
from longwire.core.nouns.turn_row import TurnRow
from longwire.server.admin.turns import Turn
from longwire.store.usage import DAY
from tests.store.turn_rows import NOON, bodies, details, row

LIST = """
  query($filter: TurnFilter, $first: Int! = 50, $after: String) {
    turns(filter: $filter, first: $first, after: $after) {
      nodes { id keyName costUsd startedAt inputTokens } pageInfo { endCursor hasNextPage }
    }
  }
"""
ONE = "query($id: ID!) { turn(id: $id) { requestID bodies { request response } } }"
TOLD = """
  query($first: Int! = 50) {
    turns(first: $first) {
      nodes {
        id
        details {
          message headers { name value }
          attempts { channelID channelName transport trouble status code message endedMs }
        }
      }
    }
  }
"""
USAGE = """
  query($since: DateTime, $until: DateTime, $by: UsageBy! = ALL, $filter: UsageFilter) {
    usage(since: $since, until: $until, by: $by, filter: $filter) {
      series { start name sums { turns } } totals { turns costUsd bytesSaved cachedTokens }
      firstEvent { turns }
    }
  }
"""
SPAN = {"since": "2026-09-01T00:00:00Z", "until": "2026-10-01T00:00:00Z"}
ADDED = "subscription($filter: TurnFilter) { turnAdded(filter: $filter) { id keyName } }"


@pytest.fixture
async def project(store):
    """A project whose only member is the viewer, once there is one."""

    async def join():
        user = await store.users.find("viewer@example.org")
        (first, *_) = await store.projects.all()
        await store.projects.add_member(first.id, user.id, Actor("", "test"))
        return first.id

    return join


async def test_the_log_is_read_page_by_page_and_by_filter(admin, store):
    """Newest first; each page begins behind the one before, each filter leaves what matches."""
    rows = [row(number, NOON + number, key_name=f"k{number}") for number in range(5)]
    await store.turns.add([each._replace(key_id=f"key_{each.key_name}") for each in rows])
    seen, after = [], None
    while True:
        part = await admin.get(LIST, first=2, after=after)
        seen += [node["keyName"] for node in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["k4", "k3", "k2", "k1", "k0"]
    (only,) = (await admin.get(LIST, filter={"keyID": "key_k3"}))["nodes"]
    assert (only["keyName"], only["costUsd"], only["inputTokens"]) == ("k3", 1e-6, 10)
    assert only["startedAt"] == "2026-09-21T14:13:20.003000+00:00"
    late = await admin.get(LIST, filter={"since": "2026-09-21T14:13:20.003Z"})
    assert [node["keyName"] for node in late["nodes"]] == ["k4", "k3"]
    assert (await admin.get(LIST, filter={"outcome": "failed"}))["nodes"] == []
    for api, count in (("responses", 5), ("messages", 0)):
        assert len((await admin.get(LIST, filter={"apiFormat": api}))["nodes"]) == count


async def test_a_turn_with_its_bodies(admin, store):
    """Who may read bodies gets them as they were."""
    kept = row()
    await store.turns.add([kept], [bodies(kept)])
    turn = await admin.get(ONE, id=str(kept.id))
    assert turn["requestID"] == "req_1"
    assert json.loads(turn["bodies"]["request"]) == {"model": "gpt-5.5"}


async def test_the_attempts_of_a_turn(admin, store):
    """Each is told with what struck it; a turn that simply succeeded has nothing to tell."""
    plain, tried = row(0), row(1)
    await store.turns.add([plain, tried], [details(tried)])
    first, second = (await admin.get(TOLD))["nodes"]
    assert second == {"id": str(plain.id), "details": None}
    told = first["details"]
    assert ("it is full", [{"name": "user-agent", "value": "agent/1"}]) == (
        told["message"],
        told["headers"],
    )
    assert told["attempts"][0] == {
        "channelID": "ch_1",
        "channelName": "main",
        "transport": "websocket",
        "trouble": "lost",
        "status": 502,
        "code": "upstream_disconnected",
        "message": "gone",
        "endedMs": 20,
    }
    assert ("", "http", 40) == tuple(
        told["attempts"][1][name] for name in ("trouble", "transport", "endedMs")
    )


async def test_the_details_of_a_page_are_read_at_once(admin, store, monkeypatch):
    """An export of many turns asks the database once a page, not once a turn."""
    rows = [row(number) for number in range(200)]
    await store.turns.add(rows, [details(each) for each in rows])
    asked, read = [], store.turns.details

    async def counted(turn_ids):
        asked.append(len(turn_ids))
        return await read(turn_ids)

    monkeypatch.setattr(store.turns, "details", counted)
    nodes = (await admin.get(TOLD, first=200))["nodes"]
    assert 200 == len([each for each in nodes if each["details"]])
    assert [200] == asked


async def test_messages_are_for_those_who_may_read_bodies(viewer, store, project):
    """They may quote what was asked: a viewer sees what struck each attempt, and no words."""
    ours = row(project_id=await project())
    await store.turns.add([ours], [details(ours)])
    (told,) = (await viewer.get(TOLD))["nodes"]
    assert "" == told["details"]["message"]
    assert [("lost", ""), ("", "")] == [
        (each["trouble"], each["message"]) for each in told["details"]["attempts"]
    ]


@pytest.mark.parametrize("turn_id", ["0", "x", "-1", "9" * 19, "9" * 400, "٣"])
async def test_a_turn_that_is_not_there(admin, turn_id):
    """Whatever is no id of a turn is not found."""
    assert (await admin.fail(ONE, id=turn_id))["code"] == "NOT_FOUND"


async def test_viewers_see_the_turns_and_usage_of_their_projects(viewer, store, project):
    """What another project did is neither listed, found nor counted; bodies are not for them."""
    mine = await project()
    ours, theirs = row(0, project_id=mine, key_name="ours"), row(1, key_name="theirs")
    await store.turns.add([ours, theirs])
    assert [node["keyName"] for node in (await viewer.get(LIST))["nodes"]] == ["ours"]
    assert (await viewer.get(LIST, filter={"projectID": "prj_1"}))["nodes"] == []
    assert (await viewer.fail(ONE, id=str(theirs.id)))["code"] == "NOT_FOUND"
    told = await viewer.ask(ONE, id=str(ours.id))
    assert told["data"]["turn"] == {"requestID": "req_1", "bodies": None}
    assert told["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await viewer.get(USAGE, **SPAN))["totals"]["turns"] == 1
    assert (await viewer.get(USAGE, **SPAN, filter={"projectID": "prj_1"}))["series"] == []


async def test_usage_over_time(admin, store):
    """Sums by day, by what is asked, and what continued turns saved."""
    await store.turns.add([row(0), row(1, model_asked="b"), row(2, NOON + DAY)])
    usage = await admin.get(USAGE, **SPAN, by="MODEL")
    assert [(each["name"], each["sums"]["turns"]) for each in usage["series"]] == [
        ("b", 1),
        ("gpt-5.5", 1),
        ("gpt-5.5", 1),
    ]
    assert usage["totals"] == {"turns": 3, "costUsd": 3e-6, "bytesSaved": 2700, "cachedTokens": 12}
    assert (await admin.get(USAGE, **SPAN, filter={"model": "b"}))["totals"]["turns"] == 1
    assert (await admin.get(USAGE))["totals"]["turns"] >= 0


async def test_usage_by_api(admin, store):
    """Each API that clients speak is a line of its own, or counted alone."""
    apis = ["responses", "messages", "messages", "responses/compact"]
    await store.turns.add([row(number, api=api) for number, api in enumerate(apis)])
    usage = await admin.get(USAGE, **SPAN, by="API")
    assert [(each["name"], each["sums"]["turns"]) for each in usage["series"]] == [
        ("messages", 2),
        ("responses", 1),
        ("responses/compact", 1),
    ]
    only = await admin.get(USAGE, **SPAN, filter={"apiFormat": "messages"})
    assert (only["totals"]["turns"], only["firstEvent"]["turns"]) == (2, 2)


@pytest.mark.parametrize(
    "span",
    [
        {"since": "2026-09-02T00:00:00Z", "until": "2026-09-01T00:00:00Z"},
        {"since": "0001-01-01T00:00:00Z", "until": "2026-09-01T00:00:00Z"},
        {"since": "2000-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"},
    ],
)
async def test_a_span_that_is_none(admin, span):
    """A span that ends before it begins, or has more points than a chart, is refused."""
    refused = await admin.fail(USAGE, **span)
    assert [each["field"] for each in refused["fields"]] == ["since"]


async def test_turns_are_told_as_they_end(viewer, administration, project):
    """A subscriber gets what matches and what they may see, and nothing else."""
    mine = await project()
    wanted = {"model": "gpt-5.5"}
    async with viewer.subscribed(ADDED, filter=wanted) as read, viewer.subscribed(ADDED) as all_of:
        while len(administration.feed._subscriptions) < 2:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.001)
        for number, (key, model) in enumerate([("no", "gpt-4"), ("yes", "gpt-5.5")]):
            made = row(number, project_id=mine, key_name=key, model_asked=model)
            administration.feed.write(row(number, key_name="theirs", model_asked=model))
            administration.feed.write(made)
        told = await read()
        assert (told["type"], told["payload"]["data"]["turnAdded"]["keyName"]) == ("next", "yes")
        seen = [(await all_of())["payload"]["data"]["turnAdded"]["keyName"] for _ in range(2)]
        assert seen == ["no", "yes"]


async def test_turns_of_one_node_are_told(admin, administration, store):
    """In the log and as they end, where a node is asked for."""
    rows = [row(number, key_name=name, node=name) for number, name in enumerate(["lw-0", "lw-1"])]
    await store.turns.add(rows)
    listed = await admin.get(LIST, filter={"node": "lw-1"})
    assert ["lw-1"] == [each["keyName"] for each in listed["nodes"]]
    async with admin.subscribed(ADDED, filter={"node": "lw-1"}) as read:
        while not administration.feed._subscriptions:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.001)
        for each in rows:
            administration.feed.write(each)
        assert "lw-1" == (await read())["payload"]["data"]["turnAdded"]["keyName"]


async def test_nobody_subscribes_without_a_session(nobody):
    """A subscription is refused with its code like any query."""
    async with nobody.subscribed(ADDED) as read:
        told = await read()
    assert told["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_every_column_of_the_log_is_shown():
    """The schema has what is kept of a turn, under the name of its column but for two."""
    names = {"api": "api_format", "cost": "cost_usd"}
    expected = [names.get(name, name) for name in TurnRow._fields]
    columns = [field.name for field in fields(Turn) if field.init]
    assert expected == columns, "src/longwire/server/admin/turns.py, class Turn"


PREVIOUS = (
    "query Previous($id: ID!) { turn(id: $id) { previous { id requestID bodies { request } } } }"
)


async def test_the_turn_before_comes_with_its_bodies(admin, store):
    """So that a page can show the two side by side; a first turn has none."""
    rows = [row(0, NOON), row(0, NOON + 1)]
    await store.turns.add(rows, [bodies(each) for each in rows])
    told = await admin.ask(PREVIOUS, id=str(rows[1].id))
    assert str(rows[0].id) == told["data"]["turn"]["previous"]["id"]
    assert told["data"]["turn"]["previous"]["bodies"]["request"]
    assert (await admin.ask(PREVIOUS, id=str(rows[0].id)))["data"]["turn"]["previous"] is None
