"""What upstreams really send is understood: what says "error" is one, what is no event, is none."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.stream import decode_event
from tests.conftest import KEY, serving, settings_for
from tests.doubles.canned import answer, canned
from tests.server.conftest import events_of

CREATED = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
ITEM = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "content": []}}
DELTA = {"type": "response.output_text.delta", "output_index": 0, "delta": "hello"}
DONE = {"type": "response.output_item.done", "output_index": 0, "item": ITEM}
COMPLETED = {
    "type": "response.completed",
    "response": {"id": "resp_1", "status": "completed", "output": [ITEM]},
}
GOOD = (CREATED, ADDED, DELTA, DONE, COMPLETED)


def lines(*events) -> list[bytes]:
    """Events of a stream; bytes stand as they are."""
    return [
        each if isinstance(each, bytes) else b"data: %b\n\n" % json.dumps(each).encode()
        for each in events
    ]


@asynccontextmanager
async def before(*answers):
    """A gateway before an upstream that answers so; gives a way to ask, and the upstream."""
    async with canned(*answers) as upstream, AsyncExitStack() as stack:
        settings = settings_for(upstream.url, channel={"models": ["m"]})
        gateway = await stack.enter_async_context(serving(settings))
        key = {"authorization": f"Bearer {KEY}"}
        client = aiohttp.ClientSession(gateway.url, headers=key)
        session = await stack.enter_async_context(client)

        async def ask(*, stream):
            body = {"model": "m", "input": "hi", "stream": stream}
            async with session.post("/v1/responses", json=body) as reply:
                return reply.status, await reply.read()

        yield ask, upstream


def stream_of(*events) -> bytes:
    """An answer that is a stream."""
    return answer(b"".join(lines(*events)))


BOTH = pytest.mark.parametrize("stream", [True, False])


@BOTH
async def test_a_bare_error_is_that_error(stream):
    """An envelope without a type has its status and its words; nobody is asked twice."""
    bare = {"error": {"message": "Provider is busy, slow down", "code": 429}}
    async with before(stream_of(bare)) as (ask, upstream):
        status, body = await ask(stream=stream)
    error = json.loads(body)["error"]
    assert (429, "Provider is busy, slow down", "429") == (status, error["message"], error["code"])
    assert 1 == len(upstream.bodies)


async def test_a_bare_error_behind_output_ends_the_stream():
    """The events that came stay, and the failure has the upstream's words."""
    bare = {"error": {"message": "Provider is busy, slow down", "code": 429}}
    async with before(stream_of(CREATED, ADDED, DELTA, bare)) as (ask, _):
        status, body = await ask(stream=True)
    *events, (name, failed) = events_of(body)
    assert (200, "response.failed") == (status, name)
    assert ["response.created", "response.output_item.added", "response.output_text.delta"] == [
        name for name, _ in events
    ]
    assert "Provider is busy, slow down" == failed["response"]["error"]["message"]
    assert "429" == failed["response"]["error"]["code"]


NO_EVENTS = {
    "empty data": b"event: keepalive\ndata:\n\n",
    "a blank as data": b"event: keepalive\ndata:  \n\n",
    "done": b"data: [DONE]\n\n",
    "done with a blank": b"data: [DONE] \n\n",
    "a number": b"data: 17\n\n",
    "a list": b"data: [1, 2]\n\n",
    "a text": b'data: "ping"\n\n',
    "null": b"data: null\n\n",
    "an object without a type": b'data: {"ping": 1}\n\n',
    "a comment": b": hello\n\n",
}


@BOTH
@pytest.mark.parametrize("filler", NO_EVENTS.values(), ids=NO_EVENTS)
async def test_what_is_no_event_is_passed_over(filler, stream):
    """Wherever it stands, the answer is as if it had not been there."""
    spread = [part for event in GOOD for part in (filler, event)]
    async with before(stream_of(*spread, filler)) as (ask, _):
        status, body = await ask(stream=stream)
    assert 200 == status
    if stream:
        assert [each["type"] for each in GOOD] == [name for name, _ in events_of(body)]
    else:
        assert "completed" == json.loads(body)["status"]


