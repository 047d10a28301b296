"""Keys belong to people, and members see and make their own alone, over GraphQL."""

import pytest

from longwire.core.nouns.access import Actor, ApiKey, Grant, Role
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.project import Project
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.turn_row import TurnAttempt, TurnDetails
from longwire.relay.records.last_failures import LastFailures
from tests.store.turn_rows import NOON, row

TEST = Actor("", "test")
CREATE = """
  mutation($input: APIKeyInput!) {
    createAPIKey(input: $input) {
      secret
      apiKey { id name projectID userID userEmail models rates { requestsPerMinute } revision }
    }
  }
"""
UPDATE = """
  mutation($id: ID!, $revision: Int!, $input: APIKeyInput!) {
    updateAPIKey(id: $id, revision: $revision, input: $input) { name userEmail }
  }
"""
ROTATE = """
  mutation($id: ID!, $revision: Int!) { rotateAPIKey(id: $id, revision: $revision) { secret } }
"""
REVOKE = """
  mutation($id: ID!, $revision: Int!) { revokeAPIKey(id: $id, revision: $revision) { status } }
"""
LIST = "query($user: ID) { apiKeys(userID: $user) { nodes { name userEmail } } }"
BOUND = """
  mutation($bounds: MemberBoundsInput) {
    updateProject(id: "prj_default", revision: 1, input: {memberBounds: $bounds}) {
      memberBounds { models rates { requestsPerMinute } budgets { costPerDay } }
    }
  }
"""
TURNS = "query($filter: TurnFilter) { turns(filter: $filter) { nodes { keyName } } }"
TURN = "query($id: ID!) { turn(id: $id) { keyName } }"
USAGE = """
  query($by: UsageBy!, $filter: UsageFilter, $since: DateTime!, $until: DateTime!) {
    usage(since: $since, until: $until, by: $by, filter: $filter) {
      totals { turns unpriced } series { name sums { turns costUsd } }
    }
  }
"""
TRACES = ("trace", "traces")
SPAN = {"since": "2026-09-19T00:00:00Z", "until": "2026-09-25T00:00:00Z"}
DISABLE = """
  mutation($id: ID!) { updateUser(id: $id, revision: 1, input: {status: DISABLED}) { status } }
"""


@pytest.fixture
async def member(signed_in, store):
    """A member of the default project."""
    caller = await signed_in(Role.MEMBER)
    user = await store.users.find("member@example.org")
    await store.projects.add_member("prj_default", user.id, TEST)
    return caller


async def _key(store, name, email=None):
    """A key of somebody, or of nobody, in the default project."""
    owner = (await store.users.find(email)).id if email else None
    draft = ApiKey("", name, "", b"", Grant(project_id="prj_default", user_id=owner))
    return (await store.keys.create(draft, TEST)).key


async def test_a_key_is_its_makers_unless_somebody_is_chosen(admin, member, store):
    """An admin may make one for another, or for nobody, and find keys by whose they are."""
    user = (await store.users.find("member@example.org")).id
    own = await admin.get(CREATE, input={"name": "own"})
    assert "admin@example.org" == own["apiKey"]["userEmail"]
    theirs = await admin.get(CREATE, input={"name": "theirs", "userID": user})
    assert "member@example.org" == theirs["apiKey"]["userEmail"]
    nobodys = await admin.get(CREATE, input={"name": "nobody's", "userID": None})
    assert (None, "") == (nobodys["apiKey"]["userID"], nobodys["apiKey"]["userEmail"])
    found = await admin.get(LIST, user=user)
    assert [{"name": "theirs", "userEmail": "member@example.org"}] == found["nodes"]
    refusal = await admin.fail(CREATE, input={"name": "x", "userID": "usr_gone"})
    assert ["userID"] == [each["field"] for each in refusal["fields"]]


