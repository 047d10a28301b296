"""Bodies as no client should send them: unknown things ride through, broken things are told."""

import asyncio
import io
import json

import aiohttp
import pytest

from tests.doubles.peer import TEXT, frame, peer
from tests.journeys.agent import ways
from tests.journeys.conftest import settings_of

MEBIBYTE = 1024 * 1024
ITEMS = [
    r'{"role":"user","content":"hi"}',
    r'{ "content" : "a\u0062c\/\u00e9\ud83d\ude00\u2028" , "role":"user"}',
    r'{"role":"user","content":[{"type":"input_text","text":"ünïcødé ✓ 😀"}]}',
    r'{"type":"novelty","n":123456789012345678901234567890,"f":1.50,"e":-0e-7,"deep":[[[{}]]]}',
    r'{"type":"novelty","twice":1,"twice":2}',
    r'{"type":"function_call_output","call_id":"c","output":"cut \uD83d, low \ude00, \\ud83d"}',
    r'{"type":"novelty","\ud83d":[{"half a name \udc00":"\ud83d\ud83d\ude00"}]}',
]
MEMBERS = [
    r'"model":"gpt-5.5"',
    r'"store":false',
    r'"novelty":{ "n" : 123456789012345678901234567890 , "f":1.500, "é":"\u00e9" }',
    r'"nov\u0065lty2":[ 1e400, -0, 0.1000 ]',
    r'"metadata":{"twice":1,"twice":2}',
    r'"temperature":0.70',
    r'"instructions":"half \ud83d"',
]
SAID_AGAIN = (1, 3, 5, 6)
BROKEN = {
    "empty": b"",
    "white space": b" \n\t ",
    "cut short": b'{"model":"gpt-5.5","input":"h',
    "cut in a number": b'{"model":"gpt-5.5","input":[1',
    "two values": b'{"model":"gpt-5.5","input":"hi"}{}',
    "an array": b'["model"]',
    "a text": b'"model"',
    "null": b"null",
    "NaN": b'{"model":"gpt-5.5","input":NaN}',
    "a comma too many": b'{"model":"gpt-5.5","input":"hi",}',
    "twice the model": b'{"model":"gpt-5.5","model":"gpt-5.5","input":"hi"}',
    "twice, one escaped": b'{"model":"gpt-5.5","mod\\u0065l":"gpt-5.5","input":"hi"}',
    "twice the input": b'{"model":"gpt-5.5","input":"hi","input":"ho"}',
    "no model": b'{"input":"hi"}',
    "a model of no text": b'{"model":5,"input":"hi"}',
    "an empty model": b'{"model":"","input":"hi"}',
    "a lone surrogate as model": b'{"model":"\\ud800","input":"hi"}',
    "a lone surrogate in a name": b'{"model":"gpt-5.5","input":"hi","\\udfff":1}',
    "a lone surrogate as cache key": b'{"model":"m","input":"hi","prompt_cache_key":"\\udfff"}',
    "a lone surrogate, cut": b'{"model":"gpt-5.5","input":"\\ud800',
    "two byte-order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + b'{"model":"gpt-5.5","input":"hi"}',
    "a byte-order mark alone": b"\xef\xbb\xbf",
    "an input of no items": b'{"model":"gpt-5.5","input":{}}',
    "a number as input": b'{"model":"gpt-5.5","input":5}',
    "stream as text": b'{"model":"gpt-5.5","input":"hi","stream":"true"}',
    "background as number": b'{"model":"gpt-5.5","input":"hi","background":1}',
    "a response id of no text": b'{"model":"gpt-5.5","input":"hi","previous_response_id":5}',
    "a conversation of no text": b'{"model":"gpt-5.5","input":"hi","conversation":[]}',
    "a cache key of no text": b'{"model":"gpt-5.5","input":"hi","prompt_cache_key":{}}',
    "no UTF-8": b'{"model":"gpt-5.5","input":"\xff\xfe"}',
    "an encoded surrogate": b'{"model":"gpt-5.5","input":"\xed\xa0\x80"}',
    "UTF-16": '{"model":"gpt-5.5","input":"hi"}'.encode("utf-16"),
    "too deep": b'{"model":"gpt-5.5","input":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a control character": b'{"model":"gpt-5.5","input":"a\x00b"}',
}


