"""Budgets over GraphQL: their whole life, who sees them, and what they say."""

import pytest

from longwire.core.nouns.access import Actor, ApiKey, Budgets, Grant, Role
from longwire.core.nouns.budget import Budget, DeclaredBudget, Period, SubjectKind, Unit
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.store.store import now_ms
from tests.store.turn_rows import row

TEST = Actor("", "test")
KEY = Secret("sk-1")
BUDGET = """
  fragment all on Budget {
    id kind subjectID subjectName period unit amount warnsAt action managedBy isOfKey spent share
    warnedAt timeZone unpricedModels revision
  }
"""
CREATE = "mutation($input: NewBudgetInput!) { createBudget(input: $input) { ...all } }" + BUDGET
UPDATE = (
    """
  mutation($id: ID!, $revision: Int!, $input: BudgetInput!) {
    updateBudget(id: $id, revision: $revision, input: $input) { ...all }
  }
"""
    + BUDGET
)
DELETE = "mutation($id: ID!, $revision: Int!) { deleteBudget(id: $id, revision: $revision) }"
LIST = "{ budgets { ...all } }" + BUDGET
ZONE = "mutation($zone: String!) { setBudgetTimeZone(timeZone: $zone) { timeZone isDeclared } }"
PROJECT = {"kind": "PROJECT", "subjectID": "prj_default", "period": "DAY", "unit": "DOLLARS"}


async def test_the_whole_life_of_a_budget(admin, store):
    """Made, spent, changed, deleted; amounts of money are dollars."""
    made = await admin.get(CREATE, input={**PROJECT, "amount": 2.5, "warnsAt": [50, 90]})
    assert ("Default", 2.5, [50, 90], "REFUSE", 0, "UTC") == tuple(
        made[name] for name in ("subjectName", "amount", "warnsAt", "action", "spent", "timeZone")
    )
    await store.turns.add([row(at=now_ms(), project_id="prj_default", cost=1_500_000_000)])
    (found,) = await admin.get(LIST)
    assert (1.5, 0.6, 50) == (found["spent"], found["share"], found["warnedAt"])
    changed = await admin.get(
        UPDATE, id=made["id"], revision=1, input={"amount": 1, "action": "WARN"}
    )
    assert (1, "WARN", [50, 90], 2) == tuple(
        changed[name] for name in ("amount", "action", "warnsAt", "revision")
    )
    refusal = await admin.fail(DELETE, id=made["id"], revision=1)
    assert "CONFLICT" == refusal["code"]
    assert await admin.get(DELETE, id=made["id"], revision=2)
    assert [] == await admin.get(LIST)


async def test_a_change_counts_at_once(admin, administration):
    """The gateway loads it, and what was spent before it counts against it."""
    before = administration.refresh.times
    await admin.get(CREATE, input={**PROJECT, "amount": 1})
    assert before + 1 == administration.refresh.times


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": None}, "amount"),
        ({"warnsAt": [0]}, "warnsAt"),
        ({"subjectID": "prj_gone"}, "subjectID"),
        ({"kind": "USER"}, "subjectID"),
    ],
)
async def test_bad_input_is_refused_field_by_field(admin, change, field):
    """With the field's name, and the mend."""
    refusal = await admin.fail(CREATE, input={**PROJECT, "amount": 1, **change})
    assert [field] == [each["field"] for each in refusal["fields"]]


async def test_the_zone_is_set_for_all_budgets_at_once(admin):
    """A zone that there is not is refused; keys' own budgets stay UTC."""
    await admin.get(CREATE, input={**PROJECT, "amount": 1})
    found = await admin.get(ZONE, zone="Europe/Berlin")
    assert {"timeZone": "Europe/Berlin", "isDeclared": False} == found
    assert ["Europe/Berlin"] == [each["timeZone"] for each in await admin.get(LIST)]
    refusal = await admin.fail(ZONE, zone="Mars")
    assert ["timeZone"] == [each["field"] for each in refusal["fields"]]


async def test_what_the_file_declares_is_shown_and_not_changed(admin, administration):
    """Budgets and zone."""
    declared = administration.reconciler.declared
    budget = Budget(
        "file:b", SubjectKind.CHANNEL, "", Period.WEEK, Unit.TOKENS, 5, is_declared=True
    )
    administration.reconciler.declared = declared.__class__(
        declared.channels,
        declared.keys,
        declared.file,
        budgets=(DeclaredBudget(budget, "main", is_own=True),),
        time_zone="Asia/Tokyo",
    )
    (found,) = await admin.get(LIST)
    assert ("FILE", "file:main", "main", "Asia/Tokyo") == tuple(
        found[name] for name in ("managedBy", "subjectID", "subjectName", "timeZone")
    )
    for query, variables in (
        (UPDATE, {"id": "file:b", "revision": 0, "input": {"amount": 1}}),
        (DELETE, {"id": "file:b", "revision": 0}),
        (ZONE, {"zone": "UTC"}),
    ):
        assert "CONFLICT" == (await admin.fail(query, **variables))["code"]


