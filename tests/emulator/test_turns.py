"""Turns over a WebSocket: what is answered, continued, warmed up and counted."""

import hashlib
import json

import pytest

from longwire.emulator import Call, Script, digest


def outputs(response):
    return [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "42"}
        for item in response["output"]
        if item["type"] == "function_call"
    ]


def text_of(response):
    return next(i["content"][0]["text"] for i in response["output"] if i["type"] == "message")


async def test_tool_turn_has_the_documented_sequence(upstream, tools, user):
    """One turn is created … items … completed, numbered from 0 without gaps."""
    async with upstream(Script(deltas=1)) as it, it.dial() as socket:
        events = await socket.create(user, tools=tools, include=["reasoning.encrypted_content"])
        assert list(range(len(events))) == [event["sequence_number"] for event in events]
        assert [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ] == [event["type"] for event in events]


async def test_terminal_repeats_the_items_that_were_done(upstream, tools, user):
    """The terminal's output is the items of response.output_item.done."""
    async with upstream() as it, it.dial() as socket:
        events = await socket.create(user, tools=tools)
        done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
        assert done == events[-1]["response"]["output"]


async def test_continued_and_full_turns_show_the_model_the_same(upstream, tools, user):
    """A conversation told by suffixes and one told in full have the same digests and texts."""
    told, full = [], []
    async with upstream(Script(tool_rounds=2)) as it:
        async with it.dial() as socket:
            items, previous = [user], {}
            for _ in range(6):
                asked = {"tools": tools, "include": ["reasoning.encrypted_content"]}
                response = await socket.respond(*items, **asked, **previous)
                told.append(text_of(response))
                previous = {"previous_response_id": response["id"]}
                items = outputs(response) or [user]
        history = [user]
        for _ in range(6):
            async with it.dial() as socket:
                asked = {"tools": tools, "include": ["reasoning.encrypted_content"]}
                response = await socket.respond(*history, **asked)
            full.append(text_of(response))
            assert f"context sha256:{digest(history)}" == text_of(response)[:79]
            history += [*response["output"], *(outputs(response) or [user])]
        assert full == told
        assert [] == it.emulator.violations
        turns = list(it.emulator.turns)
        assert [False] + [True] * 5 + [False] * 6 == [turn.continued for turn in turns]
        assert [turn.digest for turn in turns[:6]] == [turn.digest for turn in turns[6:]]


async def test_cached_tokens_need_the_same_socket_and_properties(upstream, tools, user):
    """Only a prefix that this socket has seen with equal tools and effort is cached."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(user, tools=tools)
        follow = outputs(first)
        again = {"previous_response_id": first["id"]}
        second = await socket.respond(*follow, tools=tools, **again)
        third = await socket.respond(
            user, tools=tools, reasoning={"effort": "high"}, previous_response_id=second["id"]
        )
        fourth = await socket.respond(*outputs(third), tools=[], previous_response_id=third["id"])
        cached = [
            r["usage"]["input_tokens_details"]["cached_tokens"] > 0
            for r in (first, second, third, fourth)
        ]
        assert [False, True, False, False] == cached


@pytest.mark.parametrize("warm_up", ["full", "terminal_only"])
async def test_warm_up_makes_no_output_and_can_be_continued(upstream, user, warm_up):
    """`generate: false` answers an empty response whose id is a parent like any other."""
    async with upstream(warm_up=warm_up) as it, it.dial() as socket:
        events = await socket.create(user, generate=False)
        whole = ["response.created", "response.in_progress", "response.completed"]
        assert (whole if warm_up == "full" else whole[2:]) == [event["type"] for event in events]
        warm = events[-1]["response"]
        assert ([], 0) == (warm["output"], warm["usage"]["output_tokens"])
        assert warm["usage"]["input_tokens"] > 0
        response = await socket.respond(previous_response_id=warm["id"])
        assert digest([user]) in text_of(response)
        assert 1 == it.emulator.counters.creates_warm_up


async def test_empty_warm_up_is_a_parent(upstream, user):
    """An empty stored context is not the same as none (Codex warms up with no input)."""
    async with upstream() as it, it.dial("/backend-api/codex") as socket:
        warm = (await socket.create(generate=False))[-1]["response"]
        events = await socket.create(user, previous_response_id=warm["id"])
        assert "response.completed" == events[-1]["type"]


async def test_only_offered_tools_are_called(upstream, user, tools):
    """Without tools, or with tool_choice none, the answer comes at once."""
    async with upstream(Script(parallel_calls=3)) as it, it.dial() as socket:
        kinds = []
        for asked in ({}, {"tools": tools, "tool_choice": "none"}, {"tools": tools}):
            response = await socket.respond(user, **asked)
            kinds.append([i["name"] for i in response["output"] if i["type"] == "function_call"])
        assert [[], [], ["read"] * 3] == kinds


async def test_custom_namespaced_and_additional_tools(upstream, user):
    """Custom tools are called with text, and a namespace's tools carry its name."""
    nested = {"type": "namespace", "name": "mcp", "tools": [{"type": "custom", "name": "patch"}]}
    extra = {"type": "additional_tools", "role": "developer", "tools": [nested]}
    async with upstream(Script(custom_tools=True)) as it, it.dial() as socket:
        response = await socket.respond(extra, user)
        call = response["output"][-1]
        assert ("custom_tool_call", "mcp", "patch") == (
            call["type"],
            call["namespace"],
            call["name"],
        )
        answer = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": "ok"}
        await socket.respond(answer, previous_response_id=response["id"])


