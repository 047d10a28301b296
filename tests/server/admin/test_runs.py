"""Sessions and traces over GraphQL, live and ended."""

import pytest

from longwire.core.nouns.access import Actor
from longwire.core.nouns.run import run_id
from tests.store.turn_rows import NOON, row

FIELDS = """
  id kind name projectID keyID keyName firstAt lastAt models channelIDs turns continued failures
  bytesReceived bytesSent bytesSaved inputTokens cachedTokens outputTokens costUsd
"""
LIST = """
  query($filter: AgentSessionFilter, $first: Int! = 50, $after: String) {
    agentSessions(filter: $filter, first: $first, after: $after) {
      nodes { name connections { id } } pageInfo { endCursor hasNextPage }
    }
  }
"""
TRACES = "query($filter: AgentSessionFilter) { traces(filter: $filter) { nodes { name turns } } }"
SESSION = f"query($id: ID!) {{ agentSession(id: $id) {{ {FIELDS} }} }}"
TRACE = """
  query($id: ID!, $first: Int! = 200, $after: String) {
    trace(id: $id) {
      name turns connections { id }
      turnLog(first: $first, after: $after) {
        nodes { session keyName modelAsked } pageInfo { endCursor hasNextPage }
      }
    }
  }
"""


async def names(caller, query=LIST, **variables):
    """The names of the runs that somebody sees."""
    return [each["name"] for each in (await caller.get(query, **variables))["nodes"]]


async def test_a_session_has_the_sums_of_its_turns(admin, store):
    """Whatever channels and models served them; it is found by its id and by its name."""
    await store.turns.add([row(0), row(1, NOON + 5, channel_id="ch_2", model_asked="small")])
    expected = {
        "id": run_id("session", "agent-1", "prj_1", "key_1"),
        "kind": "session",
        "name": "agent-1",
        "projectID": "prj_1",
        "keyID": "key_1",
        "keyName": "dev",
        "firstAt": "2026-09-21T14:13:20+00:00",
        "lastAt": "2026-09-21T14:13:20.905000+00:00",
        "models": ["gpt-5.5", "small"],
        "channelIDs": ["ch_1", "ch_2"],
        "turns": 2,
        "continued": 2,
        "failures": 0,
        "bytesReceived": 2_000,
        "bytesSent": 200,
        "bytesSaved": 1_800,
        "inputTokens": 20,
        "cachedTokens": 8,
        "outputTokens": 10,
        "costUsd": 2e-6,
    }
    for which in (expected["id"], "agent-1"):
        assert expected == await admin.get(SESSION, id=which)
    for unknown in ("agent-2", "", "\N{SNOWMAN}" * 300):
        assert "NOT_FOUND" == (await admin.fail(SESSION, id=unknown))["code"]


async def test_a_trace_holds_its_sub_agents_and_its_turns(admin, store):
    """Its turns come newest first, page by page, of all its sessions and keys."""
    rows = [row(n, NOON + n, session=f"s{n % 2}", key_name=f"k{n % 3}") for n in range(5)]
    await store.turns.add([*rows, row(9, trace="other"), row(8, project_id="prj_2")])
    page = await admin.get(TRACE, id=run_id("trace", "trace-1", "prj_1"), first=3)
    assert 5 == page["turns"]
    assert ["s0", "s1", "s0"] == [each["session"] for each in page["turnLog"]["nodes"]]
    end = page["turnLog"]["pageInfo"]
    assert end["hasNextPage"]
    rest = (await admin.get(TRACE, id="trace-1", first=3, after=end["endCursor"]))["turnLog"]
    assert ["s1", "s0"] == [each["session"] for each in rest["nodes"]]
    assert "INVALID" == (await admin.fail(TRACE, id="trace-1", first=201))["code"]


async def test_live_sessions_are_told_from_ended_ones(admin, store, administration):
    """A live one shows its connections; both are found alone."""
    await store.turns.add([row(0, session="live"), row(1, session="ended")])
    run = run_id("session", "live", "prj_1", "key_1")
    trace = run_id("trace", "trace-1", "prj_1")
    administration.sessions.live.put(7, run=run, trace=trace)
    administration.sessions.live.put(8)
    found = {each["name"]: each["connections"] for each in (await admin.get(LIST))["nodes"]}
    assert {"live": [{"id": "a/7"}], "ended": []} == found
    assert ["live"] == await names(admin, filter={"live": True})
    assert ["ended"] == await names(admin, filter={"live": False})
    assert [{"id": "a/7"}] == (await admin.get(TRACE, id=trace))["connections"]
    assert ["trace-1"] == await names(admin, TRACES, filter={"live": True})
    assert [] == await names(admin, TRACES, filter={"live": False})


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"keyID": "key_2"}, ["b"]),
        ({"model": "small"}, ["b"]),
        ({"channelID": "ch_2"}, ["c"]),
        ({"projectID": "prj_2"}, ["d"]),
        ({"name": "a"}, ["a"]),
        ({"since": "2026-09-21T14:13:23Z"}, ["d", "c"]),
        ({"until": "2026-09-21T14:13:22Z"}, ["b", "a"]),
        ({"projectID": "prj_3"}, []),
    ],
)
async def test_sessions_are_found(admin, store, criteria, expected):
    """By whose they are, what served them, and when."""
    await store.turns.add(
        [
            row(0, NOON, session="a"),
            row(1, NOON + 1_000, session="b", key_id="key_2", model_asked="small"),
            row(2, NOON + 3_000, session="c", channel_id="ch_2"),
            row(3, NOON + 4_000, session="d", project_id="prj_2"),
        ]
    )
    assert expected == await names(admin, filter=criteria)


async def test_sessions_come_page_by_page(admin, store):
    """The latest first; a cursor of another list is refused."""
    await store.turns.add([row(n, NOON + n, session=f"s{n}") for n in range(5)])
    first = await admin.get(LIST, first=3)
    cursor = first["pageInfo"]["endCursor"]
    rest = await admin.get(LIST, first=3, after=cursor)
    assert ["s4", "s3", "s2", "s1", "s0"] == [
        each["name"] for page in (first, rest) for each in page["nodes"]
    ]
    assert not rest["pageInfo"]["hasNextPage"]
    assert "INVALID" == (await admin.fail(LIST, after="12"))["code"]


async def test_viewers_see_the_runs_of_their_projects(viewer, store):
    """A run of another project is not there, by its id neither, and of none they see nothing."""
    (project, *_) = await store.projects.all()
    rows = [row(0, project_id=project.id), row(1, project_id="prj_x", session="secret")]
    await store.turns.add(rows)
    secret = run_id("session", "secret", "prj_x", "key_1")
    assert [] == await names(viewer)
    user = await store.users.find("viewer@example.org")
    await store.projects.add_member(project.id, user.id, Actor("", "test"))
    assert ["agent-1"] == await names(viewer)
    assert [] == await names(viewer, filter={"projectID": "prj_x"})
    for which in (secret, "secret"):
        assert "NOT_FOUND" == (await viewer.fail(SESSION, id=which))["code"]
    trace = await viewer.get(TRACE, id="trace-1")
    assert 1 == trace["turns"]
    assert 1 == len(trace["turnLog"]["nodes"])
    others = run_id("trace", "trace-1", "prj_x")
    assert "NOT_FOUND" == (await viewer.fail(TRACE, id=others))["code"]
