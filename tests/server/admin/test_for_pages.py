"""What pages ask of the admin API beyond lists: drafts, health, changes, times, savings."""

import pytest

from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.price import ModelPrice
from longwire.core.nouns.secret import Secret
from longwire.core.rules.health import Cooling, Health
from longwire.core.rules.routing import Route
from longwire.core.rules.turn import Usage
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import ChannelState
from longwire.relay.records.journal import Recent
from longwire.relay.records.pricing import Prices
from longwire.server.fleet_health import Fare, Trust
from tests.server.admin.conftest import SQLITE
from tests.store.turn_rows import NOON, row

DRAFT = """
  query($id: ID, $input: ChannelInput!) {
    channelDraft(id: $id, input: $input) {
      problems { field message } endpoints { apiFormat transport dials }
      profile { name settings { name value source isOverridden } }
    }
  }
"""
BASE = {"name": "a", "apiKey": "sk"}
WS, HTTP = "wss://a.example", "https://a.example"
DIALS = [
    ("https://a.example", "auto", None, [f"{WS}/v1/responses", f"{HTTP}/v1/responses"]),
    ("https://a.example/v2", "websocket", None, [f"{WS}/v2/responses"]),
    ("wss://a.example", "http", None, [f"{HTTP}/v1/responses"]),
    ("https://a.example#", "http", None, [f"{HTTP}/responses"]),
    ("https://a.example/exact##", "websocket", None, [f"{WS}/exact"]),
    ("https://a.example", "http", {"transport": "websocket"}, [f"{WS}/v1/responses"]),
    ("https://a.example", "http", {"baseURL": "wss://b.example"}, ["wss://b.example/v1/responses"]),
    ("https://a.example", "http", {"path": "/v3/other"}, [f"{HTTP}/v3/other"]),
    ("no url", "auto", None, []),
]
PROFILES = "{ channelProfiles { name settings { name meaning source } } }"
PRESETS = "{ channelPresets { name type baseURL apis profile keyURL endpoints { apiFormat } } }"
CHANGES = """
  subscription {
    sessionChanges { isWhole changed { connection turns recent waiting lifetime } gone }
  }
"""
HEALTH = "query($id: ID!) { channel(id: $id) { health { channel websocket connections problem } } }"
TIMES = """
  query($filter: UsageFilter) {
    usage(since: "2026-09-01T00:00:00Z", until: "2026-10-01T00:00:00Z", filter: $filter) {
      savedUsd firstEvent { p50 p95 turns }
    }
  }
"""
LOG = "query($filter: TurnFilter) { turns(filter: $filter) { nodes { requestID } } }"


@SQLITE
async def test_a_draft_tells_what_its_vendor_does_differently(admin):
    """The profile is the named one or the host's; a quirk that is wrong is told and left out."""
    quirks = [{"setting": "call_ids", "value": '"ten"'}, {"setting": "issuer", "value": '"me"'}]
    base = {**BASE, "baseURL": "https://api.mistral.ai/v1", "apis": ["chat_completions"]}
    told = await admin.get(DRAFT, input={**base, "quirks": quirks})
    assert ["quirks.0"] == [each["field"] for each in told["problems"]]
    settings = {each["name"]: each for each in told["profile"]["settings"]}
    assert ("mistral", '"nine"') == (told["profile"]["name"], settings["call_ids"]["value"])
    assert {"issuer"} == {name for name, each in settings.items() if each["isOverridden"]}
    assert all(each["source"] for each in settings.values())
    told = await admin.get(DRAFT, input={**base, "profile": "depseek"})
    assert ["profile"] == [each["field"] for each in told["problems"]]
    assert "did you mean deepseek?" in told["problems"][0]["message"]
    assert told["profile"] is None


@SQLITE
async def test_vendors_are_told_with_their_profiles(admin):
    """Each preset names a profile that there is, and the APIs that have an address of their own."""
    profiles = {each["name"] for each in await admin.get(PROFILES)}
    found = {each["name"]: each for each in await admin.get(PRESETS)}
    assert {each["profile"] for each in found.values()} <= {*profiles, ""}
    assert [{"apiFormat": "messages"}] == found["deepseek"]["endpoints"]
    assert ("anthropic", ["messages"]) == (found["anthropic"]["type"], found["anthropic"]["apis"])