async def test_arguments_fit_the_schema(upstream, user):
    """Arguments are JSON with the schema's properties, a spelled number and a non-ASCII text."""
    kinds = {"text": "string", "n": "number", "i": "integer", "b": "boolean"}
    properties = {name: {"type": kind} for name, kind in kinds.items()}
    tool = {"type": "function", "name": "f", "parameters": {"properties": properties}}
    async with upstream() as it, it.dial() as socket:
        call = (await socket.respond(user, tools=[tool]))["output"][-1]
        assert '{"text":"naïve ✓ 0","n":1.50,"i":7,"b":true}' == call["arguments"]


@pytest.mark.parametrize(
    ("finish", "status", "continues"),
    [
        ("completed", "completed", True),
        ("incomplete", "incomplete", True),
        ("failed:rate_limit_exceeded", "failed", False),
        ("cancelled", "cancelled", False),
    ],
)
async def test_finish_decides_the_terminal_and_the_cache(upstream, user, finish, status, continues):
    """Completed and incomplete responses continue, failed ones also evict their parent."""
    async with upstream() as it, it.dial() as socket:
        parent = await socket.respond(user)
        asked = {"metadata": {"emulator": json.dumps({"finish": finish})}}
        terminal = (await socket.create(user, previous_response_id=parent["id"], **asked))[-1]
        assert f"response.{status}" == terminal["type"]
        assert status == terminal["response"]["status"]
        for identity in (terminal["response"]["id"], parent["id"]):
            kind = (await socket.create(user, previous_response_id=identity))[-1]["type"]
            expected = continues and identity != parent["id"]
            assert ("response.completed" if expected else "error") == kind


@pytest.mark.parametrize(
    ("mode", "expected"), [("null", None), ("missing", "missing"), ("empty", [])]
)
async def test_terminal_output_can_be_left_out(upstream, user, mode, expected):
    """Some upstreams leave the terminal's output out; the items stand in their own events."""
    async with upstream(terminal_output=mode) as it, it.dial() as socket:
        response = await socket.respond(user)
        assert expected == response.get("output", "missing")


async def test_codex_turn_starts_with_limits_and_turn_state(upstream, user):
    """The Codex backend tells limits and turn state before the first numbered event."""
    async with upstream() as it, it.dial("/backend-api/codex") as socket:
        events = await socket.create(user)
        kinds = ["codex.rate_limits", "response.metadata", "response.created"]
        assert kinds == [event["type"] for event in events[:3]]
        assert "x-codex-turn-state" in events[1]["headers"]
        assert '"emulator-1"' == socket.socket._response.headers["x-models-etag"]


async def test_compaction_trigger_yields_one_compaction_item(upstream, user):
    """After a trigger the only output is a compaction item that a new chain may start with."""
    async with upstream() as it, it.dial() as socket:
        first = await socket.respond(user)
        trigger = {"type": "compaction_trigger"}
        second = await socket.respond(trigger, previous_response_id=first["id"])
        assert ["compaction"] == [item["type"] for item in second["output"]]
        third = await socket.respond(user, *second["output"], user)
        assert third["usage"]["input_tokens"] < 200


async def test_long_answer_comes_in_items(upstream, user):
    """A long text is split into items; beyond a limit the terminal repeats none of them."""
    script = Script(text_bytes=9_000_000, item_bytes=3_000_000, delta_bytes=100_000)
    async with upstream(script) as it, it.dial() as socket:
        events = await socket.create(user)
        done = [e["item"] for e in events if e["type"] == "response.output_item.done"][1:]
        assert [3_000_000] * 3 == [len(item["content"][0]["text"]) for item in done]
        assert [] == events[-1]["response"]["output"]
        deltas = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
        assert hashlib.sha256(deltas.encode()).digest() == (
            hashlib.sha256("".join(i["content"][0]["text"] for i in done).encode()).digest()
        )


