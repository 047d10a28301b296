"""Who may not share: keys, channels and callers without a key, whatever they say of themselves."""

import aiohttp
import pytest
from openai import BadRequestError

from longwire.emulator import digest
from tests.conftest import KEY
from tests.journeys.agent import Agent, ways
from tests.journeys.conftest import OTHER_KEY, become, settings_of, websocket_channel

FRESH = ["fresh new_session"] + ["continued"] * 2
REFUSED = {
    "no key": {},
    "a wrong key": {"authorization": "Bearer lw-nobody-was-given-this"},
    "another scheme": {"authorization": f"Basic {KEY}"},
    "no scheme": {"authorization": KEY},
    "an empty key": {"authorization": "Bearer "},
    "two keys": {"authorization": f"Bearer {KEY}, Bearer {OTHER_KEY}"},
    "a part of the key": {"authorization": f"Bearer {KEY[:-1]}"},
    "letters beyond ASCII": {"authorization": "Bearer sk-ключ"},
}


async def take_turns(*agents):
    """Let agents take their turns one after the other; three each."""
    told = [[await agent.step() for agent in agents] for _ in range(3)]
    return list(zip(*told, strict=True))


def connections(turns):
    """The connections on which some turns reached the upstream."""
    return {told.record.connection for told in turns}


@pytest.mark.parametrize(
    "session", [{"headers": {"session-id": "same"}}, {"prompt_cache_key": "same"}, {}]
)
async def test_two_keys_with_one_session_id_and_one_history_share_nothing(emulator, hire, session):
    """Key by key a connection of its own, though ids and histories are the same."""
    one, two = await take_turns(hire(key=KEY, **session), hire(key=OTHER_KEY, **session))
    assert [FRESH, FRESH] == [ways(one), ways(two)]
    assert one[-1].history[0] == two[-1].history[0]
    assert (1, 1) == (len(connections(one)), len(connections(two)))
    assert set() == connections(one) & connections(two)
    assert 2 == emulator.counters.sockets_opened


async def test_a_taken_history_is_worth_nothing_without_its_key(emulator, hire):
    """A caller who sends what another key's conversation holds begins a conversation of its own."""
    mine = hire(headers={"session-id": "same"})
    await mine.turns(3)
    theirs = hire(key=OTHER_KEY, headers={"session-id": "same"})
    theirs.history = [*mine.history]
    theirs.known = mine.known
    theirs.last = mine.last
    assert "fresh new_session" == (await theirs.step()).way
    assert "continued" == (await mine.step()).way
    assert 2 == emulator.counters.sockets_opened


async def test_one_key_on_two_channels_keeps_them_apart(emulator, serve, client_of):
    """The model chooses the channel; the same history on another channel is another session."""
    channels = [
        websocket_channel(emulator.url, name=name, models=[f"{name}-*"], api_key="sk-upstream")
        for name in ("red", "blue")
    ]
    gateway = await serve(settings_of(emulator.url, channels=channels))
    client = client_of(gateway, headers={"session-id": "same"})
    red, blue = [Agent(client, emulator, model=f"{name}-1") for name in ("red", "blue")]
    told = await take_turns(red, blue)
    assert [{"red"}, {"blue"}] == [{turn.channel for turn in turns} for turns in told]
    assert [FRESH, FRESH] == [ways(turns) for turns in told]
    assert set() == connections(told[0]) & connections(told[1])
    moved = red.fork()
    moved.members["model"] = "blue-1"
    assert "fresh" == (await moved.say({"role": "user", "content": "and you?"})).way.split()[0]
    assert "continued" == (await red.step()).way


@pytest.mark.parametrize("tables", [{"server": {"allow_anonymous": True}}])
async def test_callers_without_a_key_never_share(emulator, gateway):
    """Each anonymous turn has a connection of its own, which ends with it."""
    body = {"model": "gpt-5.5", "input": "hi", "store": False, "prompt_cache_key": "same"}
    async with aiohttp.ClientSession(headers={"session-id": "same"}) as session:
        for number in range(1, 4):
            async with session.post(f"{gateway.url}/v1/responses", json=body) as answer:
                assert (200, "fresh", "new_session") == (
                    answer.status,
                    answer.headers["x-longwire-continuity"],
                    answer.headers["x-longwire-reason"],
                )
                await answer.json()
            await become(lambda: emulator.counters.sockets_open == 0)
            assert number == emulator.counters.sockets_opened
    assert 0 == gateway.app.pool.ledger.live


@pytest.mark.parametrize("tables", [{"server": {"allow_anonymous": True}}])
async def test_an_anonymous_history_goes_on_in_full(emulator, gateway):
    """Without a key every turn travels in full, and the model still sees the whole history."""
    history = [{"role": "user", "content": "hi"}]
    async with aiohttp.ClientSession() as session:
        for number in range(3):
            body = {"model": "gpt-5.5", "input": history, "store": False}
            body["include"] = ["reasoning.encrypted_content"]
            async with session.post(f"{gateway.url}/v1/responses", json=body) as answer:
                assert "fresh" == answer.headers["x-longwire-continuity"]
                assert digest(history) == emulator.turns[-1].digest
                history += (await answer.json())["output"]
            history.append({"role": "user", "content": f"question {number}"})
    assert (3, 3) == (emulator.counters.sockets_opened, emulator.counters.creates_full)


async def test_who_has_no_key_gets_nothing(emulator, gateway):
    """401 with the envelope, and nothing of the request reaches the upstream."""
    body = {"model": "gpt-5.5", "input": "hi", "stream": True}
    told = {}
    async with aiohttp.ClientSession() as session:
        for name, headers in REFUSED.items():
            request = session.post(f"{gateway.url}/v1/responses", json=body, headers=headers)
            async with request as answer:
                error = (await answer.json())["error"]
            told[name] = answer.status, error["code"], sorted(error)
    expected = (401, "invalid_api_key", ["code", "message", "param", "type"])
    assert dict.fromkeys(REFUSED, expected) == told
    counters = emulator.counters
    assert (0, 0, 0) == (counters.sockets_opened, counters.http_requests, counters.creates)


async def test_a_stored_response_is_gone_on_from_by_its_own_key_alone(client_of, gateway):
    """For any other it is as if there were none: what upstream holds belongs to one account."""
    mine, theirs = client_of(gateway), client_of(gateway, OTHER_KEY)
    secret = await mine.responses.create(model="gpt-5.5", input="my secret", store=True)
    going_on = {"model": "gpt-5.5", "input": "go on", "previous_response_id": secret.id}
    with pytest.raises(BadRequestError) as told:
        await theirs.responses.create(**going_on)
    assert "previous_response_not_found" == told.value.code
    assert "completed" == (await mine.responses.create(**going_on)).status


async def test_a_thread_is_gone_on_from_by_its_own_key_alone(client_of, gateway):
    """Likewise in Messages, where the id of a message says which response it was."""
    secret = await client_of(gateway).responses.create(
        model="gpt-5.5", input="my secret", store=True
    )
    message_id = secret.id.replace("resp_", "msg_")
    body = {
        "model": "gpt-5.5",
        "max_tokens": 64,
        "tools": [],
        "thread": {"type": "continue", "previous_message_id": message_id},
        "messages": [{"role": "user", "content": "go on"}],
    }
    async with (
        aiohttp.ClientSession(headers={"x-api-key": OTHER_KEY}) as session,
        session.post(f"{gateway.url}/v1/messages", json=body) as reply,
    ):
        answer = await reply.json()
    assert (404, "thread_not_found") == (reply.status, answer["error"]["details"]["error_code"])
