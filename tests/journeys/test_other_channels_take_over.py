"""Two accounts behind one gateway: one serves when the other fails, where the turn allows it."""

from collections import Counter
from contextlib import AsyncExitStack

import openai
import pytest

from longwire.emulator import Emulator, Fault, Options, Script
from tests.journeys.agent import Agent, streamed, user, ways, whole
from tests.journeys.conftest import on_clock, settings_of, websocket_channel

PLAIN = {"include": [], "tools": []}
"""What an agent sends whose history any account understands."""
LIMITED = {"status": 429, "code": "rate_limit_exceeded", "shape": "c"}
TROUBLES = {
    "429": {"at": "after_create", "act": "error", **LIMITED},
    "500": {"at": "after_create", "act": "error", "status": 500},
    "503": {"at": "after_create", "act": "error", "status": 503, "code": "slow_down"},
    "401": {"at": "after_create", "act": "error", "status": 401, "code": "invalid_api_key"},
    "402": {"at": "after_create", "act": "error", "status": 402, "code": "billing_hard_limit"},
    "403": {"at": "after_create", "act": "error", "status": 403, "code": "unsupported_country"},
    "opened, then 429": {"at": "after_created", "act": "error", **LIMITED},
    "opened, then 503": {
        "at": "after_created",
        "act": "error",
        "status": 503,
        "code": "server_is_overloaded",
    },
    "silence": {"at": "after_create", "act": "hang"},
    "refused with 429": {"at": "handshake", "act": "refuse", "status": 429},
    "refused with 401": {"at": "handshake", "act": "refuse", "status": 401},
    "refused with 503": {"at": "handshake", "act": "refuse", "status": 503},
    "no WebSocket": {"at": "handshake", "act": "refuse", "status": 404},
    "unreachable": {"at": "handshake", "act": "reset"},
    "no handshake": {"at": "handshake", "act": "hang"},
}
IMPATIENT = {"first_event_timeout": "400ms", "handshake_timeout": "500ms"}


class Upstreams:
    """Two upstreams by the names of their channels; together they are one to an agent."""

    def __init__(self, **emulators: Emulator) -> None:
        self.emulators = emulators

    def __getitem__(self, name: str) -> Emulator:
        """Return one of them."""
        return self.emulators[name]

    @property
    def turns(self) -> list:
        """The turns of both."""
        return [turn for emulator in self.emulators.values() for turn in emulator.turns]

    def other(self, name: str) -> str:
        """Return the name of the other one."""
        (other,) = self.emulators.keys() - {name}
        return other


@pytest.fixture
def script() -> Script:
    """What the models answer: nothing that is sealed for one account."""
    return Script(reasoning=False)


@pytest.fixture
async def upstreams(script):
    """Two accounts; neither sees what a correct client would not send."""
    async with AsyncExitStack() as stack:
        named = {
            name: await stack.enter_async_context(Emulator(Options(), script))
            for name in ("east", "west")
        }
        yield Upstreams(**named)
        assert [[], []] == [emulator.violations for emulator in named.values()]


@pytest.fixture
def transport():
    """How both channels travel."""
    return "websocket"


@pytest.fixture
def weights():
    """The channels' shares."""
    return {"east": 1, "west": 1}


@pytest.fixture
async def gateway(upstreams, serve, transport, weights):
    """A gateway with a channel to each of them; their credentials differ."""
    channels = tuple(
        websocket_channel(
            upstreams[name].url, name=name, transport=transport, weight=weight, api_key=f"sk-{name}"
        )
        for name, weight in weights.items()
    )
    return await serve(settings_of("", channels=channels, sessions=IMPATIENT))


@pytest.fixture
def clock(gateway):
    """What the gateway's trust goes by."""
    return on_clock(gateway)


@pytest.fixture
def hire(client_of, gateway, upstreams):
    """A function: an agent of one session, with a history that any account understands."""

    def make(session: str | None = "s-1", **ways) -> Agent:
        headers = {"session-id": session} if session else None
        return Agent(client_of(gateway, headers=headers), upstreams, **{**PLAIN, **ways})

    return make


def places(turns):
    """Where turns were served, and how."""
    return [f"{turn.channel} {turn.way}" for turn in turns]


@pytest.mark.parametrize("ask", [streamed, whole])
@pytest.mark.parametrize(
    ("trouble", "transport"),
    [
        *((trouble, "websocket") for trouble in TROUBLES),
        *((trouble, "auto") for trouble in [*TROUBLES][:12] if trouble != "silence"),
    ],
)
async def test_another_channel_answers(upstreams, hire, clock, trouble, transport, ask):
    """429, 5xx, silence, no connection: the client gets the other one's answer.

    Where HTTP may be used an upgrade that fails is a matter for that first.
    """
    scout = hire(ask=ask)
    home = (await scout.step()).channel
    upstreams[home].drop_connections()
    upstreams[home].faults.add(Fault(times=0, **TROUBLES[trouble]))
    agent = hire(ask=ask)
    (told,) = await agent.turns(1)
    assert ("completed", "fresh replayed") == (told.response.status, told.way)
    assert upstreams.other(home) == told.channel
    assert 1 == upstreams[upstreams.other(home)].counters.creates


