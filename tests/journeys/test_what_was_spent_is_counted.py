"""What the upstream bills counts against limits, however turns end and however many run at once."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import ApiKey, Budgets, Grant, IssuedKey, Rates
from longwire.core.nouns.secret import Secret
from longwire.emulator import Fault
from tests.conftest import KEY
from tests.doubles.sockets import socket, user
from tests.journeys.agent import scripted
from tests.journeys.conftest import become, settings_of, websocket_channel
from tests.journeys.wire import event_of, wire

pytestmark = pytest.mark.table

LETTERS = {"reasoning": False, "tool_rounds": 0, "deltas": 160, "text_bytes": 4_480}
ANSWER = scripted(**LETTERS)
SLOW = scripted(**LETTERS, delay_ms=8)
"""An answer of 160 deltas with 28 letters each."""
BRIEF = scripted(reasoning=False, tool_rounds=0)
QUESTION = {"model": "gpt-5.5", "input": "a" * 4_200, "store": False, "tools": []}
INPUT = (4_202 + 2) // 4
TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "http"])


@pytest.fixture
def transport():
    """How the channel is reached."""
    return "websocket"


@pytest.fixture
async def gateway(emulator, serve, tables, transport):
    """A gateway with one channel, and a key without limits."""
    channel = websocket_channel(emulator.url, transport=transport)
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


@pytest.fixture
def lines():
    """What is logged."""
    with capture_logs() as captured:
        yield captured


def limit(gateway, **limits):
    """Give the key these limits alone."""
    rates = {name: each for name, each in limits.items() if name in Rates.__slots__}
    budgets = {name: each for name, each in limits.items() if name not in rates}
    grant = Grant("key_1", rates=Rates(**rates), budgets=Budgets(**budgets))
    gateway.app.keys.hand_out([IssuedKey(ApiKey("key_1", "k", "", b"", grant), Secret(KEY))])


async def booked(lines, number=1):
    """Wait until so many turns are over; return what the log says of them."""
    await become(lambda: len(turns(lines)) >= number)
    assert number == len(turns(lines))
    return turns(lines)


def turns(lines):
    """The lines of turns."""
    return [line for line in lines if line["event"] == "turn"]


def figures(line):
    """How it ended, and what it cost."""
    return line["outcome"], line.get("input_tokens"), line.get("is_estimated", False)


async def status_of(gateway, **members):
    """Ask for a whole answer; return status and the code of an error."""
    async with (
        aiohttp.ClientSession(headers={"authorization": f"Bearer {KEY}"}) as session,
        session.post(f"{gateway.url}/v1/responses", json={**QUESTION, **members}) as answer,
    ):
        body = await answer.json()
        return answer.status, (body.get("error") or {}).get("code")


@asynccontextmanager
async def leaving(gateway, moment=None, **members):
    """A client of a stream that goes away at a moment of the answer."""
    async with wire(gateway.url) as client:
        client.post({**QUESTION, "stream": True, "metadata": ANSWER, **members})
        if moment is not None:
            await client.until(moment)
        yield client
        client.vanish()


@TRANSPORTS
async def test_leaving_before_the_terminal_uses_up_a_budget(gateway, lines):
    """A client that always leaves behind the last delta is refused like one that stays."""
    limit(gateway, tokens_per_day=3_000)
    for number in range(1, 4):
        async with leaving(gateway, event_of("response.output_text.done"), metadata=SLOW):
            pass
        *_, line = await booked(lines, number)
        assert ("abandoned", INPUT, True) == figures(line)
        assert 160 <= line["output_tokens"] <= 170
    assert (429, "insufficient_quota") == await status_of(gateway)


@TRANSPORTS
async def test_staying_costs_what_the_upstream_says(gateway, lines):
    """Its own figures are no estimate."""
    assert (200, None) == await status_of(gateway, metadata=ANSWER)
    (line,) = await booked(lines)
    assert ("completed", False) == (line["outcome"], line.get("is_estimated", False))


async def test_leaving_a_continued_turn_costs_its_whole_context(gateway, lines):
    """The upstream bills what it holds, mostly as cached; what was sent is the least of it."""
    headers = {"authorization": f"Bearer {KEY}", "session-id": "s-1"}
    history = [user("a" * 4_200)]
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{gateway.url}/v1/responses", json={**QUESTION, "input": history}) as answer,
    ):
        history += [*(await answer.json())["output"], user("go on")]
    async with wire(gateway.url) as client:
        body = {**QUESTION, "input": history, "stream": True, "metadata": SLOW}
        client.post(body, session_id="s-1")
        await client.until(event_of("response.output_text.delta"))
        client.vanish()
        *_, line = await booked(lines, 2)
    assert ("abandoned", "continued", True) == (
        line["outcome"],
        line["continuity"],
        line["is_estimated"],
    )
    assert line["sent"] // 4 < 200 < INPUT < line["input_tokens"]
    assert line["input_tokens"] - line["sent"] // 4 == line["cached_tokens"]


@TRANSPORTS
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
async def test_leaving_while_the_upstream_thinks_costs_the_input(emulator, gateway, lines, streams):
    """Whatever the client waited for, the upstream had the request."""
    silent = scripted(first_event_ms=60_000)
    async with leaving(gateway, metadata=silent, stream=streams):
        await become(lambda: emulator.counters.creates == 1)
        await asyncio.sleep(0.05)
    (line,) = await booked(lines)
    assert (("abandoned", INPUT, True), 0) == (figures(line), line["output_tokens"])


@TRANSPORTS
async def test_leaving_a_whole_answer_costs_what_was_made_of_it(emulator, gateway, lines):
    """Not a byte of it had reached the client."""
    async with leaving(gateway, metadata=SLOW, stream=False):
        await become(lambda: emulator.counters.creates == 1)
        await asyncio.sleep(0.3)
    (line,) = await booked(lines)
    assert ("abandoned", INPUT, True) == figures(line)
    assert 0 < line["output_tokens"] < 160


async def test_leaving_before_anything_is_sent_costs_nothing(emulator, gateway, lines, serve):
    """Who waits for a connection has used nothing yet."""
    sessions = {"max_connections_per_session": 1}
    small = await serve(settings_of(emulator.url, sessions=sessions))
    async with wire(small.url) as client, wire(small.url) as waiting:
        body = {**QUESTION, "metadata": scripted(first_event_ms=60_000)}
        client.post(body, session_id="s-1")
        await become(lambda: emulator.counters.creates == 1)
        waiting.post(QUESTION, session_id="s-1")
        await become(lambda: "waiting=1" in repr(small.app.pool))
        waiting.vanish()
        (line,) = await booked(lines)
        assert ("abandoned", None, False) == figures(line)
        client.vanish()
        await booked(lines, 2)


@pytest.mark.parametrize("way", ["close", "cancel"])
async def test_leaving_over_websocket_counts_the_same(gateway, lines, way):
    """By closing the connection, or with `response.cancel`, which leaves it open."""
    limit(gateway, tokens_per_day=1_000)
    async with socket(gateway.url, metadata=SLOW) as client:
        await client.create("a" * 4_200)
        while (await client.receive())["type"] != "response.output_text.delta":
            pass
        if way == "cancel":
            await client.send({"type": "response.cancel"})
            assert "response_cancelled" == (await client.events())[-1]["response"]["error"]["code"]
    (line,) = await booked(lines)
    assert ("abandoned", 4_202 // 4, True) == figures(line)
    assert (429, "insufficient_quota") == await status_of(gateway)


async def test_a_response_that_is_only_named_counts_with_its_history(gateway, lines):
    """Over a client's WebSocket the gateway knows what an id stands for."""
    async with socket(gateway.url, metadata=ANSWER) as client:
        first = await client.ask("a" * 4_200)
        await client.create(user("more"), previous_response_id=first["id"], metadata=SLOW)
        while (await client.receive())["type"] != "response.output_text.delta":
            pass
    *_, line = await booked(lines, 2)
    assert ("abandoned", True) == (line["outcome"], line["is_estimated"])
    assert (4_200 + 4_480) // 4 < line["input_tokens"]


