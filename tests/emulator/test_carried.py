"""One conversation has one digest, in whichever API it is said."""

from longwire.emulator import Script, digest, merged, numbered, spoken
from tests.emulator.test_chat import TOOLS as CHAT_TOOLS
from tests.emulator.test_gemini import DUMMY, MODEL
from tests.emulator.test_gemini import TOOLS as GEMINI_TOOLS

CALL = {"type": "function_call", "call_id": "call_a", "name": "read", "arguments": '{"n":1.50}'}
OTHER = CALL | {"call_id": "call_b", "arguments": '{"n": 2}'}
ITEMS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "naïve"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Reading."}]},
    CALL,
    OTHER,
    {"type": "function_call_output", "call_id": "call_a", "output": "one"},
    {"type": "function_call_output", "call_id": "call_b", "output": '{"two":2}'},
    {"role": "user", "content": "and now?"},
]


def chat_call(item):
    function = {"name": item["name"], "arguments": item["arguments"]}
    return {"id": item["call_id"], "type": "function", "function": function}


MESSAGES = [
    *ITEMS[:2],
    {"role": "assistant", "content": "Reading.", "tool_calls": [*map(chat_call, (CALL, OTHER))]},
    {"role": "tool", "tool_call_id": "call_a", "content": "one"},
    {"role": "tool", "tool_call_id": "call_b", "content": '{"two":2}'},
    ITEMS[-1],
]
CONTENTS = [
    {"role": "user", "parts": [{"text": "naïve"}]},
    {
        "role": "model",
        "parts": [
            {"text": "Reading."},
            {"functionCall": {"name": "read", "args": {"n": 1.5}}, "thoughtSignature": DUMMY},
            {"functionCall": {"name": "read", "args": {"n": 2}}},
        ],
    },
    {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "read", "response": {"output": "one"}}},
            {"functionResponse": {"name": "read", "response": {"two": 2}}},
            {"text": "and now?"},
        ],
    },
]
BODIES = {
    "/v1/responses": {"model": "m", "input": [*spoken(ITEMS)], "store": False},
    "/v1/chat/completions": {"model": "m", "messages": MESSAGES, "tools": CHAT_TOOLS},
    f"/v1beta/models/{MODEL}:generateContent": {
        "contents": CONTENTS,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": GEMINI_TOOLS,
    },
}


async def test_one_conversation_has_one_digest(upstream):
    """Responses, Chat Completions and Gemini show the model the same; ids are Gemini's own."""
    async with upstream(Script(tool_rounds=0)) as it:
        for path, body in BODIES.items():
            headers = {"authorization": "Bearer sk-one"}
            async with it.session.post(
                it.emulator.url + path, json=body, headers=headers
            ) as answer:
                assert 200 == answer.status, await answer.text()
        responses, chat, gemini = [turn.digest for turn in it.emulator.turns]
    assert [digest(spoken(ITEMS))] * 2 == [responses, chat]
    assert digest(numbered(merged(ITEMS))) == gemini


def test_messages_side_by_side_are_merged():
    """Both spellings of the system are one role, and an assistant's texts one part."""
    items = [
        {"role": "developer", "content": "a"},
        {"role": "system", "content": [{"type": "input_text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
        {"type": "reasoning", "summary": []},
        {"role": "assistant", "content": [{"type": "output_text", "text": "d"}]},
    ]
    system = [{"type": "input_text", "text": text} for text in "ab"]
    assert merged(items) == [
        {"type": "message", "role": "system", "content": system},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "cd"}],
        },
    ]


def test_calls_are_counted_through():
    """An output keeps to its call, whatever its id was."""
    ids = [item.get("call_id") for item in numbered(ITEMS)]
    assert [None] * 4 + ["call_0", "call_1", "call_0", "call_1", None] == ids
    assert "call_a" == CALL["call_id"]
