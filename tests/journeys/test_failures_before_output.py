"""What fails before any output goes to another channel; what fails behind it ends there."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from longwire.settings import Settings
from tests.conftest import KEY, serving
from tests.doubles.canned import answer, canned
from tests.journeys.test_upstreams_that_are_sloppy import (
    ADDED,
    BOTH,
    COMPLETED,
    CREATED,
    DELTA,
    DONE,
    lines,
)
from tests.server.conftest import events_of

GOOD = answer(b"".join(lines(CREATED, ADDED, DELTA, DONE, COMPLETED)))
IN_PROGRESS = {**CREATED, "type": "response.in_progress"}
CAPACITY = {"code": "rate_limit_exceeded", "message": "Selected model is at capacity"}
OVERLOAD = {"type": "service_unavailable_error", "code": "server_is_overloaded", "message": "busy"}
DEAD_KEY = {
    "message": "Incorrect API key provided: sk-op*******xyz.",
    "type": "invalid_request_error",
    "code": "invalid_api_key",
}


def failed(error):
    """A response that failed."""
    return {
        "type": "response.failed",
        "response": {"id": "resp_1", "status": "failed", "error": error},
    }


def stream_of(*events):
    """An answer that is a stream."""
    return answer(b"".join(lines(*events)))


def refused(status, error):
    """An answer that is an error."""
    return answer(json.dumps({"error": error}).encode(), "application/json", status)


FAILURES = {
    "capacity": stream_of(CREATED, failed(CAPACITY)),
    "capacity as a number": stream_of(CREATED, failed({"code": 429, "message": "Rate limit"})),
    "quota": stream_of(CREATED, IN_PROGRESS, failed({"code": "insufficient_quota"})),
    "overload": stream_of(CREATED, IN_PROGRESS, {"type": "error", "error": OVERLOAD}),
    "a bare error": stream_of(CREATED, {"error": {"message": "busy", "code": 503}}),
    "a failure alone": stream_of(failed(CAPACITY)),
    "a dead key": refused(401, DEAD_KEY),
    "no credit": refused(402, {"message": "Payment required"}),
    "a key that may not": refused(403, {"message": "Not allowed", "code": "forbidden"}),
    "a dead key within": stream_of(CREATED, failed(DEAD_KEY)),
}


@asynccontextmanager
async def before(**channels):
    """A gateway before upstreams with these answers; a way to ask, and the upstreams."""
    async with AsyncExitStack() as stack:
        upstreams = {
            name: await stack.enter_async_context(canned(each)) for name, each in channels.items()
        }
        declared = tuple(
            {"name": name, "base_url": each.url, "api_key": "sk-op", "transport": "http"}
            for name, each in upstreams.items()
        )
        keys = ({"name": "dev", "key": KEY},)
        gateway = await stack.enter_async_context(
            serving(Settings(channels=declared, api_keys=keys))
        )
        headers = {"authorization": f"Bearer {KEY}"}
        client = aiohttp.ClientSession(gateway.url, headers=headers)
        session = await stack.enter_async_context(client)

        async def ask(*, stream, session_id="s0"):
            body = {"model": "m", "input": "hi", "stream": stream}
            headers = {"x-session-id": session_id}
            async with session.post("/v1/responses", json=body, headers=headers) as reply:
                return reply, await reply.read()

        yield ask, upstreams


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_another_channel_answers(failure):
    """The client sees one response, begun once; who fails is soon left alone."""
    async with before(a=failure, b=GOOD) as (ask, upstreams):
        for number in range(24):
            streams = number % 2 == 0
            reply, body = await ask(stream=streams, session_id=f"s{number}")
            assert (200, "b") == (reply.status, reply.headers["x-longwire-channel"])
            names = [name for name, _ in events_of(body)] if streams else []
            assert names.count("response.created") == streams
    assert 1 <= len(upstreams["a"].bodies) <= 6


ALONE = {
    "capacity": (429, "Selected model is at capacity"),
    "capacity as a number": (429, "Rate limit"),
    "overload": (503, "busy"),
}


@BOTH
@pytest.mark.parametrize("name", ALONE)
async def test_where_no_other_is_left_the_status_says_so(name, stream):
    """With the upstream's own words."""
    async with before(a=FAILURES[name]) as (ask, upstreams):
        reply, body = await ask(stream=stream)
    assert ALONE[name] == (reply.status, json.loads(body)["error"]["message"])
    assert 1 == len(upstreams["a"].bodies)


@BOTH
@pytest.mark.parametrize("name", [name for name in FAILURES if "key" in name or "credit" in name])
async def test_a_dead_key_alone_is_the_channels_fault(name, stream):
    """The caller hears that the channel's key is refused, and nothing that sends him to his own."""
    async with before(a=FAILURES[name]) as (ask, _):
        reply, body = await ask(stream=stream)
    error = json.loads(body)["error"]
    assert (502, "channel_refused", "false") == (
        reply.status,
        error["code"],
        reply.headers.get("x-should-retry"),
    )
    assert "key of channel 'a'" in error["message"]
    assert b"sk-op" not in body