BREAKS = {
    "closed": Fault(at="mid_delta", act="close"),
    "reset": Fault(at="mid_delta", act="reset"),
    "cut": Fault(at="mid_delta", act="half"),
    "silent": Fault(at="mid_delta", act="hang"),
    "closed before output": Fault(at="after_created", act="close"),
    "silent before output": Fault(at="after_created", act="hang"),
    "no terminal": Fault(at="before_terminal", act="close"),
}


@TRANSPORTS
@pytest.mark.parametrize("tables", [{"sessions": {"idle_event_timeout": "1s"}}])
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("fault", BREAKS.values(), ids=BREAKS)
async def test_an_answer_that_breaks_off_costs_what_came(emulator, gateway, lines, fault, streams):
    """The upstream had begun, and bills it."""
    emulator.faults.add(fault)
    async with wire(gateway.url) as client:
        client.post({**QUESTION, "stream": streams, "metadata": ANSWER}, connection="close")
        await client.reader.read()
    (line,) = await booked(lines)
    assert ("upstream_error", INPUT, True) == figures(line)


UNBEGUN = {
    "refused": Fault(at="after_create", act="error", status=400, code="invalid_prompt"),
    "refused after it had opened": Fault(
        at="after_created", act="error", status=400, code="invalid_prompt"
    ),
    "lost without a sign": Fault(at="after_create", act="reset", times=0),
}


