"""Dialing: what a refusal means, TLS, proxies, and that a failed dial leaves nothing open."""

import asyncio
import json
import socket
from contextlib import suppress

import pytest

from longwire.core.errors import UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from longwire.core.rules.backoff import Pace
from longwire.upstream.net import tls
from longwire.upstream.websocket.dialer import Endpoint, dial
from tests.doubles.cancelling import cancelled_at
from tests.doubles.peer import TEXT, accept, close_frame, frame, peer
from tests.doubles.proxies import proxy

TRUSTING = tls.context(None, verify=True)
KNOWN = "proxy-user:p%40ss%3Aword@"


def nothing(_connection):
    """Nobody wants to know that a connection ended."""


async def dialed(url, **options):
    """Dial with no headers of a caller."""
    return await dial(
        Endpoint(url, {"authorization": "Bearer sk-upstream"}, **options), {}, nothing
    )


async def speaks(connection, there):
    """Whether both ends of a new connection hear each other; closes it."""
    link = await there.links.get()
    await connection.send(b'{"type":"response.create"}')
    opcode, payload = await link.frame()
    connection.begin()
    link.write(frame(TEXT, b'{"type":"x"}'))
    received = [bytes(message) for message in await connection.receive(5)]
    connection.abort("enough")
    await link.ended()
    return (opcode, payload, received) == (TEXT, b'{"type":"response.create"}', [b'{"type":"x"}'])


def answering(status, body=b"", headers=b"", *, chunked=False):
    """Answer every upgrade with a plain HTTP response."""
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(body)
    if chunked:
        body = b"%x\r\n%b\r\n4;x=y\r\n\r\n\r\n\r\n0\r\n\r\n" % (len(body), body)
    return lambda _: b"HTTP/1.1 %b\r\n%b\r\n%b\r\n%b" % (status, length, headers, body)


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
        told = b"\r\nX-Codex-Turn-State: a, b\r\n\r\n"
        async with peer(lambda head: accept(head)[:-4] + told) as there:
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