async def test_delta_sizes_are_as_scripted(upstream, user):
    """`deltas` and `delta_bytes` give that many deltas of that size."""
    script = Script(deltas=50, delta_bytes=300, reasoning=False)
    async with upstream(script) as it, it.dial() as socket:
        events = await socket.create(user)
        sizes = [len(e["delta"]) for e in events if e["type"].endswith("text.delta")]
        assert [300] * 50 == sizes


async def test_obfuscation_can_be_declined(upstream, user):
    """Deltas are padded unless the request declines it."""
    async with upstream() as it, it.dial() as socket:
        for declined in (False, True):
            asked = {"stream_options": {"include_obfuscation": not declined}}
            events = await socket.create(user, **asked)
            padded = ["obfuscation" in e for e in events if e["type"].endswith(".delta")]
            assert padded
            assert [not declined] * len(padded) == padded


async def test_unknown_events_stand_in_the_sequence(upstream, user):
    """Scripted unknown events are numbered like any other."""
    async with upstream(Script(unknown_events=True)) as it, it.dial() as socket:
        events = await socket.create(user)
        assert "response.emulator.unknown" in [event["type"] for event in events]
        assert list(range(len(events))) == [event["sequence_number"] for event in events]


async def test_fragmented_and_compressed_messages_arrive_whole(upstream, user):
    """Fragmented server messages and deflated client messages mean the same."""
    async with upstream(fragment_bytes=7) as it, it.dial(compress=15) as socket:
        response = await socket.respond(user)
        assert digest([user]) in text_of(response)


async def test_with_its_terminal_a_turn_is_over(upstream, user):
    """However slowly its events come, the next turn may come the instant that it is read."""
    script = Script(delay_ms=5, deltas=1)
    async with upstream(script, multiplexing=False) as it, it.dial() as socket:
        for _ in range(2):
            assert "response.completed" == (await socket.create(user))[-1]["type"]


async def test_delays_hold_back_the_events(upstream, user):
    """With a delay per event the turn takes at least that long."""
    async with upstream(Script(delay_ms=1, first_event_ms=1)) as it, it.dial() as socket:
        assert "response.completed" == (await socket.create(user))[-1]["type"]


async def test_script_can_be_changed_and_overridden(upstream, user, tools):
    """A new script holds from the next request on, `metadata.emulator` for one request."""
    async with upstream(Script(tool_rounds=0)) as it, it.dial() as socket:
        plain = await socket.respond(user, tools=tools)
        override = {"metadata": {"emulator": '{"tool_rounds": 1, "commentary": false}'}}
        overridden = await socket.respond(user, tools=tools, **override)
        it.emulator.script = Script(reasoning=False, tool_rounds=1)
        changed = await socket.respond(user, tools=tools)
        assert [
            ["reasoning", "message"],
            ["reasoning", "function_call"],
            ["message", "function_call"],
        ] == [[i["type"] for i in r["output"]] for r in (plain, overridden, changed)]


async def test_turn_record_tells_what_was_asked_and_answered(upstream, user):
    """One record per create, with bytes, items, ids and outcome."""
    async with upstream() as it, it.dial(key="sk-abcd") as socket:
        first = await socket.respond(user)
        second = await socket.respond(user, previous_response_id=first["id"], stream_id="main")
        turn = it.emulator.turns[-1]
        assert ("main", first["id"], second["id"]) == (
            turn.lane,
            turn.previous_response_id,
            turn.response_id,
        )
        assert (2, "websocket", 1, "abcd", "m") == (
            turn.number,
            turn.transport,
            turn.connection,
            turn.fingerprint,
            turn.model,
        )
        assert (1, 4, True, False, "completed") == (
            turn.items_in,
            turn.items_rendered,
            turn.continued,
            turn.store,
            turn.status,
        )
        assert 2 == it.emulator.counters.snapshot()["creates"]


async def test_scripted_calls_follow_one_another_where_their_tool_is_offered(upstream, tools, user):
    """Each round makes the next call of the script, past those whose tool is not offered."""
    names = [tool["name"] for tool in tools if tool["type"] == "function"]
    wanted = [Call(tool=name, arguments=f'{{"place":{place}}}') for place, name in enumerate(names)]
    script = Script(tool_rounds=2, calls=(Call(tool="not offered", arguments="{}"), *wanted))
    calls = []
    async with upstream(script) as it, it.dial() as socket:
        items, previous = [user], {}
        for _ in range(2):
            response = await socket.respond(*items, tools=tools, **previous)
            calls += [item for item in response["output"] if item["type"] == "function_call"]
            items, previous = outputs(response), {"previous_response_id": response["id"]}
    expected = [(call.tool, call.arguments) for call in (*wanted, *wanted)][:2]
    assert expected == [(call["name"], call["arguments"]) for call in calls]
