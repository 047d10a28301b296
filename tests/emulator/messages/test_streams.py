"""How answers of Messages end, break, and look in the field."""

import aiohttp
import pytest
from anthropic import AsyncAnthropic

from longwire.emulator import Fault, Script

SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def say(words):
    return {"role": "user", "content": words}


ENDINGS = {
    "end_turn": ("scene:text", {}, "completed"),
    "tool_use": ("scene:tool", {}, "completed"),
    "max_tokens": ("scene:incomplete", {}, "incomplete"),
    "refusal": ("scene:refusal", {}, "completed"),
    "stop_sequence": ("scene:long", {"stop_sequences": ["never", "Line 3"]}, "completed"),
}


@pytest.mark.parametrize(("reason", "case"), ENDINGS.items(), ids=ENDINGS)
@pytest.mark.parametrize("streams", [False, True])
async def test_scene_ends_with_its_reason(claude, tool, reason, case, streams):
    """A scene in the user's text leads to its `stop_reason`, whole and streamed."""
    words, members, status = case
    async with claude() as it:
        if streams:
            ending = (await it.events(say(words), tools=[tool], **members))[-2]["delta"]
        else:
            ending = await it.answer(say(words), tools=[tool], **members)
        stopped = "Line 3" if reason == "stop_sequence" else None
        assert (reason, stopped) == (ending["stop_reason"], ending["stop_sequence"])
        assert ("refusal" == reason) == ("stop_details" in ending)
        assert status == it.emulator.turns[-1].status


@pytest.mark.parametrize("reason", ["pause_turn", "model_context_window_exceeded"])
async def test_script_names_the_reason(claude, user, reason):
    """Any reason can be had."""
    async with claude(Script(finish_reason=reason)) as it:
        assert reason == (await it.answer(user))["stop_reason"]
        assert "incomplete" == it.emulator.turns[-1].status


async def test_text_is_cut_where_it_was_stopped(claude):
    """Nothing of the stop sequence is said; a limit of tokens cuts, too."""
    async with claude() as it:
        stopped = await it.answer(say("scene:long"), stop_sequences=["Line 3"])
        assert (
            "Line 1 of a long answer.\nLine 2 of a long answer.\n" == stopped["content"][0]["text"]
        )
        cut = await it.answer(say("scene:long"), max_tokens=2)
        assert ("max_tokens", "Line 1 o") == (cut["stop_reason"], cut["content"][0]["text"])


async def test_structured_answer_fits_its_schema(claude, user):
    """`output_config.format` gives JSON."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    async with claude() as it:
        config = {"format": {"type": "json_schema", "schema": schema}}
        answer = await it.answer(user, output_config=config)
        assert '{"n":7}' == answer["content"][0]["text"]


async def test_search_is_replayed_as_it_was(claude):
    """A search upstream, its pages and the citation come back without complaint."""
    async with claude() as it:
        question = say("scene:search")
        answer = await it.answer(question, tools=[SEARCH])
        kinds = [block["type"] for block in answer["content"]]
        assert ["server_tool_use", "web_search_tool_result", "text"] == kinds
        assert answer["content"][2]["citations"]
        said = {"role": "assistant", "content": answer["content"]}
        await it.answer(question, said, say("more"), tools=[SEARCH])
        assert (4, []) == (it.emulator.turns[-1].items_rendered, it.emulator.violations)


async def test_arguments_go_out_as_they_were_written(claude, tool):
    """Digits and blanks of a call's arguments survive; none at all are an empty object."""
    async with claude(Script(tool="read", arguments='{"n": 1.50}')) as it:
        events = await it.events(say("go"), tools=[tool])
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        texts = [delta["partial_json"] for delta in deltas if delta["type"] == "input_json_delta"]
        assert ("", '{"n": 1.50}') == (texts[0], "".join(texts))
        it.emulator.script = Script(tool="read", arguments="{}")
        events = await it.events(say("go"), tools=[tool])
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        assert {"type": "input_json_delta", "partial_json": ""} == deltas[-1]


@pytest.mark.parametrize("code", ["overloaded_error", "server_error"])
async def test_failure_is_an_error(claude, user, code):
    """In a stream an event behind `message_start`, otherwise a status; nothing follows it."""
    kind = code if code == "overloaded_error" else "api_error"
    async with claude(Script(finish=f"failed:{code}")) as it:
        events = await it.events(user)
        assert ("message_start", "error") == (events[0]["type"], events[-1]["type"])
        assert kind == events[-1]["error"]["type"]
        status = 529 if code == "overloaded_error" else 500
        assert kind == (await it.answer(user, status=status))["error"]["type"]


POINTS = ["handshake", "before_create", "after_create"]


@pytest.mark.parametrize("point", POINTS)
async def test_refusal_by_a_fault_is_in_this_api(claude, user, point):
    """Status, headers and kind of an error before any event."""
    async with claude() as it:
        act = "refuse" if point == "handshake" else "error"
        headers = {"retry-after": "7"}
        it.emulator.faults.add(
            Fault(at=point, act=act, status=529, headers=headers, message="Overloaded")
        )
        body = {"model": "m", "max_tokens": 9, "messages": [user], "stream": True}
        async with it.post(body) as answer:
            content = await answer.json()
            assert (529, "7") == (answer.status, answer.headers["retry-after"])
        assert {"type": "overloaded_error", "message": "Overloaded"} == content["error"]
        assert [] == it.emulator.violations


