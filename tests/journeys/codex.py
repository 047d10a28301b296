"""The real Codex CLI: installed once with npm, and run as its users run it.

Law: it is pointed at the gateway by the block that `longwire setup codex` prints; whatever a story
does, a run ends by itself, and each turn showed the model exactly what Codex had sent.
"""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longwire.cli.codex import Block, rendered
from longwire.emulator import Emulator, digest
from tests.conftest import KEY

VERSION = "0.169.0"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longwire-tests"
_BINARY = "node_modules/@openai/codex-*/vendor/*/bin/codex"
_QUICK = "request_max_retries = 2\nstream_max_retries = 2\n"
_PATIENCE = 60


def installed() -> Path:
    """Return the binary. Where npm cannot be reached, what asks for it is skipped."""
    folder = _CACHE / f"codex-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob(_BINARY)):
            _install(folder)
        return next(iter(folder.glob(_BINARY)))


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"needs npm on PATH, to install @openai/codex {VERSION}")
    command = [npm, "install", "--prefix", str(folder), "--no-save", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            [*command, f"@openai/codex@{VERSION}"], capture_output=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install @openai/codex {VERSION} within five minutes")
    if done.returncode or not list(folder.glob(_BINARY)):
        pytest.skip(f"npm cannot install @openai/codex {VERSION}: {done.stderr[-300:].decode()}")


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that ended: its exit code, its answer, and what it said meanwhile."""

    code: int
    answer: str
    said: str


class Codex:
    """A user of Codex with a folder to work in; its sessions stay between runs."""

    def __init__(self, binary: Path, folder: Path, url: str, *, websockets: bool) -> None:
        self.binary = binary
        self.websockets = websockets
        self.home = folder / "codex"
        self.work = folder / "work"
        self.home.mkdir()
        self.work.mkdir()
        block = Block(f"{url}/v1", "gw", "GW_KEY", websocket=websockets)
        config = 'model = "gpt-5.5"\n' + rendered(block) + _QUICK
        (self.home / "config.toml").write_text(config, encoding="utf-8")

    def set(self, before: str, after: str) -> None:
        """Change a line of the configuration."""
        config = self.home / "config.toml"
        text = config.read_text(encoding="utf-8")
        assert before in text
        config.write_text(text.replace(before, after, 1), encoding="utf-8")

    def sign_in(self, url: str) -> str:
        """Sign in with ChatGPT, and give the gateway's key beside; returns the token."""
        claims = {
            "https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"},
            "https://api.openai.com/profile": {"email": "somebody@example.com"},
            "exp": 4_102_444_800,
        }
        token = f"e30.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"
        tokens = {"id_token": token, "access_token": token, "refresh_token": "r"}
        told = {"auth_mode": "chatgpt", "tokens": {**tokens, "account_id": "acc-1"}}
        told["last_refresh"] = datetime.now(tz=UTC).isoformat()
        (self.home / "auth.json").write_text(json.dumps(told), encoding="utf-8")
        self.set('name = "Longwire"', 'name = "OpenAI"')
        key = f'http_headers = {{ "x-longwire-key" = "{KEY}" }}'
        self.set('env_key = "GW_KEY"', f"requires_openai_auth = true\n{key}")
        side = f'chatgpt_base_url = "{url}/backend-api/"'
        self.set("model_provider =", f"{side}\nmodel_provider =")
        return token

    async def begin(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start `codex exec`."""
        flags = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
        return await asyncio.create_subprocess_exec(
            *(str(self.binary), "exec", *flags, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.work,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "CODEX_HOME": str(self.home),
                "GW_KEY": KEY,
                "RUST_LOG": "warn",
            },
        )

    async def run(self, *arguments: str) -> Ran:
        """Run `codex exec` to its end; one that hangs is killed, and fails its story."""
        return await self.ended(await self.begin(*arguments))

    async def ended(self, process: asyncio.subprocess.Process) -> Ran:
        """Wait for a run."""
        try:
            async with asyncio.timeout(_PATIENCE):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
            process._transport.close()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode().strip(), err.decode())

    def interrupt(self, process: asyncio.subprocess.Process) -> None:
        """Press Ctrl-C."""
        process.send_signal(signal.SIGINT)

    def rollout(self) -> Path:
        """The file of the only session."""
        (found,) = self.home.glob("sessions/**/*.jsonl")
        return found


class Overheard:
    """What Codex sent and was told, at the gateway's door: its requests with their whole history.

    Over a WebSocket it names the response before: then the history is what it sent for that, what
    it was told, and what it sends now.
    """

    def __init__(self) -> None:
        self._inputs: list[list] = []
        self.instructions: list[str | None] = []
        self._items: list[dict] = []
        self._known: dict[str, list] = {}

    def body(self, body: bytes) -> None:
        """Note the body of a POST."""
        said = json.loads(body)
        self._inputs.append(said["input"])
        self.instructions.append(said.get("instructions"))

    def create(self, members: Mapping[str, bytes]) -> None:
        """Note a `response.create`."""
        before = json.loads(members.get("previous_response_id", b"null"))
        history = self._known[before] if before else []
        self._inputs.append([*history, *json.loads(members["input"])])
        self.instructions.append(json.loads(members.get("instructions", b"null")))

    def event(self, frame: bytes) -> None:
        """Note an event that Codex was sent on its WebSocket."""
        event = json.loads(frame)
        if event["type"] == "response.output_item.done":
            self._items.append(event["item"])
        elif event["type"] == "response.completed":
            self._known[event["response"]["id"]] = [*self._inputs[-1], *self._items]
            self._items = []

    def inputs(self) -> list[list]:
        """The items of each request, from the beginning on."""
        return self._inputs

    def agrees_with(self, emulator: Emulator) -> bool:
        """Whether each turn that was answered showed the model just what Codex had sent."""
        sent = {digest(items) for items in self.inputs()}
        shown = [turn.digest for turn in emulator.turns if turn.status == "completed"]
        return bool(shown) and sent.issuperset(shown)


def answer_of(emulator: Emulator) -> str:
    """The words of the model's last message."""
    return f"context sha256:{emulator.turns[-1].digest}"
