"""The plain transport, against an upstream that answers exactly what a test wrote."""

import asyncio
import json

import pytest

from longwire.core.errors import (
    UpstreamTimeout,
)
from longwire.core.rules.continuity import Reason
from longwire.dialects.chat_completions.upstream import ChatUpstream
from longwire.dialects.ports import Terms, UpstreamCall
from longwire.dialects.profiles.profile import GENERIC
from longwire.dialects.responses.request import decode_request
from longwire.upstream.ports import Call
from tests.doubles.canned import COMPLETED, CREATED, answer, canned, sse
from tests.upstream.http.steps import BODY, DELTA, ITEM, OPENING, batches, collect, events


async def test_a_turn_travels_in_full(transport):
    """The body arrives as it was written, with the channel's headers before the caller's."""
    async with canned() as upstream:
        http = transport(upstream.url + "/v1/responses", headers={"authorization": "Bearer sk"})
        names = await events(http, headers={"originator": "x", "authorization": "Bearer caller"})
    assert names == ["response.created", "response.completed"]
    (body,) = upstream.bodies
    assert json.loads(body)["stream"] is True
    assert b'"input":[{"role":"user","content":"\\u00e9 1e400"}]' in body
    assert b'"n":1E2' in body
    assert upstream.heads[0].startswith("POST /v1/responses HTTP/1.1\r\n")
    wanted = {"authorization": "Bearer sk", "originator": "x", "accept": "text/event-stream"}
    assert {name: upstream.header(name) for name in wanted} == wanted
    assert upstream.header("accept-encoding") == "identity"


async def test_another_api_gets_its_own_headers_alone(transport):
    """What names the caller to OpenAI is no business of another vendor's."""
    callers = {"chatgpt-account-id": "acc", "openai-organization": "org", "originator": "codex"}
    reading = (
        ChatUpstream().translate(decode_request(BODY), {}, Terms(GENERIC, may_drop=True)).reading
    )
    said = UpstreamCall(b"{}", reading, headers={"anthropic-version": "1"})
    call = Call(decode_request(BODY), None, callers, said=said)
    async with canned() as upstream, transport(upstream.url).open(call):
        pass
    assert "1" == upstream.header("anthropic-version")
    assert [None] * 3 == [upstream.header(name) for name in callers]


async def test_a_channel_adds_betas_to_those_of_a_call(transport):
    """Each of them may be needed: what the operator wants, and what the request is written in."""
    async with canned() as upstream:
        http = transport(upstream.url, headers={"anthropic-beta": "operators"})
        await events(http, headers={"anthropic-beta": "callers"})
    assert "callers,operators" == upstream.header("anthropic-beta")


@pytest.mark.parametrize(
    ("body", "continuity", "reason"),
    [
        (b'{"model":"m"}', "fresh", "http_transport"),
        (b'{"model":"m","previous_response_id":"resp_0"}', "as-given", None),
        (b'{"model":"m","conversation":"conv_0"}', "as-given", None),
    ],
)
async def test_facts(transport, body, continuity, reason):
    """A turn travels fresh, or as given where it refers to what the upstream holds."""
    call = Call(decode_request(body), None)
    async with canned() as upstream, transport(upstream.url).open(call) as stream:
        delivery = stream.delivery
    assert (delivery.transport, delivery.continuity, delivery.reason) == (
        "http",
        continuity,
        reason,
    )
    assert delivery.bytes_sent == len(upstream.bodies[0])


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"model":"m"}', "replayed"), (b'{"model":"m","previous_response_id":"resp_0"}', None)],
)
async def test_reason(transport, body, reason):
    """A turn that is sent again tells why, unless it goes out as given."""
    call = Call(decode_request(body), None, reason=Reason.REPLAYED)
    async with canned() as upstream, transport(upstream.url).open(call) as stream:
        assert stream.delivery.reason == reason
        assert stream.delivery.queued == 0


@pytest.mark.parametrize("begun", [b'{"type":"response.x"}', DELTA, ITEM])
async def test_output_may_come_first(transport, begun):
    """An upstream that never names its response is alone on its connection, and passes."""
    async with canned(answer(sse(begun, COMPLETED))) as upstream:
        names = await events(transport(upstream.url))
    assert names[-1] == "response.completed"
    assert len(names) == 2


@pytest.mark.parametrize("before", [[], [CREATED]])
async def test_vendor_frames_are_no_events(transport, before):
    """A stream of vendor's notices alone is late like a silent one."""
    notice = sse(b'{"type":"codex.rate_limits"}')
    parts = [answer(sse(*before), size=99_999), *[0.01, notice] * 2_000]
    async with canned(parts) as upstream:
        http = transport(upstream.url, first_event=10 if before else 0.1, idle_event=0.1)
        with pytest.raises(UpstreamTimeout) as late:
            async with asyncio.timeout(15):
                await events(http)
    assert late.value.phase == ("next event" if before else "first event")


@pytest.mark.parametrize(
    "stream",
    [
        sse(CREATED, COMPLETED) + b"data: [DONE]\n\n",
        sse(CREATED, COMPLETED, DELTA),
        b": hello\n\nevent: x\nid: 1\nretry: 2\n\n" + sse(CREATED, COMPLETED),
        b"\xef\xbb\xbf" + sse(CREATED, COMPLETED).replace(b"\n", b"\r\n"),
    ],
)
async def test_what_is_no_event_does_not_pass(transport, stream):
    """Markers, comments and what follows the terminal stay here."""
    async with canned(answer(stream)) as upstream:
        names = await events(transport(upstream.url))
    assert names == ["response.created", "response.completed"]


