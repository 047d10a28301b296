"""One conversation goes from vendor to vendor and back: each reads what it has sealed itself."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import anthropic
import pytest

from longwire.emulator import Emulator, Options, Script
from tests.journeys.clients import transcript
from tests.journeys.clients.recorder import Recorder, recording
from tests.journeys.conftest import settings_of
from tests.journeys.keeping import (
    ChatClient,
    GeminiClient,
    Keeping,
    MessagesClient,
    ResponsesClient,
    anthropic_client,
    gemini_client,
)

CLAUDE, GPT, GEMINI, DEEPSEEK = (
    "claude-opus-4-6",
    "gpt-5.5",
    "gemini-3-pro-preview",
    "deepseek-v4-pro",
)
ROUND = (CLAUDE, GPT, GEMINI, DEEPSEEK)
CHANNELS = {
    CLAUDE: {"type": "anthropic"},
    GPT: {"apis": ["responses"]},
    GEMINI: {"type": "gemini"},
    DEEPSEEK: {"apis": ["chat_completions"], "profile": "deepseek"},
}
APIS = {
    CLAUDE: "messages",
    GPT: "responses",
    GEMINI: "generate_content",
    DEEPSEEK: "chat_completions",
}
SEALS = re.compile(rb'"(?:signature|data|encrypted_content|thoughtSignature)":"([^"]{16,})"')
"""What vendors seal, in their own answers."""
OURS = (b"lw1.", b"bHcx", b"lw_")
"""The marks of the gateway's own, also as base64 begins them."""
WORDS = b"Weigh"
"""How all words begin that are shown of thoughts."""


class Vendors:
    """The upstreams by their models, and a recorder before each."""

    def __init__(self) -> None:
        self.emulators: dict[str, Emulator] = {}
        self.recorders: dict[str, Recorder] = {}

    def received(self, model: str) -> list[bytes]:
        """What a vendor was sent, turn by turn."""
        return [one.content for one in self.recorders[model].recorded]

    def sealed(self, model: str) -> set[bytes]:
        """What a vendor has sealed."""
        replies = [one.reply for one in self.recorders[model].recorded]
        return {seal for reply in replies for seal in SEALS.findall(reply)}


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    """Four strict upstreams, none of which has reason to complain."""
    found = Vendors()
    script = Script(tool_rounds=1, parallel_calls=2)
    async with AsyncExitStack() as stack:
        for model in ROUND:
            emulator = Emulator(Options(chat_vendor="deepseek"), script)
            found.emulators[model] = await stack.enter_async_context(emulator)
            recorder = await stack.enter_async_context(recording(emulator.url))
            found.recorders[model] = recorder
        yield found
        assert [] == [each for one in found.emulators.values() for each in one.violations]


@pytest.fixture
def transport() -> str:
    """How GPT is reached; the recorders read HTTP alone."""
    return "http"


@pytest.fixture
async def gateway(vendors, serve, transport):
    """A gateway with a channel to each."""
    urls = {model: recorder.url for model, recorder in vendors.recorders.items()}
    if transport == "websocket":
        urls[GPT] = vendors.emulators[GPT].url
    channels = tuple(
        {
            "name": APIS[model],
            "base_url": f"{urls[model]}/{'v1beta' if model == GEMINI else 'v1'}",
            "api_key": f"sk-{APIS[model]}",
            "models": [model],
            **CHANNELS[model],
            **({"transport": transport} if model == GPT else {}),
        }
        for model in ROUND
    )
    return await serve(settings_of("", channels=channels))


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streams(request) -> bool:
    """Whether answers come in streams."""
    return request.param


@pytest.fixture(params=APIS.values())
def api(request) -> str:
    """What the client speaks."""
    return request.param


@pytest.fixture
async def client(api, gateway, client_of, streams) -> AsyncIterator[Keeping]:
    """An official client of the API, which keeps all."""
    match api:
        case "responses":
            yield ResponsesClient(client_of(gateway), streams=streams)
        case "chat_completions":
            yield ChatClient(client_of(gateway), streams=streams)
        case "messages":
            async with anthropic_client(gateway.url) as own:
                yield MessagesClient(own, streams=streams)
        case _:
            async with gemini_client(gateway.url) as own:
                yield GeminiClient(own, streams=streams)


