"""Channels over GraphQL."""

import pytest

CHANNEL = """
  fragment all on Channel {
  id name type baseURL transport models renames { from to } tags weight status hasCredential proxy
  headerNames rates { requestsPerMinute tokensPerMinute concurrentTurns } tlsVerify managedBy
  nativeItems apis offered profile quirks { setting value } unsupported threads
  endpoints { apiFormat path baseURL transport }
  defaultEndpoints { apiFormat path baseURL }
  createdAt updatedAt revision
  }
"""
CREATE = "mutation($input: ChannelInput!) { createChannel(input: $input) { ...all } }" + CHANNEL
UPDATE = (
    """
  mutation($id: ID!, $revision: Int!, $input: ChannelInput!) {
    updateChannel(id: $id, revision: $revision, input: $input) { ...all }
  }
"""
    + CHANNEL
)
STATUS = """
  mutation($id: ID!, $revision: Int!, $status: ChannelStatus!) {
    updateChannelStatus(id: $id, revision: $revision, status: $status) { status revision }
  }
"""
DELETE = "mutation($id: ID!, $revision: Int!) { deleteChannel(id: $id, revision: $revision) }"
ONE = "query($id: ID!) { channel(id: $id) { ...all } }" + CHANNEL
COSTS = """
  query($id: ID!) {
    channel(id: $id) {
      prices { model input output cached cacheWrite }
      costs { model isConfigured price { input cacheWrite } }
    }
  }
"""
LIST = """
  query($first: Int! = 50, $after: String, $search: String! = "") {
    channels(first: $first, after: $after, search: $search) {
      nodes { name managedBy } pageInfo { hasNextPage endCursor }
    }
  }
"""
GOOD = {"name": "up", "apiKey": "sk-planted", "models": ["gpt-5*"], "tags": ["eu"]}


async def test_the_whole_life_of_a_channel(admin, administration):
    """Created, read, changed, disabled, deleted; the gateway is told of each change."""
    made = await admin.get(CREATE, input=GOOD)
    assert (made["name"], made["hasCredential"], made["revision"]) == ("up", True, 1)
    assert made["managedBy"] == "DATABASE"
    assert await admin.get(ONE, id=made["id"]) == made
    assert administration.refresh.times == 1

    seen = {"id": made["id"], "revision": 1}
    changed = await admin.get(UPDATE, **seen, input={"weight": 2.5, "proxy": "http://u:pw@p:1"})
    assert (changed["weight"], changed["revision"]) == (2.5, 2)
    assert (changed["hasCredential"], changed["proxy"]) == (True, "http://p:1")
    assert (changed["models"], changed["tags"]) == (["gpt-5*"], ["eu"])

    off = await admin.get(STATUS, id=made["id"], revision=2, status="DISABLED")
    assert off == {"status": "DISABLED", "revision": 3}
    assert await admin.get(DELETE, id=made["id"], revision=3) is True
    assert (await admin.fail(ONE, id=made["id"]))["code"] == "NOT_FOUND"
    assert administration.refresh.times == 4


async def test_items_are_those_of_the_type_unless_they_are_set(admin):
    """Null is the default, also to come back to; an empty list is none at all."""
    seen = await admin.get(CREATE, input=GOOD)
    shown = [seen["nativeItems"]]
    for items in ([], ["configuration_update"], None):
        where = {"id": seen["id"], "revision": seen["revision"]}
        seen = await admin.get(UPDATE, **where, input={"nativeItems": items})
        shown.append(seen["nativeItems"])
    assert [None, [], ["configuration_update"], None] == shown


async def test_a_channel_of_other_apis_keeps_what_is_said_of_them(admin):
    """Its APIs, its vendor's profile with what differs, and what becomes of the rest."""
    own = {
        "type": "anthropic",
        "apis": ["messages", "chat_completions"],
        "profile": "generic",
        "unsupported": "drop",
        "threads": True,
    }
    made = await admin.get(CREATE, input={**GOOD, **own})
    assert own == {name: made[name] for name in own}
    assert "https://api.anthropic.com/v1" == made["baseURL"]
    by_type = {"apis": None, "threads": None, "unsupported": None}
    changed = await admin.get(UPDATE, id=made["id"], revision=1, input=by_type)
    assert (None, ["messages"]) == (changed["apis"], changed["offered"])
    assert ("refuse", False) == (changed["unsupported"], changed["threads"])
    assert ["messages"] == [each["apiFormat"] for each in changed["defaultEndpoints"]]


