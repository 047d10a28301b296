"""A sign-in that is begun at one node is finished at another."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from sqlalchemy import update

from longwire.core.errors import InvalidFields, LimitReached, NotFound, StoreUnavailable
from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.emulator import Emulator, IssuerOptions, Options
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.kept_sign_ins import KeptSignIns
from longwire.relay.accounts.sign_in import Method, Stage
from longwire.relay.accounts.sign_ins import SignIns
from longwire.server import oauth_callback
from longwire.store.tables import pending_sign_ins
from longwire.upstream.oauth.issuer import Registration
from tests.doubles.valkey import until

ACTOR = Actor("usr_1", "Ada", "192.0.2.1")
ADA = "ada@example.org"
LATER = 15 * 60_000


class Nodes:
    """Nodes by name, that share a store; `gone` are those that are not heard any more."""

    def __init__(self, store, upstream, clock, channel_id):
        self.store = store
        self.upstream = upstream
        self.clock = clock
        self.channel_id = channel_id
        self.gone = set()
        self.joined = []

    @asynccontextmanager
    async def node(self, name):
        issuers = Issuers(Registration(self.upstream.url), self.clock, self.store.channels)

        async def joined():
            self.joined.append(name)

        sign_ins = SignIns(
            self.store.accounts, issuers, self.clock, joined, oauth_callback.listen, 0.01
        )
        sign_ins.share(self.kept(name))
        async with sign_ins.running():
            yield sign_ins

    def kept(self, name):
        """The rows as a node has them."""

        async def has_gone(other):
            return other in self.gone

        return KeptSignIns(self.store.pending_sign_ins, name, has_gone)

    async def sent_back(self, sign_in):
        """The address that a browser ends at."""
        query = urlsplit(sign_in.url).query
        url = f"{self.upstream.url}/oauth/authorize?{query}"
        async with aiohttp.ClientSession() as browser:
            answer = await browser.get(url, allow_redirects=False)
            return answer.headers["location"]

    def approve(self):
        for device in self.upstream.issuer.devices.values():
            device.email = ADA

    async def accounts(self):
        return [each.owner.email for each in await self.store.accounts.all()]


@pytest.fixture
async def nodes(store, clock):
    options = IssuerOptions(people=(ADA,), device_interval=0)
    async with Emulator(Options(issuer=options)) as upstream:
        spec = await store.channels.create(ChannelSpec("", "c", "codex"), ACTOR)
        yield Nodes(store, upstream, clock, spec.id)


@pytest.fixture
async def both(nodes):
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(nodes.node(name)) for name in "ab"]


def stage_at(sign_ins, sign_in_id, stage):
    """Whether a sign-in is at a stage, as a node sees it."""

    async def is_there():
        return stage is (await sign_ins.find(sign_in_id)).stage

    return is_there


async def test_a_browsers_address_is_pasted_at_another_node(nodes, both):
    """Both see what came of it, and a code is tried once."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    seen = await b.find(begun.id)
    assert (begun.url, begun.expires_at, Stage.PENDING) == (seen.url, seen.expires_at, seen.stage)
    place = await nodes.sent_back(begun)
    with pytest.raises(InvalidFields):
        await b.finish(begun.id, place.replace("state=", "state=x"))
    finished = await b.finish(begun.id, place)
    assert (Stage.DONE, ADA) == (finished.stage, finished.account.owner.email)
    told = await a.find(begun.id)
    assert (Stage.DONE, ADA) == (told.stage, told.account.owner.email)
    for each in both:
        with pytest.raises(InvalidFields, match="is over"):
            await each.finish(begun.id, place)
    assert ([ADA], ["b"]) == (await nodes.accounts(), nodes.joined)


async def test_finished_at_both_at_once_it_is_tried_by_one(nodes, both):
    """Nobody is told of a failure that only the second use of a code would be."""
    begun = await both[0].begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    place = await nodes.sent_back(begun)

    async def finish(sign_ins):
        with suppress(InvalidFields):  # it may be over by then
            await sign_ins.finish(begun.id, place)

    async with asyncio.TaskGroup() as group:
        for each in both:
            group.create_task(finish(each))
    for each in both:
        assert Stage.DONE is (await each.find(begun.id)).stage
    assert ([ADA], 1) == (await nodes.accounts(), len(nodes.joined))


async def test_a_device_code_is_polled_where_it_was_begun(nodes, both):
    """Another node shows it, and learns when it is done."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
    seen = await b.find(begun.id)
    fields = ("url", "user_code", "poll_seconds", "expires_at", "stage")
    assert [getattr(begun, name) for name in fields] == [getattr(seen, name) for name in fields]
    assert begun.id not in b._held
    nodes.approve()
    await until(stage_at(b, begun.id, Stage.DONE))
    assert ADA == (await b.find(begun.id)).account.owner.email
    assert ["a"] == nodes.joined


async def test_a_device_code_is_polled_on_by_another_node(nodes):
    """Once the node that began it is gone, whoever is asked goes on."""
    async with nodes.node("b") as b:
        async with nodes.node("a") as a:
            begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
        nodes.gone.add("a")
        assert Stage.PENDING is (await b.find(begun.id)).stage
        nodes.approve()
        await until(stage_at(b, begun.id, Stage.DONE))
    assert ([ADA], ["b"]) == (await nodes.accounts(), nodes.joined)


async def test_a_node_that_starts_again_goes_on_with_its_own(nodes):
    """A restart ends no sign-in."""
    async with nodes.node("a") as a:
        begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
    async with nodes.node("a") as again:
        assert Stage.PENDING is (await again.find(begun.id)).stage
        nodes.approve()
        await until(stage_at(again, begun.id, Stage.DONE))


async def test_cancelled_at_one_it_is_over_at_all(nodes, both):
    """Also where it is polled; and once alone."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
    assert await b.cancel(begun.id) is True
    await until(lambda: begun.stage is Stage.EXPIRED)
    assert "It was cancelled." == (await a.find(begun.id)).error
    assert [False, False] == [await each.cancel(begun.id) for each in both]
    nodes.approve()
    assert [] == await nodes.accounts()


