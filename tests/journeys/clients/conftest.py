"""The stage of other people's clients: a recorder before the gateway, an ear at the upstream.

Law: every reply that they were given has the form that its vendor's own types ask for.
"""

import shutil
from collections.abc import Iterator, Sequence

import pytest

from tests.journeys.clients import installing, official_types, transcript
from tests.journeys.clients.claude_code import VERSION, ClaudeCode
from tests.journeys.clients.gemini_cli import VERSION as GEMINI_CLI
from tests.journeys.clients.gemini_cli import GeminiCli
from tests.journeys.clients.recorder import Recorded, recording
from tests.journeys.conftest import settings_of, websocket_channel

MODEL = "gpt-5.2"
GEMINI = "GenerateContent"
"""What the paths of Gemini's streams end with."""
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


class Stage:
    """Both ends of the gateway: what clients sent it, and what the model was shown."""

    def __init__(self, gateway, emulator, recorder, shown) -> None:
        self.gateway = gateway
        self.emulator = emulator
        self.recorder = recorder
        self.shown = shown
        self.url = recorder.url

    @property
    def recorded(self) -> list[Recorded]:
        """All that clients asked for."""
        return self.recorder.recorded

    @property
    def turns(self) -> list:
        """The turns that the upstream answered."""
        return [turn for turn in self.emulator.turns if turn.status == "completed"]

    @property
    def answer(self) -> str:
        """The words of the model's last message."""
        return f"context sha256:{self.turns[-1].digest}"

    def continued(self) -> list[bool]:
        """Whether each turn on a WebSocket continued one before."""
        return [turn.continued for turn in self.turns if turn.transport == "websocket"]

    def main_and_beside(self) -> tuple[list[bool], list[bool]]:
        """Whether each turn continued: on the connection of the first, and beside it."""
        main = self.turns[0].connection
        here = [turn.continued for turn in self.turns if turn.connection == main]
        return here, [turn.continued for turn in self.turns if turn.connection != main]

    def said(self) -> list[list[transcript.Said]]:
        """What clients said in each turn that was answered, from the beginning on; in any order."""
        chats = [transcript.of_chat(one.body) for one in self.recorder.turns(CHAT)]
        messages = map(transcript.of_messages, unthreaded(self.recorder.turns(MESSAGES)))
        contents = (transcript.of_contents(one.body) for one in self.recorder.answered(GEMINI))
        return sorted([*chats, *messages, *contents])

    def seen(self) -> list[list[transcript.Said]]:
        """What the model was shown in each turn, as sorted as what was said."""
        return sorted(transcript.of_items(self.shown.items(turn)) for turn in self.turns)


def unthreaded(recorded: Sequence[Recorded]) -> Iterator[dict]:
    """Bodies with their whole history, also where a thread's turn has only what is new."""
    known: dict[str, list] = {}
    for one in recorded:
        thread, messages = one.body.get("thread") or {}, one.body["messages"]
        history = [*known.get(thread.get("previous_message_id"), ()), *messages]
        reply = official_types.message_of(one)
        said = {"role": "assistant", "content": reply.to_dict()["content"]}
        known[reply.id] = [*history, said]
        yield {**one.body, "messages": history}


@pytest.fixture
def renames() -> dict[str, str]:
    """Which models the upstream knows by another name."""
    return {"claude-*": MODEL, "gemini-*": MODEL}


@pytest.fixture
async def gateway(emulator, serve, tables, renames):
    """A gateway with one channel to the upstream, which knows Claude's models by another name."""
    channel = websocket_channel(emulator.url, transport="auto", renames=renames)
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


@pytest.fixture
def shown(monkeypatch) -> transcript.Shown:
    """What the model is shown."""
    heard = transcript.Shown()
    heard.listen(monkeypatch)
    return heard


@pytest.fixture
async def stage(gateway, emulator, shown):
    """The gateway behind a recorder; at the end every reply is checked against its type."""
    async with recording(gateway.url) as recorder:
        yield Stage(gateway, emulator, recorder, shown)
    official_types.check(recorder.recorded)


@pytest.fixture(scope="session")
def claude_code_script() -> str:
    """The path of Claude Code's script."""
    return str(installing.claude_code(VERSION))


@pytest.fixture
def claude_code(claude_code_script, stage, tmp_path) -> ClaudeCode:
    """A user of Claude Code."""
    return ClaudeCode((node(), claude_code_script), tmp_path, stage.url)


@pytest.fixture
def gemini_cli(stage, tmp_path) -> GeminiCli:
    """A user of Gemini CLI."""
    script = str(installing.gemini_cli(GEMINI_CLI))
    return GeminiCli((node(), script), tmp_path, stage.url)


@pytest.fixture(scope="session")
def ai_sdk(tmp_path_factory) -> Sequence[str]:
    """The command that plays a session of the AI SDK."""
    folder = tmp_path_factory.mktemp("ai-sdk")
    (folder / "node_modules").symlink_to(installing.ai_sdk() / "node_modules")
    script = shutil.copy(installing.FIXTURES / "ai-sdk" / "session.mjs", folder)
    return (node(), str(script))


@pytest.fixture(scope="session")
def their_python() -> str:
    """The interpreter with clients that have many dependencies."""
    return str(installing.python_clients())


def node() -> str:
    """The path of Node."""
    return installing.program("node")
