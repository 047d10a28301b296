"""Upstreams that answer too much, too slowly, or what is no answer: nothing of it is held."""

import asyncio
import gzip
from dataclasses import replace

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol

from longwire.core.errors import (
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.events import Kind
from longwire.dialects.chat_completions.upstream import ChatUpstream
from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.ports import Terms
from longwire.dialects.profiles.profile import GENERIC
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.request import decode_request
from longwire.upstream.http.answer import more_of
from longwire.upstream.oauth.egress import Egress
from longwire.upstream.ports import Call
from tests.doubles.canned import answer, canned
from tests.upstream.http.steps import BODY

MEGABYTE = bytes(1 << 20)
ENDLESS = [answer(b"{", "application/json", size=1 << 40), *[MEGABYTE] * 64]
BOMB = answer(gzip.compress(MEGABYTE * 64), "application/json", headers=["content-encoding: gzip"])


async def fetched(transport, url, **timeouts):
    """The media type and the body of a stored response."""
    async with transport(url, **timeouts).fetch("GET", "/resp_1", {}) as found:
        return found.media_type, b"".join([chunk async for chunk in found.body])


@pytest.mark.parametrize("said", [ENDLESS, BOMB], ids=["endless", "bomb"])
async def test_a_list_of_models_is_bounded(transport, said):
    """Packed or not, it is given up before it fills the memory."""
    async with canned(said) as upstream:
        with pytest.raises(UpstreamDisconnected, match="passes 16777216 bytes"):
            await transport(upstream.url, models_url=upstream.url).models()


@pytest.mark.parametrize("said", [ENDLESS, BOMB], ids=["endless", "bomb"])
async def test_what_an_issuer_says_is_bounded(said):
    """Tokens need no megabyte."""
    async with canned(said) as issuer:
        with pytest.raises(ConnectionError, match="passes 1048576 bytes"):
            await Egress().post(issuer.url, b"{}", "application/json")


@pytest.mark.parametrize("kind", ["text/html", "text/html; x=application/json", "image/svg+xml"])
async def test_a_page_is_no_stored_response(transport, kind):
    """It would run in a browser as the gateway's own."""
    async with canned(answer(b"<script>alert(1)</script>", kind)) as upstream:
        with pytest.raises(UpstreamUnavailable, match="instead of events"):
            await fetched(transport, upstream.url)


@pytest.mark.parametrize("parameter", ["charset=utf-8", "x=é", "x=\xff"])
async def test_a_media_type_is_passed_without_its_parameters(transport, parameter):
    """They may hold what no header of ours can."""
    said = answer(b"{}", f"application/json; {parameter}").decode("latin-1").encode()
    async with canned(said) as upstream:
        assert ("application/json", b"{}") == await fetched(transport, upstream.url)


async def test_a_stored_response_that_stalls_ends(transport):
    """Silence between two parts is bounded, as for a turn."""
    async with canned([answer(b"{", "application/json", size=9), 90.0]) as upstream:
        with pytest.raises(UpstreamTimeout):
            async with asyncio.timeout(5):
                await fetched(transport, upstream.url, idle_event=0.1)


async def test_a_tag_of_a_list_that_is_no_header_is_left_out(transport):
    """Codex gets it as a header."""
    headers = ["etag: \u4f60"]
    said = answer(b'{"data":[{"id":"m"}]}', "application/json", headers=headers)
    async with canned(said) as upstream:
        listed = await transport(upstream.url, models_url=upstream.url).listed()
    assert (["m"], "") == (list(listed.entries), listed.etag)


CHUNKED = b"HTTP/1.1 200 Said\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"
BROKEN_OFF = "The upstream broke off: its answer is cut short, or no HTTP."
CHAT = b'data: {"id":"c","choices":[{"delta":{"content":"a"}}]}\n\n'
CLAUDE = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m"}}\n\n'


def said(way):
    """A call as another API than Responses is asked, which `way` is a method of."""
    turn = decode_request(BODY)
    turn = replace(turn, source=replace(turn.source, body=BODY))
    return Call(turn, None, said=way(turn, {}, Terms(GENERIC, may_drop=True)))


WAYS = {
    "Responses": lambda: Call(decode_request(BODY), None),
    "Chat": lambda: said(ChatUpstream().translate),
    "Chat, passed on": lambda: said(ChatUpstream().pass_on),
    "Messages": lambda: said(MessagesUpstream().translate),
    "Messages, passed on": lambda: said(MessagesUpstream().pass_on),
    "Gemini": lambda: said(GenerateContentUpstream().translate),
}


async def ended(transport, call, answer, **timeouts):
    """What a turn ends with that is answered so."""
    async with (
        canned(answer) as upstream,
        transport(upstream.url, **timeouts).open(call) as stream,
    ):
        async for batch in stream:
            for event in batch:
                if event.kind is Kind.ERROR:
                    return decode_problem(event.raw).error["message"]
    return ""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", [b"text/event-stream", b"application/json"])
@pytest.mark.parametrize("pieces", [[0.05, b"ZZ\r\nx\r\n"], [0.05, b"9\r\n:", None]])
async def test_a_body_that_is_no_http_breaks_the_answer(transport, way, kind, pieces):
    """Callers hear that, and neither addresses nor the names of libraries."""
    said = [CHUNKED % kind + b"2\r\n: \r\n", *pieces]
    with pytest.raises(UpstreamDisconnected) as broken:
        await ended(transport, way(), said, silence=0.1)
    assert BROKEN_OFF == str(broken.value)


async def test_a_body_whose_reader_was_closed_breaks_the_answer():
    """The library says so in an error of its own."""
    content = aiohttp.StreamReader(BaseProtocol(asyncio.get_running_loop()), 1)
    content.set_exception(RuntimeError("Connection closed."))
    with pytest.raises(UpstreamDisconnected, match=BROKEN_OFF):
        await more_of(content)


DEEP = b"[" * 100_000


@pytest.mark.parametrize("way", [way for way in WAYS if way != "Responses"])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_an_answer_that_is_nested_too_deeply_is_broken(transport, way, kind):
    """However deep, it is an upstream's fault like others."""
    body = b'{"choices":%b,"candidates":%b,"type":%b' % (DEEP, DEEP, DEEP)
    if kind == "text/event-stream":
        body = (CLAUDE if "Messages" in way else CHAT) + b"data: %b\n\n" % body
    try:
        words = await ended(transport, WAYS[way](), answer(body, kind))
    except (UpstreamDisconnected, UpstreamRejected) as error:
        words = str(error)
    assert words
