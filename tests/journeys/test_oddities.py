"""What callers get from an upstream with each of the emulator's oddities, alone and beside another.

Law: each oddity is one line here, and what it comes to is one of a handful of endings.
"""

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from longwire.emulator import Emulator, Options
from longwire.emulator.oddities import ODDITIES
from tests.journeys.two_upstreams import PLAIN, staged_before

pytestmark = pytest.mark.table

TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
FOREIGN = {"role": "assistant", "id": "item_abc", "type": "message"}
HISTORY = [
    {"role": "user", "content": "hi"},
    {**FOREIGN, "content": [{"type": "output_text", "text": "hello"}]},
]


@dataclass(frozen=True)
class Ending:
    """What a caller gets; `moves` where another channel answers in this one's place.

    `late`: what is said stands behind output. The rest says how the upstream is asked.
    """

    status: int = 200
    words: str = ""
    moves: bool = False
    late: bool = False
    transport: str = "http"
    kind: str = "openai"
    text: str = "go on"
    tables: dict = field(default_factory=dict)


ROUTES = {"openai": "/v1", "codex": "/backend-api/codex"}
IMPATIENT = {"sessions": {"first_event_timeout": "400ms"}}
REFUSED_KEY = (
    "The upstream refuses the key of channel 'a': invalid, out of credit or not allowed this."
    " The gateway's turn log has its words for the operator."
)
ENDINGS = {
    "bare_error": Ending(429, "Provider is busy, slow down", moves=True),
    "bare_error_late": Ending(429, "Provider is busy, slow down", late=True),
    "numeric_frame": Ending(429, "Provider is busy, slow down", moves=True),
    "numeric_code": Ending(429, "Provider is busy, slow down", moves=True),
    "error_text": Ending(words="boom", late=True),
    "detail_object": Ending(400, "no_workspace"),
    "detail_list": Ending(422, "field required (body.input)"),
    "empty_data": Ending(),
    "comments": Ending(),
    "done_with_blank": Ending(),
    "half_emoji": Ending(),
    "capacity": Ending(429, "Selected model is at capacity", moves=True),
    "capacity_late": Ending(words="Selected model is at capacity", late=True),
    "overload": Ending(503, "busy", moves=True),
    "limited": Ending(429, "Slow down", moves=True),
    "dead_key": Ending(502, REFUSED_KEY, moves=True),
    "upgrade_400": Ending(transport="auto"),
    "upgrade_403": Ending(transport="auto"),
    "upgrade_502": Ending(transport="auto"),
    "silent_websocket": Ending(transport="auto", tables=IMPATIENT),
    "small_messages": Ending(transport="auto", text="x" * 1_500_000),
    "models_hang": Ending(),
    "models_missing": Ending(),
    "count_missing": Ending(),
    "checks_ids": Ending(),
    "needs_instructions": Ending(kind="codex"),
    "no_output_at_the_end": Ending(),
}
STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
LARGE_BODIES = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
ODD = pytest.mark.parametrize("name", ENDINGS)


OF_MESSAGES = {
    "no_threads",
    "overloaded",
    "overloaded_late",
    "pings",
    "start_anew",
    "start_twice",
    "start_whole",
    "usage_at_the_end",
}
"""Oddities of another API, which `tests/emulator/messages` shows."""


def test_every_oddity_has_its_line():
    """What the emulator can do is known to the table."""
    assert set(ODDITIES) == {*ENDINGS, *OF_MESSAGES}


@asynccontextmanager
async def before(folder, name, ending, *, beside=False):
    """A gateway before an odd upstream, and one without; gives a way to ask, and the stage."""
    async with AsyncExitStack() as stack:
        upstreams = {
            "a": await stack.enter_async_context(Emulator(Options(oddities=(name,)), PLAIN))
        }
        if beside:
            upstreams["b"] = await stack.enter_async_context(Emulator(script=PLAIN))
        channels = tuple(
            {
                "name": each,
                "type": ending.kind,
                "base_url": f"{upstream.url}{ROUTES[ending.kind]}",
                "api_key": "sk-upstream",
                "transport": ending.transport,
            }
            for each, upstream in upstreams.items()
        )
        staged = staged_before(folder, upstreams, channels=channels, **ending.tables)
        stage = await stack.enter_async_context(staged)

        async def ask(stream, session):
            items = [*HISTORY, {"role": "user", "content": ending.text}]
            return await stage.ask(items, session=session, stream=stream, tools=TOOLS)

        yield ask, stage


def ended(reply):
    """How a reply ended: its HTTP status, its response's status, and the words of its error."""
    response = reply.json if reply.status != 200 else reply.response
    error = response["error"] or {"message": ""}
    return reply.status, response.get("status"), error["message"]


def expected(ending, stream):
    """How a reply of the odd channel ends; what is late ends a stream that began with 200."""
    if ending.late and (stream or ending.status == 200):
        return 200, "failed", ending.words
    return ending.status, "completed" if ending.status == 200 else None, ending.words


@LARGE_BODIES
@STREAMS
@ODD
async def test_alone(name, stream, tmp_path):
    """The answer over HTTP, or the upstream's own words with their status; each time the same."""
    ending = ENDINGS[name]
    async with before(tmp_path, name, ending) as (ask, _):
        replies = [await ask(stream, "s") for _ in range(2)]
    assert [expected(ending, stream)] * 2 == [ended(reply) for reply in replies]
    served = [reply.headers.get("x-longwire-transport") for reply in replies]
    assert [None if reply.status != 200 else "http" for reply in replies] == served


@LARGE_BODIES
@STREAMS
@ODD
async def test_beside_another(name, stream, tmp_path):
    """What another channel can mend is mended there, and what it cannot, stays where it was."""
    ending = ENDINGS[name]
    async with before(tmp_path, name, ending, beside=True) as (ask, _):
        replies = [await ask(stream, f"s{number}") for number in range(8)]
    own = [ended(reply) for reply in replies if reply.channel != "b"]  # an error names no channel
    others = [ended(reply) for reply in replies if reply.channel == "b"]
    assert [expected(ending, stream)] * len(own) == own
    assert [(200, "completed", "")] * len(others) == others
    assert (not ending.moves, True) == (bool(own), bool(others))


@pytest.mark.parametrize("name", ["models_hang", "models_missing", "dead_key"])
async def test_models_of_another_are_listed_beside_it(name, tmp_path):
    """One list that cannot be had is no reason to show none."""
    async with before(tmp_path, name, ENDINGS[name], beside=True) as (_, stage):
        await stage.call("GET", "/v1/models")  # loads the HTTP client, which takes its time
        reply = await stage.call("GET", "/v1/models")
    assert 200 == reply.status
    assert "gpt-5.5" in [each["id"] for each in reply.json["data"]]


async def test_half_an_emoji_arrives_by_its_escape(tmp_path):
    """It is passed on as it came, and ends no stream."""
    async with before(tmp_path, "half_emoji", ENDINGS["half_emoji"]) as (ask, _):
        reply = await ask(stream=True, session="s")
    assert rb"cut \ud83d" in reply.body
