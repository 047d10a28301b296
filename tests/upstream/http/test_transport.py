"""The plain transport, against an upstream that answers exactly what a test wrote."""

import asyncio
import json
import ssl

import pytest

from longwire.core.errors import (
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.rules.continuity import Reason
from longwire.dialects.responses.request import decode_request
from longwire.emulator import Emulator, Options
from longwire.upstream.http.transport import Address, HttpTransport
from longwire.upstream.net import tls
from longwire.upstream.ports import Call, Timeouts
from tests.doubles.canned import COMPLETED, CREATED, answer, canned, sse

BODY = b'{"model":"m","stream":true,"input":[{"role":"user","content":"\\u00e9 1e400"}],"n":1E2}'
DELTA = b'{"type":"response.output_text.delta","sequence_number":1,"delta":"x"}'
ITEM = b'{"type":"response.output_item.done","output_index":0,"item":{"type":"message"}}'
OPENING = answer(sse(CREATED), size=10_000)
PLAIN = ssl.create_default_context()


@pytest.fixture
async def transport():
    """Make transports that are closed in the end."""
    made = []

    def make(url, *, models_url=None, headers=None, context=PLAIN, **timeouts):
        address = Address(url, models_url, context, headers or {})
        made.append(HttpTransport(address, Timeouts(**timeouts)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def events(transport, body=BODY, headers=None):
    """All events of one turn, as wire names."""
    return [event.name for batch in await batches(transport, body, headers) for event in batch]


async def batches(transport, body=BODY, headers=None):
    call = Call(decode_request(body), None, headers or {})
    async with transport.open(call) as stream:
        return [batch async for batch in stream]


async def collect(stream, sizes):
    """Add the size of every batch to `sizes`."""
    async for batch in stream:
        sizes.append(len(batch))


async def test_a_turn_travels_in_full(transport):
    """The body arrives as it was written, with the channel's headers before the caller's."""
    async with canned() as upstream:
        way = transport(upstream.url + "/v1/responses", headers={"authorization": "Bearer sk"})
        told = await events(way, headers={"originator": "x", "authorization": "Bearer caller"})
    assert told == ["response.created", "response.completed"]
    (body,) = upstream.bodies
    assert json.loads(body)["stream"] is True
    assert b'"input":[{"role":"user","content":"\\u00e9 1e400"}]' in body
    assert b'"n":1E2' in body
    assert upstream.heads[0].startswith("POST /v1/responses HTTP/1.1\r\n")
    wanted = {"authorization": "Bearer sk", "originator": "x", "accept": "text/event-stream"}
    assert {name: upstream.header(name) for name in wanted} == wanted
    assert upstream.header("accept-encoding") == "identity"


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
        told = await events(transport(upstream.url))
    assert told[-1] == "response.completed"
    assert len(told) == 2


@pytest.mark.parametrize("before", [[], [CREATED]])
async def test_vendor_frames_are_no_events(transport, before):
    """A stream of vendor's notices alone is late like a silent one."""
    notice = sse(b'{"type":"codex.rate_limits"}')
    parts = [answer(sse(*before), size=99_999), *[0.01, notice] * 2_000]
    async with canned(parts) as upstream:
        way = transport(upstream.url, first_event=10 if before else 0.1, idle_event=0.1)
        with pytest.raises(UpstreamTimeout) as late:
            async with asyncio.timeout(15):
                await events(way)
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
        told = await events(transport(upstream.url))
    assert told == ["response.created", "response.completed"]


async def test_a_vendors_notice_passes_in_its_place(transport):
    """Who knows the vendor may want it; the encoder for everybody else leaves it out."""
    stream = sse(b'{"type":"codex.rate_limits"}', CREATED, b'{"type":"codex.x"}', COMPLETED)
    async with canned(answer(stream)) as upstream:
        told = await events(transport(upstream.url))
    assert told == ["codex.rate_limits", "response.created", "codex.x", "response.completed"]


async def test_one_batch_is_one_read(transport):
    """Events that came together are given together."""
    first = answer(sse(CREATED, DELTA), size=len(sse(CREATED, DELTA, DELTA, COMPLETED)))
    async with canned([first, 0.01, sse(DELTA)[:20], 0.01, sse(DELTA)[20:] + sse(COMPLETED)]) as up:
        told = await batches(transport(up.url))
    assert [len(batch) for batch in told] == [2, 2]


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
        told = await batches(transport(upstream.url), b'{"model":"m","background":true}')
    assert json.loads(upstream.bodies[0]) == {"model": "m", "background": True, "stream": False}
    assert body in told[0][0].raw


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("application/json", b'{"error":{"message":"No.","code":"x","type":"y"}}', "No."),
        ("application/json", b'{"error":{"message":"No.","status":500}}', "No."),
        ("application/json", b'{"detail":"No."}', "No."),
        ("text/plain", b"No.", "No."),
        ("text/plain", b"a" * 5000, "a" * 500),
        ("text/plain", b"\xff", "�"),
        ("text/html", b"<html><title>Oh &amp; no\n</title>" + b"x" * 9999, "Oh & no."),
        ("text/html", b"<html>" * 999, "answered 418 with a page."),
        ("application/json", b"", "The upstream answered 418."),
    ],
)
async def test_a_refusal_keeps_its_status(transport, kind, body, told):
    """The HTTP status wins, the words stay, in the standard envelope, and never at length."""
    async with canned(answer(body, kind, status=418)) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert refused.value.status == 418
    message = json.loads(refused.value.body)["error"]["message"]
    assert message.endswith(told)
    assert len(message) <= 500


async def test_a_refusal_passes_few_headers_on(transport):
    """Retry and rate-limit headers go to the caller, others do not."""
    headers = ["Retry-After: 7", "x-ratelimit-remaining-tokens: 0", "set-cookie: a=b", "via: x"]
    async with canned(answer(b"{}", "application/json", 429, headers)) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert refused.value.headers == {"retry-after": "7", "x-ratelimit-remaining-tokens": "0"}


@pytest.mark.parametrize(
    ("given", "mend"),
    [
        (
            answer(b"", status=302, headers=["location: http://127.0.0.1:1/"]),
            "correct the base_url",
        ),
        (answer(b"<html>", "text/html"), "check the base_url"),
    ],
)
async def test_a_wrong_address_is_said(transport, given, mend):
    """A redirect is not followed, with the key in hand; a page is no answer."""
    async with canned(given) as upstream:
        with pytest.raises(UpstreamUnavailable, match=mend):
            await events(transport(upstream.url))
    assert len(upstream.bodies) == 1


async def test_an_error_behind_200_is_a_refusal(transport):
    """JSON without a response is an error, whatever the status says."""
    body = b'{"error":{"message":"No.","code":"rate_limit_exceeded"}}'
    async with canned(answer(body, "application/json")) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"type":"error","code":"rate_limit_exceeded","message":"No."}\n\n',
        b'event: error\ndata: {"code":"rate_limit_exceeded","message":"No."}\n\n',
        b'data: {"type":"error","error":{"code":"rate_limit_exceeded","message":"No."}}\n\n',
    ],
)
async def test_an_error_event_is_a_refusal(transport, frame):
    """An error in the stream has a status of its own; what came before it is given first."""
    async with canned(answer(sse(CREATED) + frame)) as upstream:
        call = Call(decode_request(BODY), None)
        async with transport(upstream.url).open(call) as stream:
            batch = await anext(aiter(stream))
            with pytest.raises(UpstreamRejected) as refused:
                await anext(aiter(stream))
    assert [event.name for event in batch] == ["response.created"]
    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")