async def test_what_is_broken_ends_in_a_failure():
    """JSON that is cut cannot be understood: the stream ends well-formed; nothing is invented."""
    broken = b'data: {"type":"response.output_te\n\n'
    async with before(stream_of(CREATED, ADDED, DELTA, broken, COMPLETED)) as (ask, _):
        _, body = await ask(stream=True)
    assert "response.failed" == [*events_of(body)][-1][0]


@pytest.mark.parametrize("path", ["responses", "chat/completions", "messages"])
async def test_half_an_item_is_in_the_whole_answer(path):
    """Of one that was never done, where the terminal brings none either."""
    cut = {"type": "response.incomplete", "response": {"id": "resp_1", "status": "incomplete"}}
    body = {"model": "m", "input": "hi"}
    if path != "responses":
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    key = {"authorization": f"Bearer {KEY}"}
    async with (
        canned(stream_of(CREATED, ADDED, DELTA, cut)) as upstream,
        serving(settings_for(upstream.url, channel={"models": ["m"]})) as gateway,
        aiohttp.ClientSession(gateway.url, headers=key) as client,
        client.post(f"/v1/{path}", json=body) as reply,
    ):
        assert (200, 1) == (reply.status, (await reply.read()).count(b"hello"))


@BOTH
async def test_halves_of_an_emoji_pass(stream):
    """A text may be cut between them: each travels by its escape, in every place of an answer."""
    halves = [b'data: {"type":"response.output_text.delta","delta":"\\ud83d"}\n\n']
    halves += [b'data: {"type":"response.output_text.delta","delta":"\\ude00"}\n\n']
    item = json.dumps(ITEM).replace("hello", "cut \\ud83d").encode()
    done = b'data: {"type":"response.output_item.done","output_index":0,"item":%b}\n\n' % item
    response = b'{"id":"resp_1","status":"completed","output":[%b]}' % item
    completed = b'data: {"type":"response.completed","response":%b}\n\n' % response
    async with before(stream_of(CREATED, ADDED, *halves, done, completed)) as (ask, _):
        status, body = await ask(stream=stream)
    assert 200 == status
    assert b"cut \\ud83d" in body.lower()
    if stream:
        events = [*events_of(body)]
        assert "response.completed" == events[-1][0]
        deltas = "".join(event["delta"] for name, event in events if name.endswith("text.delta"))
        assert "😀" == deltas.encode("utf-16", "surrogatepass").decode("utf-16")


async def test_an_error_frame_with_a_number_as_its_code():
    """A number from 400 to 599 is the status; the envelope's code is a text."""
    frame = {"type": "error", "error": {"code": 429, "message": "come back later"}}
    async with before(stream_of(frame)) as (ask, _):
        status, body = await ask(stream=True)
    error = json.loads(body)["error"]
    assert (429, "429", "come back later") == (status, error["code"], error["message"])


@pytest.mark.parametrize("error", ["boom", {"code": 17, "message": "boom"}, ["boom"]])
async def test_a_failed_response_has_its_words(error):
    """However its error is spelt, it is told after the events that came, with a text as code."""
    failed = {"type": "response.failed", "response": {"id": "resp_1", "error": error}}
    async with before(stream_of(CREATED, ADDED, DELTA, failed)) as (ask, _):
        _, body = await ask(stream=True)
    name, event = [*events_of(body)][-1]
    found = event["response"]["error"]
    assert ("response.failed", "boom") == (name, found["message"])
    assert isinstance(found["code"], str | None)


async def test_an_event_named_error_is_one_whatever_its_data():
    """A server that names it so and sends a text has failed, and says why."""
    for data in (b'"boom"', b"boom", b'["boom"]'):
        async with before(answer(b"event: error\ndata: %b\n\n" % data)) as (ask, _):
            status, body = await ask(stream=True)
        assert (502, "boom") == (status, json.loads(body)["error"]["message"])


async def test_an_error_beside_a_response_that_went_well_changes_nothing():
    """Only a response that failed has an error to be brought to its shape."""
    odd = {**COMPLETED, "response": {**COMPLETED["response"], "error": ""}}
    async with before(stream_of(*GOOD[:-1], odd)) as (ask, _):
        _, body = await ask(stream=True)
    name, event = [*events_of(body)][-1]
    assert ("response.completed", "") == (name, event["response"]["error"])


