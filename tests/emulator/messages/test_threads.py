"""Message threads: what is kept, for how long, and that a thread is one line."""

import asyncio

import pytest
from anthropic import AsyncAnthropic

from longwire.emulator import Fault, Script

BETA = "message-threads-2026-08-12"
CREATE = {"type": "create"}


def after(message):
    return {"type": "continue", "previous_message_id": message["id"]}


def results(message):
    calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    return {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": call, "content": "x"} for call in calls],
    }


class Threaded:
    """A client that sends what is new alone."""

    def __init__(self, it, **members):
        self.it = it
        self.members = members

    async def say(self, *messages, thread, status=200, **members):
        members = {"thread": thread, **self.members, **members}
        return await self.it.answer(*messages, status=status, betas=BETA, **members)

    async def code(self, *messages, thread, status, **members):
        """The code of a refusal."""
        content = await self.say(*messages, thread=thread, status=status, **members)
        return content["error"]["type"], content["error"]["details"]["error_code"]


async def test_digest_is_that_of_the_whole_conversation(claude, user, tool, thinking):
    """What is kept and what is new have the digest, and the answer, of the whole said at once."""
    async with claude() as it:
        members = {"system": "S", "tools": [tool], "thinking": thinking}
        threaded = Threaded(it, **members)
        first = await threaded.say(user, thread=CREATE)
        second = await threaded.say(results(first), thread=after(first), system=None, tools=None)
        said = {"role": "assistant", "content": first["content"]}
        whole = await it.answer(user, said, results(first), **members)
        turns = it.emulator.turns
        assert turns[-1].digest == turns[-2].digest
        assert whole["content"][1] == second["content"][1]
        assert [False, True, False] == [turn.continued for turn in turns]
        assert (first["id"], 1) == (turns[1].previous_response_id, turns[1].items_in)
        assert turns[1].input_tokens == turns[2].input_tokens
        assert [] == it.emulator.violations


async def test_a_thread_is_one_line(claude, user):
    """An answer is continued once; another key, and an unknown id, find nothing."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        missing = ("not_found_error", "thread_not_found")
        assert missing == await threaded.code(user, thread=after(first), key="sk-two", status=404)
        await threaded.say(user, thread=after(first))
        again = await threaded.code(user, thread=after(first), status=409)
        assert ("conflict_error", "thread_already_continued") == again
        assert missing == await threaded.code(user, thread=after({"id": "msg_1"}), status=404)
        assert [] == it.emulator.violations


async def test_thread_in_flight_is_refused(claude, user):
    """A second continuation beside one that is under way is 409."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        it.emulator.script = Script(first_event_ms=200)
        async with asyncio.TaskGroup() as group:
            group.create_task(threaded.say(user, thread=after(first)))
            while not it.emulator.turns[-1].continued:  # noqa: ASYNC110 - it has no event for this
                await asyncio.sleep(0.001)
            refused = await threaded.code(user, thread=after(first), status=409)
        assert ("conflict_error", "thread_continue_in_flight") == refused


async def test_thread_expires(claude, user):
    """After its time a thread is not found."""
    async with claude(thread_lifetime=0.05) as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        await asyncio.sleep(0.1)
        refused = await threaded.code(user, thread=after(first), status=404)
        assert ("not_found_error", "thread_not_found") == refused


async def test_thread_lives_an_hour_at_most(claude, user):
    """However often it goes on, an hour after its beginning it is not found."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        (thread,) = it.emulator.memory.threads.held.values()
        thread.begun -= 3590
        second = await threaded.say(user, thread=after(first))
        for thread in it.emulator.memory.threads.held.values():
            thread.begun -= 20
        refused = await threaded.code(user, thread=after(second), status=404)
        assert ("not_found_error", "thread_not_found") == refused


async def test_thread_outlives_a_restart(claude, user):
    """What is kept is kept while the emulator is stopped."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        await it.emulator.stop()
        await it.emulator.start()
        await threaded.say(user, thread=after(first))