async def test_prices_are_kept_and_what_models_cost_is_told(admin, administration):
    """In US dollars; each model that the channel names has the price that counts, and by whom."""
    own = {"model": "gpt-5*", "input": 1.5, "output": 7.0, "cached": None, "cacheWrite": 0.25}
    models = ["gpt-5.2", "claude-sonnet-4-5", "nobody-knows", "gpt-*"]
    renames = [{"from": "fast", "to": "gpt-5.2"}]
    made = await admin.get(
        CREATE, input={**GOOD, "models": models, "renames": renames, "prices": [own]}
    )
    told = await admin.get(COSTS, id=made["id"])
    assert [own] == told["prices"]
    assert [
        {"model": "gpt-5.2", "isConfigured": True, "price": {"input": 1.5, "cacheWrite": 0.25}},
        {
            "model": "claude-sonnet-4-5",
            "isConfigured": False,
            "price": {"input": 3.0, "cacheWrite": 3.75},
        },
        {"model": "nobody-knows", "isConfigured": False, "price": None},
        {"model": "fast", "isConfigured": True, "price": {"input": 1.5, "cacheWrite": 0.25}},
    ] == told["costs"]


async def test_who_saw_an_older_revision_is_told_the_newer(admin, store):
    """A change of what was changed meanwhile is refused, with the revision that holds."""
    made = await admin.get(CREATE, input=GOOD)
    await admin.get(UPDATE, id=made["id"], revision=1, input={"weight": 2})
    refused = await admin.fail(UPDATE, id=made["id"], revision=1, input={"weight": 3})
    assert (refused["code"], refused["revision"]) == ("CONFLICT", 2)
    assert (await store.channels.get(made["id"])).weight == 2


async def test_left_out_is_kept_and_null_is_the_default(admin, store):
    """An update changes what it names; null removes a credential and resets the rest."""
    given = {**GOOD, "type": "codex", "headers": [{"name": "x-a", "value": "planted"}], "weight": 3}
    made = await admin.get(CREATE, input=given)
    assert made["baseURL"] == "https://chatgpt.com/backend-api/codex"
    seen = {"id": made["id"], "revision": 1}
    kept = [{"name": "x-a"}, {"name": "x-b", "value": "new"}]
    changed = await admin.get(
        UPDATE, **seen, input={"apiKey": None, "models": None, "weight": None, "headers": kept}
    )
    assert (changed["hasCredential"], changed["models"], changed["weight"]) == (False, ["*"], 1)
    assert changed["headerNames"] == ["x-a", "x-b"]
    headers = (await store.channels.get(made["id"])).headers
    assert [(name, value.reveal()) for name, value in headers] == [
        ("x-a", "planted"),
        ("x-b", "new"),
    ]


async def test_endpoints_override_the_default_ones_in_place(admin):
    """An endpoint of an API replaces the default one; what it leaves open is inherited."""
    made = await admin.get(CREATE, input={**GOOD, "apis": ["responses", "messages"]})
    saved = await admin.get(
        """mutation($id: ID!, $endpoints: [EndpointInput!]!) {
          saveChannelEndpoints(id: $id, revision: 1, endpoints: $endpoints) {
            endpoints { apiFormat path baseURL transport }
            defaultEndpoints { apiFormat path baseURL transport } }
        }""",
        id=made["id"],
        endpoints=[{"apiFormat": "messages", "path": "/v1/m", "transport": "http"}],
    )
    own = {"apiFormat": "messages", "path": "/v1/m", "baseURL": "", "transport": "http"}
    assert saved["endpoints"] == [own]
    called = {each["apiFormat"]: each["path"] for each in saved["defaultEndpoints"]}
    assert called == {"responses": "/responses", "messages": "/v1/m"}