@pytest.mark.parametrize("point", ["models", "count"])
async def test_refusal_beside_turns(claude, user, point):
    """The list of models and the count of tokens can be refused, too."""
    async with claude() as it:
        it.emulator.faults.add(Fault(at=point, act="refuse", status=404))
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        if point == "models":
            async with it.session.get(f"{it.emulator.url}/v1/models", headers=headers) as answer:
                content = await answer.json()
        else:
            path = "/v1/messages/count_tokens"
            async with it.post({"model": "m", "messages": [user]}, path) as answer:
                content = await answer.json()
        assert (404, "not_found_error") == (answer.status, content["error"]["type"])


@pytest.mark.parametrize("code", [None, "overloaded_error"])
@pytest.mark.parametrize("point", ["after_created", "mid_delta", "after_item", "before_terminal"])
async def test_error_in_the_middle_is_an_event(claude, user, point, code):
    """The stream ends with an error in this API's form."""
    async with claude() as it:
        it.emulator.faults.add(Fault(at=point, act="error", code=code, message="Gone"))
        last = (await it.events(user))[-1]
        error = {"type": code or "api_error", "message": "Gone"}
        assert ("error", error) == (last["type"], last["error"])
        assert "spoiled" == it.emulator.turns[-1].status


@pytest.mark.parametrize("act", ["reset", "half"])
async def test_cut_in_the_middle(claude, user, act):
    """The connection breaks behind a delta; the turn is `cut`."""
    async with claude() as it:
        it.emulator.faults.add(Fault(at="mid_delta", act=act))
        body = {"model": "m", "max_tokens": 9, "messages": [user], "stream": True}
        with pytest.raises(aiohttp.ClientError):
            async with it.post(body) as answer:
                await answer.read()
        assert "cut" == it.emulator.turns[-1].status


async def test_body_can_end_too_early(claude, user):
    """A stream without `message_stop` whose body ends in order."""
    async with claude(Script(end_without_terminal=True)) as it:
        events = await it.events(user)
        assert ("content_block_stop", "unfinished") == (
            events[-1]["type"],
            it.emulator.turns[-1].status,
        )


async def test_slow_drip_is_the_same_stream(claude, user):
    """Byte by byte, nothing is lost."""
    async with claude() as it:
        it.emulator.faults.add(Fault(at="after_created", act="slow_drip"))
        assert "message_stop" == (await it.events(user))[-1]["type"]


STARTS = {
    "start_twice": ["message_start", "message_start", "ping", "content_block_start"],
    "start_anew": ["message_start", "content_block_start", "content_block_delta", "message_start"],
    "start_whole": ["message_start", "message_stop"],
    "pings": ["message_start", "ping", "ping", "ping", "content_block_start"],
}


@pytest.mark.parametrize(("name", "kinds"), STARTS.items(), ids=STARTS)
async def test_odd_streams(claude, user, name, kinds):
    """Each begins as it was seen in the field."""
    async with claude(oddities=(name,)) as it:
        events = await it.events(user)
        assert kinds == [event["type"] for event in events][: len(kinds)]
        assert "message_stop" == events[-1]["type"]
        if name == "start_whole":
            message = events[0]["message"]
            assert ("end_turn", "text") == (message["stop_reason"], message["content"][0]["type"])


async def test_usage_at_the_end_alone(claude, user):
    """Zeros at the beginning; the end has all of it."""
    async with claude(oddities=("usage_at_the_end",)) as it:
        events = await it.events(user)
        assert {"input_tokens": 0, "output_tokens": 0} == events[0]["message"]["usage"]
        assert it.emulator.turns[-1].input_tokens == events[-2]["usage"]["input_tokens"]


async def test_overloads_by_name(claude, user):
    """Refused with 529, or broken off in the middle; threads are refused by name, too."""
    async with claude(oddities=("overloaded",)) as it:
        refusal = await it.answer(user, status=529)
        assert {"type": "overloaded_error", "message": "Overloaded"} == refusal["error"]
    async with claude(oddities=("overloaded_late",)) as it:
        assert "overloaded_error" == (await it.events(user))[-1]["error"]["type"]
    async with claude(oddities=("no_threads",)) as it:
        assert "unsupported" == it.emulator.options.threads


async def test_prompt_that_is_too_long(claude, user):
    """In the words that clients know: by itself, or together with `max_tokens`."""
    async with claude(context_window=100) as it:
        words = (await it.answer(say("x" * 800), status=400))["error"]["message"]
        tokens = words.removeprefix("prompt is too long: ").partition(" ")[0]
        assert f"prompt is too long: {tokens} tokens > 100 maximum" == words
        words = (await it.answer(user, status=400))["error"]["message"]
        assert words.startswith("input length and `max_tokens` exceed context limit: ")
        await it.answer(user, max_tokens=50)
        assert [] == it.emulator.violations


async def test_body_that_is_too_large(claude):
    """413 in this API's form."""
    async with claude(max_body=1000) as it:
        refusal = await it.answer(say("x" * 2000), status=413)
        assert "request_too_large" == refusal["error"]["type"]


async def test_body_that_is_no_json(claude):
    """400 in this API's form."""
    async with claude() as it:
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        url = f"{it.emulator.url}/v1/messages"
        async with it.session.post(url, data=b"{", headers=headers) as answer:
            content = await answer.json()
        assert (400, "invalid_request_error") == (answer.status, content["error"]["type"])


async def test_official_client_reads_the_odd_streams(claude, user):
    """Pings and a late usage change nothing for it."""
    async with (
        claude(oddities=("pings", "usage_at_the_end")) as it,
        AsyncAnthropic(base_url=it.emulator.url, api_key="sk-one", max_retries=0) as client,
    ):
        async with client.messages.stream(model="m", max_tokens=99, messages=[user]) as stream:
            message = await stream.get_final_message()
        assert it.emulator.turns[-1].input_tokens == message.usage.input_tokens
        assert it.emulator.turns[-1].digest in message.content[0].text