async def post(gateway, body, **headers):
    """Status, headers and body of the answer to some bytes."""
    async with (
        aiohttp.ClientSession(headers=gateway.headers | headers) as session,
        session.post(f"{gateway.url}/v1/responses", data=body) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


def members_of(raw):
    """The members of an object, each with the bytes of its value, by the scanner of `json`."""
    text, found, position = raw.decode(), {}, 1
    scan = json.JSONDecoder().raw_decode
    while text[position] != "}":
        name, position = scan(text, position + (text[position] == ","))
        start = position + 1
        _, position = scan(text, start)
        found[name] = text[start:position]
    return found


async def answering(upstream, responses):
    """Read one create per response, answer it, and return the messages as they were received."""
    received, link = [], await upstream.links.get()
    for name in responses:
        opcode, message = await link.frame()
        while opcode != TEXT:
            opcode, message = await link.frame()
        received.append(message)
        response = {"id": name, "status": "completed", "output": []}
        for number, kind in enumerate(("response.created", "response.completed")):
            event = {"type": kind, "sequence_number": number, "response": response}
            link.write(frame(TEXT, json.dumps(event).encode()))
    return received


async def test_what_nobody_acts_on_arrives_byte_for_byte(serve):
    """Unknown fields, long numbers, escapes and repeated inner names arrive as written."""
    bodies = [
        f'{{{",".join(MEMBERS)}, "input" : [ {" , ".join(items)} ] }}'
        for items in (ITEMS, [*ITEMS, *(ITEMS[each] for each in SAID_AGAIN)])
    ]
    async with peer() as upstream:
        gateway = await serve(settings_of(f"http://127.0.0.1:{upstream.port}"))
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            answers = group.create_task(answering(upstream, ["resp_1", "resp_2"]))
            told = [await post(gateway, body.encode(), **{"session-id": "s-1"}) for body in bodies]
        first, second = map(members_of, answers.result())
    assert [200, 200] == [status for status, _, _ in told]
    assert ["fresh", "continued"] == [named["x-longwire-continuity"] for _, named, _ in told]
    assert '"response.create"' == first.pop("type") == second.pop("type")
    assert '"resp_1"' == second.pop("previous_response_id")
    assert f"[ {' , '.join(ITEMS)} ]" == first.pop("input")
    assert f"[{','.join(ITEMS[each] for each in SAID_AGAIN)}]" == second.pop("input")
    expected = members_of(f"{{{','.join(MEMBERS)}}}".encode())
    assert expected == first == second


async def test_the_answer_to_a_strange_request_is_the_upstreams(emulator, gateway):
    """The gateway judges no field that it does not act on; the upstream's refusal comes back."""
    body = b'{"model":"gpt-5.5","input":"hi","novelty":1}'
    status, _, answer = await post(gateway, body)
    assert (400, "unknown_parameter") == (status, json.loads(answer)["error"]["code"])
    assert 1 == len(emulator.violations)
    emulator.violations.clear()


async def test_broken_bodies_are_refused_and_harm_nobody(emulator, gateway, hire):
    """400 with the envelope for each, nothing of it upstream, and the session goes on."""
    agent = hire(headers={"session-id": "s-1"})
    await agent.turns(2)
    creates = emulator.counters.creates
    told = {}
    for name, body in BROKEN.items():
        status, headers, answer = await post(gateway, body, **{"session-id": "s-1"})
        error = json.loads(answer)["error"]
        envelope = {"message", "type", "param", "code"} == set(error)
        told[name] = status, headers["content-type"], envelope
    expected = (400, "application/json", True)
    assert {} == {name: answer for name, answer in told.items() if answer != expected}
    assert creates == emulator.counters.creates
    assert ["continued"] * 2 == ways(await agent.turns(2))


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
async def test_a_hundred_megabytes_are_refused_and_harm_nobody(emulator, gateway, hire, announced):
    """413 with the envelope, whether or not the size is told beforehand."""
    agent = hire(headers={"session-id": "s-1"})
    await agent.turns(2)
    block = b" " * MEBIBYTE

    async def blocks():
        for _ in range(100):
            yield block

    status, headers, body = await post(gateway, io.BytesIO(block * 100) if announced else blocks())
    assert (413, "application/json") == (status, headers["content-type"])
    assert "request_too_large" == json.loads(body)["error"]["code"]
    assert ["continued"] * 2 == ways(await agent.turns(2))