@SQLITE
@pytest.mark.parametrize(("base", "transport", "own", "dials"), DIALS)
async def test_a_draft_tells_what_it_would_dial(admin, base, transport, own, dials):
    """The URLs are those of the running gateway, by transport, scheme, marks and inheritance."""
    endpoints = [{"apiFormat": "responses", **own}] if own else []
    given = {**BASE, "baseURL": base, "transport": transport, "endpoints": endpoints}
    told = await admin.get(DRAFT, input=given)
    assert told["endpoints"][0]["dials"] == dials


@SQLITE
async def test_a_draft_is_checked_field_by_field(admin, administration):
    """What is wrong is told as saving it would; nothing is written."""
    given = {
        "name": "two words",
        "endpoints": [{"apiFormat": "messages", "transport": "websocket"}],
    }
    told = await admin.get(DRAFT, input=given)
    fields = {each["field"] for each in told["problems"]}
    assert fields == {"name", "apiKey", "endpoints.0.apiFormat", "endpoints.0.transport"}
    headers = await admin.get(DRAFT, input={**BASE, "headers": [{"name": "x-a"}]})
    assert [each["field"] for each in headers["problems"]] == ["headers.0.value"]
    proxied = {**BASE, "transport": "http", "proxy": "socks5://127.0.0.1:1"}
    assert [] == (await admin.get(DRAFT, input=proxied))["problems"]
    kept = await admin.get(DRAFT, id="file:main", input={"name": "main"})
    assert kept["problems"] == []
    assert administration.refresh.times == 0


@SQLITE
async def test_only_what_changed_is_told(admin, administration):
    """All connections at first; then those that did something, and those that ended."""
    live = administration.sessions.live
    live.put(1, recent=("new_session",), waiting=2, lifetime=3000.0)
    live.put(2)
    async with admin.subscribed(CHANGES) as read:
        first = (await read())["payload"]["data"]["sessionChanges"]
        assert (first["isWhole"], [each["connection"] for each in first["changed"]]) == (
            True,
            [1, 2],
        )
        assert first["changed"][0] == {
            "connection": 1,
            "turns": 1,
            "recent": ["new_session"],
            "waiting": 2,
            "lifetime": 3000.0,
        }
        live.put(1, recent=("new_session",), waiting=2, lifetime=3000.0, age=9.0)
        live.put(3)
        live.close(2)
        then = (await read())["payload"]["data"]["sessionChanges"]
        assert (then["isWhole"], then["gone"]) == (False, ["a/2"])
        assert [each["connection"] for each in then["changed"]] == [3]


def test_the_last_turns_of_a_connection_are_remembered():
    """A word a turn, the newest ones only; connections that had none for longest are forgotten."""
    recent = Recent(turns=3, connections=2)
    fresh = row(1, connection=1, continuity="fresh", reason="new_session")
    recent.write(fresh)
    recent.write(row(2, connection=1, continuity="continued", reason=""))
    recent.write(row(3, connection=1, error_code="boom"))
    recent.write(row(4, connection=1, outcome="abandoned"))
    recent.write(row(5, connection=None))
    assert recent.of(1) == ("continued", "failed", "abandoned")
    recent.write(row(6, connection=2, continuity="as-given", reason=""))
    recent.write(row(7, connection=3))
    assert (recent.of(1), recent.of(2)) == ((), ("as-given",))


@SQLITE
async def test_the_health_of_a_channel_is_that_of_the_running_one(admin, administration):
    """Sound, failing, resting: as turns find it; null for what does not run."""
    state = ChannelState(
        health=Health(Cooling(failures=2, base=1e9)),
        websocket_health=Health(Cooling(failures=1, base=1e9)),
    )
    running = Channel(
        Route("file:main", ("*",), 1.0),
        "e",
        websocket=object(),
        http=object(),
        spec=ChannelSpec("file:main", "main"),
        state=state,
    )
    told = await admin.get(HEALTH, id="file:main")
    nothing = {"channel": None, "websocket": None, "connections": 0, "problem": ""}
    assert nothing == told["health"]
    administration.health.running = {"file:main": (running,)}.get
    administration.sessions.live.put(1, channel_id="file:main")
    told = await admin.get(HEALTH, id="file:main")
    sound = {"channel": "SOUND", "websocket": "SOUND", "connections": 1, "problem": ""}
    assert sound == told["health"]
    state.websocket_health.fail(1e12, problem="no upgrade")
    told = await admin.get(HEALTH, id="file:main")
    assert {**sound, "websocket": "RESTING", "problem": "no upgrade"} == told["health"]
    state.health.fail(0.0, problem="the key is refused")
    told = await admin.get(HEALTH, id="file:main")
    assert ("FAILING", "the key is refused") == (
        told["health"]["channel"],
        told["health"]["problem"],
    )


