"""Connections: their cache, their lanes, their end."""

import asyncio
import base64
import json

import aiohttp
import pytest

from longwire.emulator import Script

SLOW = {"metadata": {"emulator": '{"delay_ms": 2}'}}

MATRIX = [
    # (store, ZDR), where the id is used, (continues, retrieved)
    ((True, False), "same", (True, 200)),
    ((True, False), "older", (True, 200)),
    ((True, False), "other", (True, 200)),
    ((True, False), "http", (True, 200)),
    ((False, False), "same", (True, 404)),
    ((False, False), "older", (False, 404)),
    ((False, False), "other", (False, 404)),
    ((False, False), "http", (False, 404)),
    ((True, True), "same", (True, 404)),
    ((True, True), "older", (False, 404)),
    ((True, True), "other", (False, 404)),
    ((True, True), "http", (False, 404)),
]


@pytest.mark.parametrize(("kept", "where", "expected"), MATRIX)
async def test_store_matrix(upstream, user, kept, where, expected):
    """Where a response can be continued and retrieved is decided by store and ZDR."""
    store, zdr = kept
    async with upstream(zdr=zdr) as it, it.dial() as socket, it.dial() as second:
        first = (await socket.respond(user, store=store))["id"]
        asked = {"store": store, "previous_response_id": first}
        if where == "older":
            await socket.respond(user, store=store)
        if where == "http":
            async with it.post({"input": [user], **asked}) as answer:
                continued = answer.status == 200
        else:
            target = second if where == "other" else socket
            continued = (await target.create(user, **asked))[-1]["type"] == "response.completed"
        address = f"{it.emulator.url}/v1/responses/{first}"
        async with it.session.get(address, headers={"authorization": "Bearer sk-one"}) as answer:
            assert expected == (continued, answer.status)


async def test_stored_chain_after_an_unstored_parent_is_not_hydrated(upstream, user):
    """A response is stored only when all before it were."""
    async with upstream() as it, it.dial() as socket, it.dial() as second:
        first = await socket.respond(user)
        stored = await socket.respond(user, store=True, previous_response_id=first["id"])
        error = await second.refuse(user, previous_response_id=stored["id"])
        assert "previous_response_not_found" == error["error"]["code"]


async def test_stored_items_can_be_referenced(upstream, user):
    """With store an item_reference stands for the item, for its account only."""
    async with upstream() as it, it.dial() as socket, it.dial(key="sk-two") as stranger:
        reasoning, message = (await socket.respond(user, store=True))["output"]
        references = [{"type": "item_reference", "id": i["id"]} for i in (reasoning, message)]
        await socket.respond(user, reasoning, message, user, store=True)
        await socket.respond(user, *references, user, store=True)
        assert it.emulator.turns[-1].digest == it.emulator.turns[-2].digest
        assert 400 == (await stranger.refuse(user, *references, store=True))["status"]


async def test_deleted_response_is_gone(upstream, user):
    """A stored response can be deleted once."""
    async with upstream() as it, it.dial() as socket:
        first = (await socket.respond(user, store=True))["id"]
        address = f"{it.emulator.url}/v1/responses/{first}"
        headers = {"authorization": "Bearer sk-one"}
        statuses = []
        for _ in range(2):
            async with it.session.delete(address, headers=headers) as answer:
                statuses.append(answer.status)
        assert [200, 404] == statuses


async def test_store_forgets_the_oldest(upstream, user):
    """Stored responses are bounded."""
    async with upstream(stored_responses=2) as it, it.dial() as socket, it.dial() as other:
        ids = [(await socket.respond(user, store=True))["id"] for _ in range(3)]
        await other.respond(user, previous_response_id=ids[1])
        await other.refuse(user, previous_response_id=ids[0])


