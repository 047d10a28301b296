"""What a user, a project or a channel may spend, over HTTP, through a gateway with its store."""

import aiohttp
import pytest

from longwire.app import opening
from longwire.core.nouns.access import ApiKey, Grant, Role
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from longwire.core.rules.calendar import Calendar
from longwire.store.store import now_ms
from tests.conftest import KEY
from tests.journeys.accounts import opened
from tests.journeys.agent import scripted
from tests.journeys.conftest import become, settings_of, websocket_channel
from tests.store.turn_rows import row

pytestmark = pytest.mark.table

ZONE = "Asia/Kathmandu"
BRIEF = scripted(reasoning=False, tool_rounds=0)
QUESTION = {"model": "gpt-5.5", "input": "hi", "store": False, "metadata": BRIEF}


@pytest.fixture
def settings(emulator, tmp_path):
    """Two channels of one upstream; the first one's budget is declared, and small."""
    return settings_of(
        emulator.url,
        channels=(
            websocket_channel(emulator.url, name="first", weight=1_000),
            websocket_channel(emulator.url, name="second", weight=0.001),
        ),
        database={"url": f"sqlite:///{tmp_path}/longwire.db", "log_interval": "10ms"},
        calendar={"time_zone": ZONE},
    )


async def asked(gateway, key):
    """Ask a question; return status, headers and what the body says."""
    async with (
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session,
        session.post(f"{gateway.url}/v1/responses", json=QUESTION) as answer,
    ):
        return answer.status, answer.headers, await answer.json()


async def keys_of_ada(store, actor):
    """A user, and the secrets of two keys of hers."""
    user = User("", "ada@example.org", "", Role.MEMBER)
    user = await store.users.create(user, Secret("long enough"), actor)
    secrets = []
    for name in "ab":
        draft = ApiKey("", name, "", b"", Grant("", "prj_default", user.id))
        secrets.append((await store.keys.create(draft, actor)).secret.reveal())
    return user, secrets


def end_of(period):
    """When a period ends, as callers read it."""
    calendar = Calendar(ZONE, (period,))
    return calendar.text(calendar.span(period, now_ms() / 1_000).ends)


async def test_a_users_budget_binds_all_their_keys_together(settings, serve, actor):
    """What one key spent refuses the other, with the budget's name and its end; not others'."""
    async with opened(settings) as store:
        user, (one, other) = await keys_of_ada(store, actor)
        budget = Budget("", SubjectKind.USER, user.id, Period.WEEK, Unit.TOKENS, 2)
        await store.budgets.create(budget, actor)
    gateway = await serve(settings, opening(settings))
    status, _, _ = await asked(gateway, one)
    assert 200 == status
    status, headers, body = await asked(gateway, other)
    assert (429, "insufficient_quota") == (status, body["error"]["code"])
    assert (
        "The budget of the user 'ada@example.org', 2 tokens a week, is used up until "
        f"{end_of(Period.WEEK)}."
    ) == body["error"]["message"]
    assert 0 < int(headers["retry-after"]) <= 7 * 86_400 + 3_600
    assert 200 == (await asked(gateway, KEY))[0]


async def test_what_a_user_spent_before_a_start_counts(settings, serve, actor):
    """The sums come back from the usage of both keys."""
    async with opened(settings) as store:
        user, (one, _) = await keys_of_ada(store, actor)
        budget = Budget("", SubjectKind.USER, user.id, Period.DAY, Unit.DOLLARS, 10**9)
        await store.budgets.create(budget, actor)
        keys = await store.keys.of_user(user.id)
        rows = [row(n, now_ms(), key_id=key, cost=10**9 // 2) for n, key in enumerate(keys)]
        await store.turns.add(rows)
    gateway = await serve(settings, opening(settings))
    assert 429 == (await asked(gateway, one))[0]


async def test_a_channel_that_spent_its_budget_leaves_turns_to_another(settings, serve, actor):
    """And where none is left, the refusal names the budgets and when they begin anew."""
    async with opened(settings) as store:
        for name in ("first", "second"):
            subject = SubjectKind.CHANNEL, f"file:{name}"
            budget = Budget("", *subject, Period.MONTH, Unit.TOKENS, 2)
            await store.budgets.create(budget, actor)
    gateway = await serve(settings, opening(settings))
    served = [(await asked(gateway, KEY))[1]["x-longwire-channel"] for _ in range(2)]
    assert ["first", "second"] == served
    status, _, body = await asked(gateway, KEY)
    assert (429, "insufficient_quota") == (status, body["error"]["code"])
    message = body["error"]["message"]
    for name in ("first", "second"):
        assert f"the budget of the channel '{name}' is used up until" in message
    assert f"{end_of(Period.MONTH)[:16]}" in message


async def test_a_budget_counts_as_soon_as_it_is_made(settings, serve, actor):
    """A gateway that runs takes it over, and what was spent of it with the next count."""
    async with opened(settings) as store:
        gateway = await serve(settings, opening(settings))
        assert 200 == (await asked(gateway, KEY))[0]
        budget = Budget("", SubjectKind.PROJECT, "prj_default", Period.DAY, Unit.TOKENS, 2)
        await store.budgets.create(budget, actor)
        await become(lambda: gateway.app.routing.snapshot.budgets)
        assert 200 == (await asked(gateway, KEY))[0]
        assert 429 == (await asked(gateway, KEY))[0]


async def test_a_declared_budget_binds_like_any_other(emulator, tmp_path, serve):
    """Of a key that the file declares."""
    declared = {"of": "key", "name": "dev", "period": "day", "tokens": 2}
    settings = settings_of(
        emulator.url,
        database={"url": f"sqlite:///{tmp_path}/longwire.db"},
        budgets=(declared,),
    )
    gateway = await serve(settings, opening(settings))
    assert 200 == (await asked(gateway, KEY))[0]
    status, _, body = await asked(gateway, KEY)
    assert 429 == status
    assert "The budget of the key 'dev', 2 tokens a day, is used up" in body["error"]["message"]
