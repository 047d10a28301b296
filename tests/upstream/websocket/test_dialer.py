"""Dials that succeed, over TLS as well, at their pace and cancelled."""

import asyncio
import socket
from contextlib import suppress

import pytest

from longwire.core.errors import Overloaded, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from longwire.fleet.local import LocalPacer
from longwire.upstream.net import tls
from longwire.upstream.websocket.dialer import Endpoint, dial
from tests.doubles.cancelling import cancelled_at
from tests.doubles.peer import TEXT, accept, close_frame, frame, peer
from tests.doubles.proxies import proxy
from tests.upstream.websocket.dial_steps import TRUSTING, answering, dialed, nothing, speaks


class TestHandshake:
    async def test_request(self):
        """The URL's path and query, the channel's and the caller's headers are sent."""
        async with peer() as there:
            endpoint = Endpoint(there.url + "?a=b", {"authorization": "Bearer sk"})
            connection = await dial(endpoint, {"openai-beta": "x"}, nothing)
            head = (await there.links.get()).head.decode()
            assert head.startswith("GET /v1/responses?a=b HTTP/1.1\r\n")
            assert f"Host: 127.0.0.1:{there.port}\r\n" in head
            assert "authorization: Bearer sk\r\n" in head
            assert "openai-beta: x\r\n" in head
            assert "sec-websocket-extensions" not in head.lower()
            connection.abort("enough")

    async def test_frames_in_the_same_segment_as_the_101(self):
        """What an upstream says with its 101 is no trouble; a notice is dropped."""
        notice = frame(TEXT, b'{"type":"codex.hello"}')
        async with peer(lambda head: accept(head) + notice) as there:
            assert await speaks(await dialed(there.url), there)

    async def test_close_in_the_same_segment_as_the_101(self):
        """An upstream that accepts and closes at once was not available."""
        async with peer(lambda head: accept(head) + close_frame(1013)) as there:
            with pytest.raises(UpstreamUnavailable, match="closed the connection during"):
                await dialed(there.url)
            assert await there.is_left()

    async def test_end_right_after_the_101(self):
        """An upstream that accepts and hangs up was not available, or is lost at once."""
        async with peer(lambda _: None) as there, asyncio.TaskGroup() as group:
            lost = asyncio.Event()

            async def failing():
                with suppress(UpstreamUnavailable):
                    await dial(Endpoint(there.url, {}), {}, lambda _: lost.set())
                    await lost.wait()

            group.create_task(failing())
            link = await there.links.get()
            link.write(accept(link.head))
            link.hang_up()

    async def test_headers_of_the_101(self):
        """What the upstream told with its 101 is kept, in lower case."""
        header = b"\r\nX-Codex-Turn-State: a, b\r\n\r\n"
        async with peer(lambda head: accept(head)[:-4] + header) as there:
            connection = await dialed(there.url)
            assert "a, b" == connection.headers["x-codex-turn-state"]
            connection.abort("enough")

    async def test_user_of_the_url(self):
        """A user in the URL is told upstream, and in no error."""
        async with peer(lambda _: b"nonsense\r\n\r\n") as there:
            url = there.url.replace("ws://", "ws://me:secret@")
            with pytest.raises(UpstreamUnavailable) as error:
                await dial(Endpoint(url, {}), {}, nothing)
            assert "secret" not in str(error.value)
            head = (await there.links.get()).head
            assert b"Authorization: Basic bWU6c2VjcmV0\r\n" in head

    async def test_ipv6(self):
        """An IPv6 address is dialed, and spelt in brackets."""
        if not socket.has_ipv6:
            pytest.skip("no IPv6 here")
        try:
            reached = peer(host="::1")
            async with reached as there:
                url = there.url.replace("127.0.0.1", "[::1]")
                connection = await dialed(url)
                head = (await there.links.get()).head
                assert f"Host: [::1]:{there.port}\r\n".encode() in head
                connection.abort("enough")
        except OSError:
            pytest.skip("no IPv6 here")

    def test_endpoint_keeps_its_secrets(self):
        """Neither the credential nor a proxy's password shows in a representation."""
        endpoint = Endpoint("ws://x", {"authorization": "sk-1"}, proxy="http://u:secret@p:1")
        assert "sk-1" not in repr(endpoint)
        assert "secret" not in repr(endpoint)