async def test_a_cancel_that_comes_too_late_is_forgotten(nodes, both):
    """Where another node tries what came back already, what comes of that is told."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    claimed, b_rows = await b.find(begun.id), nodes.kept("b")
    assert await b_rows.claim(claimed)
    assert await a.cancel(begun.id) is False
    assert (Stage.PENDING, "") == (begun.stage, begun.error)
    claimed.end(Stage.FAILED, "No account.")
    assert await b_rows.finish(claimed, is_claimed=True)
    await a.find(begun.id)
    assert (Stage.FAILED, "No account.") == (begun.stage, begun.error)


async def test_of_two_nodes_that_take_over_one_polls(nodes, both):
    """A device code is not asked for at twice its pace."""
    begun = await both[0].begin(nodes.channel_id, Method.DEVICE, ACTOR)
    nodes.gone.add("a")
    row = await nodes.store.pending_sign_ins.find(begun.id)
    assert [True, False] == [await nodes.kept(name).take_over(row) for name in "bc"]


async def test_asked_twice_at_once_a_node_polls_once(nodes):
    """Both who ask see the same sign-in."""
    async with nodes.node("a") as a:
        begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
    async with nodes.node("a") as again:
        async with asyncio.TaskGroup() as group:
            found = [group.create_task(again.find(begun.id)) for _ in range(2)]
        assert found[0].result() is found[1].result()


async def test_one_that_cannot_be_read_blocks_no_other(nodes, both):
    """A row of another secret key counts, and new sign-ins begin."""
    begun = await both[0].begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    async with nodes.store.database.write() as connection:
        await connection.execute(update(pending_sign_ins).values(sealed=b"of another key"))
    after = await both[1].begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    assert begun.id != after.id
    assert 2 == await nodes.kept("a").count(nodes.clock.now)


async def test_what_cannot_be_claimed_is_not_tried(nodes, both, monkeypatch):
    """It fails here, and no account is added that other nodes do not hear of."""
    a, _ = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    place = await nodes.sent_back(begun)

    async def fails(*_, **__):
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(nodes.store.pending_sign_ins, "update", fails)
        finished = await a.finish(begun.id, place)
    assert (Stage.FAILED, True) == (finished.stage, "cannot be stored now" in finished.error)
    assert [] == await nodes.accounts()
    await a.find(begun.id)
    assert Stage.FAILED is (await both[1].find(begun.id)).stage


async def test_how_it_ended_is_kept_once_the_database_is_back(nodes, both, monkeypatch):
    """Where it was away for that moment alone, other nodes learn of the account all the same."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    place, rows = await nodes.sent_back(begun), nodes.store.pending_sign_ins
    update_row = rows.update

    async def fails_to_finish(row, **conditions):
        if row.stage == "done":
            raise StoreUnavailable("gone")
        return await update_row(row, **conditions)

    with monkeypatch.context() as patched:
        patched.setattr(rows, "update", fails_to_finish)
        assert Stage.DONE is (await a.finish(begun.id, place)).stage
    assert Stage.PENDING is (await b.find(begun.id)).stage
    assert Stage.DONE is (await a.find(begun.id)).stage
    assert (Stage.DONE, ADA) == ((await b.find(begun.id)).stage, *await nodes.accounts())


async def test_what_a_node_did_not_begin_expires_there_too(nodes, both):
    """Fifteen minutes are as long everywhere; later it is forgotten."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    place = await nodes.sent_back(begun)
    nodes.clock.now += LATER
    assert Stage.EXPIRED is (await b.find(begun.id)).stage
    with pytest.raises(InvalidFields, match="is over"):
        await b.finish(begun.id, place)
    nodes.clock.now += 5 * LATER
    await b.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    with pytest.raises(NotFound):
        await b.find(begun.id)


async def test_those_of_all_nodes_are_bounded_together(nodes, both):
    """The bound is the fleet's."""
    for number in range(16):
        await both[number % 2].begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    for each in both:
        with pytest.raises(LimitReached):
            await each.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)


async def test_a_refusal_at_the_issuer_is_told_everywhere(nodes, both):
    """Why nothing came of it stands in the row."""
    a, b = both
    begun = await a.begin(nodes.channel_id, Method.BROWSER, ACTOR, listens=False)
    state = parse_qs(urlsplit(begun.url).query)["state"][0]
    await b.finish(begun.id, f"http://localhost/?error=access_denied&state={state}")
    told = await a.find(begun.id)
    assert (Stage.FAILED, "The issuer refused: access_denied.") == (told.stage, told.error)


async def test_a_database_that_is_away_ends_no_polling(nodes, both, monkeypatch):
    """The node polls on, and what it then cannot store it says."""
    a, _ = both
    begun = await a.begin(nodes.channel_id, Method.DEVICE, ACTOR)
    rows = nodes.store.pending_sign_ins
    failures = []

    async def fails(*_, **__):
        failures.append(1)
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(rows, "find", fails)
        await until(lambda: len(failures) > 2)
    assert Stage.PENDING is (await a.find(begun.id)).stage
    with monkeypatch.context() as patched:
        for name in ("find", "update"):
            patched.setattr(rows, name, fails)
        patched.setattr(nodes.store.accounts, "sign_in", fails)
        nodes.approve()
        await until(lambda: begun.stage is Stage.FAILED)
    assert "cannot be stored now" in begun.error
