"""What sending again may cost: counted by the upstream, told in the log, and never a third time."""

import msgspec
import openai
import pytest
from structlog.testing import capture_logs

from longwire.emulator import Fault
from tests.journeys.agent import Agent, streamed, user, ways, whole
from tests.journeys.conftest import settings_of, websocket_channel

SESSION = {"session-id": "s-1"}
IMPATIENT = {"first_event_timeout": "300ms", "idle_event_timeout": "300ms"}
LOSSES = {
    "reset": {"act": "reset"},
    "1012": {"act": "close", "code": 1012},
    "half a frame": {"act": "half"},
    "silence": {"act": "hang"},
}


@pytest.fixture
def replays():
    """Whether a turn that has begun may be sent again."""
    return False


@pytest.fixture
async def gateway(emulator, serve, replays):
    """A gateway that soon loses its patience."""
    sessions = {**IMPATIENT, "replay_after_created": replays}
    return await serve(settings_of(emulator.url, sessions=sessions))


def last_line(logs):
    """The line of the newest turn."""
    return [entry for entry in logs if entry["event"] == "turn"][-1]


@pytest.mark.parametrize("ask", [streamed, whole])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("point", ["before_create", "after_create"])
async def test_the_upstream_counts_two_and_the_log_says_so(emulator, hire, point, loss, ask):
    """A loss before the first event is made good once, and may have been billed twice."""
    agent = hire(headers=SESSION, ask=ask)
    await agent.turns(2)
    emulator.faults.add(Fault(at=point, **LOSSES[loss]))
    with capture_logs() as logs:
        assert ["fresh replayed"] == ways(await agent.turns(1))
    line = last_line(logs)
    trouble = "silent" if loss == "silence" else "lost"
    assert ([trouble], True, "completed") == (
        line["replays"],
        line["possibly_billed_twice"],
        line["outcome"],
    )
    assert (4 if point == "after_create" else 3) == emulator.counters.creates


@pytest.mark.parametrize("ask", [streamed, whole])
@pytest.mark.parametrize("loss", LOSSES)
async def test_it_is_never_sent_a_third_time(emulator, hire, loss, ask):
    """Where the second attempt is lost as well, the client is told."""
    agent = hire(headers=SESSION, ask=ask)
    await agent.turns(1)
    before = [*agent.history]
    emulator.faults.add(Fault(at="after_create", times=0, **LOSSES[loss]))
    with capture_logs() as logs, pytest.raises(openai.InternalServerError) as caught:
        await agent.step()
    assert (504 if loss == "silence" else 502) == caught.value.status_code
    assert (3, "upstream_error") == (emulator.counters.creates, last_line(logs)["outcome"])
    assert last_line(logs)["possibly_billed_twice"]
    emulator.faults.clear()
    agent.history = before
    assert ["fresh", "continued"] == [way.split()[0] for way in ways(await agent.turns(2))]


@pytest.mark.parametrize(
    ("code", "message", "trouble", "reason"),
    [
        ("previous_response_not_found", "Not found.", "forgot", "upstream_forgot"),
        ("websocket_connection_limit_reached", "60 minutes.", "expired", "connection_expired"),
        ("x", "Duplicate item found with id msg_1.", "duplicate", "replayed"),
    ],
)
async def test_a_refusal_that_is_made_good_bills_once(
    emulator, hire, code, message, trouble, reason
):
    """The upstream refused before it began: nothing was billed twice. Its second word counts."""
    agent = hire(headers=SESSION)
    await agent.turns(2)
    refusal = Fault(at="after_create", act="error", status=400, code=code, message=message)
    emulator.faults.add(refusal)
    with capture_logs() as logs:
        assert [f"fresh {reason}", "continued"] == ways(await agent.turns(2))
    line = next(entry for entry in logs if "replays" in entry)
    assert ([trouble], False) == (line["replays"], line["possibly_billed_twice"])
    asked = emulator.counters.creates
    emulator.faults.add(msgspec.structs.replace(refusal, times=0))
    with pytest.raises(openai.BadRequestError) as caught:
        await agent.step()
    assert (message, asked + 2) == (caught.value.body["message"], emulator.counters.creates)


@pytest.mark.parametrize("ask", [streamed, whole])
async def test_a_client_s_own_response_that_is_gone_is_told(emulator, hire, ask):
    """Only an id that the gateway chose is its to mend."""
    agent = hire(headers=SESSION, ask=ask)
    first = await agent.step()
    emulator.faults.add(
        Fault(at="after_create", act="error", status=400, code="previous_response_not_found")
    )
    request = {**agent.members, "input": [user("on")], "previous_response_id": first.response.id}
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(agent.client, request)
    assert ("previous_response_not_found", 2) == (caught.value.code, emulator.counters.creates)


@pytest.mark.parametrize("ask", [streamed, whole])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("replays", [True])
async def test_what_has_begun_may_be_sent_again_where_configured(
    emulator, hire, replays, loss, ask
):
    """With `replay_after_created` a loss behind the first sign of life is made good as well."""
    agent = hire(headers=SESSION, ask=ask)
    await agent.turns(2)
    emulator.faults.add(Fault(at="after_created", **LOSSES[loss]))
    with capture_logs() as logs:
        assert ["fresh replayed", "continued"] == ways(await agent.turns(2))
    line = next(entry for entry in logs if "replays" in entry)
    assert (["working"], True) == (line["replays"], line["possibly_billed_twice"])
    assert 5 == emulator.counters.creates


@pytest.mark.parametrize("replays", [True])
async def test_even_then_it_is_sent_twice_at_most(emulator, hire, replays):
    """The second loss is told, and so is any loss once the client has seen output."""
    agent = hire(headers=SESSION, ask=streamed)
    await agent.turns(1)
    before = [*agent.history]
    emulator.faults.add(Fault(at="after_created", act="reset", times=0))
    with pytest.raises(openai.InternalServerError) as caught:
        await agent.step()
    assert (502, 3) == (caught.value.status_code, emulator.counters.creates)
    emulator.faults.clear()
    agent.history = [*before]
    emulator.faults.add(Fault(at="mid_delta", act="reset"))
    told = await agent.step()
    assert ("failed", 4) == (told.response.status, emulator.counters.creates)


async def test_without_it_what_has_begun_is_sent_once(emulator, hire):
    """By default nothing is billed twice for certain."""
    agent = hire(headers=SESSION, ask=streamed)
    await agent.turns(2)
    emulator.faults.add(Fault(at="after_created", act="reset"))
    told = await agent.step()
    assert ("failed", "continued", 3) == (
        told.response.status,
        told.way,
        emulator.counters.creates,
    )


@pytest.mark.parametrize("point", ["before_create", "after_create"])
async def test_over_http_it_is_the_same(emulator, serve, client_of, point):
    """A POST that is lost before its first event is sent again, once."""
    channel = websocket_channel(emulator.url, transport="http")
    gateway = await serve(settings_of(emulator.url, channels=(channel,), sessions=IMPATIENT))
    agent = Agent(client_of(gateway), emulator)
    emulator.faults.add(Fault(at=point, act="reset"))
    assert "fresh replayed" == (await agent.step()).way
    emulator.faults.add(Fault(at=point, act="reset", times=0))
    with pytest.raises(openai.InternalServerError):
        await agent.step()
    assert 4 == emulator.counters.http_requests
