"""OpenAI's other APIs through the gateway: by the official client, and by clients that err."""

import asyncio
import base64
import json

import aiohttp
import pytest
from blake3 import blake3
from structlog.testing import capture_logs

from longwire.core.nouns.access import ApiKey, Budgets, Grant, IssuedKey, Rates
from longwire.core.nouns.secret import Secret
from longwire.emulator import Fault, Script
from longwire.store.store import open_store
from tests.conftest import KEY, serving
from tests.journeys.conftest import become, settings_of
from tests.journeys.two_upstreams import staged
from tests.journeys.wire import wire

APIS = ["responses", "embeddings", "rerank", "completions", "moderations"]
APIS += ["images/generations", "images/edits"]
APIS += ["audio/speech", "audio/transcriptions", "audio/translations"]
SOUND = b"RIFF" + b"\x00\x01--\r\n" * 20_000
HEARD = f"{len(SOUND)} bytes, {blake3(SOUND).hexdigest()[:16]}"
FORMS = ["audio/transcriptions", "audio/translations", "images/edits"]


def channel_of(upstream, **changes):
    """A channel with all APIs, whose models have other names upstream."""
    declared = {"name": "main", "base_url": f"{upstream}/v1", "api_key": "sk-upstream"}
    return {**declared, "transport": "http", "apis": APIS, **changes}


@pytest.fixture
async def gateway(emulator, serve, tables):
    """A gateway with one channel that renames a model."""
    channel = channel_of(emulator.url, models=["*"], renames={"public": "whisper-private"})
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


@pytest.fixture
def client(client_of, gateway):
    """The official client."""
    return client_of(gateway)


@pytest.fixture
async def http(gateway):
    """A client that sends what it likes."""
    async with aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session:
        yield session


async def error_of(response):
    """The status and the error of an answer, in OpenAI's envelope."""
    error = (await response.json())["error"]
    assert {"message", "type", "param", "code"} == set(error)
    return response.status, error["code"], error["message"]


async def test_embeddings(client, emulator):
    """They come as numbers, though they travel as base64."""
    made = await client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert (2, 16) == (len(made.data), len(made.data[0].embedding))
    assert made.data[0].embedding != made.data[1].embedding
    assert ("embeddings", 2) == (emulator.turns[-1].api, made.usage.prompt_tokens)


async def test_images(client):
    """They are made, made as events, and edited by a form with several files."""
    made = await client.images.generate(model="gpt-image-1", prompt="a fox", n=2)
    assert [4096, 4096] == [len(base64.b64decode(each.b64_json)) for each in made.data]
    stream = await client.images.generate(model="gpt-image-1", prompt="a fox", stream=True)
    kinds = [event.type async for event in stream]
    assert ["image_generation.partial_image", "image_generation.completed"] == kinds
    files = [("a.png", b"\x89PNG1" * 500), ("b.png", b"\x89PNG2" * 500)]
    edited = await client.images.edit(model="gpt-image-1", image=files, prompt="blue")
    assert (4, 1) == (edited.usage.input_tokens_details.image_tokens, len(edited.data))


async def test_speech(client):
    """Its bytes come as they were made."""
    made = await client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    again = await client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert made.content == again.content
    assert (4 * 4096, "audio/mpeg") == (len(made.content), made.response.headers["content-type"])


@pytest.mark.filterwarnings("ignore:deprecated")
@pytest.mark.parametrize("api", ["transcriptions", "translations"])
async def test_a_recording(client, api):
    """It arrives whole, whatever bytes it has."""
    heard = await getattr(client.audio, api).create(model="whisper-1", file=("a.wav", SOUND))
    assert HEARD == heard.text


async def test_a_transcript_as_events(client):
    """Its words come one by one, and the whole at the end."""
    stream = await client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("a.wav", SOUND), stream=True
    )
    events = [event async for event in stream]
    words = "".join(each.delta for each in events if each.type == "transcript.text.delta")
    assert (HEARD, HEARD) == (words.strip(), events[-1].text)


async def test_moderations(client):
    """They need no model: then it is the API's default."""
    found = await client.moderations.create(input=["peace", "violence"])
    assert [False, True] == [each.flagged for each in found.results]