async def test_a_member_makes_and_changes_keys_of_their_own_alone(admin, member, store):
    """Others' keys are not there for a member, and none is made for anybody else."""
    others = await _key(store, "others")
    made = (await member.get(CREATE, input={"name": "laptop"}))["apiKey"]
    assert ("prj_default", "member@example.org") == (made["projectID"], made["userEmail"])
    assert ["laptop"] == [each["name"] for each in (await member.get(LIST))["nodes"]]
    admins = (await store.users.find("admin@example.org")).id
    assert [] == (await member.get(LIST, user=admins))["nodes"]
    own = (await store.users.find("member@example.org")).id
    assert ["laptop"] == [each["name"] for each in (await member.get(LIST, user=own))["nodes"]]
    for draft in ({"name": "x", "userID": admins}, {"name": "x", "userID": None}):
        refusal = await member.fail(CREATE, input=draft)
        assert ["userID"] == [each["field"] for each in refusal["fields"]]
    for query in (ROTATE, REVOKE):
        assert "NOT_FOUND" == (await member.fail(query, id=others.id, revision=1))["code"]
    refusal = await member.fail(UPDATE, id=others.id, revision=1, input={"name": "mine"})
    assert "NOT_FOUND" == refusal["code"]
    renamed = await member.get(UPDATE, id=made["id"], revision=1, input={"name": "desk"})
    assert "desk" == renamed["name"]
    assert (await member.get(ROTATE, id=made["id"], revision=2))["secret"]
    assert {"status": "REVOKED"} == await member.get(REVOKE, id=made["id"], revision=3)


async def test_a_member_keeps_to_their_projects_and_to_the_bounds_of_these(admin, member):
    """What is left out is as the bounds are; more is refused field by field."""
    bounds = {"models": ["gpt-5*"], "rates": {"requestsPerMinute": 60}}
    assert {
        "models": ["gpt-5*"],
        "rates": {"requestsPerMinute": 60},
        "budgets": {"costPerDay": None},
    } == (await admin.get(BOUND, bounds=bounds))["memberBounds"]
    made = (await member.get(CREATE, input={"name": "a"}))["apiKey"]
    assert (["gpt-5*"], {"requestsPerMinute": 60}) == (made["models"], made["rates"])
    more = {"models": ["o3"], "rates": {"requestsPerMinute": 61}}
    for query, variables in (
        (CREATE, {"input": {"name": "b", **more}}),
        (UPDATE, {"id": made["id"], "revision": 1, "input": more}),
    ):
        refusal = await member.fail(query, **variables)
        fields = {each["field"] for each in refusal["fields"]}
        assert {"models", "rates.requestsPerMinute"} == fields
    refusal = await member.fail(CREATE, input={"name": "c", "projectID": "prj_else"})
    assert ["projectID"] == [each["field"] for each in refusal["fields"]]
    wider = (await admin.get(CREATE, input={"name": "d", "models": ["o3"]}))["apiKey"]
    assert ["o3"] == wider["models"]


async def test_a_bound_on_a_channel_that_is_gone_stays_one(admin, member, store):
    """Keys can still be made, and open nothing of it; what is named must be there."""
    spec = await store.channels.create(ChannelSpec("", "up", credential=Secret("sk")), TEST)
    await admin.get(BOUND, bounds={"channels": [spec.id]})
    await store.channels.delete(spec.id, 1, TEST)
    made = (await member.get(CREATE, input={"name": "a"}))["apiKey"]
    assert (spec.id,) == (await store.keys.get(made["id"])).grant.channels
    await member.get(UPDATE, id=made["id"], revision=1, input={"models": ["gpt-5.2"]})
    for caller in (admin, member):
        refusal = await caller.fail(CREATE, input={"name": "b", "channels": ["ch_never"]})
        assert ["channels"] == [each["field"] for each in refusal["fields"]]


