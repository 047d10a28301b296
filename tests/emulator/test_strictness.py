"""What a correct client never sends is refused with the documented error and written down."""

import ast
import inspect
import json
import pkgutil
from importlib import import_module

import pytest

import longwire.emulator as emulator_package
from longwire.emulator import Emulator, Options, Script

CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
USER = {"role": "user", "content": "hi"}
MESSAGE = {"type": "message", "id": "msg_1", **USER}
REFERENCE = {"type": "item_reference", "id": "rs_1"}
NOT_STORED = (
    "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. Try"
    " again with `store` set to true, or remove this item from your input."
)

REFUSED = {
    "unknown type": ({"type": "response.cancel"}, [], "invalid_value", "type"),
    "unknown parameter": ({"novelty": 1}, [USER], "unknown_parameter", "novelty"),
    "wrong type": ({"store": "no"}, [USER], "invalid_type", "store"),
    "number for bool": ({"tools": 1}, [USER], "invalid_type", "tools"),
    "bool for number": ({"max_output_tokens": True}, [USER], "invalid_type", "max_output_tokens"),
    "no model": ({"model": None}, [USER], "missing_required_parameter", "model"),
    "no input": ({"input": None}, [], "missing_required_parameter", "input"),
    "background": ({"background": True}, [USER], "unsupported_parameter", "background"),
    "bad stream_id": ({"stream_id": "a b"}, [USER], "invalid_stream_id", "stream_id"),
    "empty stream_id": ({"stream_id": ""}, [USER], "invalid_stream_id", "stream_id"),
    "list stream_id": ({"stream_id": []}, [USER], "invalid_stream_id", "stream_id"),
    "metadata": ({"metadata": {"a": "x" * 513}}, [USER], None, "metadata"),
    "script": ({"metadata": {"emulator": '{"x":1}'}}, [USER], None, "metadata.emulator"),
    "script type": ({"metadata": {"emulator": '{"deltas":0}'}}, [USER], None, "metadata.emulator"),
    "both parents": (
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        [USER],
        "mutually_exclusive_parameters",
        "conversation",
    ),
    "unknown item": ({}, [{"type": "novelty"}], "invalid_value", "input[0].type"),
    "no item": ({}, ["hi"], "invalid_type", "input[0]"),
    "untyped item": ({}, [{"id": "x"}], "invalid_value", "input[0].type"),
    "role": ({}, [{"role": "tool", "content": ""}], "invalid_value", "input[0].role"),
    "part": (
        {},
        [{"role": "user", "content": [{"type": "output_text", "text": ""}]}],
        "invalid_value",
        "input[0].content[0].type",
    ),
    "assistant part": (
        {},
        [{"role": "assistant", "content": [{"type": "input_text", "text": ""}]}],
        "invalid_value",
        "input[0].content[0].type",
    ),
    "call without id": (
        {},
        [{"type": "function_call", "name": "f", "arguments": ""}],
        "missing_required_parameter",
        "input[0].call_id",
    ),
    "encrypted elsewhere": (
        {},
        [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAAAx"}],
        "invalid_encrypted_content",
        "input[0]",
    ),
}


@pytest.mark.parametrize(("members", "items", "code", "param"), REFUSED.values(), ids=REFUSED)
async def test_bad_request_is_refused_and_noted(upstream, members, items, code, param):
    """A request no correct client sends is one error frame, one violation, and no harm."""
    async with upstream() as it, it.dial() as socket:
        error = await socket.refuse(*items, **members)
        assert (400, code, param) == (
            error["status"],
            error["error"]["code"],
            error["error"]["param"],
        )
        assert 1 == len(it.emulator.violations)
        await socket.respond(USER)


CONTEXTS = {
    "output without call": ([OUTPUT], "No tool call found for function call output with call_id"),
    "call without output": ([CALL], "No tool output found for function call call_1."),
    "message before output": ([CALL, USER, OUTPUT], "No tool output found for function call"),
    "output twice": ([CALL, OUTPUT, OUTPUT], "Duplicate item found with id call_1."),
    "call twice": ([CALL, OUTPUT, CALL], "Duplicate item found with id call_1."),
    "id twice": ([MESSAGE, MESSAGE], "Duplicate item found with id msg_1."),
    "wrong kind of output": (
        [CALL, OUTPUT | {"type": "custom_tool_call_output"}],
        "No tool call found for custom tool call output with call_id call_1.",
    ),
    "reference": ([REFERENCE], NOT_STORED),
    "bare reasoning": ([{"type": "reasoning", "id": "rs_1", "summary": []}], NOT_STORED),
}  # fmt: skip


@pytest.mark.parametrize(("items", "message"), CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("continued", [False, True])
async def test_impossible_context_is_refused(upstream, items, message, continued):
    """The rendered context, cached part included, has each item once and each call answered."""
    async with upstream() as it, it.dial() as socket:
        parent = (await socket.respond(USER))["id"] if continued else None
        error = await socket.refuse(*items, previous_response_id=parent)
        assert error["error"]["message"].startswith(message)
        assert message in it.emulator.violations[0]


async def test_duplicate_of_cached_item_is_refused(upstream):
    """A suffix that repeats what the upstream already holds is a duplicate."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(MESSAGE)
        error = await socket.refuse(MESSAGE, USER, previous_response_id=first["id"])
        assert "Duplicate item found with id msg_1" in error["error"]["message"]


async def test_status_of_unstored_references_can_be_404(upstream):
    """Both statuses are seen in the wild."""
    async with upstream(unstored_reference_status=404) as it, it.dial() as socket:
        assert 404 == (await socket.refuse(REFERENCE))["status"]


async def test_encrypted_content_belongs_to_its_account(upstream):
    """Content minted for one account is refused from another, and with a foreign id if paired."""
    asked = {"include": ["reasoning.encrypted_content"]}
    async with upstream(paired_ids=True) as it:
        async with it.dial() as socket:
            reasoning = (await socket.respond(USER, **asked))["output"][0]
            await socket.respond(USER, reasoning)
            error = await socket.refuse(USER, reasoning | {"id": "rs_other"})
            assert "invalid_encrypted_content" == error["error"]["code"]
        async with it.dial(key="sk-two") as socket:
            error = await socket.refuse(USER, reasoning)
            assert "invalid_encrypted_content" == error["error"]["code"]


async def test_lenient_emulator_takes_unknown_parameters(upstream):
    """Without strictness unknown parameters and foreign encrypted content pass."""
    async with upstream(strict=False, check_encrypted=False) as it, it.dial() as socket:
        foreign = {"type": "reasoning", "summary": [], "encrypted_content": "x"}
        await socket.respond(foreign, USER, novelty=1)
        assert [] == it.emulator.violations


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a": NaN}', '{"a": "\\ud800"}'])
async def test_what_is_no_json_object_is_refused(upstream, text):
    """A frame must hold one JSON object."""
    async with upstream() as it, it.dial() as socket:
        await socket.socket.send_str(text)
        assert "invalid_json" == (await socket.event())["error"]["code"]
        assert 1 == len(it.emulator.violations)


async def test_text_that_is_no_utf8_is_refused(upstream):
    """A text frame must be UTF-8."""
    async with upstream() as it, it.dial() as socket:
        await socket.socket._writer.send_frame(b'{"a": "\xff"}', 1)
        assert "invalid_json" == (await socket.event())["error"]["code"]
        assert 1 == len(it.emulator.violations)


async def test_binary_frame_closes_with_1003(upstream):
    """Only text frames carry events."""
    async with upstream() as it, it.dial() as socket:
        await socket.socket.send_bytes(b"{}")
        assert 1003 == await socket.closed()
        assert "binary frame" in it.emulator.violations[0]


async def test_too_large_message_closes_with_1009(upstream):
    """A message over the limit ends the connection."""
    async with upstream(max_message=1000) as it, it.dial() as socket:
        await socket.send(type="response.create", input="x" * 1000)
        assert 1009 == await socket.closed()
        assert 1 == len(it.emulator.violations)


async def test_unissued_id_is_a_violation_and_evicted_one_is_not(upstream):
    """An id that never existed is the client's fault; one that is gone is only counted."""
    async with upstream() as it, it.dial() as socket:
        old = await socket.respond(USER)
        await socket.respond(USER)
        for identity, violations in ((old["id"], 0), ("resp_invented", 1)):
            error = await socket.refuse(USER, previous_response_id=identity)
            assert {
                "type": "error",
                "status": 400,
                "error": {
                    "type": "invalid_request_error",
                    "code": "previous_response_not_found",
                    "message": f"Previous response with id '{identity}' not found.",
                    "param": "previous_response_id",
                },
            } == error
            assert violations == len(it.emulator.violations)
        assert 2 == it.emulator.counters.not_found


async def test_steering_is_answered_as_unsupported(upstream):
    """`response.steer` gives its input back."""
    async with upstream() as it, it.dial() as socket:
        await socket.send(type="response.steer", previous_response_id="resp_1", input="x")
        event = await socket.event()
        assert ("response.steer.failed", "steering_not_supported", "x") == (
            event["type"],
            event["error"]["code"],
            event["steer"]["input"],
        )


CODEX = {
    "store": ({"store": True}, "Store must be set to false"),
    "stream_id": ({"stream_id": "a"}, "Unsupported parameter: stream_id"),
    "temperature": ({"temperature": 1}, "Unsupported parameter: temperature"),
    "metadata": ({"metadata": {}}, "Unsupported parameter: metadata"),
    "tier": ({"service_tier": "flex"}, "Unsupported parameter: service_tier"),
    "unknown": ({"novelty": 1}, "Unsupported parameter: novelty"),
    "system": ({"input": [{"role": "system", "content": ""}]}, "System messages are not allowed"),
    "text": ({"input": "hi"}, "Input must be a list"),
    "stream_options": ({"stream_options": {}}, "Unsupported parameter: stream_options"),
    "prompt": ({"prompt": {"id": "p"}}, "Unsupported parameter: prompt"),
    "prefix": (
        {"input": [MESSAGE | {"id": "item_1"}]},
        "Invalid item id, expected one that begins with 'msg'",
    ),
    "id": ({"input": [MESSAGE | {"id": "m" * 65}]}, "Invalid item id, longer than 64 characters"),
}


@pytest.mark.parametrize(("members", "message"), CODEX.values(), ids=CODEX)
async def test_codex_route_has_rules_of_its_own(upstream, members, message):
    """The Codex backend answers with a detail, nested and with a status on a WebSocket."""
    async with upstream() as it, it.dial("/backend-api/codex") as socket:
        error = await socket.refuse(**({"input": [USER]} | members))
        assert 400 == error["status"]
        assert error["error"]["detail"].startswith(message)
        assert 1 == len(it.emulator.violations)


@pytest.mark.parametrize("path", ["/v1", "/backend-api/codex"])
async def test_a_turn_state_belongs_to_its_account(upstream, path):
    """One that was given to another account is a mistake of whoever sends it on."""
    async with upstream() as it, it.dial(path) as socket:
        state = {"x-codex-turn-state": "turn-of-somebody-else"}
        error = await socket.refuse(input=[USER], store=False, client_metadata=state)
        assert "x-codex-turn-state" == error["error"]["param"]
        assert 1 == len(it.emulator.violations)


@pytest.mark.parametrize("name", ["store", "stream", "include", "metadata"])
async def test_a_compaction_takes_less(upstream, name):
    """The Codex backend's unary route knows no members of a stream."""
    async with upstream() as it:
        address = f"{it.emulator.url}/backend-api/codex/responses/compact"
        body = {"model": "m", "input": [USER], name: None}
        headers = {"authorization": "Bearer x"}
        async with it.session.post(address, json=body, headers=headers) as refused:
            told = await refused.json()
        assert {"detail": f"Unsupported parameter: {name}"} == told
        assert 1 == len(it.emulator.violations)


async def test_busy_sequential_route_refuses_a_second_create(upstream):
    """Without lanes a create before the terminal of the last one is an error."""
    async with upstream(Script(delay_ms=2)) as it, it.dial("/backend-api/codex") as socket:
        for _ in range(2):
            await socket.send(type="response.create", model="m", store=False, input=[USER])
        kinds = [event["type"] for event in await socket.rest()]
        kinds += [event["type"] for event in await socket.rest()]
        assert ["error", "response.completed"] == [k for k in kinds if k in (kinds[-1], "error")]
        assert 1 == len(it.emulator.violations)


async def test_lanes_can_be_switched_off(upstream):
    """An older public API does not know stream_id."""
    async with upstream(multiplexing=False) as it, it.dial() as socket:
        error = await socket.refuse(USER, stream_id="a")
        assert "unknown_parameter" == error["error"]["code"]


async def test_violations_can_be_debugged(upstream):
    """A violation tells connection, fault and the start of the frame."""
    async with upstream() as it, it.dial() as socket:
        await socket.refuse(USER, novelty=1)
        (violation,) = it.emulator.violations
        assert violation.startswith("websocket 1: Unknown parameter: 'novelty'. | {\"type\"")


def test_emulator_shares_no_code_with_the_gateway():
    """A bug of the gateway must not cancel itself out here."""
    for module in pkgutil.iter_modules(emulator_package.__path__, "longwire.emulator."):
        for node in ast.walk(ast.parse(inspect.getsource(import_module(module.name)))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            ours = [name for name in names if name.startswith("longwire")]
            assert all(name.startswith("longwire.emulator") for name in ours)


def test_defaults_need_no_arguments():
    """An emulator can be made with nothing, or from JSON-able settings."""
    assert 0 == Emulator().options.port
    assert json.loads('{"port": 0}')["port"] == Options().port
