"""The real Claude Code, run as its users run it, with a home and a folder of its own.

Law: a run ends by itself, or is killed and fails its story.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import KEY

VERSION = "2.1.85"
"""The last that runs on Node: 17 MB, where those after it are 186 MB."""
PATIENCE = 50
LINE = 1 << 22
"""The longest line that it writes."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that ended: its exit code, the JSON it printed, and what it said meanwhile."""

    code: int
    printed: str
    errors: str

    @property
    def result(self) -> dict[str, Any]:
        """The result that it printed."""
        assert self.printed.startswith("{"), f"{self.printed[-2000:]}\n{self.errors[-2000:]}"
        return json.loads(self.printed)

    @property
    def answer(self) -> str:
        """The words of its last message."""
        return self.result["result"]


class ClaudeCode:
    """A user of Claude Code; sessions stay in its home between runs."""

    def __init__(self, command: tuple[str, ...], folder: Path, url: str) -> None:
        self.command = command
        self.url = url
        self.home = folder / "home"
        self.work = folder / "work"
        self.home.mkdir()
        self.work.mkdir()

    def environment(self) -> dict[str, str]:
        """All that it knows of this machine."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "IS_SANDBOX": "1",  # lets root run tools without being asked
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }

    async def run(self, *arguments: str, **variables: str) -> Ran:
        """Print the answer to a prompt, with whatever tools that takes."""
        flags = ("--output-format", "json", "--dangerously-skip-permissions")
        command = (*self.command, "-p", *flags, *arguments)
        return await ended(command, self.work, {**self.environment(), **variables})

    async def converse(self, *prompts: str) -> list[str]:
        """Ask one question after the other in one process; return the answers."""
        streams = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
        process = await asyncio.create_subprocess_exec(
            *(*self.command, "-p", *streams, "--dangerously-skip-permissions"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self.work,
            env=self.environment(),
            limit=LINE,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                answers = [await answered(process, prompt) for prompt in prompts]
                process.stdin.close()
                await process.wait()
        finally:
            await gone(process)
        return answers


async def answered(process: asyncio.subprocess.Process, prompt: str) -> str:
    """Ask a question of a process that reads and writes messages; return the answer."""
    message = {"type": "user", "message": {"role": "user", "content": prompt}}
    process.stdin.write(json.dumps(message).encode() + b"\n")
    async for line in process.stdout:
        said = json.loads(line)
        if said["type"] == "result":
            return said["result"]
    raise AssertionError(f"Claude Code ended without an answer to {prompt!r}")


async def gone(process: asyncio.subprocess.Process) -> None:
    """End a process that has not ended by itself."""
    if process.returncode is None:
        process.kill()
        await process.wait()
    process._transport.close()


async def ended(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run a command in a folder to its end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed, errors = await process.communicate()
    finally:
        await gone(process)
    assert process.returncode is not None
    return Ran(process.returncode, printed.decode().strip(), errors.decode())