async def test_the_health_of_a_channel_tells_where_nodes_differ(admin, administration, monkeypatch):
    """It is as where it does worst, and each node is told."""
    fares = {"a": Fare(Trust.SOUND, Trust.SOUND, 1), "b": Fare(Trust.RESTING, None, 2, "refused")}

    async def of(_channel_id):
        return fares

    monkeypatch.setattr(administration.health, "of", of)
    query = """query($id: ID!) { channel(id: $id) {
        health { channel websocket connections problem nodes { node channel problem } } } }"""
    told = (await admin.get(query, id="file:main"))["health"]
    nodes = told.pop("nodes")
    assert told == {
        "channel": "RESTING",
        "websocket": "SOUND",
        "connections": 3,
        "problem": "refused",
    }
    assert nodes == [
        {"node": "a", "channel": "SOUND", "problem": ""},
        {"node": "b", "channel": "RESTING", "problem": "refused"},
    ]
    del fares["b"]
    assert [] == (await admin.get(query, id="file:main"))["health"]["nodes"]


async def test_times_to_first_events_and_what_the_cache_saved(admin, administration, store):
    """Percentiles of the turns in the time, and the price of cached tokens in full, less theirs."""

    def price(usage: Usage, *models: str, **_configured: object) -> int | None:
        return (usage.input - usage.cached) * 10 + usage.cached if models == ("dear",) else None

    object.__setattr__(administration, "price", price)
    times = [*range(10, 210, 10), None]
    rows = [
        row(n, NOON + n, first_event_ms=time, model_asked="dear", input_tokens=10, cached_tokens=4)
        for n, time in enumerate(times)
    ]
    cheap = row(99, NOON + 99, model_asked="free", first_event_ms=None)
    await store.turns.add([*rows, cheap])
    told = await admin.get(TIMES)
    assert told["firstEvent"] == {"p50": 100, "p95": 190, "turns": 20}
    assert told["savedUsd"] == pytest.approx(21 * 4 * 9 / 1e9)
    none = await admin.get(TIMES, filter={"model": "none"})
    assert none == {"savedUsd": 0, "firstEvent": {"p50": None, "p95": None, "turns": 0}}


async def test_the_log_is_filtered_by_connection_and_failure(admin, store):
    """The turns of one connection, and those that ended with an error."""
    rows = [
        row(1, NOON + 1, connection=1),
        row(2, NOON + 2, connection=2, error_code="boom"),
        row(3, NOON + 3, connection=None),
    ]
    await store.turns.add(rows)
    for wanted, expected in (({"connection": 1}, [1]), ({"failed": True}, [2])):
        nodes = (await admin.get(LOG, filter=wanted))["nodes"]
        assert [n["requestID"] for n in nodes] == [rows[n - 1].request_id for n in expected]


async def test_what_the_cache_saved_is_by_the_prices_of_the_channel(admin, administration, store):
    """Configured ones, also of a model by another name; other channels' turns go by the bundled."""
    prices = (ModelPrice("own-*", 3_000_000_000, 9_000_000_000, cached=300_000_000),)
    own = {"prices": prices, "renames": (("alias", "own-1"),)}
    spec = ChannelSpec("", "main", credential=Secret("sk"), **own)
    channel = await store.channels.create(spec, Actor("", "test"))
    object.__setattr__(administration, "price", Prices(lambda: NOON).cost)
    tokens = {"input_tokens": 20_000, "cached_tokens": 10_000}
    rows = [
        row(n, NOON + n, model_asked=model, channel_id=served, **tokens)
        for n, (model, served) in enumerate(
            [
                ("own-1", channel.id),
                ("alias", channel.id),
                ("own-1", "ch_gone"),
                ("gpt-5", "ch_gone"),
            ]
        )
    ]
    await store.turns.add(rows)
    bundled = 10_000 * (1.25 - 0.125) / 1e6
    answer = await admin.get(TIMES)
    assert answer["savedUsd"] == pytest.approx(2 * 10_000 * (3 - 0.3) / 1e6 + bundled)