async def test_what_an_admin_lets_a_key_have_stays_when_its_member_renames_it(admin, member, store):
    """Bounds are for what a member widens."""
    await admin.get(BOUND, bounds={"models": ["gpt-5*"]})
    key = await _key(store, "wide", "member@example.org")
    changed = await member.get(UPDATE, id=key.id, revision=1, input={"name": "wider"})
    assert "wider" == changed["name"]
    assert () == (await store.keys.get(key.id)).grant.models


async def test_a_member_sees_turns_and_usage_of_their_own_keys_alone(admin, member, store):
    """Others' turns of the same project are not there, whatever is filtered by."""
    own = await _key(store, "own", "member@example.org")
    others = await _key(store, "others", "admin@example.org")
    me, else_ = [(await store.users.find(f"{name}@example.org")).id for name in ("member", "admin")]
    rows = [
        row(0, project_id="prj_default", key_id=own.id, key_name="own"),
        row(1, project_id="prj_default", key_id=others.id, key_name="others"),
    ]
    await store.turns.add(rows)
    for criteria in (None, {"projectID": "prj_default"}, {"keyID": own.id}):
        found = await member.get(TURNS, filter=criteria)
        assert [{"keyName": "own"}] == found["nodes"]
        assert 1 == (await member.get(USAGE, by="ALL", filter=criteria, **SPAN))["totals"]["turns"]
    assert [] == (await member.get(TURNS, filter={"keyID": others.id}))["nodes"]
    for criteria, turns in (
        ({"keyID": others.id}, 0),
        ({"userID": else_}, 0),
        ({"userID": me}, 1),
        ({"userID": me, "keyID": others.id}, 0),
    ):
        found = await member.get(USAGE, by="ALL", filter=criteria, **SPAN)
        assert turns == found["totals"]["turns"], criteria
    for user, key, turns in ((else_, others, 1), (me, others, 0), (me, own, 1)):
        criteria = {"userID": user, "keyID": key.id}
        found = await admin.get(USAGE, by="ALL", filter=criteria, **SPAN)
        assert turns == found["totals"]["turns"], criteria
    assert {"keyName": "own"} == await member.get(TURN, id=str(rows[0].id))
    assert "NOT_FOUND" == (await member.fail(TURN, id=str(rows[1].id)))["code"]


async def test_a_member_of_two_keys_sees_both_newest_first(member, store):
    """The pages of several keys are one page."""
    keys = [await _key(store, str(number), "member@example.org") for number in range(2)]
    await store.turns.add(
        [row(n, NOON + n, key_id=keys[n % 2].id, key_name=str(n)) for n in range(4)]
    )
    found = (await member.get(TURNS))["nodes"]
    assert ["3", "2", "1", "0"] == [each["keyName"] for each in found]


async def test_a_member_sees_their_own_sessions_alone(member, store, administration):
    """A session is that of its key."""
    own = await _key(store, "own", "member@example.org")
    live = administration.sessions.live
    live.put(1, scope=f"api_key:{own.id}")
    live.put(2, scope="api_key:key_else")
    found = (await member.get("{ sessions { nodes { connection } } }"))["nodes"]
    assert [{"connection": 1}] == found


async def test_cost_by_user_is_that_of_the_keys_they_have(admin, member, store):
    """Keys of nobody stand together; a user may be filtered by."""
    user = (await store.users.find("member@example.org")).id
    keys = [await _key(store, str(number), "member@example.org") for number in range(2)]
    rows = [row(n, key_id=keys[n].id, cost=10**9) for n in range(2)]
    await store.turns.add([*rows, row(2, key_id="key_else", cost=None)])
    found = await admin.get(USAGE, by="USER", **SPAN)
    assert {"turns": 3, "unpriced": 1} == found["totals"]
    sums = {each["name"]: each["sums"] for each in found["series"]}
    assert {user: {"turns": 2, "costUsd": 2.0}, "": {"turns": 1, "costUsd": 0.0}} == sums
    filtered = await admin.get(USAGE, by="KEY", filter={"userID": user}, **SPAN)
    assert {"turns": 2, "unpriced": 0} == filtered["totals"]


