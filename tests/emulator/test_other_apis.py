"""The emulator speaks OpenAI's other APIs: the same answer to the same request, and no other."""

import json

import aiohttp
import pytest

from longwire.emulator import Emulator, Fault, Options, Script

EMBED = {"model": "m", "input": "x"}
SPEAK = {"model": "m", "voice": "v", "input": "x"}
KEY = {"authorization": "Bearer sk-test"}


@pytest.fixture
async def http(emulator):
    """A client that sends what it likes."""
    async with aiohttp.ClientSession(emulator.url, headers=KEY) as session:
        yield session


async def refusal(http, api, **options):
    """The status and the error that a request is refused with."""
    async with http.post(f"/v1/{api}", **options) as answer:
        error = (await answer.json())["error"]
        return answer.status, error["code"], error["param"]


@pytest.mark.parametrize(
    ("api", "body", "code", "param"),
    [
        ("embeddings", {"model": "m"}, "missing_required_parameter", "input"),
        ("embeddings", {"input": "x"}, "missing_required_parameter", "model"),
        ("embeddings", {**EMBED, "dimension": 3}, "unknown_parameter", "dimension"),
        ("embeddings", {**EMBED, "dimensions": "3"}, "invalid_type", "dimensions"),
        ("audio/speech", {"model": "m", "input": "x"}, "missing_required_parameter", "voice"),
        ("completions", {"model": "m", "prompt": "x", "stream": 1}, "invalid_type", "stream"),
        ("rerank", {"model": "m", "query": "x"}, "missing_required_parameter", "documents"),
        ("moderations", {}, "missing_required_parameter", "input"),
        ("images/generations", {"model": "m"}, "missing_required_parameter", "prompt"),
    ],
)
async def test_what_is_refused(http, emulator, api, body, code, param):
    """Each fault is named, and is a violation: no correct client sends it."""
    assert (400, code, param) == await refusal(http, api, json=body)
    assert 1 == len(emulator.violations)


async def test_forms_that_are_refused(http):
    """A file that is none, a field twice, a form that is cut, another media type."""
    headers = {"content-type": "multipart/form-data; boundary=b"}
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\nx\r\n'
    for names, param in ((("model", "file"), "file"), (("model", "model"), "model")):
        content = "".join(map(part.format, names)) + "--b--\r\n"
        status, _, found = await refusal(
            http, "audio/translations", data=content.encode(), headers=headers
        )
        assert (400, param) == (status, found)
    fileless = (part.format("model") + "--b--\r\n").encode()
    found = await refusal(http, "audio/translations", data=fileless, headers=headers)
    assert (400, "missing_required_parameter", "file") == found
    assert 415 == (await refusal(http, "embeddings", data=b"x"))[0]

    async def unsized():
        yield part.format("model").encode()

    unsized_form = await refusal(http, "images/edits", data=unsized(), headers=headers)
    assert 411 == unsized_form[0]


async def test_the_same_answer_to_the_same_request(http):
    """And another one to another."""
    bodies = []
    for text in ("a", "a", "b"):
        async with http.post("/v1/audio/speech", json={**SPEAK, "input": text}) as answer:
            bodies.append(await answer.read())
    assert bodies[0] == bodies[1] != bodies[2]


@pytest.mark.parametrize("at", ["before_create", "after_create"])
async def test_faults_before_the_answer(http, emulator, at):
    """They are an HTTP status."""
    emulator.faults.add(Fault(at=at, act="error", status=503, code="busy"))
    assert (503, "busy") == (await refusal(http, "embeddings", json=EMBED))[:2]
    assert "error:busy" == emulator.turns[-1].status


@pytest.mark.parametrize("at", ["mid_delta", "before_terminal"])
@pytest.mark.parametrize("act", ["reset", "close"])
async def test_faults_within_the_answer(http, emulator, at, act):
    """They cut it, and its turn says so."""
    emulator.faults.add(Fault(at=at, act=act))
    async with http.post("/v1/audio/speech", json=SPEAK) as answer:
        if act == "reset":
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        else:
            await answer.read()
    assert "cut" == emulator.turns[-1].status


async def test_an_error_among_events(http, emulator):
    """It is an event of the stream."""
    emulator.faults.add(Fault(at="mid_delta", act="error", code="spoiled"))
    body = {"model": "m", "prompt": "x", "stream": True}
    async with http.post("/v1/completions", json=body) as answer:
        text = await answer.text()
    last = text.strip().rpartition("data: ")[2]
    assert "spoiled" == json.loads(last)["error"]["code"]


async def test_the_script_says_how_much():
    """Speech has as many bytes as are wanted, and a transcript its text."""
    script = Script(deltas=3, delta_bytes=1_000, text="heard")
    async with Emulator(Options(), script) as emulator, aiohttp.ClientSession(headers=KEY) as http:
        async with http.post(f"{emulator.url}/v1/audio/speech", json=SPEAK) as answer:
            assert 3_000 == len(await answer.read())
        form = aiohttp.FormData({"model": "m", "response_format": "text"})
        form.add_field("file", b"x", filename="x")
        async with http.post(f"{emulator.url}/v1/audio/transcriptions", data=form) as answer:
            assert ("heard\n", "text/plain") == (await answer.text(), answer.content_type)