class TestTls:
    async def test_own_authority(self, authority):
        """A channel may trust an authority of its own."""
        async with peer(tls=authority.server()) as there:
            context = tls.context(authority.file, verify=True)
            assert await speaks(await dialed(there.url, tls=context), there)

    @pytest.mark.parametrize("context", [None, TRUSTING])
    async def test_unknown_authority(self, authority, context):
        """A certificate of nobody we trust is refused, with the reason and the mend."""
        async with peer(tls=authority.server()) as there:
            with pytest.raises(UpstreamUnavailable, match=r"not trusted \(.*\).*tls_ca"):
                await dialed(there.url, tls=context)
            assert await there.is_left()

    async def test_wrong_name(self, authority):
        """A trusted certificate of another host is refused."""
        async with peer(tls=authority.server()) as there:
            url = there.url.replace("127.0.0.1", "localhost")
            with pytest.raises(UpstreamUnavailable, match=r"not trusted \(.*ostname mismatch"):
                await dialed(url, tls=tls.context(authority.file, verify=True))

    async def test_unverified(self, authority):
        """Verification can be turned off."""
        async with peer(tls=authority.server()) as there:
            context = tls.context(None, verify=False)
            assert await speaks(await dialed(there.url, tls=context), there)

    async def test_plain_server(self):
        """An upstream that speaks no TLS is unavailable."""
        async with peer(lambda _: None) as there:
            url = there.url.replace("ws://", "wss://")
            with pytest.raises((UpstreamUnavailable, UpstreamTimeout)):
                await dialed(url, tls=TRUSTING, handshake_timeout=0.2)
            assert await there.is_left()


class TestCancelling:
    @pytest.mark.parametrize("moment", ["asleep", "waking"])
    @pytest.mark.parametrize("route", ["plain", "tls", "http", "socks5", "https", "tls in http"])
    async def test_every_suspension(self, authority, moment, route):
        """A dial that is cancelled at any point leaves no socket at the other end."""
        inside = authority.server() if route.startswith("tls") else None
        outside = authority.server() if route == "https" else None
        context = tls.context(authority.file, verify=True)
        kind = "socks" if route == "socks5" else "http"
        async with peer(tls=inside) as there, proxy(kind, tls=outside) as between:
            scheme = {"socks5": "socks5", "https": "https"}.get(route, "http")
            through = None if route in ("plain", "tls") else between.url(scheme)
            point, was_cancelled = 1, True
            while was_cancelled:
                opened = []

                async def dialing(opened=opened):
                    opened.append(await dialed(there.url, tls=context, proxy=through))

                was_cancelled = await cancelled_at(dialing(), point, moment)
                for connection in opened:
                    connection.abort("enough")
                async with asyncio.timeout(5):
                    assert await there.is_left()
                point += 1
            assert point > 3


class TestPace:
    """Handshakes to one endpoint wait for their place, on the loop's clock."""

    async def paced(self, there, endpoint, times):
        """Dial, and note when it was done."""
        connection = await dial(endpoint, {}, nothing)
        times.append(asyncio.get_running_loop().time())
        connection.abort("enough")

    @pytest.mark.looptime
    async def test_burst_then_rate(self):
        """A burst goes at once, what follows at the rate, whoever asks."""
        async with peer() as there:
            endpoint = Endpoint(there.url, {}, pace=LocalPacer(0.5, burst=3))
            start, times = asyncio.get_running_loop().time(), []
            async with asyncio.TaskGroup() as group:
                for _ in range(7):
                    group.create_task(self.paced(there, endpoint, times))
            waits = [time - start for time in times]
            assert waits == pytest.approx([0, 0, 0, 2, 4, 6, 8], abs=0.5)

    @pytest.mark.looptime
    async def test_not_the_handshakes_time(self):
        """Waiting for a place is no part of the handshake's own time."""
        async with peer() as there:
            pace = LocalPacer(0.01)
            endpoint = Endpoint(there.url, {}, pace=pace, handshake_timeout=15, longest_wait=200)
            await pace.reserve()
            start, times = asyncio.get_running_loop().time(), []
            await self.paced(there, endpoint, times)
            assert times[0] - start == pytest.approx(100, abs=1)

    @pytest.mark.looptime
    async def test_not_for_ever(self):
        """Whose place comes too late is refused at once, and takes none."""
        async with peer() as there:
            endpoint = Endpoint(there.url, {}, pace=LocalPacer(0.5), longest_wait=3)
            start, times = asyncio.get_running_loop().time(), []
            await self.paced(there, endpoint, times)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.paced(there, endpoint, times))
                await asyncio.sleep(0)
                with pytest.raises(Overloaded) as refused:
                    await dial(endpoint, {}, nothing)
            assert 4 == refused.value.retry_after
            await self.paced(there, endpoint, times)
            assert [0, 2, 4] == pytest.approx([time - start for time in times], abs=0.5)

    @pytest.mark.looptime
    async def test_failures_count(self):
        """A handshake that fails has taken its place: a dead upstream is not hammered."""
        async with peer(answering(b"503 Busy")) as there:
            endpoint = Endpoint(there.url, {}, pace=LocalPacer(0.5))
            start = asyncio.get_running_loop().time()
            for _ in range(4):
                with pytest.raises(UpstreamRejected):
                    await dial(endpoint, {}, nothing)
            assert asyncio.get_running_loop().time() - start == pytest.approx(6, abs=0.5)

    @pytest.mark.looptime
    async def test_cancelled_while_waiting(self):
        """A dial that is given up before its place has come opens no socket."""
        async with peer() as there:
            pace = LocalPacer(0.05)
            await pace.reserve()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await dialed(there.url, pace=pace)
            assert (there.open, there.silent) == (set(), 0)