async def test_what_the_file_declares_comes_first_and_is_changed_there(admin, administration):
    """A declared channel is in the list, says so, and refuses changes with the file's name."""
    for name in ("a", "b", "c"):
        await admin.get(CREATE, input={**GOOD, "name": name})
    names, after = [], None
    for _ in range(4):
        part = await admin.get(LIST, first=1, after=after)
        names += [(node["name"], node["managedBy"]) for node in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
    assert names == [("main", "FILE"), *((name, "DATABASE") for name in "abc")]
    assert part["pageInfo"]["hasNextPage"] is False
    told = await admin.ask(UPDATE, id="file:main", revision=0, input={"weight": 2})
    assert told["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert administration.file in told["errors"][0]["message"]
    assert (await admin.fail(DELETE, id="file:main", revision=0))["code"] == "CONFLICT"
    assert (await admin.get(LIST, search="nothing so"))["nodes"] == []


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, ["name", "apiKey"]),
        ({**GOOD, "name": "two words"}, ["name"]),
        ({**GOOD, "type": "odd"}, ["type"]),
        ({**GOOD, "baseURL": "ftp://x"}, ["baseURL"]),
        ({**GOOD, "baseURL": "https://x/v1/responses"}, ["baseURL"]),
        ({**GOOD, "transport": "carrier pigeon"}, ["transport"]),
        ({**GOOD, "models": []}, ["models"]),
        ({**GOOD, "weight": 0}, ["weight"]),
        ({**GOOD, "proxy": "nowhere"}, ["proxy"]),
        ({**GOOD, "tlsCa": "/nowhere.pem"}, ["tlsCa"]),
        ({**GOOD, "tlsCa": "."}, ["tlsCa"]),
        ({**GOOD, "tlsCa": "a" * 300}, ["tlsCa"]),
        ({**GOOD, "profile": "opanai"}, ["profile"]),
        ({**GOOD, "quirks": [{"setting": "takes_strict", "value": "1"}]}, ["quirks.0"]),
        ({**GOOD, "headers": [{"name": "x"}]}, ["headers.0.value"]),
        ({**GOOD, "headers": [{"name": "host", "value": "x"}]}, ["headers.0.name"]),
        ({**GOOD, "prices": [{"model": "a", "input": 0.5}]}, ["prices.0.output"]),
        ({**GOOD, "prices": [{"model": "a", "input": 1e-10, "output": 0}]}, ["prices.0.input"]),
        (
            {
                **GOOD,
                "headers": [{"name": "x"}],
                "prices": [{"model": "a", "output": 1e300}],
                "unsupported": "x",
                "profile": "zzz",
                "tlsCa": "/nowhere.pem",
            },
            [
                "headers.0.value",
                "prices.0.input",
                "unsupported",
                "prices.0.output",
                "profile",
                "tlsCa",
            ],
        ),
        ({**GOOD, "rates": {"requestsPerMinute": 0}}, ["rates.requestsPerMinute"]),
        ({**GOOD, "endpoints": [{"apiFormat": "odd"}]}, ["endpoints.0.apiFormat"]),
        ({**GOOD, "endpoints": [{"apiFormat": "responses", "path": "x"}]}, ["endpoints.0.path"]),
        (
            {**GOOD, "endpoints": [{"apiFormat": "chat_completions", "transport": "websocket"}]},
            ["endpoints.0.transport"],
        ),
        ({**GOOD, "endpoints": [{"apiFormat": "messages"}]}, ["endpoints.0.apiFormat"]),
        ({**GOOD, "baseURL": "https://YOUR-RESOURCE.example/v1"}, ["baseURL"]),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_written(admin, store, given, fields):
    """Each field that cannot be is told with its mend; there is no channel afterwards."""
    refused = await admin.fail(CREATE, input=given)
    assert refused["code"] == "INVALID"
    assert [each["field"] for each in refused["fields"]] == fields
    assert await store.channels.all() == ()
    assert (await store.audit.page(kind="channel")).items == ()


async def test_a_name_is_given_once(admin):
    """A second channel of a name is refused, and the field is named."""
    await admin.get(CREATE, input=GOOD)
    refused = await admin.fail(CREATE, input=GOOD)
    assert (refused["code"], refused["field"]) == ("CONFLICT", "name")


async def test_a_name_of_the_file_is_given_to_no_other(admin):
    """A channel is neither made nor renamed to what the configuration file calls one of its own."""
    refused = await admin.fail(CREATE, input={**GOOD, "name": "main"})
    assert (refused["code"], refused["field"]) == ("CONFLICT", "name")
    made = await admin.get(CREATE, input=GOOD)
    refused = await admin.fail(UPDATE, id=made["id"], revision=1, input={"name": "main"})
    assert (refused["code"], refused["field"]) == ("CONFLICT", "name")