@pytest.mark.parametrize(
    "given",
    [
        answer(sse(CREATED)),
        [OPENING, 0.01, None],
        answer(sse(CREATED, b"no json")),
        answer(sse(CREATED, b'{"no":"type"}')),
        answer(b'{"id":"resp_1"', "application/json"),
        answer(b"", "application/json"),
        b"HTTP/1.1 twohundred\r\n\r\n",
        None,
    ],
)
async def test_an_answer_without_an_end_is_a_disconnection(transport, given):
    """An answer that is cut, ends early or is no answer at all never counts as one."""
    async with canned(given) as upstream:
        with pytest.raises(UpstreamDisconnected):
            await events(transport(upstream.url))


async def test_nobody_listens(transport, unused_tcp_port):
    """A refused connection names the upstream and the mend."""
    with pytest.raises(UpstreamUnavailable, match=f"127.0.0.1:{unused_tcp_port}: it cannot be"):
        await events(transport(f"http://127.0.0.1:{unused_tcp_port}/"))


async def test_a_name_that_does_not_exist(transport):
    """A name that cannot be resolved is said to be that."""
    with pytest.raises(UpstreamUnavailable, match="name cannot be resolved"):
        await events(transport("http://nowhere.invalid/"))


async def test_tls_is_verified_by_the_channel(transport, authority):
    """A certificate nobody vouches for is refused; tls_ca and tls_verify let it in."""
    async with Emulator(Options(tls_cert=authority.file, tls_key=authority.key)) as upstream:
        url = upstream.url + "/v1/responses"
        headers = {"authorization": "Bearer sk"}
        with pytest.raises(UpstreamUnavailable, match="certificate is not trusted; set tls_ca"):
            await events(transport(url, headers=headers))
        for context in (tls.context(authority.file, verify=True), tls.context(None, verify=False)):
            way = transport(url, headers=headers, context=context)
            told = await events(way, b'{"model":"gpt-5.5","input":"hi"}')
            assert told[-1] == "response.completed"


