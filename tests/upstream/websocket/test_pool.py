"""The pool: whatever happens to a turn, nothing stays leased or open, nobody waits in vain."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from longwire.core.errors import Overloaded, UpstreamError, UpstreamUnavailable
from longwire.core.rules.backoff import Pace
from longwire.core.rules.continuity import AsGiven, Continue, Reason
from longwire.core.rules.lease import LeaseOutcome, Limits, State
from longwire.core.rules.turn import Scope, SessionKey
from longwire.emulator import Fault, Options, Script
from longwire.upstream.ports import Call
from longwire.upstream.websocket.dialer import Endpoint, dial
from longwire.upstream.websocket.pool import Pool, PoolTimes
from tests.doubles.cancelling import cancelled_at
from tests.doubles.lending import lent
from tests.doubles.peer import peer

CONTINUED = ("continued", None)
NO_SWEEP = PoolTimes(sweep_interval=1e6)
"""Then nobody is served but by what made room for him."""

MOMENTS = pytest.mark.parametrize("moment", ["asleep", "waking"])


def fresh(reason):
    """How a turn travels in full."""
    return ("fresh", reason)


def key(session="s", scope="api_key:1", endpoint="main", identity=""):
    """A session's key."""
    return SessionKey(endpoint, Scope(scope), session, identity)


async def holding(it, agent, release: asyncio.Event, held: list[int]):
    """Lease a connection, hold it until told to give it back, unused."""
    call = agent.call()
    async with it.transport.open(call):
        held.append(1)
        await release.wait()


