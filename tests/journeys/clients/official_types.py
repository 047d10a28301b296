"""What the gateway sent, read by the vendors' own types and accumulators.

Law: each body and each event has its vendor's form, a stream opens one block at a time and closes
it, and what accumulates from it is a whole message.
"""

from collections.abc import Callable, Iterable, Mapping

from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types import ErrorResponse, Message, MessageTokensCount, RawMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.shared import ErrorObject
from pydantic import TypeAdapter

from tests.journeys.clients.recorder import Recorded

EVENT = TypeAdapter(RawMessageStreamEvent)
BETA_EVENT = TypeAdapter(BetaRawMessageStreamEvent)
PING = '{"type":"ping"}'
FOLLOWERS: Mapping[str, set[str]] = {
    "": {"message_start"},
    "message_start": {"content_block_start", "message_delta"},
    "content_block_start": {"content_block_delta", "content_block_stop"},
    "content_block_delta": {"content_block_delta", "content_block_stop"},
    "content_block_stop": {"content_block_start", "message_delta"},
    "message_delta": {"message_stop"},
    "message_stop": set(),
}
"""What may follow an event of a stream of Messages, beside pings."""


def check_chat(recorded: Recorded) -> None:
    """A reply of Chat Completions."""
    if recorded.status != 200:
        ErrorObject.model_validate(recorded.answer["error"])
    elif recorded.streams:
        *chunks, done = recorded.events()
        assert "[DONE]" == done
        check_chunks([ChatCompletionChunk.model_validate_json(chunk) for chunk in chunks])
    else:
        completion = ChatCompletion.model_validate(recorded.answer)
        assert {"stop", "tool_calls"} & {choice.finish_reason for choice in completion.choices}


def check_chunks(chunks: Iterable[ChatCompletionChunk]) -> None:
    """One role, one id, one reason to finish; and the official client makes a completion of it."""
    state, ids, roles, reasons = ChatCompletionStreamState(), set(), [], []
    for chunk in chunks:
        state.handle_chunk(chunk)
        ids.add(chunk.id)
        roles += [choice.delta.role for choice in chunk.choices if choice.delta.role]
        reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    (choice,) = state.get_final_completion().choices
    assert (1, ["assistant"], [choice.finish_reason]) == (len(ids), roles, reasons)


def check_messages(recorded: Recorded) -> None:
    """A reply of Anthropic Messages."""
    if recorded.status == 200:
        assert message_of(recorded).stop_reason
    else:
        ErrorResponse.model_validate(recorded.answer)


def message_of(recorded: Recorded) -> BetaMessage:
    """The message of a reply, streamed or not."""
    if recorded.streams:
        return accumulated([event for event in recorded.events() if event != PING])
    Message.model_validate(recorded.answer)
    return BetaMessage.model_validate(recorded.answer)


def accumulated(events: Iterable[str]) -> BetaMessage:
    """In order, block by block; and the official client makes a message of it."""
    snapshot, buffers, before, blocks = None, {}, "", 0
    for raw in events:
        EVENT.validate_json(raw)
        event = BETA_EVENT.validate_json(raw)
        assert event.type in FOLLOWERS[before], (before, raw)
        before = event.type
        blocks += before == "content_block_start"
        if before.startswith("content_block"):
            assert blocks - 1 == event.index, raw
        snapshot = accumulate_event(
            event=event, current_snapshot=snapshot, json_bufs=buffers, request_headers={}
        )
    assert "message_stop" == before
    assert blocks == len(snapshot.content)
    return BetaMessage.model_validate(snapshot.to_dict())


def check_count(recorded: Recorded) -> None:
    """A reply to a count of tokens."""
    form = MessageTokensCount if recorded.status == 200 else ErrorResponse
    form.model_validate(recorded.answer)


def check_content(recorded: Recorded) -> None:
    """A reply of Gemini's API: of its stream each chunk has a content, and the last one ends it."""
    if recorded.status != 200:
        assert {"code", "message", "status"} <= set(recorded.answer["error"])
        return
    bodies = recorded.events() if recorded.streams else [recorded.reply.decode()]
    responses = [GenerateContentResponse.model_validate_json(body) for body in bodies]
    *others, last = [response.candidates[0] for response in responses]
    assert all(candidate.content.parts for candidate in (*others, last))
    assert last.finish_reason
    assert not any(candidate.finish_reason for candidate in others)
    assert responses[-1].usage_metadata.total_token_count
    assert 1 == len({response.response_id for response in responses})


CHECKS: Mapping[str, Callable[[Recorded], None]] = {
    "/v1/chat/completions": check_chat,
    "/v1/messages": check_messages,
    "/v1/messages/count_tokens": check_count,
    "generateContent": check_content,
    "streamGenerateContent": check_content,
}


def check(recorded: Iterable[Recorded]) -> None:
    """Check every reply that has a type; each of them has ended as HTTP wants it."""
    for one in recorded:
        check_reply = CHECKS.get(one.path.rpartition(":")[2] or one.path)
        if check_reply is not None:
            assert one.is_whole, one
            check_reply(one)
