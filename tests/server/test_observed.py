"""What an operator sees of turns: metrics and log, right to the byte, and never what was said."""

import asyncio
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from longwire.emulator import Fault
from tests.conftest import serving, settings_for
from tests.server.conftest import dial

CHANNEL = {"transport": "websocket", "api_key": "sk-upstream-planted"}
SECRETS = ("planted", "lw-key", "sess-of-mine", "acct-of-mine")


@pytest.fixture
async def gateway(emulator):
    """A gateway with one WebSocket channel, whose credential is planted."""
    async with serving(settings_for(f"{emulator.url}/v1", channel=CHANNEL)) as running:
        yield running


async def metrics_of(connection):
    """All samples: name and labels, by their names, to value."""
    status, headers, body = await connection.ask(b"", method="GET", path="/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def total(samples, name, **labels):
    """The sum of all samples of a name with these labels."""
    return sum(
        value
        for (found, *pairs), value in samples.items()
        if found == name and labels.items() <= dict(pairs).items()
    )


def body_of(history, **members):
    """A turn as a client sends it."""
    return json.dumps({"model": "gpt-5.5", "input": history, **members}).encode()


async def session_of(connection, turns):
    """An agent's turns, each with the whole history; the sizes of the bodies, and the usages."""
    history, sizes, usages = [], [], []
    for number in range(turns):
        history.append({"role": "user", "content": f"question {number}"})
        body = body_of(history, stream=False)
        status, _, reply = await connection.ask(body, headers=["session-id: sess-of-mine"])
        response = json.loads(reply)
        assert status == 200
        history += response["output"]
        sizes.append(len(body))
        usages.append(response["usage"])
    return sizes, usages


async def test_the_values_of_a_session(emulator, gateway, connection):
    """Turns, bytes, tokens and handshakes are those that both ends saw."""
    with capture_logs() as lines:
        sizes, usages = await session_of(connection, 4)
    seen = await metrics_of(connection)
    counters = emulator.counters
    turns = ("longwire_turns_total", {"channel": "main", "transport": "websocket"})
    assert 4 == total(seen, turns[0], **turns[1], outcome="completed")
    assert 3 == total(seen, turns[0], **turns[1], continuity="continued", reason="")
    assert 1 == total(seen, turns[0], **turns[1], continuity="fresh", reason="new_session")
    assert sum(sizes) == total(seen, "longwire_request_bytes_total")
    assert counters.bytes_in == total(seen, "longwire_upstream_bytes_total")
    assert {
        "input": sum(usage["input_tokens"] for usage in usages),
        "cached": sum(usage["input_tokens_details"]["cached_tokens"] for usage in usages),
        "output": sum(usage["output_tokens"] for usage in usages),
        "reasoning": sum(usage["output_tokens_details"]["reasoning_tokens"] for usage in usages),
    } == {
        kind: total(seen, "longwire_tokens_total", channel="main", kind=kind)
        for kind in ("input", "cached", "output", "reasoning")
    }
    assert counters.sockets_opened == total(seen, "longwire_dials_total", result="opened") == 1
    assert 1 == total(seen, "longwire_connections", channel="main", state="idle")
    for histogram in ("longwire_turn_seconds", "longwire_first_event_seconds"):
        assert 4 == total(seen, f"{histogram}_count", channel="main")
    assert 4 == total(seen, "longwire_queue_seconds_count")
    assert 0 == total(seen, "longwire_replays_total")
    assert sizes == [line["received"] for line in lines]
    assert counters.bytes_in == sum(line["sent"] for line in lines)


async def test_a_lost_connection_is_counted(emulator, gateway, connection):
    """What was made good, what ended, and what was opened for it."""
    await session_of(connection, 2)
    emulator.faults.add(Fault(at="after_create", act="reset"))
    with capture_logs() as lines:
        status, headers, _ = await connection.ask(
            body_of([{"role": "user", "content": "hi"}]), headers=["session-id: sess-of-mine"]
        )
    seen = await metrics_of(connection)
    assert (status, headers["x-longwire-reason"]) == (200, "replayed")
    assert 1 == total(seen, "longwire_replays_total", channel="main", cause="lost")
    assert 1 == total(seen, "longwire_evictions_total", channel="main", reason="connection_lost")
    assert emulator.counters.sockets_opened == total(seen, "longwire_dials_total")
    (line,) = lines
    assert (line["replays"], line["possibly_billed_twice"]) == (["lost"], True)


async def test_handshakes_that_failed(emulator, gateway, connection):
    """By what came of them."""
    emulator.faults.add(Fault(at="handshake", act="refuse", status=503))
    assert (await connection.ask(body_of("hi")))[0] == 503
    emulator.faults.add(Fault(at="handshake", act="reset"))
    assert (await connection.ask(body_of("hi")))[0] == 502
    seen = await metrics_of(connection)
    found = {
        dict(pairs)["result"]: value
        for (name, *pairs), value in seen.items()
        if name == "longwire_dials_total"
    }
    assert found == {"refused": 1, "unreachable": 1}
    assert 2 == total(seen, "longwire_turns_total", outcome="upstream_error", transport="")


async def test_whatever_callers_send_makes_no_label(emulator, gateway, connection):
    """Models, sessions and garbage: the series are as many as the configuration allows."""
    for number in range(30):
        session = f"session-id: garbage-{number}"
        await connection.ask(body_of("hi", model=f'"\\n}} garbage {number}'), headers=[session])
    before = await metrics_of(connection)
    for number in range(30, 60):
        session = f"session-id: garbage-{number}"
        await connection.ask(body_of("hi", model=f"garbage-{number}"), headers=[session])
        await connection.ask(b"{garbage", headers=[f"x-request-id: garbage-{number}"])
    after = await metrics_of(connection)
    assert before.keys() == after.keys()
    assert "garbage" not in str(after)


async def test_models_that_nobody_serves(emulator):
    """They are counted without a channel, and named in the log alone."""
    settings = settings_for(emulator.url, channel={"models": ["gpt-5*"]})
    async with serving(settings) as gateway, dial(gateway) as connection:
        with capture_logs() as lines:
            for number in range(5):
                await connection.ask(body_of("hi", model=f"garbage-{number}"))
        seen = await metrics_of(connection)
    assert 5 == total(seen, "longwire_turns_total", channel="", outcome="refused")
    assert "garbage" not in str(seen)
    assert [f"garbage-{number}" for number in range(5)] == [line["model"] for line in lines]


async def ends(emulator, gateway, body):
    """Turns that end in every way, all of which carry secrets; what their callers got."""
    headers = ["session-id: sess-of-mine", "chatgpt-account-id: acct-of-mine"]
    replies = []
    faults = [
        None,
        Fault(at="handshake", act="refuse", status=401),
        Fault(at="handshake", act="reset"),
        Fault(at="before_create", act="error", status=429),
        Fault(at="after_create", act="reset", times=2),
        Fault(at="mid_delta", act="reset"),
        Fault(at="mid_delta", act="binary"),
    ]
    for fault in faults:
        if fault:
            emulator.faults.add(fault)
        async with dial(gateway) as connection:
            replies.append((await connection.ask(body, headers=headers))[2])
        emulator.faults.clear()
        gateway.app.pool.drain()
    async with dial(gateway) as connection:
        await connection.send(body, headers=headers)
    async with dial(gateway) as connection:
        connection.key = "lw-key-of-nobody"
        replies.append((await connection.ask(body, headers=headers))[2])
    return replies


@pytest.mark.parametrize("streams", [True, False])
async def test_nothing_that_is_secret_is_told(emulator, gateway, connection, streams):
    """Neither keys nor prompts nor session ids are in log, metrics or errors, however turns end."""
    body = body_of(
        [{"role": "user", "content": "planted prompt"}],
        stream=streams,
        instructions="planted instructions",
        prompt_cache_key="planted-cache-key",
        metadata={"planted": "planted"},
    )
    with capture_logs() as lines:
        replies = await ends(emulator, gateway, body)
        async with asyncio.timeout(5):
            while len(lines) < 8:  # noqa: ASYNC110 - the log tells nobody
                await asyncio.sleep(0.01)
    _, _, metrics = await connection.ask(b"", method="GET", path="/metrics")
    assert {"turn"} == {line["event"] for line in lines}
    seen = str(lines) + metrics.decode()
    assert [secret for secret in SECRETS if secret in seen] == []
    keys = ("sk-upstream", "lw-key", "sess-of-mine", "acct-of-mine", "planted prompt")
    errors = [
        b"".join(part for part in text.split(b"\n") if b"error" in part) for text in replies[1:]
    ]
    assert [key for key in keys if key.encode() in b"".join(errors)] == []