@pytest.fixture
def shown(monkeypatch) -> transcript.Shown:
    """What the models are shown."""
    heard = transcript.Shown()
    heard.listen(monkeypatch)
    return heard


@pytest.fixture
def question(client, vendors, shown):
    """A function that asks a model: it calls its tools, then answers, and is right both times."""

    async def ask(model: str) -> None:
        client.ask(f"What do you say, {model}?")
        for has_calls in (True, False):
            said = client.said()
            assert has_calls == await client.turn(model)
            turn = vendors.emulators[model].turns[-1]
            assert (APIS[model], "completed") == (turn.api, turn.status)
            seen = transcript.of_items(shown.items(turn))
            assert transcript.numbered(said) == transcript.numbered(seen)

    return ask


def expected(api: str, model: str, turns: int) -> list[int]:
    """How many of its own thoughts a vendor is sent back, turn by turn.

    DeepSeek wants those of calls alone, but what its own clients say is passed on; clients of
    Messages keep no signature behind a text.
    """
    is_of_calls = (model, api) == (GEMINI, "messages")
    if is_of_calls or (model == DEEPSEEK and api != "chat_completions"):
        return [(number + 1) // 2 for number in range(turns)]
    return [*range(turns)]


def thoughts(vendors: Vendors, model: str) -> list[int]:
    """How many of its own thoughts a vendor was sent back, turn by turn."""
    if model != GPT:
        return [turn.thoughts for turn in vendors.emulators[model].turns]
    inputs = [json.loads(body)["input"] for body in vendors.received(GPT)]
    return [sum("encrypted_content" in item for item in items) for items in inputs]


async def test_a_history_goes_from_vendor_to_vendor(client, api, vendors, question):
    """Twice around: each goes on with its own thoughts, and is sent none of the others'."""
    for model in (*ROUND, *ROUND, CLAUDE):
        await question(model)
    for model in ROUND:
        found, bodies = thoughts(vendors, model), vendors.received(model)
        assert expected(api, model, len(bodies)) == found, model
        foreign = {seal for other in ROUND if other != model for seal in vendors.sealed(other)}
        assert len(foreign) > len(ROUND)
        for own, body in zip(found, bodies, strict=True):
            assert [] == [each for each in (*foreign, *OURS) if each in body]
            assert body.count(WORDS) <= own


@pytest.mark.parametrize("model", ROUND)
async def test_a_history_stays_with_one_vendor(client, api, vendors, question, model):
    """A client of any API has two questions answered by any vendor, and each thought comes back."""
    for _ in range(2):
        await question(model)
    assert expected(api, model, 4) == thoughts(vendors, model)


@pytest.mark.parametrize("transport", ["websocket"])
async def test_a_session_goes_on_behind_other_vendors(client, vendors, question):
    """GPT's connection holds what was said there; what others said meanwhile is new to it."""
    vendors.emulators[GPT].script = Script(tool_rounds=1, parallel_calls=2, summaries=2)
    for model in (GPT, CLAUDE, GPT, GEMINI, GPT):
        await question(model)
    assert [False, *[True] * 5] == [turn.continued for turn in vendors.emulators[GPT].turns]


@pytest.mark.parametrize("model", [GPT, GEMINI, DEEPSEEK])
async def test_the_tool_runner_of_anthropics_client(gateway, vendors, streams, model):
    """It calls functions itself, is shown what others' models think, and ends with an answer."""

    @anthropic.beta_async_tool
    async def read(path: str) -> str:
        """Read a file."""
        return f"{path} ✓"

    vendors.emulators[model].script = Script(tool_rounds=2, parallel_calls=2)
    async with anthropic_client(gateway.url) as client:
        runner = client.beta.messages.tool_runner(
            model=model,
            max_tokens=8192,
            thinking={"type": "adaptive", "display": "summarized"},
            tools=[read],
            messages=[{"role": "user", "content": "What is there?"}],
            stream=streams,
            thread=False,
        )
        message = await runner.until_done()
    turns = vendors.emulators[model].turns
    assert [APIS[model]] * 3 == [turn.api for turn in turns]
    assert ["thinking", "text"] == [block.type for block in message.content]
    assert message.content[0].thinking.startswith("Weighing")
    assert f"context sha256:{turns[-1].digest}" == message.content[1].text