class TestRefusals:
    @pytest.mark.parametrize(
        "status", [400, 401, 402, 403, 408, 429, 500, 502, 503, 504, 520, 522, 529]
    )
    @pytest.mark.parametrize("chunked", [False, True])
    async def test_json(self, status, chunked):
        """A refusal of the caller keeps status, code, body, retry-after and request id."""
        body = {"message": "No é.", "type": "t", "param": None, "code": "some_code"}
        answer = answering(
            b"%d " % status,
            json.dumps({"error": body}).encode(),
            b"Retry-After: 7\r\nX-Request-Id: req_1\r\nserver: x\r\n",
            chunked=chunked,
        )
        async with peer(answer) as there:
            with pytest.raises(UpstreamRejected) as refusal:
                await dialed(there.url)
            assert refusal.value.status == status
            assert refusal.value.code == "some_code"
            assert json.loads(refusal.value.body) == {"error": body}
            assert refusal.value.headers == {"retry-after": "7", "x-request-id": "req_1"}
            assert await there.is_left()

    @pytest.mark.parametrize(
        "body", [b"", b"   \r\n", b"<html>no</html>", b'{"detail":"Gone"}', b"\xff"]
    )
    async def test_other_bodies(self, body):
        """Whatever the body is, the caller gets an error object with a message."""
        async with peer(answering(b"403 Forbidden", body)) as there:
            with pytest.raises(UpstreamRejected) as refusal:
                await dialed(there.url)
            assert refusal.value.status == 403
            assert json.loads(refusal.value.body)["error"]["message"]

    async def test_body_in_a_later_segment(self):
        """A refusal whose body has not arrived yet keeps its status and headers."""
        late = answering(b"429 Too Many Requests", b"", b"retry-after: 3\r\n")
        async with peer(late) as there:
            with pytest.raises(UpstreamRejected) as refusal:
                await dialed(there.url)
            assert (refusal.value.status, refusal.value.headers) == (429, {"retry-after": "3"})

    async def test_body_in_pieces(self):
        """A body that arrives after its head, in pieces, is read whole."""
        body = json.dumps({"error": {"message": "é" * 3000, "code": "late"}}).encode()
        async with peer(lambda _: b"HTTP/1.1 429 Too Many\r\ncontent") as there:

            async def rest():
                link = await there.links.get()
                told = b"-length: %d\r\n\r\n" % len(body) + body
                for at in range(0, len(told), 1000):
                    await asyncio.sleep(0.001)
                    link.write(told[at : at + 1000])

            there.hangs_up = False
            async with asyncio.TaskGroup() as group:
                group.create_task(rest())
                with pytest.raises(UpstreamRejected) as refusal:
                    await dialed(there.url)
            assert "late" == refusal.value.code
            assert "é" * 3000 == json.loads(refusal.value.body)["error"]["message"]

    @pytest.mark.looptime
    async def test_body_without_an_end(self):
        """A refusal whose body never ends is told after two seconds, with its status."""
        async with peer(lambda _: b"HTTP/1.1 429 X\r\ncontent-length: 9\r\n\r\n") as there:
            there.hangs_up = False
            start = asyncio.get_running_loop().time()
            with pytest.raises(UpstreamRejected) as refusal:
                await dialed(there.url)
            assert 429 == refusal.value.status
            assert asyncio.get_running_loop().time() - start == pytest.approx(2, abs=0.5)
            assert await there.is_left()

    @pytest.mark.parametrize("status", [200, 204, 301, 307, 404, 405, 410, 426, 501, 505])
    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":{"message":"x","code":"y"}}'])
    async def test_no_websocket_here(self, status, body):
        """Any other answer means that this URL speaks no WebSocket, and names the mend."""
        async with peer(answering(b"%d Whatever" % status, body)) as there:
            with pytest.raises(
                UpstreamUnavailable, match=rf"status {status}.*transport = \"http\""
            ) as refusal:
                await dialed(there.url)
            assert refusal.value.refuses_websocket

    @pytest.mark.parametrize("answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n", b""])
    async def test_no_answer_about_websocket(self, answer):
        """An upstream that answers nonsense has not said that it speaks no WebSocket."""
        async with peer(lambda _: answer + close_frame(1000)) as there:
            with pytest.raises(UpstreamUnavailable) as refusal:
                await dialed(there.url)
            assert not refusal.value.refuses_websocket

    async def test_redirects_are_not_followed(self):
        """The credential goes to no host but the configured one."""
        async with peer() as elsewhere:
            to = b"location: " + elsewhere.url.encode() + b"\r\n"
            async with peer(answering(b"307 Temporary Redirect", b"", to)) as there:
                with pytest.raises(UpstreamUnavailable, match="status 307"):
                    await dialed(there.url)
            assert elsewhere.open == set()

    @pytest.mark.parametrize(
        "answer",
        [
            b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            (
                b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                b"sec-websocket-accept: wrong\r\n\r\n"
            ),
            b"x" * 20_000,
            b"\xff\xfe\r\n\r\n",
        ],
        ids=["other protocol", "bare 101", "wrong key", "endless", "bytes"],
    )
    async def test_nonsense(self, answer):
        """An answer that is no proper handshake is an unavailable upstream."""
        async with peer(lambda _: answer) as there:
            with pytest.raises(UpstreamUnavailable, match=f"127.0.0.1:{there.port}"):
                await dialed(there.url)
            assert await there.is_left()


