"""Agent frameworks, each in a process of its own: one connection through a session with tools."""

import asyncio
import json
import os
import subprocess

import pytest

from tests.conftest import KEY
from tests.journeys.clients.claude_code import PATIENCE, ended
from tests.journeys.clients.conftest import MODEL
from tests.journeys.clients.installing import FIXTURES

CONNECTION = [False, *[True] * 5]
"""Two questions with two rounds of tools each: six turns, all but the first continued."""
CALLED = {"city": "naïve ✓ 0", "days": 1.5}
CLAUDE = "claude-sonnet-4-5"
MODELS = {"openai": MODEL, "anthropic": CLAUDE}
AI_SDK = {**MODELS, "compatible": MODEL}
ALONE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LANGSMITH_TRACING": "false"}
"""Lets the Python frameworks ask nobody but the gateway."""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]
WAYS = pytest.mark.parametrize("way", ["stream", "whole"])


class Framework:
    """A Python framework that plays one session after the other: its import takes seconds."""

    def __init__(self, python: str, name: str) -> None:
        self._process = subprocess.Popen(
            (python, str(FIXTURES / "python-clients" / f"{name}_session.py")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PATH": os.environ["PATH"], **ALONE},
        )

    async def play(self, *arguments: str) -> dict:
        """Play a session; one that hangs is ended, and fails its story."""
        try:
            async with asyncio.timeout(PATIENCE):
                line = await asyncio.to_thread(self._exchange, json.dumps(arguments))
        except TimeoutError:
            self._process.kill()
            raise
        return json.loads(line)

    def _exchange(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def end(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


@pytest.fixture(scope="module", params=["langchain", "litellm"])
def framework(request, their_python):
    """LangChain's agent, or LiteLLM's `completion`."""
    running = Framework(their_python, request.param)
    yield running
    running.end()


def check(stage, session) -> None:
    """Both answers are the model's, the tool ran in each round, and one connection served all."""
    assert "error" not in session, session["error"]
    turns = stage.turns
    assert [f"context sha256:{turns[at].digest}" for at in (2, 5)] == session["answers"]
    assert 8 == len(session["called"])
    assert CALLED == session["called"][0]
    assert CONNECTION == stage.continued()
    assert 1 == stage.emulator.counters.sockets_opened
    assert stage.said() == stage.seen()


@WAYS
@pytest.mark.parametrize("api", MODELS)
async def test_a_python_framework_keeps_one_connection(framework, api, way, stage):
    """LangChain's agent and LiteLLM's `completion` go on over both APIs."""
    check(stage, await framework.play(api, stage.url, KEY, MODELS[api], way))


@WAYS
@pytest.mark.parametrize("provider", AI_SDK)
async def test_the_ai_sdk_keeps_one_connection(provider, way, ai_sdk, stage, tmp_path):
    """Vercel's AI SDK goes on with its providers for both APIs."""
    command = (*ai_sdk, provider, f"{stage.url}/v1", KEY, AI_SDK[provider], way)
    ran = await ended(command, tmp_path, {"PATH": os.environ["PATH"]})
    assert 0 == ran.code, ran.errors[-3000:]
    check(stage, json.loads(ran.printed))
