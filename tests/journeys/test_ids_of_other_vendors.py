"""A conversation that began at another vendor goes on: an id that only it knows costs no turn."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from longwire.emulator import Emulator, Options, Script, digest
from tests.conftest import serving, settings_for
from tests.doubles.canned import answer, canned

HI, GO_ON = {"role": "user", "content": "hi"}, {"role": "user", "content": "go on"}
HELLO = [{"type": "output_text", "text": "hello"}]
MESSAGE = {"type": "message", "role": "assistant", "id": "item_abc", "content": HELLO}
CALL = {"type": "function_call", "id": "call_77", "call_id": "call_77", "name": "f"}
CALL["arguments"] = "{}"
OUTPUT = {"type": "function_call_output", "call_id": "call_77", "output": "42"}
REASONING = {"type": "reasoning", "id": "item_r", "summary": []}
LOOKED_UP = {"type": "image_generation_call", "id": "ig_1", "result": None, "status": "completed"}


def refused(message: str) -> bytes:
    """What the upstream says of an id."""
    error = {"message": message, "code": "invalid_value", "type": "invalid_request_error"}
    return answer(json.dumps({"error": error}).encode(), "application/json", 400)


PREFIX = "Invalid 'input[1].id': 'item_abc'. Expected an ID that begins with 'msg'."
REFUSALS = [
    PREFIX,
    f"[ApiIdParam] [input[1].id] [invalid_id_prefix] {PREFIX}",
    "Invalid 'input[1].id': ''. Expected an ID that contains letters, numbers, underscores, or …",
    "Invalid 'input[1].id': string too long. Expected a string with maximum length 64, but got a …",
]


@asynccontextmanager
async def asking(url, transport="http"):
    """A gateway with one channel; gives a function from items to a status and an answer."""
    async with AsyncExitStack() as stack:
        settings = settings_for(url, channel={"transport": transport})
        gateway = await stack.enter_async_context(serving(settings))
        headers = {**gateway.headers, "session-id": "s"}
        session = await stack.enter_async_context(
            aiohttp.ClientSession(gateway.url, headers=headers)
        )

        async def ask(*items, stream=False):
            body = {"model": "m", "input": [*items], "stream": stream}
            async with session.post("/v1/responses", json=body) as reply:
                return reply.status, await reply.read()

        yield ask


def items_of(body: bytes) -> list:
    """The items that an upstream was sent."""
    return json.loads(body)["input"]


def without_id(item: dict) -> dict:
    """An item as it is without its id."""
    return {name: value for name, value in item.items() if name != "id"}


@pytest.mark.parametrize("words", REFUSALS)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_refused_id_is_left_out_and_remembered(words, stream):
    """The turn is sent again without it, and later ones without it at once."""
    async with canned(refused(words), answer()) as upstream, asking(upstream.url) as ask:
        first = await ask(HI, MESSAGE, GO_ON, stream=stream)
        second = await ask(HI, MESSAGE, GO_ON, CALL, OUTPUT, stream=stream)
    assert [200, 200] == [first[0], second[0]]
    bare = [HI, without_id(MESSAGE), GO_ON]
    sent = [[HI, MESSAGE, GO_ON], bare, [*bare, without_id(CALL), OUTPUT]]
    assert sent == [items_of(body) for body in upstream.bodies]


SENT_WITHOUT_FOREIGN_IDS = {
    "an id of its own": (MESSAGE | {"id": "msg_1"}, MESSAGE | {"id": "msg_1"}),
    "the prefix of another type": (MESSAGE | {"id": "rs_1"}, without_id(MESSAGE)),
    "no id at all": (MESSAGE | {"id": ""}, without_id(MESSAGE)),
    "one that is too long": (MESSAGE | {"id": "msg_" + "1" * 61}, without_id(MESSAGE)),
    "signs that no id has": (MESSAGE | {"id": "msg_1:0"}, without_id(MESSAGE)),
    "no type": ({"role": "user", "content": "x", "id": "u-1"}, {"role": "user", "content": "x"}),
    "a call": (CALL, without_id(CALL)),
    "a call of its own": (CALL | {"id": "fc_1"}, CALL | {"id": "fc_1"}),
    "a reference": ({"type": "item_reference", "id": "x"}, {"type": "item_reference", "id": "x"}),
    "what only its id leads to": (LOOKED_UP, LOOKED_UP),
    "reasoning that says nothing": (REASONING, None),
    "reasoning of its own": (REASONING | {"id": "rs_1"}, REASONING | {"id": "rs_1"}),
    "reasoning that is sealed": (
        REASONING | {"encrypted_content": "x"},
        without_id(REASONING) | {"encrypted_content": "x"},
    ),
}


@pytest.mark.parametrize(
    ("item", "sent"), SENT_WITHOUT_FOREIGN_IDS.values(), ids=SENT_WITHOUT_FOREIGN_IDS
)
async def test_only_what_names_nothing_there_is_left_out(item, sent):
    """What the vendor gave itself keeps working, and all else of an item stays."""
    async with canned(refused(PREFIX), answer()) as upstream, asking(upstream.url) as ask:
        await ask(HI, MESSAGE, item, GO_ON)
    kept = [each for each in (HI, without_id(MESSAGE), sent, GO_ON) if each is not None]
    assert kept == items_of(upstream.bodies[-1])


async def test_an_upstream_that_takes_any_id_is_sent_them_all():
    """Nothing is left out that was not refused, byte for byte."""
    async with canned() as upstream, asking(upstream.url) as ask:
        for _ in range(2):
            await ask(HI, MESSAGE, CALL, OUTPUT)
    assert [[HI, MESSAGE, CALL, OUTPUT]] * 2 == [items_of(body) for body in upstream.bodies]


async def test_an_id_that_cannot_be_mended_is_told_after_two_requests():
    """The client reads the upstream's own words."""
    async with canned(refused(PREFIX)) as upstream, asking(upstream.url) as ask:
        status, body = await ask(HI, MESSAGE, GO_ON)
    assert (400, PREFIX) == (status, json.loads(body)["error"]["message"])
    assert 2 == len(upstream.bodies)


async def test_on_a_connection_a_conversation_goes_on_with_ids_left_out():
    """What the model sees is what the client said, and later turns are continued."""
    async with (
        Emulator(Options(check_ids=True), Script(reasoning=False)) as upstream,
        asking(upstream.url, "websocket") as ask,
    ):
        history = [HI, MESSAGE, GO_ON]
        for expected in (2, 3, 4):
            status, body = await ask(*history)
            assert 200 == status, body
            assert digest(history) == upstream.turns[-1].digest
            assert expected == upstream.counters.creates
            history += [*json.loads(body)["output"], GO_ON | {"id": f"u-{expected}"}]
        assert 2 == upstream.counters.creates_continued
        assert [] == upstream.violations