async def test_a_vendors_notice_passes_in_its_place(transport):
    """Who knows the vendor may want it; the encoder for everybody else leaves it out."""
    stream = sse(b'{"type":"codex.rate_limits"}', CREATED, b'{"type":"codex.x"}', COMPLETED)
    async with canned(answer(stream)) as upstream:
        names = await events(transport(upstream.url))
    assert names == ["codex.rate_limits", "response.created", "codex.x", "response.completed"]


async def test_one_batch_is_one_read(transport):
    """Events that came together are given together."""
    first = answer(sse(CREATED, DELTA), size=len(sse(CREATED, DELTA, DELTA, COMPLETED)))
    async with canned([first, 0.01, sse(DELTA)[:20], 0.01, sse(DELTA)[20:] + sse(COMPLETED)]) as up:
        names = await batches(transport(up.url))
    assert [len(batch) for batch in names] == [2, 2]


async def test_a_json_answer_is_one_terminal(transport):
    """A response that comes whole is the same event as at a stream's end."""
    body = b'{\n "id": "resp_1",\n "status": "incomplete", "output": [], "n": 1E2}'
    async with canned(answer(body, "application/json; charset=utf-8")) as upstream:
        ((event,),) = await batches(transport(upstream.url))
    assert (event.name, event.response_id) == ("response.incomplete", "resp_1")
    assert body in event.raw


async def test_a_background_turn_asks_for_json(transport):
    """In the background, without a stream, the answer is the queued response."""
    body = b'{"id":"resp_1","status":"queued","output":[]}'
    async with canned(answer(body, "application/json")) as upstream:
        names = await batches(transport(upstream.url), b'{"model":"m","background":true}')
    assert json.loads(upstream.bodies[0]) == {"model": "m", "background": True, "stream": False}
    assert body in names[0][0].raw


@pytest.mark.parametrize("before", [10.0, b"HTTP/1.1 200 OK\r\n"])
async def test_nothing_comes_in_time(transport, before):
    """No first event within its time is a timeout of that phase."""
    async with canned([before, 10.0]) as upstream:
        with pytest.raises(UpstreamTimeout) as late:
            await events(transport(upstream.url, first_event=0.02))
    assert late.value.phase == "first event"


async def test_comments_are_no_events(transport):
    """A stream that only ever comments is late like a silent one."""
    parts = [answer(b": hi\n\n", size=99_999), *[0.01, b": hi\n\n"] * 2_000]
    async with canned(parts) as upstream:
        with pytest.raises(UpstreamTimeout):
            await events(transport(upstream.url, first_event=0.05))


async def test_silence_between_events(transport):
    """Empty batches tell of silence until it has lasted too long."""
    async with canned([OPENING, 10.0]) as upstream:
        call = Call(decode_request(BODY), None)
        http = transport(upstream.url, idle_event=0.8, silence=0.25)
        async with http.open(call) as stream:
            sizes = [len(await anext(stream))]
            with pytest.raises(UpstreamTimeout) as late:
                await collect(stream, sizes)
    assert late.value.phase == "next event"
    assert sizes == [1, 0, 0, 0]


async def test_impatience_loses_nothing(transport):
    """A read that is given up and begun again misses no byte."""
    stream = sse(CREATED, *[DELTA] * 20, COMPLETED)
    pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]
    slow = [part for piece in pieces for part in (piece, 0.001)]
    async with canned([answer(b"", size=len(stream)), *slow]) as upstream:
        names = await events(transport(upstream.url, silence=0.0005))
    assert names == ["response.created", *["response.output_text.delta"] * 20, "response.completed"]


@pytest.mark.parametrize("parts", [[30.0], [OPENING, 30.0]])
async def test_leaving_early_hangs_up(transport, parts):
    """A cancelled turn closes its connection, before its first event and after."""
    async with canned(parts) as upstream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await events(transport(upstream.url))
        async with asyncio.timeout(10):
            await upstream.hung_up.wait()


async def test_a_connection_serves_again(transport):
    """After its terminal a connection is used for the next turn, even if its end came late."""
    stream = sse(CREATED, COMPLETED)
    late = [answer(stream, size=len(stream) + 14), 0.01, b"data: [DONE]\n\n"]
    async with canned(late) as upstream:
        http = transport(upstream.url)
        for _ in range(3):
            await events(http)
    assert (len(upstream.bodies), upstream.connections) == (3, 1)


async def test_no_cookies_are_kept(transport):
    """What one caller's answer sets is not sent for another."""
    async with canned(answer(headers=["set-cookie: a=b"])) as upstream:
        http = transport(upstream.url.replace("127.0.0.1", "localhost"))
        await events(http)
        await events(http)
    assert upstream.header("cookie") is None


async def test_a_large_body_arrives(transport):
    """Megabytes are sent whole."""
    text = b"x" * 3_000_000
    async with canned() as upstream:
        await events(transport(upstream.url), b'{"model":"m","input":"%b"}' % text)
    assert text in upstream.bodies[0]