@TRANSPORTS
@pytest.mark.parametrize("fault", UNBEGUN.values(), ids=UNBEGUN)
async def test_a_turn_that_never_began_costs_nothing(emulator, gateway, lines, fault):
    """No upstream bills what it refused, and none is charged for one that is broken."""
    emulator.faults.add(fault)
    assert (await status_of(gateway))[0] >= 400
    (line,) = await booked(lines)
    assert ("upstream_error", None, False) == figures(line)


@pytest.mark.parametrize("tables", [{"sessions": {"replay_after_created": True}}])
async def test_an_attempt_that_was_lost_counts_beside_the_next(emulator, gateway, lines):
    """Both were begun, and both are billed."""
    emulator.faults.add(Fault(at="after_created", act="close"))
    assert (200, None) == await status_of(gateway, metadata=ANSWER)
    assert (200, None) == await status_of(gateway, metadata=ANSWER)
    twice, once = await booked(lines, 2)
    assert once["input_tokens"] + INPUT == twice["input_tokens"]
    assert (True, False) == (twice["is_estimated"], once.get("is_estimated", False))


@pytest.mark.parametrize("tables", [{"sessions": {"on_client_gone": "drain"}}])
async def test_a_rest_that_is_read_corrects_the_estimate(emulator, gateway, lines):
    """The client has left, and the upstream's own figures are booked in the end."""
    limit(gateway, tokens_per_day=100_000)
    async with leaving(gateway, event_of("response.output_text.delta"), metadata=SLOW):
        pass
    await asyncio.sleep(0.1)
    assert [] == turns(lines)
    (line,) = await booked(lines)
    record = emulator.turns[-1]
    assert ("abandoned", record.input_tokens, False) == figures(line)
    spent = record.input_tokens + line["output_tokens"]
    assert 4_480 // 4 < line["output_tokens"]
    limit(gateway, tokens_per_day=spent + 1)
    assert (200, None) == await status_of(gateway, input="b")
    assert (429, "insufficient_quota") == await status_of(gateway)


@pytest.mark.parametrize(("patience", "all_came"), [("10s", True), ("300ms", False)])
async def test_a_rest_that_never_comes_is_estimated(emulator, serve, lines, patience, all_came):
    """The connection breaks, or the time for it is over."""
    sessions = {"on_client_gone": "drain", "drain_timeout": patience}
    gateway = await serve(settings_of(emulator.url, sessions=sessions))
    emulator.faults.add(Fault(at="before_terminal", act="reset"))
    async with leaving(gateway, event_of("response.output_text.delta"), metadata=SLOW):
        pass
    (line,) = await booked(lines)
    assert ("abandoned", INPUT, True) == figures(line)
    assert all_came == (160 <= line["output_tokens"])


async def test_a_gateway_that_stops_books_what_it_still_reads(emulator, serve, lines):
    """A turn that is drained when the process ends has its line, too."""
    settings = settings_of(emulator.url, sessions={"on_client_gone": "drain"})
    gateway = await serve(settings)
    async with leaving(gateway, event_of("response.output_text.delta"), metadata=SLOW):
        pass
    await asyncio.sleep(0.1)
    assert [] == turns(lines)
    gateway.app.pool.close()
    (line,) = await booked(lines)
    assert ("abandoned", INPUT, True) == figures(line)


TOKENS = INPUT + 1_000
AT_ONCE = {
    "requests": {"requests_per_minute": 10},
    "turns": {"concurrent_turns": 10},
    "tokens": {"tokens_per_minute": 10 * TOKENS},
    "day": {"tokens_per_day": 10 * TOKENS},
    "month": {"tokens_per_month": 10 * TOKENS},
}


@TRANSPORTS
@pytest.mark.parametrize("limits", AT_ONCE.values(), ids=AT_ONCE)
async def test_a_hundred_turns_at_once_find_ten_places(emulator, gateway, limits):
    """Whatever is limited, ten get in, and the others are to come again; none waits in between."""
    limit(gateway, **limits)
    silent = scripted(first_event_ms=1_500)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(status_of(gateway, metadata=silent)) for _ in range(100)]
    answers = [task.result() for task in tasks]
    assert (10, 90) == (
        answers.count((200, None)),
        answers.count((429, "rate_limit_exceeded")),
    )
    assert 10 == emulator.counters.creates


async def test_what_was_reserved_is_free_again(emulator, gateway):
    """A turn that cost less than it was expected to leaves room, and so does one that failed."""
    limit(gateway, tokens_per_day=100_000)
    emulator.faults.add(Fault(at="after_create", act="error", status=400, code="x"))
    assert 400 == (await status_of(gateway, input="b"))[0]
    for _ in range(20):
        assert (200, None) == await status_of(gateway, input="b", metadata=BRIEF)