async def test_what_may_have_been_billed_twice_goes_nowhere_else(upstreams, hire, clock):
    """Lost, sent again, and silence: a third account that might bill it is not asked."""
    home = (await hire().step()).channel
    lost = {"at": "after_create", "act": "reset"}
    upstreams[home].faults.add(Fault(**lost), Fault(**TROUBLES["silence"]))
    with pytest.raises(openai.InternalServerError) as caught:
        await hire().step()
    assert (504, 0) == (
        caught.value.status_code,
        upstreams[upstreams.other(home)].counters.creates,
    )


async def test_a_session_returns_to_its_channel(upstreams, hire, clock):
    """While its home cools down, as long as that asked for, it continues where it went."""
    agent = hire()
    first = await agent.turns(2)
    home, other = first[0].channel, upstreams.other(first[0].channel)
    assert [f"{home} fresh new_session", f"{home} continued"] == places(first)
    upstreams[home].faults.add(Fault(headers={"retry-after": "30"}, **TROUBLES["429"]))
    away = await agent.turns(3)
    assert [f"{other} fresh replayed", *[f"{other} continued"] * 2] == places(away)
    clock.pass_by(29)
    assert [f"{other} continued"] == places(await agent.turns(1))
    clock.pass_by(2)
    back = await agent.turns(3)
    assert [home] * 3 == [told.channel for told in back]
    assert ["continued"] * 2 == ways(back)[1:]


async def test_one_failure_moves_one_turn(upstreams, hire, clock):
    """A single 500 is no reason to leave: the next turn goes home again, three in a row are."""
    agent = hire()
    home = (await agent.step()).channel
    other = upstreams.other(home)
    upstreams[home].faults.add(Fault(**TROUBLES["500"]))
    assert [other, home, home] == [told.channel for told in await agent.turns(3)]
    upstreams[home].faults.add(Fault(times=3, **TROUBLES["500"]))
    assert [other] * 5 == [told.channel for told in await agent.turns(5)]
    clock.pass_by(16)
    assert [home] * 2 == [told.channel for told in await agent.turns(2)]


@pytest.mark.parametrize("trouble", ["429", "500", "silence", "refused with 503"])
async def test_a_turn_with_a_previous_response_stays(upstreams, hire, clock, trouble):
    """Only its own channel knows the response: the client is told what that says."""
    agent = hire(store=True)
    first = await agent.step()
    home, other = first.channel, upstreams.other(first.channel)
    await fail_at(upstreams[home], trouble)
    with pytest.raises(openai.APIStatusError) as caught:
        await follow_up(agent, first)
    assert caught.value.status_code in (429, 500, 503, 504)
    assert 0 == upstreams[other].counters.creates
    upstreams[home].faults.clear()
    answer = await follow_up(agent, first)
    assert home == answer.headers["x-longwire-channel"]


async def fail_at(upstream, trouble):
    """Let an upstream fail for ever, sockets that are open included."""
    if trouble.startswith("refused"):
        upstream.drop_connections()
    upstream.faults.add(Fault(times=0, **TROUBLES[trouble]))


async def follow_up(agent, told):
    """Ask on, naming the response before."""
    request = {**agent.members, "input": [user("go on")], "previous_response_id": told.response.id}
    answer, _ = await whole(agent.client, request)
    return answer


async def test_a_previous_response_finds_its_channel_without_a_session(upstreams, hire, clock):
    """Who names no session but a response is sent where that is held."""
    for number in range(6):
        agent = hire(session=None, store=True)
        first = await agent.say(user(f"question {number}"))
        answer = await follow_up(agent, first)
        assert first.channel == answer.headers["x-longwire-channel"]


@pytest.mark.parametrize("script", [Script()])
async def test_what_is_sealed_for_one_account_stays(upstreams, hire, clock):
    """Encrypted reasoning is noise to any other account, so its errors are told."""
    agent = hire(include=["reasoning.encrypted_content"])
    home = (await agent.step()).channel
    upstreams[home].faults.add(Fault(times=4, **TROUBLES["500"]))
    before = [*agent.history]
    for _ in range(4):
        with pytest.raises(openai.InternalServerError):
            await agent.step()
        agent.history = [*before]
    assert 0 == upstreams[upstreams.other(home)].counters.creates
    assert [home] * 2 == [told.channel for told in await agent.turns(2)]


@pytest.mark.parametrize("session", ["s-1", None])
@pytest.mark.parametrize("script", [Script()])
async def test_what_was_sealed_elsewhere_stays_there(upstreams, hire, clock, session):
    """A first turn that was answered away from home binds its session to who answered."""
    home = (await hire(session).step()).channel
    other = upstreams.other(home)
    upstreams[home].faults.add(Fault(**TROUBLES["429"]))
    agent = hire(session, include=["reasoning.encrypted_content"])
    turns = await agent.turns(2)
    assert [f"{other} fresh replayed", f"{other} continued"] == places(turns)
    clock.pass_by(3600)
    assert [f"{other} continued"] == places(await agent.turns(1))
    upstreams[other].drop_connections()
    assert [other] * 2 == [told.channel for told in await agent.turns(2)]


@pytest.mark.parametrize("weights", [{"east": 3, "west": 1}])
async def test_weights_share_sessions_out(hire, weights):
    """About three of four sessions have their home at the heavier channel, and keep it."""
    agents = [hire(f"session {number}") for number in range(80)]
    homes = [(await agent.step()).channel for agent in agents]
    assert 50 <= Counter(homes)["east"] <= 70
    assert homes == [(await agent.step()).channel for agent in agents]
