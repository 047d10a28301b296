"""Who follows the page about embeddings, images and audio gets what it is about."""

import asyncio
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

from longwire.emulator import Emulator, Options
from longwire.settings import Settings
from tests.conftest import KEY, serving, settings_for

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "embeddings-images-and-audio.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = [pytest.mark.process, pytest.mark.timeout(60)]


def block(language):
    """The text of the page's blocks in a language."""
    text = PAGE.read_text(encoding="utf-8")
    return "\n".join(text for found, text in FENCE.findall(text) if found == language)


async def run(folder, *command):
    """Run a program of the page; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "LONGWIRE_KEY": KEY, "NO_PROXY": "127.0.0.1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await process.communicate())[0].decode()
    assert 0 == process.returncode, printed
    return printed


async def test_the_page_is_followed(tmp_path):
    """A strict upstream understands its program and its command, and their files are there."""
    (tmp_path / "meeting.wav").write_bytes(b"RIFF" * 5_000)
    async with Emulator(Options()) as emulator, serving(settings_for(emulator.url)) as gateway:
        program = block("python").replace("http://127.0.0.1:8090", gateway.url)
        program = program.replace("your-longwire-key", KEY)
        printed = await run(tmp_path, sys.executable, "-c", program)
        assert printed.startswith("20000 bytes")
        assert 4 * 4096 == (tmp_path / "morning.mp3").stat().st_size
        command = block("sh").replace("http://127.0.0.1:8090", gateway.url)
        assert "20000 bytes" in await run(tmp_path, "bash", "-c", command)
        assert [] == emulator.violations
        apis = ["embeddings", "moderations", "images/generations"]
        apis += ["audio/transcriptions", "audio/speech", "audio/transcriptions"]
        assert apis == [turn.api for turn in emulator.turns]


def test_the_channels_of_the_page():
    """Both are configurations that the gateway takes."""
    vllm, azure = block("toml").replace("${VLLM_KEY}", "k").split("[[channels.endpoints]]")
    (channel,) = tomllib.loads(vllm)["channels"]
    (endpoint,) = tomllib.loads(f"[[e]]{azure}")["e"]
    assert ("embeddings", "rerank") == Settings(channels=(channel,)).channels[0].apis
    channel["endpoints"] = [endpoint]
    assert "embeddings" == Settings(channels=(channel,)).channels[0].endpoints[0].api