async def test_a_member_gets_no_latency(admin, viewer, member, store):
    """It is not kept by key; a viewer gets that of their projects."""
    await store.projects.add_member(
        "prj_default", (await store.users.find("viewer@example.org")).id, TEST
    )
    own = await _key(store, "own", "member@example.org")
    await store.turns.add([row(0, NOON, key_id=own.id, project_id="prj_default")])
    query = """query($since: DateTime!, $until: DateTime!) {
      latency(since: $since, until: $until, span: DAY) {
        lines { figures { total { turns } } } series { name }
      }
    }"""
    for caller, count in ((admin, 1), (viewer, 1), (member, 0)):
        found = await caller.get(query, **SPAN)
        assert (count, count) == (len(found["lines"]), len(found["series"]))


async def test_the_keys_of_who_is_disabled_or_deleted_stop(admin, member, store, administration):
    """They are handed out no more, at once."""
    await _key(store, "theirs", "member@example.org")
    nobodys = await _key(store, "nobody's")
    user = await store.users.find("member@example.org")
    revision = await store.configuration_revision()
    before = administration.refresh.times
    await admin.get(DISABLE, id=user.id)
    assert [nobodys.id] == [each.id for each in await store.keys.all()]
    assert before + 1 == administration.refresh.times
    assert revision < await store.configuration_revision()
    await admin.get("mutation($id: ID!) { deleteUser(id: $id, revision: 2) }", id=user.id)
    assert [nobodys.id] == [each.id for each in await store.keys.all()]


async def test_a_trace_shared_with_others_is_that_of_ones_own_keys(member, store, administration):
    """Neither its sums nor its models nor its turns are of others' keys in the same project."""
    own = await _key(store, "own", "member@example.org")
    others = await _key(store, "others")
    turns = ((own, "small"), (others, "large"))
    rows = [
        row(number, key_id=key.id, key_name=key.name, model_asked=model, project_id="prj_default")
        for number, (key, model) in enumerate(turns)
    ]
    await store.turns.add(rows)
    shared = await store.runs.get("trace", "trace-1")
    administration.sessions.live.put(7, scope=f"api_key:{own.id}", trace=shared.id)
    administration.sessions.live.put(8, scope=f"api_key:{others.id}", trace=shared.id)
    fields = "id turns models costUsd connections { id } turnLog { nodes { keyName } }"
    expected = {
        "id": shared.id,
        "turns": 1,
        "models": ["small"],
        "costUsd": 1e-6,
        "connections": [{"id": "a/7"}],
        "turnLog": {"nodes": [{"keyName": "own"}]},
    }
    for which in (shared.id, "trace-1"):
        get = f"query($id: ID!) {{ trace(id: $id) {{ {fields} }} }}"
        assert expected == await member.get(get, id=which)
    assert {"nodes": [expected]} == await member.get(f"{{ traces {{ nodes {{ {fields} }} }} }}")
    live = f"{{ traces(filter: {{ live: true }}) {{ nodes {{ {fields} }} }} }}"
    assert {"nodes": [expected]} == await member.get(live)