async def test_completions(client):
    """They come whole, or as chunks up to the usage."""
    whole = await client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")
    stream = await client.completions.create(
        model="gpt-3.5-turbo-instruct",
        prompt="Once",
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert whole.choices[0].text == said.strip()
    assert whole.usage == chunks[-1].usage


async def test_rerank(client):
    """The official client has no method for it, and posts it all the same."""
    body = {"model": "rerank-1", "query": "red fox", "documents": ["a dog", "a red fox"]}
    ranked = await client.post("/rerank", body=body, cast_to=dict)
    assert [1, 0] == [each["index"] for each in ranked["results"]]


async def test_headers_and_renames(http, emulator):
    """An answer names its request, its channel and its API; the upstream knows another model."""
    body = {"model": "public", "input": "x"}
    async with http.post("/v1/embeddings", json=body, headers={"x-request-id": "mine"}) as answer:
        assert "whisper-private" == (await answer.json())["model"]
        names = ["x-request-id", "x-longwire-channel", "x-longwire-transport", "x-longwire-api"]
        found = [answer.headers[name] for name in [*names, "x-longwire-continuity"]]
    assert ["mine", "main", "http", "embeddings", "as-given"] == found
    for order in ((0, 1), (1, 0)):
        form = aiohttp.FormData()
        parts = [("file", SOUND, {"filename": "a.wav"}), ("model", "public", {})]
        for name, value, more in (parts[index] for index in order):
            form.add_field(name, value, **more)
        async with http.post("/v1/audio/transcriptions", data=form) as answer:
            assert (200, HEARD) == (answer.status, (await answer.json())["text"])
        assert "whisper-private" == emulator.turns[-1].model


def form_of(*parts, end="--b--\r\n"):
    """A form by hand, of names and values."""
    written = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    )
    return (written + end).encode()