async def test_a_dead_key_behind_output_is_not_quoted():
    """The stream that has begun ends in the gateway's own words."""
    late = stream_of(CREATED, ADDED, DELTA, {"type": "error", "status": 401, "error": DEAD_KEY})
    async with before(a=late, b=GOOD) as (ask, _):
        seen = [await ask(stream=True, session_id=f"s{number}") for number in range(8)]
    broken = [body for reply, body in seen if reply.headers["x-longwire-channel"] == "a"]
    assert broken
    for body in broken:
        assert "response.failed" == [*events_of(body)][-1][0]
        assert b"sk-op" not in body


@BOTH
async def test_what_fails_behind_output_is_not_sent_again(stream):
    """One request went upstream, and the client gets what came of it."""
    late = stream_of(CREATED, ADDED, DELTA, failed(CAPACITY))
    async with before(a=late, b=late) as (ask, upstreams):
        _, body = await ask(stream=stream)
    assert 1 == sum(len(each.bodies) for each in upstreams.values())
    assert b"Selected model is at capacity" in body


@BOTH
async def test_a_limit_is_told_beside_a_dead_key(stream):
    """Whichever is asked first: waiting mends the one, and the caller cannot mend the other."""
    async with before(a=refused(429, CAPACITY), b=refused(401, DEAD_KEY)) as (ask, upstreams):
        answers = [await ask(stream=stream, session_id=f"s{number}") for number in range(8)]
    assert [(429, "Selected model is at capacity")] * 8 == [
        (reply.status, json.loads(body)["error"]["message"]) for reply, body in answers
    ]
    assert all(each.bodies for each in upstreams.values())


@BOTH
@pytest.mark.parametrize("loss", [None, answer(b"")], ids=["hangs up", "an empty stream"])
async def test_who_hangs_up_is_left_for_another(loss, stream):
    """Before any event, over HTTP: another channel answers, and who did is soon left alone."""
    async with before(a=loss, b=GOOD) as (ask, upstreams):
        for number in range(24):
            reply, _ = await ask(stream=stream, session_id=f"s{number}")
            assert (200, "b") == (reply.status, reply.headers["x-longwire-channel"])
    assert 1 <= len(upstreams["a"].bodies) <= 6


POLICY = {
    "OpenAI": {"code": "content_policy_violation", "message": "Rejected by the safety system."},
    "Azure": {"code": "content_filter", "message": "The prompt triggered a filter."},
    "OpenRouter": {"code": 403, "message": "It needs moderation, and your input was flagged"},
}


@BOTH
@pytest.mark.parametrize("error", POLICY.values(), ids=POLICY)
async def test_what_a_policy_forbids_is_the_requests_own(error, stream):
    """A 403, too, is told in the upstream's words, goes to nobody else, and rests no channel."""
    async with before(a=refused(403, error), b=refused(403, error)) as (ask, upstreams):
        answers = [await ask(stream=stream, session_id=f"s{number}") for number in range(8)]
    expected = (403, error["message"])
    assert [expected] * 8 == [
        (reply.status, json.loads(body)["error"]["message"]) for reply, body in answers
    ]
    assert 8 == sum(len(each.bodies) for each in upstreams.values())
    assert all(each.bodies for each in upstreams.values())


@BOTH
@pytest.mark.parametrize("error", [{"code": "invalid_prompt", "message": "x"}, {"message": "boom"}])
async def test_a_failure_of_the_request_stays_a_failed_response(error, stream):
    """Another channel would say the same, or nothing is known of it: it passes as it came."""
    async with before(a=stream_of(CREATED, failed(error)), b=GOOD) as (ask, _):
        answers = [await ask(stream=stream, session_id=f"s{number}") for number in range(8)]
    bodies = [body for reply, body in answers if reply.headers["x-longwire-channel"] == "a"]
    assert bodies
    for body in bodies:
        assert error["message"].encode() in body


async def test_who_breaks_off_behind_its_opening_is_left_alone():
    """What it began is not sent again, for it may be billed; but those after it go elsewhere."""
    async with before(a=stream_of(CREATED, IN_PROGRESS), b=GOOD) as (ask, upstreams):
        ends = [await ask(stream=True, session_id=f"s{number}") for number in range(24)]
    broken = [body for reply, body in ends if reply.headers["x-longwire-channel"] == "a"]
    assert 3 == len(broken) == len(upstreams["a"].bodies)
    for body in broken:
        assert "response.failed" == [*events_of(body)][-1][0]