async def test_models_without_price_are_named_where_dollars_count(admin, store):
    """Those that a channel names, and those that were used; a budget of tokens needs none."""
    spec = ChannelSpec("", "local", credential=KEY, models=("gpt-5", "made-up"))
    channel = await store.channels.create(spec, TEST)
    used = {"channel_id": channel.id, "model_asked": "novel", "cost": None}
    await store.turns.add([row(at=now_ms(), project_id="prj_default", **used)])
    whose = {"kind": "CHANNEL", "subjectID": channel.id, "period": "DAY", "amount": 1}
    dollars = await admin.get(CREATE, input={**whose, "unit": "DOLLARS"})
    assert ["made-up", "novel"] == dollars["unpricedModels"]
    tokens = await admin.get(CREATE, input={**whose, "unit": "TOKENS"})
    assert [] == tokens["unpricedModels"]
    project = await admin.get(CREATE, input={**PROJECT, "amount": 1})
    assert ["made-up", "novel"] == project["unpricedModels"]


async def test_members_and_viewers_see_what_binds_them(admin, signed_in, store):
    """A member their own, their keys' and their projects'; a viewer no other user's."""
    member, viewer = await signed_in(Role.MEMBER), await signed_in(Role.VIEWER)
    users = [await store.users.find(f"{role}@example.org") for role in ("member", "viewer")]
    for user in users:
        await store.projects.add_member("prj_default", user.id, TEST)
    grant = Grant("", "prj_default", users[0].id, budgets=Budgets(tokens_per_day=5))
    key = (await store.keys.create(ApiKey("", "own", "", b"", grant), TEST)).key
    channel = await store.channels.create(ChannelSpec("", "ch", credential=KEY), TEST)
    for kind, id_ in (
        ("PROJECT", "prj_default"),
        ("USER", users[0].id),
        ("USER", users[1].id),
        ("CHANNEL", channel.id),
    ):
        await admin.get(CREATE, input={**PROJECT, "kind": kind, "subjectID": id_, "amount": 1})
    own = {users[0].id, "prj_default", key.id}
    assert own == {each["subjectID"] for each in await member.get(LIST)}
    seen = {users[1].id, "prj_default", key.id}
    assert seen == {each["subjectID"] for each in await viewer.get(LIST)}
    (of_key,) = [each for each in await admin.get(LIST) if each["subjectID"] == key.id]
    assert (True, "DATABASE", 5, "UTC") == tuple(
        of_key[name] for name in ("isOfKey", "managedBy", "amount", "timeZone")
    )


async def test_a_member_reads_of_no_model_that_others_used(admin, signed_in, store):
    """A budget of their project names those without price that their own keys used."""
    member = await signed_in(Role.MEMBER)
    user = await store.users.find("member@example.org")
    await store.projects.add_member("prj_default", user.id, TEST)
    grant = Grant("", "prj_default", user.id)
    key = (await store.keys.create(ApiKey("", "own", "", b"", grant), TEST)).key
    unpriced = {"at": now_ms(), "project_id": "prj_default", "cost": None}
    await store.turns.add(
        [
            row(1, key_id=key.id, model_asked="mine", **unpriced),
            row(2, key_id="key_other", model_asked="theirs", **unpriced),
        ]
    )
    await admin.get(CREATE, input={**PROJECT, "amount": 1})
    for caller, expected in ((admin, ["mine", "theirs"]), (member, ["mine"])):
        (found,) = await caller.get(LIST)
        assert expected == found["unpricedModels"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": 1e300}, "must be 9,223,372,036 US dollars at most"),
        ({"unit": "TOKENS", "amount": 1e300}, "must be 9,223,372,036,854,775,807 at most"),
        ({"unit": "TOKENS", "amount": 1.5}, "write a whole number of tokens"),
        ({"kind": "KEY", "subjectID": "file:nope"}, "the file declares no such key"),
        ({"kind": "USER", "subjectID": "file:nope"}, "the file declares no such user"),
    ],
)
async def test_what_cannot_be_says_how_it_can(admin, change, words):
    """Amounts that are too large or no number of tokens, and what the file does not declare."""
    told = await admin.ask(CREATE, input={**PROJECT, "amount": 1, **change})
    assert words in told["errors"][0]["message"]


async def test_a_second_budget_is_told_by_the_name_of_whose_it_is(admin):
    """And not by their id."""
    await admin.get(CREATE, input={**PROJECT, "amount": 1})
    told = await admin.ask(CREATE, input={**PROJECT, "amount": 2})
    message = "The project Default has a budget in dollars a day already; change that one."
    assert message == told["errors"][0]["message"]
