"""Several keys of one upstream: each session keeps to one, and a key that fails rests alone."""

from dataclasses import replace

import aiohttp
import pytest
from pydantic import SecretStr

from longwire.emulator import Fault
from longwire.settings.declared import channel_of
from tests.conftest import KEY
from tests.journeys.conftest import on_clock, settings_of, websocket_channel

FIRST, SECOND = "sk-upstream-first-0001", "sk-upstream-second-0002"
REFUSED = {"act": "refuse", "times": 0}


def _settings(emulator, transport: str = "http"):
    channel = websocket_channel(emulator.url, transport=transport, api_keys=[FIRST, SECOND])
    channel.pop("api_key")
    return settings_of(emulator.url, channels=[channel])


async def _ask(gateway, session: str, **members) -> aiohttp.ClientResponse:
    headers = {"authorization": f"Bearer {KEY}", "session-id": session}
    items = [{"role": "user", "content": "Hello."}]
    body = {"model": "gpt-5.5", "input": items, "store": False, **members}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{gateway.url}/v1/responses", json=body, headers=headers) as response,
    ):
        await response.read()
        return response


async def _served_by(gateway, emulator, session: str) -> str:
    """Take a turn of a session; return by which key it was served."""
    response = await _ask(gateway, session)
    assert 200 == response.status
    return emulator.turns[-1].fingerprint


async def test_each_session_keeps_to_one_key_and_all_keys_serve(serve, emulator):
    """Twenty sessions are spread over both keys, and each takes its second turn with its first."""
    gateway = await serve(_settings(emulator))
    firsts = [await _served_by(gateway, emulator, f"s-{number}") for number in range(20)]
    seconds = [await _served_by(gateway, emulator, f"s-{number}") for number in range(20)]
    assert firsts == seconds
    assert 2 == len(set(firsts))


@pytest.mark.parametrize(
    ("status", "headers"),
    [(401, {}), (403, {}), (429, {"retry-after": "30"}), (429, {})],
)
async def test_a_key_that_fails_rests_alone(serve, emulator, status, headers):
    """The turn moves to the other key, which serves until the first has rested."""
    gateway = await serve(_settings(emulator))
    clock = on_clock(gateway)
    fault = Fault(at="handshake", key=FIRST, status=status, headers=headers, **REFUSED)
    emulator.faults.add(fault)
    statuses = [(await _ask(gateway, f"s-{number}")).status for number in range(6)]
    assert [200] * 6 == statuses
    assert 1 == emulator.faults.struck
    emulator.faults.clear()
    clock.pass_by(601)
    served = {await _served_by(gateway, emulator, f"s-{number}") for number in range(20)}
    assert 2 == len(served)


async def test_a_turn_over_websocket_moves_to_the_other_key(serve, emulator):
    """An upgrade that one key is refused is tried with the other; the session stays there."""
    gateway = await serve(_settings(emulator, "websocket"))
    emulator.faults.add(Fault(at="handshake", key=FIRST, status=401, **REFUSED))
    served = {await _served_by(gateway, emulator, f"s-{number}") for number in range(8)}
    assert {SECOND[-4:]} == served
    assert 1 == emulator.faults.struck


async def test_a_key_that_comes_or_goes_leaves_the_others_sessions_warm(serve, emulator):
    """A third key is added, the first removed: the second keeps its very connections."""
    settings = _settings(emulator, "websocket")
    gateway = await serve(settings)
    by_key = {}
    for number in range(8):
        by_key.setdefault(await _served_by(gateway, emulator, f"s-{number}"), f"s-{number}")
    connection = await _connection(gateway, emulator, by_key[SECOND[-4:]])
    channel = settings.channels[0].model_copy(
        update={"api_keys": (SecretStr("sk-upstream-third-0003"), SecretStr(SECOND))}
    )
    declared = replace(gateway.app.reconciler.declared, channels=(channel_of(channel),))
    gateway.app.reconciler._read = lambda: declared
    await gateway.app.reconciler.reload_file()
    assert connection == await _connection(gateway, emulator, by_key[SECOND[-4:]])
    assert FIRST[-4:] not in {
        await _served_by(gateway, emulator, f"s-{number}") for number in range(8)
    }


async def _connection(gateway, emulator, session: str) -> int:
    """Take a turn of a session; return the connection that it went by."""
    await _served_by(gateway, emulator, session)
    return emulator.turns[-1].connection


async def test_a_key_whose_rates_are_used_up_gets_no_new_sessions(serve, emulator):
    """What answers say of one key's rates counts for that key alone, and refuses nobody."""
    gateway = await serve(_settings(emulator))
    (channel_id,) = gateway.app.reconciler.running_ids
    for number in range(8):
        await _served_by(gateway, emulator, f"s-{number}")
    first = next(
        each
        for each in gateway.app.reconciler.running(channel_id)
        if each.key.secret.reveal() == FIRST
    )
    headers = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0"}
    first.vendor.observe_handshake({**headers, "x-ratelimit-reset-requests": "10m"})
    served = {await _served_by(gateway, emulator, f"new-{number}") for number in range(8)}
    assert {SECOND[-4:]} == served


@pytest.mark.parametrize(("project", "asked"), [("", FIRST), ("proj_1", SECOND)])
async def test_what_is_stored_is_shared_by_the_keys_of_a_project(serve, emulator, project, asked):
    """While the key rests that stored a response, another key is asked for it, if one may be."""
    settings = _settings(emulator)
    channel = settings.channels[0].model_copy(update={"project": project})
    gateway = await serve(settings.model_copy(update={"channels": (channel,)}))
    on_clock(gateway)
    session, stored = await _stored_by(gateway, emulator, FIRST)
    emulator.faults.add(Fault(at="handshake", key=FIRST, status=401, **REFUSED))
    await _ask(gateway, session)
    before = emulator.faults.struck
    await _ask(gateway, session, previous_response_id=stored, store=True)
    assert (asked == FIRST) == (before < emulator.faults.struck)


async def _stored_by(gateway, emulator, key: str) -> tuple[str, str]:
    """Return a session that a key serves, and the id of a response that it stored."""
    for number in range(20):
        reply = await _ask(gateway, f"s-{number}", store=True)
        if emulator.turns[-1].fingerprint == key[-4:]:
            return f"s-{number}", (await reply.json())["id"]
    raise AssertionError("twenty sessions went to the other key")