async def test_a_finished_item_without_its_place_is_broken():
    """With half an emoji in it, too, it ends the stream well-formed."""
    done = b'data: {"type":"response.output_item.done","item":{"text":"\\ud83d"}}\n\n'
    async with before(stream_of(CREATED, ADDED, DELTA, done)) as (ask, _):
        status, body = await ask(stream=True)
    assert (200, "response.failed") == (status, [*events_of(body)][-1][0])


async def test_the_alias_of_a_terminal_has_its_error_in_shape():
    """However the terminal is called, its code is a text."""
    failed = {"status": "failed", "id": "resp_1", "error": {"code": 17, "message": "boom"}}
    alias = {"type": "response.done", "response": failed}
    async with before(stream_of(CREATED, ADDED, DELTA, alias)) as (ask, _):
        _, body = await ask(stream=True)
    name, event = [*events_of(body)][-1]
    error = event["response"]["error"]
    assert ("response.failed", "17", "boom") == (name, error["code"], error["message"])


REFUSALS = {
    "FastAPI, an object": (
        400,
        {"detail": {"code": "deactivated_workspace"}},
        ("deactivated_workspace", "deactivated_workspace"),
    ),
    "FastAPI, a list": (
        422,
        {"detail": [{"loc": ["body", "input"], "msg": "field required", "type": "missing"}]},
        (None, "field required (body.input)"),
    ),
    "FastAPI, a text": (
        400,
        {"detail": "Instructions are required"},
        (None, "Instructions are required"),
    ),
    "Anthropic": (
        400,
        {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}},
        (None, "too long"),
    ),
    "Google": (
        400,
        [{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}],
        ("INVALID_ARGUMENT", "bad"),
    ),
    "Cloudflare": (
        400,
        {"success": False, "errors": [{"code": 7003, "message": "no route"}]},
        ("7003", "no route"),
    ),
    "nested": (400, {"error": {"error": {"message": "inner", "code": "c"}}}, ("c", "inner")),
    "a text": (400, {"error": "boom"}, (None, "boom")),
    "flat": (400, {"message": "flat", "code": 1234}, ("1234", "flat")),
}


@pytest.mark.parametrize(("status", "said", "expected"), REFUSALS.values(), ids=REFUSALS)
async def test_refusals_in_every_spelling(status, said, expected):
    """The status is the upstream's, and so are its code and its words."""
    refusal = answer(json.dumps(said).encode(), "application/json", status)
    async with before(refusal) as (ask, _):
        found, body = await ask(stream=False)
    error = json.loads(body)["error"]
    assert (status, *expected) == (found, error["code"], error["message"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(code=JSON, message=JSON, detail=JSON)
def test_any_value_in_any_place_is_an_error(code, message, detail):
    """No value of a code, message or detail breaks the reading: there is a status, and words."""
    said = {"error": {"code": code, "message": message}, "detail": detail}
    for each in (said, {"detail": detail}, {"error": message}, [said]):
        problem = decode_problem(json.dumps(each).encode())
        assert 400 <= problem.status <= 599
        assert isinstance(problem.error["message"], str)
        assert problem.error["message"]
        assert isinstance(problem.error["code"], str | None)


HALVES = st.text(
    st.sampled_from(["a", "\\", '"', "\ud83d", "\ude00", "é", "\n", "\ue03d"]), max_size=12
)


@given(before=HALVES, text=HALVES, lane=st.none() | st.just("a"))
def test_half_an_emoji_anywhere_is_no_harm(before, text, lane):
    """An event with halves anywhere is decoded as it is without them, and its bytes stay."""
    name = "response.output_text.delta"
    event = {"x": before, "type": name, "delta": text, "sequence_number": 7, "stream_id": lane}
    raw = json.dumps(event).encode()
    found = decode_event(raw)
    assert (name, raw, 7, lane) == (found.name, found.raw, found.sequence, found.lane)


@pytest.mark.parametrize("lane", [7, True, ["a"], {}])
def test_a_lane_that_is_no_text_is_a_lane_all_the_same(lane):
    """What may be of another response is never taken for this one's."""
    event = {"type": "response.output_text.delta", "delta": "x", "stream_id": lane}
    assert decode_event(json.dumps(event).encode()).lane is not None


def test_an_error_with_an_odd_type_is_an_error():
    """What says "error" is one."""
    assert "error" == decode_event(b'{"type":5,"error":{"message":"boom"}}').name
