"""Budgets of keys, counted over all processes."""

import asyncio
from dataclasses import replace

import pytest

from longwire.app import opening
from longwire.core.errors import LimitReached
from longwire.core.nouns.access import ApiKey, Budgets, Grant
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.nouns.people import Role, User
from longwire.core.nouns.secret import Secret
from longwire.core.rules.limits import Spent, Subject
from longwire.core.rules.spending import subjects_of
from longwire.fleet.local import LocalLimits
from longwire.server.budgets import SpentBudgets
from longwire.store.store import now_ms
from tests.conftest import serving, settings_for
from tests.doubles.canned import canned
from tests.journeys.accounts import opened
from tests.server.conftest import dial
from tests.store.turn_rows import NOON, row


async def test_what_another_process_spent_counts_here(store, actor):
    """A budget of the day that others used up refuses the next turn, of that key alone."""
    budgets = Budgets(tokens_per_day=15)
    drafts = [ApiKey("", name, "", b"", Grant("", "prj_default", budgets=budgets)) for name in "ab"]
    one, other = [(await store.keys.create(draft, actor)).key for draft in drafts]
    limits = LocalLimits(lambda: NOON / 1_000)
    await store.turns.add([row(key_id=one.id)])
    await SpentBudgets(store, limits).count(NOON)
    await limits.enter(Subject(f"key:{other.id}", "other", one.grant.rates, budgets))
    with pytest.raises(LimitReached, match="used up"):
        await limits.enter(Subject(f"key:{one.id}", "one", one.grant.rates, budgets))


async def owning(store, actor, *names):
    """Keys of a user by these names, and that the user may spend 15 tokens a day."""
    draft = User("", "ada@example.org", "Ada", Role.MEMBER)
    user = await store.users.create(draft, Secret("correct horse battery"), actor)
    grant = Grant("", "prj_default", user_id=user.id)
    keys = [await store.keys.create(ApiKey("", name, "", b"", grant), actor) for name in names]
    budget = Budget("b", SubjectKind.USER, user.id, Period.DAY, Unit.TOKENS, 15)
    return [each.key for each in keys], subjects_of((budget,), {}, "UTC")


async def give_away(store, key, how, actor):
    """Let a key be nobody's, or gone."""
    if how == "moved":
        await store.keys.update(replace(key, grant=replace(key.grant, user_id=None)), actor)
    else:
        revoked = await store.keys.revoke(key.id, key.revision, actor)
        await store.keys.delete(key.id, revoked.revision, actor)


@pytest.mark.parametrize("how", ["moved", "deleted"])
async def test_a_key_that_is_somebody_elses_takes_along_what_it_spent(store, actor, how):
    """Its user may spend that again; what is not written yet is forgotten of nobody."""
    (one, other), running = await owning(store, actor, "a", "b")
    (subject,) = running.values()
    limits, waits = LocalLimits(lambda: NOON / 1_000), True
    first, last = [await limits.enter(subject) for _ in range(2)]

    async def written():
        if not waits:
            limits.leave(last, Spent(4))  # one more ends meanwhile
        return not waits

    budgets = SpentBudgets(store, limits, lambda: running, written)
    limits.leave(first, Spent(15))
    await store.turns.add([row(key_id=one.id)])
    await budgets.count(NOON)
    await give_away(store, one, how, actor)
    await budgets.count(NOON)  # while the log waits, nothing is sure
    assert 15 == limits.spent(subject)[0].tokens
    waits = False
    await budgets.count(NOON)
    assert 4 == limits.spent(subject)[0].tokens
    await limits.enter(subject)
    await store.turns.add([row(1, key_id=other.id)])
    await budgets.count(NOON)
    with pytest.raises(LimitReached, match="used up"):
        await limits.enter(subject)


async def test_what_was_spent_before_a_start_counts_from_the_first_turn(
    tmp_path, actor, monkeypatch
):
    """However long the count takes: nobody is served before it."""
    count = SpentBudgets.count

    async def slowly(self, now):
        await asyncio.sleep(0.2)
        await count(self, now)

    monkeypatch.setattr(SpentBudgets, "count", slowly)
    async with canned() as upstream:
        database = {"url": f"sqlite:///{tmp_path}/longwire.db"}
        settings = settings_for(upstream.url, database=database)
        async with opened(settings) as store:
            grant = Grant("", "prj_default", budgets=Budgets(tokens_per_day=15))
            issued = await store.keys.create(ApiKey("", "a", "", b"", grant), actor)
            await store.turns.add([row(at=now_ms(), key_id=issued.key.id)])
        async with (
            serving(settings, opening(settings)) as gateway,
            dial(gateway) as connection,
        ):
            key = [f"x-longwire-key: {issued.secret.reveal()}"]
            status, _, _ = await connection.ask(b'{"model":"m","input":"hi"}', headers=key)
    assert (429, []) == (status, upstream.bodies)


async def test_a_count_that_a_change_asks_for_has_the_last_turns(tmp_path):
    """Those that the log has not written yet: a new time zone must not forget what they spent."""
    async with canned() as upstream:
        settings = settings_for(upstream.url, database={"url": f"sqlite:///{tmp_path}/longwire.db"})
        async with serving(settings, opening(settings)) as gateway:
            control = gateway.app.control
            control._log.write(row(at=now_ms()))
            assert 1 == control.backlog[0]
            await control._administration.recount()
            assert 0 == control.backlog[0]
