"""Dials that are refused, or get no response."""

import asyncio
import json
import socket

import pytest

from longwire.core.errors import UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from tests.doubles.peer import close_frame, peer
from tests.upstream.websocket.dial_steps import answering, dialed, speaks


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
                rest = b"-length: %d\r\n\r\n" % len(body) + body
                for at in range(0, len(rest), 1000):
                    await asyncio.sleep(0.001)
                    link.write(rest[at : at + 1000])

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
