"""Bodies that are odd, wrong or huge: each arrives exactly or is refused, and the gateway lives."""

import gzip
import json

import pytest
import zstandard

from longwire.emulator.oracle import digest
from tests.server.conftest import between, is_envelope

EXACT = [
    b'"unknown":{"deep":[{"er":null}]}',
    b'"n":123456789012345678901234567890',
    b'"n":-0.10000000000000000000000000000001e-400',
    b'"n":1E400',
    b'"temperature":1.0e+00',
    rb'"input":"\u00e9\/\ud83d\ude00\t"',
    rb'"input":"\u0000"',
    '"input":"é 😀 \u2028\u007f"'.encode(),
    b'"input":[{"a":1,"a":2,"content":"twice"}]',
    b'"input" : [ ]',
    b'"input":[1,true,null,"x",[[]]]',
    b'"metadata":{"a":"\\r\\nset-cookie: a=b"}',
    rb'"\u006dany":"an escaped name"',
    b'"tools":[{"type":"function","name":"x","parameters":{"const":9007199254740993}}]',
    b'"":""',
    rb'"input":"\ud800"',
    rb'"input":[{"role":"user","content":"\udfff\ud800"}]',
    b'"input":' + b"[" * 200 + b"]" * 200,
]
REFUSED = [
    b"",
    b" \n",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1",
    b"{}",
    b'{"model":""}',
    b'{"model":null}',
    b'{"model":1}',
    b'{"model":["m"]}',
    b'{"model":"m",}',
    b'{"model":"m"} x',
    b'{"model":"m"}{"model":"m"}',
    b"{'model':'m'}",
    b'{"model":"m","input":"\xff"}',
    b'{"model":"m","input":"\xed\xa0\x80"}',
    b'{"model":"m","input":"\x00"}',
    rb'{"model":"m","\ud800":1}',
    b'{"model":"m","input":NaN}',
    b'{"model":"m","input":01}',
    b'{"model":"m","input":"\\x"}',
    b'{"model":"m","input":"' + b"a" * 9999,
    b'{"model":"m","model":"n"}',
    b'{"model":"m","\\u006dodel":"n"}',
    b'{"model":"m","input":[],"input":[1]}',
    b'{"model":"m","stream":"yes"}',
    b'{"model":"m","stream":1}',
    b'{"model":"m","background":"no"}',
    b'{"model":"m","previous_response_id":7}',
    b'{"model":"m","conversation":[]}',
    b'{"model":"m","prompt_cache_key":{}}',
    b'{"model":"m","type":"response.cancel"}',
    b'\xef\xbb\xbf\xef\xbb\xbf{"model":"m"}',
    '{"model":"m"}'.encode("utf-16"),
    b"\x00" * 1000,
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("member", EXACT, ids=lambda member: member[:30])
async def test_what_is_let_in_arrives_exactly(member):
    """Unknown fields, long numbers and escapes reach the upstream byte for byte."""
    async with between() as (upstream, connection):
        status, _, _ = await connection.ask(b'{"model":"m",' + member + b"}")
    name, _, value = member.partition(b":")
    assert status == 200
    assert value.strip() in upstream.bodies[0]
    assert json.loads(name) in json.loads(upstream.bodies[0])


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: repr(body[:30]))
async def test_what_is_wrong_is_refused(connection, emulator, body):
    """A wrong body is a 400 in the envelope, and the connection serves on."""
    status, _, reply = await connection.ask(body)
    assert (status, is_envelope(reply)) == (400, True)
    assert len(reply) < 4000
    assert (await connection.ask(b'{"model":"gpt-5.5","input":"hi"}'))[0] == 200
    assert len(emulator.turns) == 1


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
async def test_packed_bodies_arrive(connection, emulator, coding, pack):
    """A body that came packed is the same turn upstream."""
    items = [{"role": "user", "content": "é" * 100_000}]
    body = json.dumps({"model": "gpt-5.5", "input": items}).encode()
    headers = [f"content-encoding: {coding}"]
    assert (await connection.ask(pack(body), headers=headers))[0] == 200
    assert (await connection.ask(body))[0] == 200
    assert [turn.digest for turn in emulator.turns] == [emulator.turns[0].digest] * 2
    status, _, reply = await connection.ask(pack(body)[:-9], headers=headers)
    assert (status, is_envelope(reply)) == (400, True)
    status, _, reply = await connection.ask(pack(bytes(100_000_000)), headers=headers)
    assert (status, json.loads(reply)["error"]["code"]) == (413, "request_too_large")
    assert (await connection.ask(body))[0] == 200


async def test_a_hundred_megabytes_are_refused(connection):
    """What is larger than the limit is a 413, announced or not, and the connection serves on."""
    large = b'{"model":"m","input":"' + b"a" * 100_000_000 + b'"}'
    status, _, reply = await connection.ask(large)
    assert (status, is_envelope(reply)) == (413, True)
    assert (await connection.ask(b'{"model":"gpt-5.5","input":"hi"}'))[0] == 200


async def test_an_announced_giant_is_refused_before_it_comes(connection):
    """The refusal does not wait for the body."""
    connection.writer.write(b"POST /v1/responses HTTP/1.1\r\nexpect: 100-continue\r\n")
    head = f"authorization: Bearer {connection.key}\r\ncontent-length: 100000000\r\n\r\n"
    connection.writer.write(head.encode())
    assert (await connection.receive())[0] == 413


async def test_chunked_bodies_are_limited(connection):
    """A body without a length is refused once it has passed the limit."""
    head = f"POST /v1/responses HTTP/1.1\r\nauthorization: Bearer {connection.key}\r\n"
    connection.writer.write(head.encode() + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(70):
        connection.writer.write(b"100000\r\n" + bytes(0x100000) + b"\r\n")
    connection.writer.write(b"0\r\n\r\n")
    await connection.writer.drain()
    assert (await connection.receive())[0] == 413
    assert (await connection.ask(b'{"model":"gpt-5.5","input":"hi"}'))[0] == 200


async def test_sixty_megabytes_arrive():
    """What is just below the limit is served."""
    text = b"a" * 60_000_000
    async with between() as (upstream, connection):
        assert (await connection.ask(b'{"model":"m","input":"%b"}' % text))[0] == 200
    assert text in upstream.bodies[0]


@pytest.mark.parametrize(
    "model", ["m\r\nx-injected: 1", "m\x00", "../../admin", "\u202e", "%0d%0a"]
)
async def test_names_inject_nothing(model):
    """Control characters in a body or a header change no header on either side."""
    async with between() as (upstream, connection):
        sneaky = ["x-request-id: a\tb", "session-id: \xe9\xff", "originator: a\tb: c"]
        body = json.dumps({"model": model, "prompt_cache_key": model}).encode()
        status, headers, _ = await connection.ask(body, headers=sneaky)
    assert status == 200
    assert headers["x-request-id"].startswith("req_")
    assert "x-injected" not in headers
    assert "x-injected" not in upstream.heads[0].lower()
    assert json.loads(upstream.bodies[0])["model"] == model


def test_the_oracle_tells_histories_apart():
    """The digest by which turns are compared is not the same for everything."""
    assert digest([{"role": "user", "content": "a"}]) != digest([{"role": "user", "content": "b"}])
