"""Laws of turns that are said in Chat Completions."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.core.nouns.access import Grant
from longwire.dialects.chat_completions.request import decode_request
from longwire.dialects.profiles.known import PROFILE_NAMES, profile_of
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.seals import Seal, sealed
from tests.dialects.chat_completions.upstreams import (
    Item,
    body_of,
    call_of,
    messages_of,
    read_whole,
    response_in,
)

LAW = settings(deadline=None, max_examples=150)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NUMBERS = st.sampled_from(["1.50", "1e3", "-0.0", "12345678901234567890"])
PROFILES = st.sampled_from(PROFILE_NAMES).map(lambda name: profile_of(name, ""))
ALL = Profile("all", takes_developer=True, takes_refusals=True)


def said(role: str, kind: str = "input_text") -> st.SearchStrategy[Item]:
    def message(text: str) -> Item:
        return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}

    return TEXT.map(message)


IMAGE: Item = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}
USERS = said("user") | said("user").map(
    lambda item: {**item, "content": [*item["content"], IMAGE, *item["content"]]}
)
INSTRUCTIONS = said("system") | said("developer")


@st.composite
def answers(draw: Any) -> list[list[Item]]:
    """What the model says and calls in one step, with what came of each call."""
    items = [draw(said("assistant", "output_text"))] if draw(st.booleans()) else []
    count = draw(st.integers(0 if items else 1, 3))
    outputs = []
    for _ in range(count):
        own = {"call_id": f"call_{draw(st.integers(0, 10**9))}"}
        arguments = f'{{"a":{draw(NUMBERS)}}}'
        items.append({"type": "function_call", **own, "name": "read", "arguments": arguments})
        outputs.append({"type": "function_call_output", **own, "output": draw(TEXT)})
    return [[*items, *outputs]]


@st.composite
def histories(draw: Any) -> list[list[Item]]:
    """The steps of a conversation, in the spelling in which Chat Completions are read."""
    steps = [[draw(INSTRUCTIONS)] for _ in range(draw(st.integers(0, 2)))]
    steps.append([draw(USERS)])
    for _ in range(draw(st.integers(0, 4))):
        steps += draw(answers())
        last = steps[-1][-1]["type"]
        if last == "message" or draw(st.booleans()):
            steps += [[draw(USERS | INSTRUCTIONS)]]
    return steps


def flat(steps: list[list[Item]]) -> list[Item]:
    return [item for step in steps for item in step]


@LAW
@given(histories())
def test_what_can_be_said_comes_back(steps):
    """Items to messages to items is the identity, digits and all."""
    items = flat(steps)
    body = call_of(*items, profile=ALL).body
    members = {name: json.loads(body)[name] for name in ("model", "messages")}
    read = decode_request(json.dumps(members).encode(), {}, Grant())
    assert items == json.loads(read.input)


@LAW
@given(histories(), PROFILES, st.data())
def test_a_longer_history_begins_with_a_shorter_one(steps, profile, data):
    """For whatever vendor: its cache holds what it has read."""
    count = data.draw(st.integers(1, len(steps)))
    shorter, longer = flat(steps[:count]), flat(steps)
    before, after = (messages_of(*each, profile=profile) for each in (shorter, longer))
    if all(item.get("role") in ("system", "developer") for item in shorter):
        return
    assert before == after[: len(before)]


@LAW
@given(histories(), PROFILES)
def test_the_same_turn_gives_the_same_bytes(steps, profile):
    """Nothing of a request is made anew."""
    items = flat(steps)
    assert call_of(*items, profile=profile).body == call_of(*items, profile=profile).body


@LAW
@given(histories(), PROFILES)
def test_each_call_is_followed_by_its_result(steps, profile):
    """Directly behind the message that calls, one each, in the order of the calls."""
    messages = messages_of(*flat(steps), profile=profile)
    for at, message in enumerate(messages):
        calls = [each["id"] for each in message.get("tool_calls", ())]
        behind = messages[at + 1 : at + 1 + len(calls)]
        assert calls == [each.get("tool_call_id") for each in behind]


@LAW
@given(TEXT, PROFILES.filter(lambda profile: profile.reasoning), st.booleans())
def test_reasoning_goes_back_as_it_came(text, profile, has_call):
    """Byte for byte, in the member where its vendor looks for it; and to no other vendor."""
    calls = [{"id": "abcdefghi", "type": "function", "function": {"name": "x", "arguments": "{}"}}]
    message = {"content": "a", "reasoning": text, "tool_calls": calls if has_call else None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = response_in(read_whole({"id": "c", "choices": [choice]}, profile=profile))["output"]
    sent = body_of({"role": "user", "content": "q"}, *answer, profile=profile)["messages"][1]
    is_wanted = has_call or profile.reasoning_turns == "all"
    assert (text if is_wanted else None) == sent.get(profile.reasoning)
    other = body_of({"role": "user", "content": "q"}, *answer, profile=ALL)["messages"][1]
    assert not {"reasoning", "reasoning_content", "reasoning_details"} & set(other)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_what_one_vendor_sealed_is_sent_to_no_other(name):
    """Neither as reasoning nor as anything else; what is left out is named."""
    seal = {"type": "reasoning", "summary": [], "encrypted_content": sealed(Seal(name, "secret"))}
    items = ({"role": "user", "content": "q"}, seal, {"role": "assistant", "content": "a"})
    others = [profile_of(each, "") for each in PROFILE_NAMES]
    for profile in others:
        if profile.issuer != name:
            call_ = call_of(*items, profile=profile)
            assert b"secret" not in call_.body
            assert ("input.reasoning",) == call_.dropped