class TestNoAnswer:
    @pytest.mark.looptime
    @pytest.mark.parametrize("answer", [None, b"HTTP/1.1 101 Switching Proto"])
    async def test_hang(self, answer):
        """An upstream that never finishes its 101 is given up in time, its socket closed."""
        async with peer(lambda _: answer) as there:
            start = asyncio.get_running_loop().time()
            with pytest.raises(UpstreamTimeout, match=r"15 s \(handshake\)"):
                await dialed(there.url, handshake_timeout=15)
            assert asyncio.get_running_loop().time() - start == pytest.approx(15, abs=0.5)
            assert await there.is_left()

    @pytest.mark.parametrize("ending", ["hang_up", "reset"])
    async def test_connection_ends_before_the_answer(self, ending):
        """A connection that ends in the handshake is an unavailable upstream."""
        async with peer(lambda _: None) as there, asyncio.TaskGroup() as group:

            async def failing():
                with pytest.raises(UpstreamUnavailable, match=f"127.0.0.1:{there.port}"):
                    await dialed(there.url)

            group.create_task(failing())
            getattr(await there.links.get(), ending)()

    async def test_connection_refused(self):
        """A port where nobody listens is an unavailable upstream."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with pytest.raises(UpstreamUnavailable, match=rf"127.0.0.1:{port}: .*refused|Errno"):
                await dialed(f"ws://127.0.0.1:{port}/")

    async def test_unknown_host(self):
        """A name that nobody knows is an unavailable upstream."""
        with pytest.raises(UpstreamUnavailable, match=r"connection to nowhere\.invalid"):
            await dialed("ws://nowhere.invalid/v1/responses")

    async def test_name_with_several_addresses(self):
        """Of several addresses the first that answers is taken."""
        async with peer() as there:
            url = there.url.replace("127.0.0.1", "localhost")
            assert await speaks(await dialed(url), there)

    @pytest.mark.parametrize("url", ["http://x/", "ws:///x", "ws://x/#y"])
    async def test_not_a_websocket_url(self, url):
        """A URL that cannot be dialed is told as it is."""
        with pytest.raises(UpstreamUnavailable):
            await dialed(url)


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


PROXIES = [("http", "http"), ("socks", "socks5")]


class TestProxies:
    @pytest.mark.parametrize(("kind", "scheme"), PROXIES)
    @pytest.mark.parametrize("encrypted", [False, True])
    @pytest.mark.parametrize("credentials", ["", KNOWN])
    async def test_tunnel(self, authority, kind, scheme, encrypted, credentials):
        """A connection goes through the channel's proxy, whatever runs inside."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True) if encrypted else None
        async with (
            peer(tls=inside) as there,
            proxy(kind, demands_password=bool(credentials)) as between,
        ):
            url = between.url(scheme, credentials)
            assert await speaks(await dialed(there.url, proxy=url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize("encrypted", [False, True])
    async def test_tunnel_through_https(self, authority, encrypted):
        """A proxy that itself speaks TLS is trusted by the channel's own rules."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True)
        async with peer(tls=inside) as there, proxy("http", tls=authority.server()) as between:
            url = between.url("https")
            assert await speaks(await dialed(there.url, proxy=url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize(("kind", "scheme"), PROXIES)
    @pytest.mark.parametrize("credentials", ["", "proxy-user:wrong@"])
    async def test_wrong_password(self, kind, scheme, credentials):
        """A proxy that does not know us is named as the reason, its password is not."""
        async with peer() as there, proxy(kind, demands_password=True) as between:
            with pytest.raises(UpstreamUnavailable) as error:
                await dialed(there.url, proxy=between.url(scheme, credentials))
            assert "wrong" not in str(error.value)
            assert between.targets == []

    @pytest.mark.parametrize(
        ("kind", "scheme", "refusal"),
        [
            ("http", "http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
            ("http", "http", b"nonsense\r\n\r\n"),
            ("http", "http", b"HTTP/1.1 200 OK\r\n\r\nhello"),
            ("http", "http", b""),
            ("socks", "socks5", b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
            ("socks", "socks5", b"\x09\x09"),
            ("socks", "socks5", b""),
        ],
    )
    async def test_refusing_proxy(self, kind, scheme, refusal):
        """A proxy that refuses, lies or hangs up is an unavailable upstream."""
        async with peer() as there, proxy(kind, refuses=refusal) as between:
            with pytest.raises(UpstreamUnavailable, match=f"127.0.0.1:{there.port}"):
                await dialed(there.url, proxy=between.url(scheme))

    @pytest.mark.parametrize("url", ["ftp://127.0.0.1:9", "socks9://127.0.0.1:9", "http://"])
    async def test_no_proxy_of_ours(self, url):
        """A proxy that nobody can dial is told as it is."""
        with pytest.raises(UpstreamUnavailable, match="No WebSocket connection"):
            await dialed("ws://127.0.0.1:9/", proxy=url)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    async def test_no_proxy_there(self, scheme):
        """A proxy that is not there is an unavailable upstream."""
        with pytest.raises(UpstreamUnavailable, match=r"refused|Errno"):
            await dialed("ws://127.0.0.1:9/", proxy=f"{scheme}://127.0.0.1:1")

    @pytest.mark.parametrize(
        ("variable", "kind", "scheme", "encrypted"),
        [
            ("HTTP_PROXY", "http", "http", False),
            ("http_proxy", "http", "http", False),
            ("HTTPS_PROXY", "http", "http", True),
            ("ALL_PROXY", "socks", "socks5", False),
            ("ALL_PROXY", "http", "http", True),
        ],
    )
    async def test_environment(self, monkeypatch, authority, variable, kind, scheme, encrypted):
        """The environment's proxies hold for ws as for http, and for wss as for https."""
        inside = authority.server() if encrypted else None
        context = tls.context(authority.file, verify=True) if encrypted else None
        async with peer(tls=inside) as there, proxy(kind) as between:
            monkeypatch.setenv(variable, between.url(scheme))
            assert await speaks(await dialed(there.url, tls=context), there)
            assert between.targets == [f"127.0.0.1:{there.port}"]

    @pytest.mark.parametrize(
        ("variable", "no_proxy"),
        [("HTTPS_PROXY", ""), ("HTTP_PROXY", "127.0.0.1"), ("ALL_PROXY", "*")],
    )
    async def test_environment_of_others(self, monkeypatch, variable, no_proxy):
        """A proxy for another scheme does not count, nor one for hosts that need none."""
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        async with peer() as there:
            assert await speaks(await dialed(there.url), there)

    async def test_channel_over_environment(self, monkeypatch):
        """The channel's own proxy counts more than the environment's."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with peer() as there, proxy("http") as between:
            connection = await dialed(there.url, proxy=between.url("http"))
            assert await speaks(connection, there)


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
            endpoint = Endpoint(there.url, {}, pace=Pace(0.5, burst=3))
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
            pace = Pace(0.01)
            endpoint = Endpoint(there.url, {}, pace=pace, handshake_timeout=15)
            pace.reserve(asyncio.get_running_loop().time())
            start, times = asyncio.get_running_loop().time(), []
            await self.paced(there, endpoint, times)
            assert times[0] - start == pytest.approx(100, abs=1)

    @pytest.mark.looptime
    async def test_failures_count(self):
        """A handshake that fails has taken its place: a dead upstream is not hammered."""
        async with peer(answering(b"503 Busy")) as there:
            endpoint = Endpoint(there.url, {}, pace=Pace(0.5))
            start = asyncio.get_running_loop().time()
            for _ in range(4):
                with pytest.raises(UpstreamRejected):
                    await dial(endpoint, {}, nothing)
            assert asyncio.get_running_loop().time() - start == pytest.approx(6, abs=0.5)

    @pytest.mark.looptime
    async def test_cancelled_while_waiting(self):
        """A dial that is given up before its place has come opens no socket."""
        async with peer() as there:
            pace = Pace(0.01)
            pace.reserve(asyncio.get_running_loop().time())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(50):
                    await dialed(there.url, pace=pace)
            assert (there.open, there.silent) == (set(), 0)