async def test_error_on_its_lane_evicts_the_parent(upstream, user):
    """After a failed continuation the parent is gone; a full turn on the same socket works."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(user)
        asked = {"previous_response_id": first["id"]}
        await socket.refuse({"type": "novelty"}, **asked)
        error = await socket.refuse(user, **asked)
        assert "previous_response_not_found" == error["error"]["code"]
        await socket.respond(user)


async def test_failed_fork_keeps_the_parent(upstream, user):
    """An error of a fork on another lane leaves the parent to its lane."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(user, stream_id="main")
        asked = {"previous_response_id": first["id"]}
        error = await socket.refuse({"type": "novelty"}, stream_id="fork", **asked)
        assert "fork" == error["stream_id"]
        await socket.respond(user, stream_id="main", **asked)


async def test_idle_lane_forgets(upstream, user):
    """With idle eviction an old response is gone."""
    async with upstream(idle_eviction=0.0) as it, it.dial() as socket:
        first = await socket.respond(user)
        error = await socket.refuse(user, previous_response_id=first["id"])
        assert "previous_response_not_found" == error["error"]["code"]


async def test_lanes_interleave(upstream, user):
    """A fork runs beside its parent's lane; each event names its lane, the default none (B5)."""
    async with upstream() as it, it.dial() as socket:
        parent = await socket.respond(user)
        body = {"type": "response.create", "model": "m", "store": False, "input": [user], **SLOW}
        await socket.send(**body, previous_response_id=parent["id"])
        await socket.send(**body, previous_response_id=parent["id"], stream_id="fork")
        events = await socket.rest()
        events += await socket.rest()
        lanes = [event.get("stream_id") for event in events]
        assert {None, "fork"} == set(lanes)
        assert lanes != sorted(lanes, key=str)
        assert lanes != sorted(lanes, key=str, reverse=True)
        for lane in (None, "fork"):
            own = [event for event in events if event.get("stream_id") == lane]
            assert list(range(len(own))) == [event["sequence_number"] for event in own]
        assert 2 == it.emulator.counters.in_flight_peak
        assert [] == it.emulator.violations


async def test_one_lane_is_first_in_first_out(upstream, user):
    """Creates on one lane queue, also when the second continues the first."""
    async with upstream() as it, it.dial() as socket:
        for text in ("a", "b", "c"):
            await socket.send(
                type="response.create",
                model="m",
                store=False,
                input=text,
                stream_id="main",
            )
        terminals = [(await socket.rest())[-1]["response"]["id"] for _ in range(3)]
        assert terminals == [turn.response_id for turn in it.emulator.turns]
        assert 1 == it.emulator.counters.in_flight_peak


async def test_lane_limits(upstream, user):
    """At most 32 named lanes, at most 16 responses at once, the rest queue."""
    async with upstream() as it, it.dial() as socket:
        body = {"type": "response.create", "model": "m", "store": False, "input": [user], **SLOW}
        for number in range(33):
            await socket.send(**body, stream_id=f"lane_{number}")
        await socket.send(**body)
        terminals = [(await socket.rest())[-1] for _ in range(34)]
        (error,) = (event for event in terminals if event["type"] == "error")
        assert ("websocket_stream_limit_reached", "lane_32") == (
            error["error"]["code"],
            error["stream_id"],
        )
        assert 16 == it.emulator.counters.in_flight_peak


@pytest.mark.parametrize("moment", ["next_create", "idle"])
async def test_lifetime_ends_with_an_error_and_a_close(upstream, user, moment):
    """The end of a connection's life is told to the next create or to the idle socket."""
    async with upstream(lifetime=0.03, announce_limit=moment) as it, it.dial() as socket:
        await socket.respond(user)
        if moment == "next_create":
            await asyncio.sleep(0.03)
            await socket.send(type="response.create", model="m", store=False, input=[user])
        error = await socket.event()
        assert ("websocket_connection_limit_reached", 400) == (
            error["error"]["code"],
            error["status"],
        )
        assert 1000 == await socket.closed()
        assert [] == it.emulator.violations


