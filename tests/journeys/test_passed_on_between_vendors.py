"""A client's own API passed on to one vendor after the other: none gets what another has sealed."""

import json
from contextlib import asynccontextmanager

import pytest

from tests.doubles.canned import answer, canned
from tests.journeys.two_upstreams import staged_before

JSON = "application/json"
MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
GEMINI = "/v1beta/models/{}:generateContent"
SEALED = ("SEAL-OF-A", "SEAL-OF-B")


def messages_answer(seal: str) -> dict:
    content = [
        {"type": "thinking", "thinking": "", "signature": seal},
        {"type": "text", "text": seal[-1]},
    ]
    said = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
    return {**said, "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}


def chat_answer(seal: str) -> dict:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    call["extra_content"] = {"google": {"thought_signature": seal}}
    message = {"role": "assistant", "content": seal[-1], "reasoning": seal, "tool_calls": [call]}
    return {"id": "1", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}


def gemini_answer(seal: str) -> dict:
    call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": seal}
    content = {"role": "model", "parts": [{"text": seal[-1]}, call]}
    return {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": {}}


def messages_body(model: str, history: list) -> dict:
    return {"model": model, "max_tokens": 9, "messages": history}


def chat_body(model: str, history: list) -> dict:
    return {"model": model, "messages": history, "n": 1}


def gemini_body(_model: str, history: list) -> dict:
    return {"contents": history}


ASKED = {"role": "user", "content": "hi"}
APIS = {
    "messages": ("anthropic", MESSAGES, messages_body, messages_answer, ASKED),
    "chat_completions": ("openai", CHAT, chat_body, chat_answer, ASKED),
    "generate_content": ("gemini", GEMINI, gemini_body, gemini_answer,
                         {"role": "user", "parts": [{"text": "hi"}]}),
}  # fmt: skip


def said_in(api: str, body: dict) -> dict:
    """What the model said, as its client keeps it."""
    match api:
        case "messages":
            return {"role": "assistant", "content": body["content"]}
        case "chat_completions":
            return body["choices"][0]["message"]
        case _:
            return body["candidates"][0]["content"]


@asynccontextmanager
async def stage_of(folder, api, a, b):
    """A gateway before two vendors: `m-a` is served by the one, `m-b` by the other."""
    kind, *_ = APIS[api]
    base = "v1beta" if api == "generate_content" else "v1"
    async with canned(*a) as first, canned(*b) as second:
        channels = tuple(
            {
                "name": name,
                "type": kind,
                "models": [f"m-{name}"],
                "base_url": f"{each.url}/{base}",
                "api_key": f"sk-of-{name}",
                "apis": [api],
            }
            for name, each in (("a", first), ("b", second))
        )
        async with staged_before(folder, {}, channels=channels) as stage:
            yield Conversation(stage, api), first, second


class Conversation:
    """One history of a client that keeps all."""

    def __init__(self, stage, api: str) -> None:
        _, self.path, self.body, _, question = APIS[api]
        self.stage, self.api, self.question = stage, api, question
        self.history: list[dict] = []
        self.session = ""

    async def turn(self, model: str) -> int:
        """Ask a model, and keep what it says; return the status."""
        self.history.append(self.question)
        body = self.body(model, self.history)
        headers = {"session-id": self.session} if self.session else {}
        reply = await self.stage.call("POST", self.path.format(model), json=body, headers=headers)
        if reply.status == 200:
            self.history.append(said_in(self.api, reply.json))
        return reply.status


@pytest.mark.parametrize("api", APIS)
async def test_what_one_vendor_has_sealed_is_not_sent_to_another(tmp_path, api):
    """Each gets its own back, and only that, however often they take turns."""
    said = APIS[api][3]
    of_a, of_b = (answer(json.dumps(said(seal)).encode(), JSON) for seal in SEALED)
    async with stage_of(tmp_path, api, [of_a], [of_b]) as (talk, a, b):
        statuses = [await talk.turn(model) for model in ("m-a", "m-a", "m-b", "m-b", "m-b", "m-a")]
    assert [200] * 6 == statuses
    assert [[], [SEALED[0]], [SEALED[0]]] == [seals_in(body) for body in a.bodies]
    assert [[], [SEALED[1]], [SEALED[1]]] == [seals_in(body) for body in b.bodies]
    assert [1, 3, 11] == [messages_in(body) for body in a.bodies]
    assert b.bodies[2].startswith(b.bodies[1][: b.bodies[1].rindex(b"]")])


async def test_a_side_call_elsewhere_costs_no_thoughts(tmp_path):
    """An agent asks a small model of another vendor beside its conversation, in one session."""
    of_a, of_b = (answer(json.dumps(messages_answer(seal)).encode(), JSON) for seal in SEALED)
    async with stage_of(tmp_path, "messages", [of_a], [of_b]) as (main, a, b):
        for body in (main, beside := Conversation(main.stage, "messages")):
            body.session = "s-1"
        for conversation, model in ((main, "m-a"), (beside, "m-b")) * 3:
            assert 200 == await conversation.turn(model)
    assert [[], [SEALED[0]], [SEALED[0]]] == [seals_in(body) for body in a.bodies]
    assert [[], [SEALED[1]], [SEALED[1]]] == [seals_in(body) for body in b.bodies]


REFUSED = {
    "messages": {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "messages.1.content.0: Invalid `signature` in `thinking` block",
        },
    },
    "generate_content": {
        "error": {
            "code": 400,
            "status": "INVALID_ARGUMENT",
            "message": "Thought signature is not valid.",
        }
    },
}


@pytest.mark.parametrize("api", REFUSED)
async def test_what_an_upstream_cannot_read_is_left_out_once_for_all(tmp_path, api):
    """Also where it is the first that is known of a session; then its own goes back to it."""
    said = APIS[api][3]
    foreign, own = SEALED
    refused = answer(json.dumps(REFUSED[api]).encode(), JSON, 400)
    right = answer(json.dumps(said(own)).encode(), JSON)
    async with stage_of(tmp_path, api, [refused, right], []) as (talk, a, _):
        talk.history = [talk.question, said_in(api, said(foreign))]
        statuses = [await talk.turn("m-a"), await talk.turn("m-a")]
    assert [200, 200] == statuses
    assert [[foreign], [], [own]] == [seals_in(body) for body in a.bodies]


async def test_a_refusal_of_something_else_is_sent_once(tmp_path):
    """Nothing is left out where that mends nothing."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}
    async with stage_of(
        tmp_path, "messages", [answer(json.dumps(error).encode(), JSON, 400)], []
    ) as (talk, a, _):
        talk.history = [talk.question, said_in("messages", messages_answer(SEALED[0]))]
        assert 400 == await talk.turn("m-a")
    assert 1 == len(a.bodies)


def seals_in(body: bytes) -> list[str]:
    """The seals that a request brings, each once."""
    return [seal for seal in SEALED if seal.encode() in body]


def messages_in(body: bytes) -> int:
    members = json.loads(body)
    return len(members.get("messages") or members["contents"])