async def test_a_member_sees_the_runs_of_their_own_keys_alone(member, store):
    """In lists, by id and by name, and found: a run of others' keys in their project is none."""
    own = await _key(store, "own", "member@example.org")
    others = await _key(store, "others")
    runs = (
        (own, {"session": "session-mine", "trace": "trace-mine"}),
        (others, {"session": "session-theirs", "trace": "trace-theirs"}),
    )
    rows = [
        row(number, key_id=key.id, project_id="prj_default", **names)
        for number, (key, names) in enumerate(runs)
    ]
    await store.turns.add(rows)
    for kind, one, listed in (("session", "agentSession", "agentSessions"), ("trace", *TRACES)):
        found = await member.get(f"{{ {listed} {{ nodes {{ name }} }} }}")
        assert [f"{kind}-mine"] == [each["name"] for each in found["nodes"]]
        get = f"query($id: ID!) {{ {one}(id: $id) {{ name turns }} }}"
        assert {"name": f"{kind}-mine", "turns": 1} == await member.get(get, id=f"{kind}-mine")
        theirs = await store.runs.get(kind, f"{kind}-theirs")
        for which in (theirs.id, theirs.name):
            assert "NOT_FOUND" == (await member.fail(get, id=which))["code"]
        for whose, expected in (("mine", [{"name": f"{kind}-mine"}]), ("theirs", [])):
            assert {f"{kind}s": expected} == await member.get(
                f"query($text: String!) {{ find(text: $text) {{ {kind}s {{ name }} }} }}",
                text=f"{kind}-{whose}",
            )


async def test_where_a_turn_would_go_is_explained_of_own_keys_alone(viewer, store):
    """A viewer gets it of keys in their projects; of another key it is as if there were none."""
    await store.projects.add_member(
        "prj_default", (await store.users.find("viewer@example.org")).id, TEST
    )
    own = await _key(store, "own")
    project = await store.projects.create(Project("", "elsewhere"), TEST)
    draft = ApiKey("", "foreign", "", b"", Grant(project_id=project.id))
    foreign = (await store.keys.create(draft, TEST)).key
    explain = 'query($key: ID!) { explainRoute(input: {model: "m"}, keyID: $key) { problem } }'
    assert "problem" in await viewer.get(explain, key=own.id)
    for unseen in (foreign.id, "key_none"):
        assert "NOT_FOUND" == (await viewer.fail(explain, key=unseen))["code"]


async def test_what_an_upstream_said_is_for_who_may_read_bodies(
    admin, viewer, store, administration, monkeypatch
):
    """The failure of a channel may quote a turn of anybody: a viewer gets its code alone."""
    channel = await store.channels.create(ChannelSpec("", "local", credential=Secret("k")), TEST)
    quote = "No tool call found with call_id theirs"
    attempt = TurnAttempt(channel.id, "local", "http", "refused", 400, "bad", quote, 5)
    failures = LastFailures()
    failed = row(0, channel_id=channel.id)
    failures.note(failed, [TurnDetails(failed.id, {}, (attempt,), "")])
    monkeypatch.setattr(administration.health, "_failures", failures)
    get = "query($id: ID!) { channel(id: $id) { health { lastFailure { code message } } } }"
    for caller, message in ((admin, quote), (viewer, "")):
        found = await caller.get(get, id=channel.id)
        assert {"code": "bad", "message": message} == found["health"]["lastFailure"]


async def test_what_turn_met_a_failure_is_told_to_who_sees_it(
    admin, viewer, administration, store, monkeypatch
):
    """A viewer gets the ids of turns of their own projects, and of no others."""
    spec = ChannelSpec("", "local", credential=Secret("k"))
    channel = await store.channels.create(spec, TEST)
    user = await store.users.find("viewer@example.org")
    await store.projects.add_member("prj_default", user.id, TEST)
    attempt = TurnAttempt(channel.id, "local", "http", "failing", 503, "busy", "no", 5)
    get = "query($id: ID!) { channel(id: $id) { health { lastFailure { requestID turnID } } } }"
    for project, is_seen in (("prj_default", True), ("prj_else", False)):
        failures, failed = LastFailures(), row(0, channel_id=channel.id, project_id=project)
        failures.note(failed, [TurnDetails(failed.id, {}, (attempt,), "")])
        monkeypatch.setattr(administration.health, "_failures", failures)
        ids = {"requestID": failed.request_id, "turnID": str(failed.id)}
        hidden = {"requestID": "", "turnID": ""}
        for caller, shown in ((admin, ids), (viewer, ids if is_seen else hidden)):
            found = await caller.get(get, id=channel.id)
            assert shown == found["health"]["lastFailure"]