JSON, FORM = "application/json", "multipart/form-data; boundary=b"
BAD = {
    "no model": ("embeddings", JSON, b'{"input": "x"}', "missing_required_parameter"),
    "no JSON": ("embeddings", JSON, b"{", "invalid_request_error"),
    "another type": ("embeddings", "text/plain", b"x", "unsupported_content_type"),
    "a form where none is taken": ("embeddings", FORM, b"x", "unsupported_content_type"),
    "no boundary": ("images/edits", "multipart/form-data", b"x", "invalid_form"),
    "a form without its end": (
        *("audio/translations", FORM),
        form_of(("model", "m"), ("prompt", "p"), end=""),
        "invalid_form",
    ),
    "a form without a model": (
        *("audio/translations", FORM, form_of(("prompt", "p"))),
        "missing_required_parameter",
    ),
    "two models": (
        *("audio/translations", FORM, form_of(("model", "m"), ("x", "y"), ("model", "n"))),
        "invalid_request_error",
    ),
    "a packed form": ("images/edits", FORM, b"packed", "unsupported_content_encoding"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input(http, emulator, name):
    """Each is refused in OpenAI's envelope, and the upstream hears of none."""
    api, content_type, body, code = BAD[name]
    headers = {"content-type": content_type}
    if code == "unsupported_content_encoding":
        headers["content-encoding"] = "gzip"
    async with http.post(f"/v1/{api}", data=body, headers=headers) as answer:
        assert (400, code) == (await error_of(answer))[:2]
    assert 0 == len(emulator.turns)


@pytest.mark.parametrize("tables", [{"server": {"max_body": "100KiB"}}])
@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize("api", ["embeddings", "audio/transcriptions"])
async def test_a_body_too_large(http, api, is_announced):
    """It is refused, whether its size was said or shows."""
    content = form_of(("model", "m"), ("file", "x" * 200_000))
    headers = {"content-type": FORM}
    if api == "embeddings":
        content, headers = json.dumps({"model": "m", "input": "x" * 200_000}).encode(), {}

    async def chunks():
        for start in range(0, len(content), 20_000):
            yield content[start : start + 20_000]

    data = content if is_announced else chunks()
    headers = {"content-type": JSON, **headers}
    async with http.post(f"/v1/{api}", data=data, headers=headers) as answer:
        assert (413, "request_too_large") == (await error_of(answer))[:2]


async def test_who_may(http, gateway, serve, emulator):
    """A key is asked for, a model must be known, and a channel must offer the API."""
    body = {"model": "m", "input": "x"}
    async with http.post("/v1/embeddings", json=body, headers={"authorization": ""}) as answer:
        assert (401, "invalid_api_key") == (await error_of(answer))[:2]
    async with http.get("/v1/embeddings") as answer:
        assert (405, "method_not_allowed") == (await error_of(answer))[:2]
    channel = channel_of(emulator.url, models=["known"], apis=["chat_completions"])
    other = await serve(settings_of(emulator.url, channels=(channel,)))
    async with aiohttp.ClientSession(other.url, headers=other.headers) as session:
        async with session.post("/v1/embeddings", json=body) as answer:
            assert (404, "model_not_found") == (await error_of(answer))[:2]
        async with session.post("/v1/embeddings", json={**body, "model": "known"}) as answer:
            status, code, message = await error_of(answer)
    assert (400, "invalid_request_error") == (status, code)
    assert "offers /embeddings" in message
    assert "apis of a channel" in message


@pytest.mark.parametrize("path", ["/embeddings", "/v1//embeddings/", "/v1/v1/embeddings"])
async def test_paths_that_are_a_little_off(http, path):
    """They lead where they are meant to."""
    async with http.post(path, json={"model": "m", "input": "x"}) as answer:
        assert 200 == answer.status


async def test_who_leaves_before_the_body_is_there(gateway):
    """Nobody is answered, and nothing is logged as a fault of the gateway's."""
    with capture_logs() as lines:
        async with wire(gateway.url) as half:
            head = f"POST /v1/embeddings HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {KEY}\r\n"
            half.writer.write(f"{head}content-length: 99\r\n\r\n{{".encode())
            await become(lambda: gateway.app.readiness.turns == 1)
            half.vanish()
            await become(lambda: gateway.app.readiness.turns == 0)
    assert [] == [line["event"] for line in lines]


async def test_a_channel_of_these_alone(serve, emulator):
    """It serves them, and refuses a conversation with the mend."""
    channel = channel_of(emulator.url, apis=["embeddings"])
    alone = await serve(settings_of(emulator.url, channels=(channel,)))
    async with aiohttp.ClientSession(alone.url, headers=alone.headers) as session:
        async with session.post("/v1/embeddings", json={"model": "m", "input": "x"}) as answer:
            assert 200 == answer.status
        async with session.post("/v1/responses", json={"model": "m", "input": "x"}) as answer:
            assert (400, "invalid_request_error") == (await error_of(answer))[:2]


async def test_another_path_and_url(serve, emulator):
    """An endpoint of its own leads elsewhere, as Azure's deployments do."""
    endpoints = [
        {"api": "embeddings", "base_url": f"{emulator.url}#", "path": "/v1/embeddings?v=1"}
    ]
    channel = channel_of("http://127.0.0.1:9", endpoints=endpoints)
    moved = await serve(settings_of(emulator.url, channels=(channel,)))
    async with (
        aiohttp.ClientSession(moved.url, headers=moved.headers) as session,
        session.post("/v1/embeddings", json={"model": "m", "input": "x"}) as answer,
    ):
        assert 200 == answer.status


def limit(gateway, **limits):
    """Give the key these limits alone."""
    budgets = {name: limits.pop(name) for name in [*limits] if name.endswith(("day", "month"))}
    grant = Grant("key_1", rates=Rates(**limits), budgets=Budgets(**budgets))
    gateway.app.keys.hand_out([IssuedKey(ApiKey("key_1", "k", "", b"", grant), Secret(KEY))])


async def test_limits(http, gateway):
    """Rates and budgets of the key hold; what the upstream said is what counts."""
    limit(gateway, requests_per_minute=1)
    body = {"model": "m", "input": "x" * 400}
    async with http.post("/v1/embeddings", json=body) as answer:
        assert (200, "0") == (answer.status, answer.headers["x-ratelimit-remaining-requests"])
    async with http.post("/v1/embeddings", json=body) as answer:
        assert (429, "rate_limit_exceeded") == (await error_of(answer))[:2]
    limit(gateway, tokens_per_day=150)  # of which that one used 100
    async with http.post("/v1/embeddings", json=body) as answer:
        assert 200 == answer.status
    async with http.post("/v1/embeddings", json=body) as answer:
        assert (429, "insufficient_quota") == (await error_of(answer))[:2]


async def test_models_of_a_key(http, gateway):
    """A key that is bound to models reaches no other one, not by a second field either."""
    grant = Grant("key_1", models=("allowed",))
    gateway.app.keys.hand_out([IssuedKey(ApiKey("key_1", "k", "", b"", grant), Secret(KEY))])
    async with http.post("/v1/embeddings", json={"model": "other", "input": "x"}) as answer:
        assert (404, "model_not_found") == (await error_of(answer))[:2]
    content = form_of(("model", "allowed"), ("prompt", "p" * 300_000), ("model", "other"))
    headers = {"content-type": FORM}
    async with http.post("/v1/audio/translations", data=content, headers=headers) as answer:
        assert (400, "invalid_request_error") == (await error_of(answer))[:2]


@pytest.mark.parametrize("act", ["error", "reset"])
async def test_another_channel_takes_over(tmp_path, act):
    """What has not begun goes to the other channel, a form with all of its file as well."""
    async with staged(tmp_path, channel={"apis": APIS}) as stage:

        async def hear():
            form = aiohttp.FormData()
            form.add_field("model", "whisper-1")
            form.add_field("file", SOUND, filename="a.wav")
            headers = {"x-session-id": "s"}
            return await stage.call("POST", "/v1/audio/transcriptions", data=form, headers=headers)

        first = (await hear()).channel
        stage.upstreams[first].faults.add(Fault(at="before_create", act=act, status=503))
        reply = await hear()
        assert (200, HEARD) == (reply.status, reply.json["text"])
        assert (1, stage.other(first)) == (stage.upstreams[first].faults.struck, reply.channel)


async def test_an_answer_that_breaks_off(http, emulator):
    """It has no end, so that it cannot look whole; nothing is sent twice; events say why."""
    emulator.faults.add(Fault(at="mid_delta", act="reset", times=2))
    body = {"model": "tts-1", "voice": "alloy", "input": "x"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        assert 200 == answer.status
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert 1 == len(emulator.turns)
    body = {"model": "m", "prompt": "x", "stream": True}
    async with http.post("/v1/completions", json=body) as answer:
        assert b'"text":"word-0 "' in await answer.content.readuntil(b"\n\n")
        said = await answer.content.readuntil(b"\n\n")
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert b'"code":"upstream_disconnected"' in said


async def test_the_upstreams_own_error(http, emulator):
    """Its status and message are the client's, its key is not."""
    emulator.faults.add(Fault(at="before_create", act="error", status=400, code="bad_voice"))
    body = {"model": "tts-1", "voice": "alloy", "input": "x"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        assert (400, "bad_voice") == (await error_of(answer))[:2]


@pytest.fixture
def slow():
    """An upstream whose answers take a second between two parts."""
    return Script(delay_ms=1_000, deltas=20)


async def test_who_leaves_abandons_it(http, emulator, slow, gateway):
    """Before the answer or within it, the upstream's connection is closed."""
    emulator.script = slow
    body = {"model": "tts-1", "voice": "alloy", "input": "x"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        await answer.content.readany()
        answer.close()
    await become(lambda: gateway.app.readiness.turns == 0)
    turns = gateway.app.metrics.turns
    assert {"abandoned": 1} == {key[-1]: number for key, number in turns.items()}
    assert "in_progress" == emulator.turns[-1].status


async def test_who_leaves_while_sending(http, emulator, gateway):
    """The upstream sees the request break off, and no answer is made."""

    async def chunks():
        yield form_of(("model", "whisper-1"), end="")
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield b"x" * 100_000
        await asyncio.sleep(60)

    async def send():
        headers = {"content-type": FORM, "content-length": "5000000"}
        await http.post("/v1/audio/transcriptions", data=chunks(), headers=headers)

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        await become(lambda: emulator.counters.http_requests == 1)
        sending.cancel()
    await become(lambda: gateway.app.readiness.turns == 0)
    assert 0 == len(emulator.turns)
    assert {"abandoned"} == {key[-1] for key in gateway.app.metrics.turns}


@pytest.fixture
async def logged(emulator, store, actor, database_url, tmp_path):
    """A gateway with a store, whose client keeps bodies."""
    grant = Grant(project_id="prj_default", keeps_bodies=True)
    secret = (await store.keys.create(ApiKey("", "ci", "", b"", grant), actor)).secret

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    price = {"model": "text-embedding-*", "input": 20, "output": 0}
    channel = channel_of(emulator.url, prices=[price])
    async with serving(settings_of(emulator.url, channels=(channel,)), opens) as running:
        headers = {"authorization": f"Bearer {secret.reveal()}", "session-id": "agent-1"}
        async with aiohttp.ClientSession(running.url, headers=headers) as session:
            yield running, session


async def test_what_is_logged(logged, store):
    """Each has its row with what it cost; what nobody knows is unknown."""
    running, http = logged
    async with http.post("/v1/embeddings", json={"model": "text-embedding-9", "input": "x" * 40}):
        pass
    form = aiohttp.FormData()
    form.add_field("file", SOUND, filename="a.wav")
    form.add_field("model", "whisper-1")
    async with http.post("/v1/audio/transcriptions", data=form):
        pass
    async with http.post("/v1/audio/speech", json={"model": "m", "voice": "v", "input": "x"}):
        pass
    await become(lambda: running.app.control.backlog[0] == 0)
    rows = (await store.turns.page()).items[::-1]
    apis = ["embeddings", "audio/transcriptions", "audio/speech"]
    assert [(api, api, "agent-1", "completed", "as-given", "") for api in apis] == [
        (row.api, row.upstream_api, row.session, row.outcome, row.continuity, row.reason)
        for row in rows
    ]
    assert [(10, 200_000), (None, None), (None, None)] == [
        (row.input_tokens, row.cost) for row in rows
    ]
    assert rows[1].bytes_received > len(SOUND)
    kept = [await store.turns.bodies(row.id) for row in rows]
    assert {"model": "whisper-1"} == json.loads(kept[1].request)
    assert HEARD == json.loads(kept[1].response)["text"]
    assert b"" == kept[2].response


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_what_streams_is_known_wherever_the_form_says_so(
    logged, store, emulator, place, refused
):
    """Also behind the file, when it is on its way already; and where the upstream refuses."""
    running, http = logged
    fields = [("model", "gpt-4o-transcribe"), ("file", "x" * 100_000)]
    fields.insert(place, ("stream", "true"))
    ends = ["", "", "--b--\r\n"]
    parts = [form_of(each, end=end) for each, end in zip(fields, ends, strict=True)]
    parts = [part.replace(b'"file"', b'"file"; filename="a.wav"') for part in parts]

    async def chunks():
        for number, part in enumerate(parts):
            yield part
            if fields[number][0] == "file":
                await become(lambda: emulator.counters.http_requests == 1)

    if refused:
        emulator.faults.add(Fault(at="before_create", act="error", status=400, code="bad"))
    headers = {"content-type": FORM, "content-length": str(sum(map(len, parts)))}
    async with http.post("/v1/audio/transcriptions", data=chunks(), headers=headers) as answer:
        assert (400 if refused else 200) == answer.status
        await answer.read()
    await become(lambda: running.app.control.backlog[0] == 0)
    assert [True] == [row.streams for row in (await store.turns.page()).items]


async def test_a_broken_answer_has_the_status_that_its_client_saw(logged, store, emulator):
    """Its head was passed on, as a stream or not."""
    running, http = logged
    emulator.faults.add(Fault(at="mid_delta", act="reset"))
    body = {"model": "text-embedding-9", "input": ["x" * 400] * 8}
    async with http.post("/v1/embeddings", json=body) as answer:
        status = answer.status
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    await become(lambda: running.app.control.backlog[0] == 0)
    (row,) = (await store.turns.page()).items
    assert (200, 200, "upstream_disconnected") == (status, row.status, row.error_code)


async def test_a_model_whose_sound_has_another_price(logged, store):
    """A price of text does not make sound cheap: what it costs is not known."""
    running, http = logged
    form = aiohttp.FormData()
    form.add_field("model", "gpt-4o-transcribe")
    form.add_field("file", SOUND, filename="a.wav")
    async with http.post("/v1/audio/transcriptions", data=form) as answer:
        usage = (await answer.json())["usage"]
    await become(lambda: running.app.control.backlog[0] == 0)
    (row,) = (await store.turns.page()).items
    assert (usage["input_tokens"], None) == (row.input_tokens, row.cost)


async def test_an_upstream_that_answers_with_a_page(http, emulator):
    """A page is no answer of these APIs, and runs in no browser from here: its URL is wrong."""
    page = {"content-type": "text/html; charset=utf-8"}
    fault = Fault(at="handshake", act="refuse", status=200, body="<html>", headers=page)
    emulator.faults.add(fault)
    body = {"model": "tts-1", "voice": "alloy", "input": "x"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        status, code, message = await error_of(answer)
    assert (502, "upstream_unavailable") == (status, code)
    assert "check the base_url" in message