async def test_refused_turn_leaves_the_thread_open(claude, user):
    """A refusal of the request, and an error in place of an answer, can be tried again."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        await threaded.say({"role": "user", "content": ""}, thread=after(first), status=400)
        it.emulator.faults.add(Fault(at="after_created", act="error", code="overloaded_error"))
        await threaded.say(user, thread=after(first), status=500)
        await threaded.say(user, thread=after(first))


@pytest.mark.parametrize("act", ["error", "close"])
async def test_broken_stream_ends_the_thread(claude, user, act):
    """Behind an answer that broke off nothing goes on, neither from it nor from the one before."""
    async with claude() as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        it.emulator.faults.add(Fault(at="mid_delta", act=act))
        events = await it.events(user, thread=after(first), betas=BETA)
        assert "message_stop" != events[-1]["type"]
        broken = after(events[0]["message"])
        assert "thread_not_found" == (await threaded.code(user, thread=broken, status=404))[1]
        again = await threaded.code(user, thread=after(first), status=409)
        assert "thread_already_continued" == again[1]


async def test_refusal_of_the_model_ends_the_thread(claude, user):
    """A refused answer is not gone on from."""
    async with claude(Script(refusal="No.")) as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        assert "refusal" == first["stop_reason"]
        assert "thread_not_found" == (await threaded.code(user, thread=after(first), status=404))[1]


async def test_paused_answer_goes_on_without_messages(claude, user):
    """Behind `pause_turn` a continuation may be empty, and a resend ends with the answer."""
    async with claude(Script(finish_reason="pause_turn")) as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE)
        second = await threaded.say(thread=after(first))
        assert ["pause_turn", "end_turn"] == [first["stop_reason"], second["stop_reason"]]
        answer = {"role": "assistant", "content": first["content"]}
        third = await it.answer(user, answer)
        assert "end_turn" == third["stop_reason"]


async def test_system_and_tools_are_fixed(claude, user, tool):
    """They may be repeated, marks and spelling aside; another one is refused."""
    async with claude(Script(tool_rounds=0)) as it:
        threaded = Threaded(it)
        first = await threaded.say(user, thread=CREATE, system="S", tools=[tool])
        marked = [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]
        second = await threaded.say(user, thread=after(first), system=marked, tools=[tool])
        other = await threaded.say(user, thread=after(second), system="T", status=400)
        assert other["error"]["message"].startswith("thread: `system` is fixed")


@pytest.mark.parametrize("thread", [CREATE, {"type": "continue", "previous_message_id": "msg_1"}])
async def test_upstream_without_threads(claude, user, thread):
    """It refuses the member, or does not know it at all."""
    async with claude(threads="unsupported") as it:
        refused = await Threaded(it).code(user, thread=thread, status=400)
        assert ("invalid_request_error", "thread_unsupported_request") == refused
    async with claude(threads="unknown") as it:
        content = await Threaded(it).say(user, thread=thread, status=400)
        assert "thread: Extra inputs are not permitted" == content["error"]["message"]


async def test_official_threads_go_on_and_recover(claude, user):
    """The official client's own threads: two turns, then the whole again after a loss."""
    async with (
        claude() as it,
        AsyncAnthropic(base_url=it.emulator.url, api_key="sk-one", max_retries=0) as client,
    ):
        thread = client.beta.messages.thread(model="claude-sonnet-5-5", max_tokens=100)
        await thread.send(user)
        reply = await thread.send(user)
        assert [False, True] == [turn.continued for turn in it.emulator.turns]
        assert thread.previous_message_id == reply.id
        await it.answer(user, thread=after({"id": reply.id}), betas=BETA)
        await thread.send(user)
        statuses = [turn.status for turn in it.emulator.turns]
        assert ["error:conflict_error", "completed"] == statuses[-2:]
        assert (5, False) == (it.emulator.turns[-1].items_in, it.emulator.turns[-1].continued)
