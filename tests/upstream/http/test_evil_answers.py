"""Upstreams that answer too much, too slowly, or what is no answer: nothing of it is held."""

import asyncio
import gzip

import pytest

from longwire.core.errors import UpstreamDisconnected, UpstreamTimeout, UpstreamUnavailable
from longwire.upstream.oauth.egress import Egress
from tests.doubles.canned import answer, canned

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
