"""Refusals and failures over HTTP, each with what an operator can do about it."""

import json

import pytest

from longwire.core.errors import (
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamUnavailable,
)
from longwire.dialects.responses.request import decode_request
from longwire.emulator import Emulator, Options
from longwire.upstream.net import tls
from longwire.upstream.ports import Call
from tests.doubles.canned import CREATED, answer, canned, sse
from tests.upstream.http.steps import BODY, OPENING, events


@pytest.mark.parametrize(
    ("kind", "body", "words"),
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
async def test_a_refusal_keeps_its_status(transport, kind, body, words):
    """The HTTP status wins, the words stay, in the standard envelope, and never at length."""
    async with canned(answer(body, kind, status=418)) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert refused.value.status == 418
    assert 0 < refused.value.bytes_sent
    message = json.loads(refused.value.body)["error"]["message"]
    assert message.endswith(words)
    assert len(message) <= 500


async def test_a_refusal_passes_few_headers_on(transport):
    """Retry and rate-limit headers go to the caller, others do not."""
    headers = ["Retry-After: 7", "x-ratelimit-remaining-tokens: 0", "set-cookie: a=b", "via: x"]
    async with canned(answer(b"{}", "application/json", 429, headers)) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert refused.value.headers == {"retry-after": "7", "x-ratelimit-remaining-tokens": "0"}


async def test_a_delay_that_stands_in_the_body_is_kept(transport):
    """Google says when to try again in the body alone."""
    body = b'{"error":{"code":429,"details":[{"retryDelay":"34.4s"}]}}'
    async with canned(answer(body, "application/json", 429)) as upstream:
        with pytest.raises(UpstreamRejected) as refused:
            await events(transport(upstream.url))
    assert refused.value.headers == {"retry-after": "35"}


@pytest.mark.parametrize(
    ("response", "mend"),
    [
        (
            answer(b"", status=302, headers=["location: http://127.0.0.1:1/"]),
            "correct the base_url",
        ),
        (answer(b"<html>", "text/html"), "check the base_url"),
    ],
)
async def test_a_wrong_address_is_said(transport, response, mend):
    """A redirect is not followed, with the key in hand; a page is no answer."""
    async with canned(response) as upstream:
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
    "response",
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
async def test_an_answer_without_an_end_is_a_disconnection(transport, response):
    """An answer that is cut, ends early or is no answer at all never counts as one."""
    async with canned(response) as upstream:
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
            http = transport(url, headers=headers, context=context)
            words = await events(http, b'{"model":"gpt-5.5","input":"hi"}')
            assert words[-1] == "response.completed"


async def test_plain_http_at_a_tls_port(transport, authority):
    """A scheme that does not fit the port is no success and no hang."""
    async with Emulator(Options(tls_cert=authority.file, tls_key=authority.key)) as upstream:
        with pytest.raises((UpstreamDisconnected, UpstreamRejected)):
            await events(transport(upstream.url.replace("https", "http")))
    async with Emulator(Options()) as upstream:
        with pytest.raises(UpstreamUnavailable, match="TLS failed"):
            await events(transport(upstream.url.replace("http", "https")))