async def test_lost_cache_is_healed_by_a_full_turn_elsewhere(upstream, user):
    """Not found, then a new handshake and one full create without a parent (B2)."""
    async with upstream() as it:
        async with it.dial("/backend-api/codex") as socket:
            first = await socket.create(user, include=["reasoning.encrypted_content"])
            response = first[-1]["response"]
        async with it.dial("/backend-api/codex") as socket:
            error = await socket.refuse(user, previous_response_id=response["id"])
            assert "previous_response_not_found" == error["error"]["code"]
        async with it.dial("/backend-api/codex") as socket:
            items = response["output"]
            assert "response.completed" == (await socket.create(user, *items, user))[-1]["type"]
        counters = it.emulator.counters
        assert (3, 3, 1, 2) == (
            counters.sockets_opened,
            counters.creates,
            counters.not_found,
            counters.creates_full,
        )


@pytest.mark.parametrize("key", ["", "sk-bad"])
async def test_unknown_key_is_refused(upstream, key):
    """A handshake without an accepted key is 401 with the envelope."""
    async with upstream(api_keys=("sk-one",)) as it:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with it.dial(key=key):
                pass
        assert 401 == refusal.value.status
        async with it.post({}, key=key) as answer:
            body = await answer.json()
            assert (401, "invalid_api_key") == (answer.status, body["error"]["code"])
        assert 1 == it.emulator.counters.handshakes_refused


async def test_codex_token_needs_its_account_header(upstream, user):
    """A token that claims an account is let in only with the header that names it."""
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}
    token = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}."
    async with upstream() as it:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with it.dial("/backend-api/codex", key=token):
                pass
        assert 401 == refusal.value.status
        account = {"chatgpt-account-id": "acc-1"}
        async with it.dial("/backend-api/codex", key=token, headers=account) as socket:
            await socket.create(user)


async def test_dropped_connections_end_without_a_close_frame(upstream, user):
    """drop_connections aborts every socket and goes on listening."""
    async with upstream() as it, it.dial() as socket:
        await socket.respond(user)
        it.emulator.drop_connections()
        assert 1006 == await socket.closed()
        async with it.dial() as again:
            await again.respond(user)


async def test_restart_keeps_port_and_store(upstream, user):
    """A stopped emulator starts again on its port and still knows stored responses."""
    async with upstream() as it:
        async with it.dial() as socket:
            first = await socket.respond(user, store=True)
            await it.emulator.stop()
            assert 1006 == await socket.closed()
        with pytest.raises(aiohttp.ClientConnectionError):
            async with it.dial():
                pass
        await it.emulator.start()
        async with it.dial() as socket:
            await socket.respond(user, previous_response_id=first["id"])


async def test_client_that_leaves_is_counted_as_cancelled(upstream, user):
    """A turn whose client went away is cancelled, and its socket closed."""
    async with upstream(Script(first_event_ms=60_000)) as it:
        async with it.dial() as socket:
            await socket.send(type="response.create", model="m", store=False, input=[user])
            socket.socket._response.connection.transport.abort()
        await it.emptied()
        assert (1, "cancelled") == (
            it.emulator.counters.cancelled,
            it.emulator.turns[-1].status,
        )


async def test_pings_are_answered(upstream):
    """The server answers pings while idle."""
    async with upstream() as it, it.dial(autoping=False) as socket:
        await socket.socket.ping(b"x")
        message = await socket.socket.receive(timeout=5)
        assert (aiohttp.WSMsgType.PONG, b"x") == (message.type, bytes(message.data))


async def test_slow_reader_holds_back_the_writer(upstream, user):
    """What a client does not read is not made: memory stays flat."""
    script = Script(text_bytes=60_000_000, delta_bytes=10_000, reasoning=False)
    async with upstream(script) as it, it.dial() as socket:
        await socket.send(type="response.create", model="m", store=False, input=[user])
        before = -1
        while before != it.emulator.counters.bytes_out:
            before = it.emulator.counters.bytes_out
            await asyncio.sleep(0.05)
        assert before < 50_000_000