async def test_plain_http_at_a_tls_port(transport, authority):
    """A scheme that does not fit the port is no success and no hang."""
    async with Emulator(Options(tls_cert=authority.file, tls_key=authority.key)) as upstream:
        with pytest.raises((UpstreamDisconnected, UpstreamRejected)):
            await events(transport(upstream.url.replace("https", "http")))
    async with Emulator(Options()) as upstream:
        with pytest.raises(UpstreamUnavailable, match="TLS failed"):
            await events(transport(upstream.url.replace("http", "https")))


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
        way = transport(upstream.url, idle_event=0.8, silence=0.25)
        async with way.open(call) as stream:
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
        told = await events(transport(upstream.url, silence=0.0005))
    assert told == ["response.created", *["response.output_text.delta"] * 20, "response.completed"]


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
        way = transport(upstream.url)
        for _ in range(3):
            await events(way)
    assert (len(upstream.bodies), upstream.connections) == (3, 1)


async def test_no_cookies_are_kept(transport):
    """What one caller's answer sets is not sent for another."""
    async with canned(answer(headers=["set-cookie: a=b"])) as upstream:
        way = transport(upstream.url.replace("127.0.0.1", "localhost"))
        await events(way)
        await events(way)
    assert upstream.header("cookie") is None


async def test_a_large_body_arrives(transport):
    """Megabytes are sent whole."""
    text = b"x" * 3_000_000
    async with canned() as upstream:
        await events(transport(upstream.url), b'{"model":"m","input":"%b"}' % text)
    assert text in upstream.bodies[0]


@pytest.mark.parametrize(
    "listed",
    [
        b'{"object":"list","data":[{"id":"a","x":1},{"id":"b"},{}]}',
        b'{"models":[{"slug":"a"},{"slug":"b","display_name":"B"}]}',
    ],
)
async def test_models(transport, listed):
    """Ids come from either kind of list."""
    async with canned(answer(listed, "application/json")) as upstream:
        way = transport("http://127.0.0.1:1", models_url=upstream.url + "/v1/models")
        assert await way.models() == ["a", "b"]
    assert upstream.heads[0].startswith("GET /v1/models HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (answer(b"{}", "application/json", 401), UpstreamRejected),
        (answer(b"[]", "application/json"), UpstreamDisconnected),
        (answer(b"", status=301, headers=["location: /"]), UpstreamUnavailable),
        (None, UpstreamDisconnected),
    ],
)
async def test_models_that_cannot_be_listed(transport, given, error):
    """A list that does not come is an upstream error."""
    async with canned(given) as upstream:
        with pytest.raises(error):
            await transport(upstream.url, models_url=upstream.url).models()


async def test_models_of_a_raw_url(transport):
    """A URL used as it stands may not tell where models are listed."""
    with pytest.raises(UpstreamUnavailable, match="name them in the channel's `models`"):
        await transport("http://127.0.0.1:1").models()


async def test_socks_is_refused_with_a_mend(transport):
    """The plain transport says that it knows no SOCKS."""
    way = HttpTransport(Address("http://127.0.0.1:1", None, PLAIN, {}, "socks5://h:1"), Timeouts())
    with pytest.raises(UpstreamUnavailable, match="SOCKS"):
        await events(way)