class TestCancelling:
    """A turn is cancelled at its first, second, … suspension, until one runs to its end."""

    @MOMENTS
    @pytest.mark.parametrize("delay_ms", [0, 0.2])
    @pytest.mark.parametrize("turns_before", [0, 1])
    async def test_turn(self, gateway, moment, delay_ms, turns_before):
        """Wherever a turn is cancelled, nothing is left of it and the next one is right."""
        async with gateway(script=Script(delay_ms=delay_ms, commentary=False)) as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                agent = it.agent(session=f"s{point}")
                for _ in range(turns_before):
                    await agent.take()
                was_cancelled = await cancelled_at(agent.take(), point, moment)
                await it.settled()
                await agent.take()
                assert (await agent.take()).tunnel == CONTINUED
                await it.settled()
                point += 1
            assert point > 2
            assert it.emulator.violations == []

    @MOMENTS
    @pytest.mark.parametrize("keeps_ids", [False, True])
    async def test_rewritten(self, gateway, moment, keeps_ids):
        """A turn that would replace a connection leaves the old one or none, and never both."""
        async with gateway() as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                agent = it.agent(session=f"s{point}")
                agent.keeps_ids = keeps_ids
                await agent.take()
                agent.history[0] = {"role": "user", "content": "rewritten"}
                was_cancelled = await cancelled_at(agent.take(), point, moment)
                await it.settled()
                await agent.take()
                assert (await agent.take()).tunnel == CONTINUED
                await it.settled()
                assert it.pool.ledger.live <= 2 * point
                point += 1
            assert it.emulator.violations == []

    @MOMENTS
    @pytest.mark.parametrize("limits", [Limits(connections_per_session=1), Limits(connections=1)])
    async def test_waiter(self, gateway, moment, limits, until):
        """A waiting turn that is cancelled, even as it is granted, blocks nobody."""
        async with gateway(limits=limits, times=NO_SWEEP) as it:
            point, was_cancelled = 1, True
            while was_cancelled:
                release, held = asyncio.Event(), []
                async with asyncio.TaskGroup() as group:
                    group.create_task(holding(it, it.agent(), release, held))
                    await until(lambda held=held: held)
                    waiting = group.create_task(cancelled_at(it.agent().take(), point, moment))
                    await until(lambda waiting=waiting: it.pool._waiters or waiting.done())
                    last = group.create_task(it.agent(user="last").take())
                    await until(lambda waiting=waiting: waiting.done() or len(it.pool._waiters) > 1)
                    release.set()
                    await last
                was_cancelled = waiting.result()
                await it.settled()
                await it.agent().take()
                point += 1
            assert point > 2

    async def test_granted_as_it_gives_up(self, gateway, until):
        """A connection that is granted to a cancelled turn goes to the next in line."""
        async with gateway(limits=Limits(connections_per_session=1), times=NO_SWEEP) as it:
            first = it.agent()
            await first.take()
            async with asyncio.TaskGroup() as group:
                async with lent(it.pool, first.call(), None) as lease:
                    lost = group.create_task(it.agent().take())
                    await until(lambda: len(it.pool._waiters) == 1)
                    next_one = group.create_task(first.take())
                    await until(lambda: len(it.pool._waiters) == 2)
                    lease.cancel()
                    lost.cancel()
                assert (await next_one).tunnel == CONTINUED
            await it.settled()

    async def test_granted_and_lost(self, gateway, until):
        """A connection that is lost after it was granted, before the turn wakes, is replaced."""
        async with gateway(limits=Limits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:
                async with lent(it.pool, agent.call(), None) as lease:
                    waiting = group.create_task(agent.take())
                    await until(lambda: it.pool._waiters)
                    lease.cancel()
                    lease.connection.abort("lost")
                assert (await waiting).tunnel == fresh("connection_lost")
            await it.settled()

    async def test_granted_and_drained(self, gateway, until):
        """A connection that retires while a turn that gave up held its grant is closed."""
        async with gateway(limits=Limits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    lost = group.create_task(agent.take())
                    await until(lambda: it.pool._waiters)
                    lease.cancel()
                    it.pool.drain()
                    lost.cancel()
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_many_at_once(self, gateway):
        """Many turns, cancelled at random points, leave a pool that works."""
        limits = Limits(connections=5, connections_per_session=2)
        async with gateway(limits=limits, script=Script(delay_ms=0.1, commentary=False)) as it:
            agents = [it.agent(session=f"s{n % 4}", user=str(n)) for n in range(12)]
            for number, agent in enumerate(agents):
                agent.history[0] = {"role": "user", "content": f"task {number}"}
            for turn in range(6):
                async with asyncio.TaskGroup() as group:
                    for number, agent in enumerate(agents):
                        point = (turn * 7 + number * 5) % 23 + 1
                        moment = ("asleep", "waking")[(turn + number) % 2]
                        group.create_task(cancelled_at(agent.take(), point, moment))
                await it.settled()
            for agent in agents:
                await agent.take()
                await agent.take()
            await it.settled()
            assert it.emulator.counters.in_flight_peak == 1
            assert it.emulator.violations == []


class TestDialing:
    @pytest.mark.parametrize("act", ["refuse", "reset"])
    async def test_failure_frees_the_place(self, gateway, until, act):
        """A dial that fails lets a waiting turn dial in its place."""
        async with gateway(limits=Limits(connections=1), times=NO_SWEEP) as it:
            it.emulator.faults.add(Fault(at="handshake", act=act, status=503))
            async with asyncio.TaskGroup() as group:

                async def failing():
                    with pytest.raises(UpstreamError):
                        await it.agent(session="a").take()

                group.create_task(failing())
                waiting = group.create_task(it.agent(session="b").take())
            assert waiting.result().tunnel == fresh("new_session")
            await it.settled()

    async def test_one_dial_for_each_turn(self, gateway):
        """First turns of a session dial once each, and no more than the cap."""
        async with gateway(limits=Limits(connections_per_session=3)) as it:
            async with asyncio.TaskGroup() as group:
                for _ in range(10):
                    group.create_task(it.agent().take())
            assert it.emulator.counters.sockets_opened == 3
            await it.settled()

    async def test_closed_right_after_the_handshake(self, gateway):
        """A connection that is closed before it was ever used leaves nothing behind."""
        async with peer() as there:
            pool = Pool(Limits())

            async def dialing(on_closed):
                connection = await dial(Endpoint(there.url, {}), {}, on_closed)
                connection.abort("gone")
                raise UpstreamUnavailable("Gone.")

            async with gateway() as it:
                with pytest.raises(UpstreamUnavailable):
                    async with lent(pool, it.agent().call(), dialing):
                        pass
            assert repr(pool.ledger) == "<Ledger dialing=0 leased=0 idle=0 sessions=0 cap=128>"


class TestAnew:
    """A turn that is sent again says why, and begins on a connection of its own."""

    async def test_new_connection(self, gateway):
        """It travels in full on a new socket, though one that holds its history is idle."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            assert (await agent.take(reason=Reason.REPLAYED)).tunnel == fresh("replayed")
            assert it.emulator.counters.sockets_opened == 2
            assert (await agent.take()).tunnel == CONTINUED
            assert it.emulator.violations == []
            await it.settled()

    async def test_full_session(self, gateway):
        """In a session at its cap the least recently used connection makes room."""
        async with gateway(limits=Limits(connections_per_session=1)) as it:
            agent = it.agent()
            await agent.take()
            assert (await agent.take(reason=Reason.REPLAYED)).tunnel == fresh("replayed")
            assert it.pool.ledger.live == 1
            assert it.pool.ledger.departures == {("main", Reason.CONNECTION_EVICTED): 1}
            await it.settled()

    async def test_busy_session(self, gateway, until):
        """In a session whose connections are all busy it waits for the first, to replace it."""
        limits = Limits(connections_per_session=1)
        async with gateway(limits=limits, times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    waiting = group.create_task(agent.take(reason=Reason.REPLAYED))
                    await until(lambda: it.pool._waiters)
                    lease.cancel()
            assert waiting.result().tunnel == fresh("replayed")
            assert it.emulator.counters.sockets_opened == 2
            await it.settled()

    async def test_nobodys_turn(self, gateway):
        """A turn that shares nothing tells its reason too."""
        async with gateway() as it:
            agent = it.agent(session=None)
            assert (await agent.take(reason=Reason.REPLAYED)).tunnel == fresh("replayed")

    async def test_own_id(self, gateway):
        """A client's own id still goes out as given."""
        async with gateway() as it:
            agent = it.agent()
            with suppress(UpstreamError):
                await agent.take(
                    [{"role": "user", "content": "more"}],
                    reason=Reason.REPLAYED,
                    previous_response_id="resp_x",
                )
            (entry,) = it.pool.ledger.entries()
            assert isinstance(entry.decision, AsGiven)


class TestBook:
    """What the ledger tells of connections, for the operator."""

    @pytest.mark.looptime
    async def test_entry(self, gateway):
        """An entry tells when it was opened, how often it continued, and what that spared."""
        async with gateway() as it:
            agent = it.agent()
            born = asyncio.get_running_loop().time()
            spared = []
            for _ in range(4):
                size = agent.turn().source.body_size
                spared.append(size - (await agent.take()).delivery.bytes_sent)
                await asyncio.sleep(100)
            (entry,) = it.pool.ledger.entries()
            assert entry.born == pytest.approx(born, abs=1)
            assert (entry.exchanges, entry.continued) == (4, 3)
            assert isinstance(entry.decision, Continue)
            assert entry.bytes_saved == sum(spared)

    async def test_departures(self, gateway, until):
        """Ended connections are counted by endpoint and cause."""
        async with gateway(limits=Limits(connections=2)) as it:
            for name in "abc":
                await it.agent(session=name).take()
            other = it.agent(session="d")
            other.key = key("d", endpoint="other")
            await other.take()
            it.emulator.drop_connections()
            await until(lambda: not it.pool.ledger.live)
            assert it.pool.ledger.departures == {
                ("main", Reason.CONNECTION_EVICTED): 2,
                ("main", Reason.CONNECTION_LOST): 1,
                ("other", Reason.CONNECTION_LOST): 1,
            }

    async def test_holds(self, gateway):
        """A session that has a connection holds its turns; another, or an unknown id, does not."""
        async with gateway() as it:
            agent, stranger = it.agent(), it.agent(session="t")
            assert not it.pool.ledger.holds(agent.key, agent.turn())
            answer = await agent.take()
            assert it.pool.ledger.holds(agent.key, agent.turn())
            assert not it.pool.ledger.holds(stranger.key, agent.turn())
            for response_id, is_held in ((answer.response["id"], True), ("resp_x", False)):
                named = agent.turn_of("more", previous_response_id=response_id)
                assert it.pool.ledger.holds(agent.key, named) == is_held

    async def test_settled_once(self, gateway):
        """A lease is leased until it is settled, and only the first settlement counts."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            lease = await it.pool.borrow(agent.call(), None)
            assert [State.LEASED] == [entry.state for entry in it.pool.ledger.entries()]
            lease.settle(LeaseOutcome(keeps_connection=True))
            assert [State.IDLE] == [entry.state for entry in it.pool.ledger.entries()]
            lease.settle(LeaseOutcome(keeps_connection=False))
            await it.settled()
            assert it.pool.ledger.live == 1


class TestWaiting:
    @pytest.mark.looptime
    async def test_queued(self, gateway, until):
        """A turn is told how long it waited for a connection; a dial is no such wait."""
        endpoint_pace = Pace(0.1)
        async with gateway(limits=Limits(connections_per_session=1), times=NO_SWEEP) as it:
            object.__setattr__(it.endpoint, "pace", endpoint_pace)
            endpoint_pace.reserve(asyncio.get_running_loop().time())
            agent = it.agent()
            assert (await agent.take()).delivery.queued == 0
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    assert lease.queued == 0
                    waiting = group.create_task(agent.take())
                    await asyncio.sleep(7)
                    lease.cancel()
            assert waiting.result().delivery.queued == pytest.approx(7, abs=0.5)

    @pytest.mark.looptime
    async def test_timeout(self, gateway, until):
        """A turn that waited in vain is told so, and leaves the queue."""
        times = PoolTimes(queue_timeout=7)
        async with gateway(limits=Limits(connections=1), times=times) as it:
            agent = it.agent()
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                start = asyncio.get_running_loop().time()
                with pytest.raises(Overloaded) as error:
                    await it.agent(session="other").take()
                assert error.value.retry_after == 1
                assert asyncio.get_running_loop().time() - start == pytest.approx(7, abs=0.5)
                lease.cancel()
            await it.settled()
            assert (await agent.take()).tunnel == CONTINUED

    async def test_first_come(self, gateway, until):
        """Who waits longest is served first."""
        async with gateway(limits=Limits(connections_per_session=1), times=NO_SWEEP) as it:
            agent = it.agent()
            await agent.take()
            served = []

            async def take(number):
                await it.agent(user=str(number)).take()
                served.append(number)

            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None):
                    for number in range(6):
                        group.create_task(take(number))
                        await until(lambda number=number: len(it.pool._waiters) > number)
            assert served == list(range(6))
            await it.settled()

    async def test_own_id_waits_for_its_holder(self, gateway, until):
        """A turn with a client's own id waits for the busy connection that holds it."""
        async with gateway() as it:
            agent = it.agent()
            first = await agent.take()
            new = [item for item in agent.history[1:] if item["type"] == "function_call_output"]
            async with asyncio.TaskGroup() as group:  # noqa: SIM117 - the lease ends first
                async with lent(it.pool, agent.call(), None) as lease:
                    second = group.create_task(
                        agent.take(new, previous_response_id=first.response["id"])
                    )
                    await until(lambda: it.pool._waiters)
                    lease.cancel()
            assert second.result().tunnel == ("as-given", None)
            assert it.emulator.counters.sockets_opened == 1


class TestWalls:
    async def test_keys_never_share(self, gateway):
        """No connection ever carries two endpoints, scopes, sessions or identities."""
        keys = [
            key(),
            key(session="t"),
            key(session=""),
            key(scope="user:1"),
            key(endpoint="other"),
            key(identity="org"),
            None,
        ]
        async with gateway() as it:
            carried = {}
            for _ in range(3):
                for each in keys:
                    agent = it.agent()
                    agent.key = each
                    answer = await agent.take()
                    connection = agent.seen(answer.response["id"]).connection
                    carried.setdefault(connection, []).append(each)
            assert all(len(set(each)) == 1 for each in carried.values())
            assert [each for each in carried.values() if None in each] == [[None]] * 3
            await it.settled()

    async def test_evicts_before_it_dials(self, gateway):
        """At the cap the least recently used idle connection goes before a new one is opened."""
        async with gateway(limits=Limits(connections=2)) as it:
            first, second, third = (it.agent(session=name) for name in "abc")
            for agent in (first, second, first):
                await agent.take()
            at_dial = []

            async def dialing(on_closed):
                at_dial.append((it.pool.ledger.live, len(it.pool._connections)))
                return await dial(it.endpoint, {}, on_closed)

            async with lent(it.pool, third.call(), dialing) as lease:
                lease.settle(LeaseOutcome(keeps_connection=True))
            assert at_dial == [(2, 1)]
            assert (await first.take()).tunnel == CONTINUED
            assert (await second.take()).tunnel == fresh("connection_evicted")
            await it.settled()

    async def test_all_busy(self, gateway, until):
        """At the cap with all busy a turn of another session waits for the first to end."""
        async with gateway(limits=Limits(connections=2)) as it:
            release, held = asyncio.Event(), []
            async with asyncio.TaskGroup() as group:
                for name in "ab":
                    group.create_task(holding(it, it.agent(session=name), release, held))
                await until(lambda: len(held) == 2)
                waiting = group.create_task(it.agent(session="c").take())
                await until(lambda: it.pool._waiters)
                release.set()
            assert waiting.result().tunnel == fresh("new_session")
            await it.settled()


class TestTime:
    @pytest.mark.looptime
    @pytest.mark.parametrize(("jitter", "life"), [(0.0, 3000), (0.5, 2925), (1.0, 2850)])
    async def test_lifetime(self, gateway, jitter, life):
        """A connection is closed at the end of its life, up to five percent early."""
        times, limits = PoolTimes(max_lifetime=3000), Limits(idle_ttl=9000)
        async with gateway(times=times, limits=limits, jitter=lambda: jitter) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(life - 20)
            assert (await agent.take()).tunnel == CONTINUED
            await asyncio.sleep(30)
            assert it.pool.ledger.live == 0
            assert (await agent.take()).tunnel == fresh("connection_expired")

    @pytest.mark.looptime
    async def test_idle_ttl(self, gateway):
        """A connection that was idle too long is closed, one in use is not."""
        async with gateway(limits=Limits(idle_ttl=600), times=PoolTimes(max_lifetime=9000)) as it:
            agent = it.agent()
            for _ in range(3):
                await agent.take()
                await asyncio.sleep(590)
            assert it.emulator.counters.sockets_opened == 1
            await asyncio.sleep(20)
            assert it.pool.ledger.live == 0
            await it.settled()

    @pytest.mark.looptime
    async def test_expired_is_never_lent(self, gateway):
        """A connection past its time is not lent even before the sweep has come."""
        times = PoolTimes(max_lifetime=100, sweep_interval=1e6)
        async with gateway(times=times) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(101)
            assert it.pool.ledger.live == 1
            assert (await agent.take()).tunnel == fresh("connection_expired")
            assert it.pool.ledger.live == 1
            await it.settled()

    @pytest.mark.looptime
    async def test_expires_in_use(self, gateway):
        """A turn that outlives its connection's life ends in peace, and the connection with it."""
        times = PoolTimes(max_lifetime=100)
        async with gateway(times=times, script=Script(delay_ms=20_000)) as it:
            agent = it.agent()
            await agent.take()
            assert it.pool.ledger.live == 0
            it.emulator.script = Script()
            assert (await agent.take()).tunnel == fresh("connection_expired")

    @pytest.mark.looptime
    async def test_idle_for_an_hour(self, gateway):
        """Pings keep an idle connection for as long as it may live."""
        options = Options(lifetime=1e9)
        limits, times = Limits(idle_ttl=1e6), PoolTimes(max_lifetime=1e6)
        async with gateway(options, limits=limits, times=times) as it:
            agent = it.agent()
            await agent.take()
            await asyncio.sleep(3600)
            assert (await agent.take()).tunnel == CONTINUED


class TestEnds:
    async def test_drain(self, gateway, until):
        """Draining closes idle connections now and leased ones at their turn's end, with 1001."""
        async with peer() as there, gateway() as it:
            pool, turn = Pool(Limits()), it.agent().turn()

            def dialing(on_closed):
                return dial(Endpoint(there.url, {}), {}, on_closed)

            async with lent(pool, Call(turn, key("idle")), dialing) as lease:
                lease.settle(LeaseOutcome(keeps_connection=True))
            idle = await there.links.get()
            async with lent(pool, Call(turn, key("busy")), dialing) as lease:
                busy = await there.links.get()
                pool.drain()
                assert await idle.close_code() == 1001
                assert not lease.connection.is_closed
                lease.settle(LeaseOutcome(keeps_connection=True))
            assert await busy.close_code() in (1000, 1001)
            assert pool.ledger.live == 0
            idle.hang_up()
            busy.hang_up()
            assert await there.is_left()

    async def test_drained_pool_serves_on(self, gateway):
        """A turn after a drain gets a new connection, and is told why."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            it.pool.drain()
            assert (await agent.take()).tunnel == fresh("connection_evicted")
            assert (await agent.take()).tunnel == CONTINUED
            await it.settled()

    async def test_retired_with_its_lease(self, gateway, until):
        """A connection that retires in use is closed after its turn, which is remembered."""
        async with gateway(script=Script(delay_ms=0.2)) as it:
            agent = it.agent()
            async with asyncio.TaskGroup() as group:
                turn = group.create_task(agent.take())
                await until(lambda: it.emulator.counters.creates)
                it.pool.drain()
            assert turn.result().response["status"] == "completed"
            assert it.pool.ledger.live == 0
            assert (await agent.take()).tunnel == fresh("connection_evicted")

    async def test_close(self, gateway, until):
        """Closing the pool ends everything, leased or idle, and fails the turns."""
        async with gateway() as it:
            await it.agent(session="idle").take()
            it.emulator.faults.add(Fault(at="mid_delta", act="hang"))
            async with asyncio.TaskGroup() as group:

                async def failing():
                    with suppress(UpstreamError):
                        await it.agent(session="busy").take()

                busy = group.create_task(failing())
                await until(lambda: it.emulator.faults.struck)
                it.pool.close()
                await busy
            assert it.pool.ledger.live == 0
            await it.settled()

    async def test_lost_while_idle(self, gateway, until):
        """An idle connection that the network takes away is dropped quietly, never lent."""
        async with gateway() as it:
            agents = [it.agent(session=name) for name in "abc"]
            for agent in agents:
                await agent.take()
            it.emulator.drop_connections()
            await until(lambda: not it.pool.ledger.live)
            for agent in agents:
                assert (await agent.take()).tunnel == fresh("connection_lost")
                assert (await agent.take()).tunnel == CONTINUED
            await it.settled()

    async def test_restarted_upstream(self, gateway, until):
        """While the upstream is away turns fail, and work again when it is back."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            await it.emulator.stop()
            await until(lambda: not it.pool.ledger.live)
            with pytest.raises(UpstreamUnavailable):
                await agent.take()
            await it.emulator.start()
            assert (await agent.take()).tunnel[0] == "fresh"
            await it.settled()

    async def test_lost_while_leased(self, gateway, until):
        """A connection that is lost in use leaves the ledger at once, and its lease harmlessly."""
        async with gateway() as it:
            agent = it.agent()
            await agent.take()
            async with lent(it.pool, agent.call(), None) as lease:
                assert [State.LEASED] == [entry.state for entry in it.pool.ledger.entries()]
                it.emulator.drop_connections()
                await until(lambda: lease.connection.is_closed)
                assert it.pool.ledger.live == 0
                lease.settle(LeaseOutcome(keeps_connection=True, cause=Reason.TURN_FAILED))
                lease.settle(LeaseOutcome(keeps_connection=False))
            assert (await agent.take()).tunnel == fresh("connection_lost")

    async def test_error_inside_a_lease(self, gateway):
        """Whatever is raised inside a lease closes its connection, for it may be half read."""
        async with gateway() as it:
            agent = it.agent()
            with pytest.raises(ZeroDivisionError):
                async with it.transport.open(agent.call()):
                    raise ZeroDivisionError
            await it.settled()
            assert it.pool.ledger.live == 0

    async def test_repr(self, gateway):
        """The whole state stands in one line."""
        async with gateway() as it, AsyncExitStack() as stack:
            agent = it.agent()
            await stack.enter_async_context(it.transport.open(agent.call()))
            assert repr(it.pool) == (
                "<Pool <Ledger dialing=0 leased=1 idle=0 sessions=1 cap=128> waiting=0>"
            )
