"""What two nodes tell each other of channels, accounts and the configuration, and use."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import Actor, ApiKey, Grant, KeyStatus
from longwire.core.nouns.account import Account, Tokens
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.quota import Quota, Window
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lease import PoolLimits
from longwire.fleet.fleet import alone
from longwire.fleet.joined import joined
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.channels.cooling import CoolDowns
from longwire.relay.channels.provision import ProvisionContext, provision
from longwire.relay.channels.reconcile import ChannelReconciler, Declared
from longwire.relay.channels.state import Part
from longwire.store.store import open_store
from longwire.upstream.ports import Timeouts
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool
from tests.doubles.valkey import is_away, until
from tests.fleet.hearing import hear_each_other

SPEC = ChannelSpec(id="ch", name="up", base_url="http://127.0.0.1:1/v1", credential=Secret("sk"))
ACTOR = Actor("test", "tests")
NEW_KEY = ApiKey("", "ci", "", b"", Grant(project_id="prj_default"))
ACCOUNT = Account("acc", "ch", Tokens(Secret("at")))


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


class Node:
    """What a node has beside its fleet: a channel, an account, and who tells of them."""

    def __init__(self, fleet, clock):
        self.fleet, self.clock = fleet, clock
        self.routing = RoutingTable(Snapshot({}))
        self.cool_downs = CoolDowns(fleet.tidings, self.routing, clock)
        self.context = ProvisionContext(
            Pool(PoolLimits()),
            Timeouts(),
            Heartbeat(),
            lambda *_: None,
            paces=fleet.paces,
            tell_cooling=self.cool_downs.tell,
        )
        self.routing.snapshot = Snapshot({"ch": provision(SPEC, self.context)})
        self.accounts = LiveAccounts(None, None, lambda: 0, fleet.tidings)
        self.live = self.accounts.take_over([ACCOUNT])["acc"]

    @property
    def state(self):
        return self.routing.snapshot.channels["ch"].state

    def trusts(self, part=Part.CHANNEL):
        return self.state.health_of(part).is_trusted(self.clock())

    def fail(self, times=1, part=Part.CHANNEL):
        for _ in range(times):
            self.state.fail(part, self.clock(), problem="failing")


@pytest.fixture
async def clock():
    return Clock()


@pytest.fixture
async def nodes(valkey_server, clock):
    """Two nodes that hear each other."""
    a, b = joined(valkey_server.url, "a"), joined(valkey_server.url, "b")
    async with a.running(), b.running():
        await hear_each_other(a, b)
        yield Node(a, clock), Node(b, clock)


async def test_fleets_of_two_databases_hear_nothing_of_each_other(valkey_server):
    """They may share a server: channels of it know no databases, unlike keys."""
    server = valkey_server.url.removesuffix("/0")
    ours, twin, other = (
        joined(f"{server}/{n}", name) for n, name in ((3, "a"), (3, "b"), (1, "c"))
    )
    heard = []
    async with ours.running(), twin.running(), other.running():
        await hear_each_other(ours, twin)
        for each in (ours, other):
            each.tidings.hear("turns", lambda node, _: heard.append(node))
        other.tidings.tell("turns", {})
        await other.valkey.call("PUBLISH", "lw:tidings:1", '{"node":"x","kind":"turns","facts":{}}')
        await until(lambda: "x" in heard)
        twin.tidings.tell("turns", {})
        await until(lambda: "b" in heard)
    assert ["x", "b"] == heard


class TestCooling:
    async def test_what_fails_on_one_node_is_the_last_choice_of_all(self, nodes):
        """One node pays the failures; odd ones that cool nothing down are not told."""
        a, b = nodes
        a.fail(2)
        a.fail(part=Part.WEBSOCKET)
        await until(lambda: not b.trusts(Part.WEBSOCKET))
        assert b.trusts()
        a.fail()
        await until(lambda: not b.trusts())
        assert "failing" == b.state.health.problem

    async def test_each_node_probes_by_itself(self, nodes, clock):
        """However long another one waits: it looks after the base time; one success is enough."""
        a, b = nodes
        a.fail(8)
        await until(lambda: not b.trusts())
        clock.now += 15.0
        assert [False, True] == [a.trusts(), b.trusts()]
        b.state.health.begin(clock())
        assert not b.trusts()
        b.state.health.succeed()
        assert b.trusts()
        assert b.state.health.is_sound

    async def test_a_node_that_starts_later_knows(self, nodes, valkey_server, clock):
        """What was told before it could hear stands in Valkey until it is over."""
        a, b = nodes
        a.fail(3)
        await until(lambda: not b.trusts())
        await until(lambda: lasts(valkey_server, "lw:cool:{ch}", 14, 15))
        late = joined(valkey_server.url, "late")
        async with late.running():
            node = Node(late, clock)
            assert node.trusts()
            await node.cool_downs.recall()
            assert [False, True] == [node.trusts(), node.trusts(Part.WEBSOCKET)]

    async def test_what_failed_while_valkey_was_away_is_not_told_later(
        self, nodes, valkey_server, clock
    ):
        """It would rest a channel anew, for its whole time, that has long been sound."""
        a, b = nodes
        valkey_server.freeze()
        await until(lambda: is_away(a.fleet.valkey))
        a.fail(3)
        valkey_server.thaw()
        await hear_each_other(a.fleet, b.fleet)
        assert [False, True] == [a.trusts(), b.trusts()]
        assert "0" == await valkey_server.ask("EXISTS", "lw:cool:{ch}")

    async def test_while_valkey_is_away_each_node_learns_for_itself(self, nodes, valkey_server):
        """Telling neither waits nor fails."""
        a, b = nodes
        await valkey_server.kill()
        a.fail(3)
        await b.cool_downs.recall()
        assert [False, True] == [a.trusts(), b.trusts()]

    def test_alone_nobody_is_told(self, clock):
        """And nothing else is different."""
        node = Node(alone("a"), clock)
        node.fail(3)
        assert not node.trusts()

    async def test_what_is_told_makes_no_turn_wait(self, nodes):
        """However large it is: it does not stand in the way of the commands that turns wait for."""
        a, b = nodes
        heard = []
        b.fleet.tidings.hear("large", lambda _, facts: heard.append(len(facts["text"])))
        before = repr(a.fleet.valkey)
        a.fleet.tidings.tell("large", {"text": "." * 1_000_000})
        assert before == repr(a.fleet.valkey)
        await until(lambda: heard == [1_000_000])

    async def test_what_another_version_says_is_passed_over(self, nodes):
        """Facts that cannot be read end no ear, and no start; the other hearers take them."""
        a, b = nodes
        for facts in ({}, {"route": "ch", "part": "?"}, {"route": [], "part": "channel"}):
            a.fleet.tidings.tell("cooling", facts)
            a.fleet.tidings.pin("cooling", "ch", facts, 60)
        heard = []
        b.fleet.tidings.hear("bad", lambda _, facts: facts["missing"])
        b.fleet.tidings.hear("bad", lambda node, facts: heard.append((node, facts)))
        with capture_logs() as logged:
            a.fleet.tidings.tell("bad", {})
            await until(lambda: heard == [("a", {})])
        assert {"debug"} == {each["log_level"] for each in logged}
        await b.cool_downs.recall()
        assert b.trusts()
        a.fail(3)
        await until(lambda: not b.trusts())


async def lasts(server, name, least, most):
    """Whether a key is there, for so many seconds."""
    return least <= int(await server.ask("TTL", name)) <= most


def used(percent, seen_at, **facts):
    return Quota("plus", Window(percent, 300, 1e11), seen_at=seen_at, **facts)


class TestQuota:
    async def test_what_one_node_sees_the_other_knows(self, nodes, valkey_server):
        """From one percent on; a limit that was reached at once."""
        a, b = nodes
        for percent in (10.0, 10.4, 10.8):
            a.live.quota_tracker.observe(used(percent, percent))
        await until(lambda: b.live.quota_tracker.quota == used(10.0, 10.0))
        a.live.quota_tracker.observe(used(10.8, 11.0, limit_reached=True))
        await until(lambda: b.live.quota_tracker.quota.limit_reached)
        assert not b.live.quota_tracker.is_unsaved
        await until(lambda: lasts(valkey_server, "lw:quota:{acc}", 690_000, 691_200))

    async def test_what_is_no_quota_is_not_taken_over(self, nodes):
        """A turn would fail by it, at each node that recalls it."""
        a, b = nodes
        wrong = {"primary": {"used_percent": "55%"}, "seen_at": 7.0}
        a.fleet.tidings.pin("quota", "acc", {"account": "acc", "quota": wrong}, 60)
        a.live.quota_tracker.observe(used(20.0, 5.0))
        await until(lambda: b.live.quota_tracker.quota == used(20.0, 5.0))

    async def test_the_newest_word_counts(self, nodes):
        """What comes late does not undo what was seen since."""
        a, b = nodes
        b.live.quota_tracker.quota = used(50.0, 100.0)
        a.live.quota_tracker.observe(used(20.0, 99.0))
        a.fleet.tidings.tell("quota", {"account": "acc", "quota": {"plan": 1}})
        a.live.quota_tracker.observe(used(60.0, 101.0))
        await until(lambda: b.live.quota_tracker.quota == used(60.0, 101.0))

    async def test_a_node_that_starts_later_knows(self, nodes, valkey_server, clock):
        """What the database has not yet, Valkey has."""
        a, b = nodes
        a.live.quota_tracker.observe(used(30.0, 5.0))
        await until(lambda: b.live.quota_tracker.quota == used(30.0, 5.0))
        late = joined(valkey_server.url, "late")
        async with late.running():
            node = Node(late, clock)
            await until(lambda: lasts(valkey_server, "lw:quota:{acc}", 690_000, 691_200))
            await node.accounts.recall_quotas()
            assert used(30.0, 5.0) == node.live.quota_tracker.quota


def names_of(node):
    return [each.name for each in node.routing.snapshot.channels.values()]


class TestRevision:
    @pytest.fixture
    async def reconcilers(self, nodes, tmp_path):
        """Two nodes with one database, which look by themselves once an hour only."""
        async with AsyncExitStack() as stack:
            store = await open_store(
                f"sqlite:///{tmp_path}/db.sqlite", Secret(""), tmp_path / "key"
            )
            stack.push_async_callback(store.close)
            made, handed = [], []
            for node in nodes:
                keys = []
                reconciler = ChannelReconciler(
                    node.routing,
                    node.context,
                    Declared,
                    lambda _, stored, keys=keys: keys.append([each.status for each in stored]),
                    node.fleet.tidings,
                )
                await reconciler.begin(store)
                await stack.enter_async_context(reconciler.watching(3600.0))
                made.append(reconciler)
                handed.append(keys)
            yield store, made, handed

    async def test_who_changed_it_tells_the_others(self, nodes, reconcilers):
        """They take it over at once, not when they look next."""
        _, b = nodes
        store, (first, _), _ = reconcilers
        assert [] == names_of(b)
        await store.channels.create(replace(SPEC, name="new"), ACTOR)
        await first.refresh()
        await until(lambda: names_of(b) == ["new"])

    async def test_a_key_that_was_revoked_is_refused_everywhere(self, reconcilers):
        """It raises the same revision."""
        store, (first, _), (_, handed) = reconcilers
        issued = await store.keys.create(NEW_KEY, ACTOR)
        await first.refresh()
        await until(lambda: handed[-1] == [KeyStatus.ENABLED])
        await store.keys.revoke(issued.key.id, issued.key.revision, ACTOR)
        await first.refresh()
        await until(lambda: handed[-1] == [])

    async def test_while_valkey_is_away_looking_finds_it(self, nodes, reconcilers, valkey_server):
        """A tiding that is lost delays a change, no more."""
        _, b = nodes
        store, (first, second), _ = reconcilers
        await valkey_server.kill()
        await store.channels.create(replace(SPEC, name="new"), ACTOR)
        await first.refresh()
        await asyncio.sleep(0.1)
        assert [] == names_of(b)
        await second.look()
        assert ["new"] == names_of(b)
