"""Whatever somebody pastes, found over GraphQL."""

import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import Actor
from tests.store.turn_rows import NOON, row

FIND = """
  query($text: String!) {
    find(text: $text) {
      turns { by turn { id requestID } }
      sessions { name turn { id } }
      traces { name turn { id } }
      keys { name prefix }
      channels { name }
      models
      users { email }
    }
  }
"""
NOTHING = {
    "turns": [],
    "sessions": [],
    "traces": [],
    "keys": [],
    "channels": [],
    "models": [],
    "users": [],
}
CREATE = 'mutation { createAPIKey(input: {name: "robot-key"}) { secret apiKey { prefix } } }'
TURN = row(
    3,
    request_id="req_pasted",
    response_id="resp_pasted",
    session="run-pasted",
    trace="0af7651916cd",
)


async def test_a_pasted_id_opens_its_turn(admin, store):
    """By its own id, its request's or its response's, whole or begun; others are left out."""
    await store.turns.add([row(number) for number in range(3)])
    await store.turns.add([TURN])
    for by, text in (
        ("id", str(TURN.id)),
        ("request_id", "req_pasted"),
        ("request_id", "req_paste"),
        ("response_id", "msg_pasted"),
    ):
        expected = [{"by": by, "turn": {"id": str(TURN.id), "requestID": "req_pasted"}}]
        assert {**NOTHING, "turns": expected} == await admin.get(FIND, text=text)


async def test_a_run_is_found_once(admin, store):
    """A session or a trace of many turns is one hit, with its last turn."""
    rows = [TURN._replace(id=row(number, NOON).id) for number in range(5)]
    await store.turns.add(rows)
    last = {"id": str(rows[-1].id)}
    for kind, name in (("sessions", "run-pasted"), ("traces", "0af7651916cd")):
        expected = {**NOTHING, kind: [{"name": name, "turn": last}]}
        assert expected == await admin.get(FIND, text=name)
        assert expected == await admin.get(FIND, text=name[:7])


async def test_names_are_found_by_a_part(admin, store):
    """Keys, channels, their models and people, whatever the case of the letters."""
    await admin.get(CREATE)
    channel = '{name: "Robots", apiKey: "sk-x", models: ["robot-1", "gpt-*"]}'
    await admin.get(f"mutation {{ createChannel(input: {channel}) {{ id }} }}")
    found = await admin.get(FIND, text="robot")
    assert (["robot-key"], ["Robots"], ["robot-1"]) == (
        [each["name"] for each in found["keys"]],
        [each["name"] for each in found["channels"]],
        found["models"],
    )
    assert ["admin@example.org"] == [
        each["email"] for each in (await admin.get(FIND, text="ADMIN@"))["users"]
    ]


async def test_a_pasted_key_is_found_and_forgotten(admin, store, monkeypatch):
    """By its digest alone: neither the log of turns nor that of the gateway learns it."""
    issued = await admin.get(CREATE)
    searched = []

    async def find(text, _own):
        searched.append(text)
        return ()

    monkeypatch.setattr(store.turns, "find", find)
    prefix = issued["apiKey"]["prefix"]
    with capture_logs() as logs:
        found = await admin.get(FIND, text=f" {issued['secret']}\n")
        assert {**NOTHING, "keys": [{"name": "robot-key", "prefix": prefix}]} == found
        assert ["dev"] == [
            each["name"] for each in (await admin.get(FIND, text="lw-planted-file"))["keys"]
        ]
        assert NOTHING == await admin.get(FIND, text="lw_" + "x" * 43)
    assert [] == searched
    assert issued["secret"] not in str(logs)
    by_prefix = await admin.get(FIND, text=prefix)
    assert ["robot-key"] == [each["name"] for each in by_prefix["keys"]]


async def test_a_viewer_finds_what_is_in_their_projects(viewer, admin, store):
    """Another project's turns and keys are not found by any of their names, nor are people."""
    issued = await admin.get(CREATE)
    await store.turns.add([TURN])
    for text in ("req_pasted", "run-pasted", str(TURN.id), "robot-key", issued["secret"]):
        assert NOTHING == await viewer.get(FIND, text=text)
    assert [] == (await viewer.get(FIND, text="admin@"))["users"]
    user = await store.users.find("viewer@example.org")
    await store.projects.add_member("prj_default", user.id, Actor("", "test"))
    assert ["robot-key"] == [
        each["name"] for each in (await viewer.get(FIND, text="robot-key"))["keys"]
    ]


@pytest.mark.parametrize("text", ["", "  ", "%", "x" * 10_000, "{}"])
async def test_what_names_nothing_finds_nothing(admin, text):
    """Anything may be pasted."""
    assert NOTHING == await admin.get(FIND, text=text)


USAGE = """
  query($by: UsageBy! = REASON, $filter: UsageFilter) {
    usage(
      since: "2026-09-01T00:00:00Z", until: "2026-10-01T00:00:00Z", by: $by, filter: $filter
    ) {
      series { name sums { turns } } totals { turns } shareContinued firstEvent { turns }
    }
  }
"""
LOG = "query($filter: TurnFilter) { turns(filter: $filter) { nodes { id reason } } }"


async def test_usage_by_reason(admin, store):
    """Each reason is a line, and a filter; the share is of what was sent upstream."""
    rewritten = {"continuity": "fresh", "reason": "history_rewritten"}
    unsent = {"continuity": "", "channel_id": "", "error_code": "limited"}
    await store.turns.add([row(0), row(1), row(2, **rewritten), row(3, **unsent)])
    usage = await admin.get(USAGE)
    assert {"": 1, "continued": 2, "history_rewritten": 1} == {
        each["name"]: each["sums"]["turns"] for each in usage["series"]
    }
    assert pytest.approx(2 / 3) == usage["shareContinued"]
    for reason, count in (("history_rewritten", 1), ("continued", 2), ("new_branch", 0)):
        only = await admin.get(USAGE, by="CHANNEL", filter={"reason": reason})
        assert (count, count) == (only["totals"]["turns"], only["firstEvent"]["turns"])
    listed = await admin.get(LOG, filter={"reason": "history_rewritten"})
    assert [{"id": str(row(2).id), "reason": "history_rewritten"}] == listed["nodes"]
