"""The stage of the browser's tests: `longwire serve` and the emulator as processes, Chromium.

Law: nothing is in between: what a page asks is answered by the real gateway, over real sockets.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from tests.journeys.clients.installing import digest, once

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"
PASSWORD = "correct horse battery"
OWNER = "owner@example.org"
MODELS = ["gpt-5.2", "gpt-5-mini"]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CONFIG = '[server]\nport = {port}\nlame_duck = "0s"\n{server}\n'
_CONFIG += '[database]\nurl = "sqlite:///{folder}/longwire.db"\n'
WATCHED = '\n[alerts]\ninterval = "1s"\n'
"""Sections for who waits for alerts: a gateway that looks so often is never idle."""

_CODEX = '\n[codex]\nissuer = "{upstream}"\nredirect_port = {redirect}\n'
_WITHIN = 60.0


def chromium() -> tuple[str, dict[str, str]]:
    """Where Chromium is, and the environment it needs: that of PATH, else the one of npm.

    That one unpacks itself, for good and in one process at a time.
    """
    for name in _NAMES:
        if found := shutil.which(name):
            return found, {}
    node = shutil.which("node") or str(ROOT / ".venv-node" / "bin" / "node")

    def unpacked(folder: Path) -> str:
        script, environ = [node, "chromium.mjs"], {**os.environ, "TMPDIR": str(folder)}
        return subprocess.check_output(script, cwd=UI, env=environ, text=True)

    folder = once(f"chromium-{digest(UI / 'package-lock.json')}", unpacked)
    found = json.loads(unpacked(folder))
    libraries = [found["libraries"], os.environ.get("LD_LIBRARY_PATH", "")]
    return found["path"], {"LD_LIBRARY_PATH": ":".join(filter(None, libraries))}


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Process:
    """A command of ours that runs until it is stopped."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LONGWIRE", "XDG_"))}
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "longwire", *arguments],
                cwd=folder,
                env={**inherited, "HOME": str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def said(self, pattern: str) -> str:
        """Wait until it printed what matches; returns the first group."""
        ends = time.monotonic() + _WITHIN
        while time.monotonic() < ends:
            if found := re.search(pattern, self.log.read_text(encoding="utf-8")):
                return found.group(1)
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)
        raise AssertionError(self.log.read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End it, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Served:
    """What people and clients reach at a URL, and the upstream behind it."""

    def __init__(self, url: str, upstream: str) -> None:
        self.url, self.upstream = url, upstream

    def join(self, token: str, email: str) -> "Person":
        """Become a user by a token."""
        person = Person(self)
        person.ask(
            "mutation($i: JoinInput!) { join(input: $i) { id } }",
            i={"token": token, "email": email, "password": PASSWORD},
        )
        return person

    def signed_in(self, email: str = OWNER) -> "Person":
        """Sign a user in who is there."""
        person = Person(self)
        query = "mutation($i: SignInInput!) { signIn(input: $i) { id } }"
        person.ask(query, i={"email": email, "password": PASSWORD})
        return person

    def turn(self, key: str, text: str, session: str = "", past: list | None = None) -> list:
        """Send a turn as a client does; returns the history with the answer in it."""
        history = [*(past or []), {"type": "message", "role": "user", "content": text}]
        headers = {"authorization": f"Bearer {key}", **({"session-id": session} if session else {})}
        body = {"model": MODELS[0], "input": history, "store": False}
        answer = httpx2.post(f"{self.url}/v1/responses", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return [*history, *answer.json()["output"]]


class Stage(Served):
    """A gateway with an empty database, and its upstream, which signs people in, too.

    `server` are more lines of its configuration's `[server]`, `sections` more sections.
    """

    def __init__(self, folder: Path, server: str = "", sections: str = "") -> None:
        self.folder = folder
        self.port, upstream, redirect = free_port(), free_port(), free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{upstream}")
        self.config = folder / "longwire.toml"
        fields = {"port": self.port, "folder": folder, "redirect": redirect, "server": server}
        text = (_CONFIG + _CODEX).format(**fields, upstream=self.upstream)
        self.config.write_text(text + sections, encoding="utf-8")
        issuer = 'issuer={"device_interval":1}'
        self.emulator = Process(
            folder, "emulator", "emulator", "--port", str(upstream), "--set", issuer
        )
        self.start()
        self.token = self.gateway.said(r"works once: (\S+)")
        self.emulator.said(r"emulator on (\S+)")

    def start(self) -> None:
        """Start the gateway, again or for the first time."""
        self.gateway = Process(self.folder, "gateway", "serve", "--config", str(self.config))
        self.gateway.said(r"serves (\S+)")

    def stop(self) -> None:
        """End both."""
        self.gateway.stop()
        self.emulator.stop()


class Person:
    """Somebody who is signed in, by the cookie that signing in gave."""

    def __init__(self, stage: Served) -> None:
        self.stage = stage
        self.cookies: dict[str, str] = {}

    def answer(self, query: str, **variables: object) -> dict:
        """Ask the admin API; returns the whole answer."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = httpx2.post(
            f"{self.stage.url}/admin/graphql",
            json={"query": query, "variables": variables},
            headers={"x-longwire-csrf": "1", **({"cookie": cookie} if cookie else {})},
            timeout=30,
        )
        for given in answer.headers.get_list("set-cookie"):
            name, _, rest = given.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.json()

    def ask(self, query: str, **variables: object) -> dict:
        """Ask what goes well; returns its data."""
        told = self.answer(query, **variables)
        assert "errors" not in told, told
        return told["data"]

    def logged(self, number: int, **among: object) -> list[str]:
        """Wait until the log has so many turns, of a filter; returns their ids, newest first."""
        query = "query($f: TurnFilter!, $n: Int!) { turns(filter: $f, first: $n) { nodes { id } } }"
        ends = time.monotonic() + _WITHIN
        while len(nodes := self.ask(query, f=among, n=number)["turns"]["nodes"]) < number:
            assert time.monotonic() < ends, nodes
            time.sleep(0.1)
        return [node["id"] for node in nodes]

    def state(self) -> dict:
        """Return the cookie as a browser's context takes it."""
        return {
            "cookies": [
                {
                    "name": name,
                    "value": value,
                    "domain": "127.0.0.1",
                    "path": "/",
                    "expires": -1,
                    "httpOnly": True,
                    "secure": True,
                    "sameSite": "Lax",
                }
                for name, value in self.cookies.items()
            ],
            "origins": [],
        }

    def channel(self, name: str = "main", **changes: object) -> dict:
        """Add a channel to the emulator."""
        given = {
            "name": name,
            "baseURL": f"{self.stage.upstream}/v1",
            "apiKey": "sk-upstream",
            "transport": "websocket",
            "models": MODELS,
            **changes,
        }
        query = "mutation($i: ChannelInput!) { createChannel(input: $i) { id revision } }"
        return self.ask(query, i=given)["createChannel"]

    def key(self, name: str = "dev", **changes: object) -> str:
        """Create a key; returns its secret."""
        query = "mutation($i: APIKeyInput!) { createAPIKey(input: $i) { secret } }"
        return self.ask(query, i={"name": name, **changes})["createAPIKey"]["secret"]

    def invite(self, role: str) -> str:
        """Invite somebody; returns the token."""
        query = "mutation($i: InviteUserInput!) { inviteUser(input: $i) { token } }"
        return self.ask(query, i={"role": role})["inviteUser"]["token"]
