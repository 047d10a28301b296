"""A large recording and a long speech go through a gateway process, and its memory stays flat."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from blake3 import blake3
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from longwire.emulator import Emulator, Options, Script
from tests.conftest import KEY
from tests.journeys.conftest import become
from tests.journeys.process import served

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc"),
]
MEGABYTE = 1024 * 1024
MOST_KIB = 20 * 1024
PIECE = b"\x00\r\n--\xff" * (MEGABYTE // 6)


@asynccontextmanager
async def talking(folder, script):
    """A strict upstream, a gateway process before it, and the official client."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with (
        Emulator(Options(), script) as emulator,
        served(folder, emulator.url) as command,
        DefaultAsyncHttpxClient(trust_env=False, verify=no_tls, timeout=60) as http,
    ):
        client = AsyncOpenAI(
            base_url=f"{command.url}/v1", api_key=KEY, max_retries=0, http_client=http
        )
        # What loads with the first request is no part of what one costs.
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"x" * 999))
        await (await client.audio.speech.create(model="m", voice="alloy", input="x")).aread()
        yield emulator, command, client


class Highest:
    """The most memory that a process had while something went on, above what it had before."""

    def __init__(self, command):
        self._command = command
        self._before = command.resident_kib()
        self.kib = 0

    async def watch(self):
        """Look again and again."""
        while True:
            self.kib = max(self.kib, self._command.resident_kib() - self._before)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watched(command):
    """Watch the memory of a process meanwhile."""
    highest = Highest(command)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(highest.watch())
        yield highest
        watching.cancel()


async def test_a_recording_of_fifty_megabytes(tmp_path):
    """It arrives whole, and no more of it than a buffer is ever in the gateway's memory."""
    recording = tmp_path / "long.wav"
    digest = blake3()
    with recording.open("wb") as file:
        for _ in range(50):
            file.write(PIECE)
            digest.update(PIECE)
    async with talking(tmp_path, Script()) as (emulator, command, client):
        async with watched(command) as highest:
            with recording.open("rb") as file:
                heard = await client.audio.transcriptions.create(model="whisper-1", file=file)
        assert f"{50 * len(PIECE)} bytes, {digest.hexdigest()[:16]}" == heard.text
        assert [] == emulator.violations
        assert highest.kib < MOST_KIB


async def test_a_speech_that_nobody_waits_for_in_memory(tmp_path):
    """Its first bytes are there long before its last; sixty megabytes pass, and none stay."""
    script = Script(deltas=120, delta_bytes=MEGABYTE // 2)
    async with (
        talking(tmp_path, script) as (emulator, command, client),
        watched(command) as highest,
    ):
        speech = client.audio.speech.with_streaming_response
        async with speech.create(model="m", voice="alloy", input="x") as answer:
            size = 0
            async for chunk in answer.iter_bytes():
                if not size:
                    assert "in_progress" == emulator.turns[-1].status
                    await asyncio.sleep(0.3)  # a slow listener slows the upstream, not us
                    assert "in_progress" == emulator.turns[-1].status
                size += len(chunk)
    assert 120 * (MEGABYTE // 2) == size
    assert highest.kib < MOST_KIB


FORM_HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


def files_of(command):
    """How many files and sockets a process has open."""
    return len([*Path(f"/proc/{command.process.pid}/fd").iterdir()])


async def leave_within(url, http):
    """Send five megabytes of a form that has fifty, and leave."""
    sent = asyncio.Event()

    async def form():
        yield FORM_HEAD
        for _ in range(5):
            yield PIECE
        sent.set()
        await asyncio.sleep(60)

    headers = {
        "content-type": "multipart/form-data; boundary=b",
        "content-length": str(50 * MEGABYTE),
        "authorization": f"Bearer {KEY}",
    }
    async with asyncio.TaskGroup() as group:
        posting = http.post(f"{url}/v1/audio/transcriptions", content=form(), headers=headers)
        sending = group.create_task(posting)
        await sent.wait()
        sending.cancel()


async def test_uploads_that_are_abandoned_leave_nothing(tmp_path):
    """Neither memory nor a file: ten clients leave in the midst of a recording."""
    async with talking(tmp_path, Script()) as (emulator, command, client):
        before = files_of(command)
        async with watched(command) as highest:
            for _ in range(10):
                await leave_within(command.url, client._client)
            await become(lambda: files_of(command) <= before + 2)
        assert highest.kib < MOST_KIB
        assert 2 == len(emulator.turns)
