"""The decision for one connection: continue, begin anew, or no common history."""

import pytest

from longwire.core.rules.continuity import Continue, Fresh, Reason, decide
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.request import decode_request
from tests.core.turns import answer, chain, naming, turn, user

FIRST = turn(user("a"))
HELD = chain(FIRST, answer("b"))
NEXT = (user("a"), answer("b"), user("c"))


def test_an_equal_history_with_something_new_continues() -> None:
    """Only the new items travel."""
    assert Continue(HELD, 2) == decide(HELD, turn(*NEXT))


def test_a_history_without_anything_new_does_not() -> None:
    """A repeated request is no continuation: the upstream would answer to nothing."""
    assert decide(HELD, turn(*NEXT[:2])) is None


def test_a_shorter_history_does_not() -> None:
    """The connection holds more than the client says."""
    assert decide(HELD, turn(user("a"))) is None


@pytest.mark.parametrize(
    "members",
    [
        {"model": "n"},
        {"instructions": "be brief"},
        {"tools": [{"type": "function", "name": "f"}]},
        {"tool_choice": "required"},
        {"parallel_tool_calls": False},
        {"reasoning": {"effort": "high"}},
        {"text": {"verbosity": "low"}},
        {"include": ["reasoning.encrypted_content"]},
        {"store": False},
        {"truncation": "auto"},
        {"service_tier": "flex"},
        {"prompt": {"id": "p"}},
        {"context_management": [{"type": "compaction"}]},
        {"a_future_member": 1},
    ],
)
def test_other_properties_begin_anew(members: dict[str, object]) -> None:
    """Everything but the input must be equal to continue."""
    assert Fresh(Reason.PROPERTIES_CHANGED) == decide(HELD, turn(*NEXT, **members))


def test_a_client_that_named_the_response_may_change_properties() -> None:
    """The API lets a continuation differ in all but its history, if its client so wants."""
    changed = turn(*NEXT, instructions="be brief", tool_choice="required")
    assert Continue(HELD, 2) == decide(HELD, naming(changed, "resp_1"))
    assert Fresh(Reason.PROPERTIES_CHANGED) == decide(HELD, naming(changed, "resp_2"))


def test_a_client_that_named_the_response_may_add_nothing() -> None:
    """An empty input is a continuation where the client says of what."""
    same = turn(*NEXT[:2])
    assert Continue(HELD, 2) == decide(HELD, naming(same, "resp_1"))
    assert decide(HELD, naming(same, "resp_2")) is None
    by_text = chain(turn(user("a")), answer("b"))
    assert Continue(by_text, 2) == decide(by_text, naming(turn(*NEXT[:2]), "resp_1"))


@pytest.mark.parametrize("history", [(user("x"), answer("b")), (user("a"), answer("x"))])
def test_a_name_makes_no_other_history_equal(history) -> None:
    """What a client names changes nothing of what the upstream holds."""
    for items in (history, (*history, user("c"))):
        assert decide(HELD, naming(turn(*items), "resp_1")) is None


@pytest.mark.parametrize(
    "members",
    [
        {"generate": False},
        {"stream": True},
        {"stream_options": {"include_obfuscation": False}},
        {"metadata": {"a": "b"}},
        {"client_metadata": {"a": "b"}},
        {"user": "u"},
        {"safety_identifier": "u"},
        {"prompt_cache_key": "k"},
        {"max_output_tokens": 5},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"instructions": None},
    ],
)
def test_what_may_change_between_turns_does_not_count(members: dict[str, object]) -> None:
    """Members that say nothing of the conversation may come and go."""
    assert Continue(HELD, 2) == decide(HELD, turn(*NEXT, **members))


def test_key_order_and_whitespace_of_properties_do_not_count() -> None:
    """Codex shuffles its maps on every request."""
    held = chain(turn(user("a"), tools=[{"type": "function", "name": "f"}]), answer("b"))
    following = turn(*NEXT, tools=[{"name": "f", "type": "function"}])
    assert Continue(held, 2) == decide(held, following)


def test_a_null_inside_a_tool_counts() -> None:
    """`"default": null` in a schema is not the absence of a default."""
    schema = {"type": "function", "name": "f", "parameters": {"default": None}}
    held = chain(turn(user("a"), tools=[schema]), answer("b"))
    bare = {"type": "function", "name": "f", "parameters": {}}
    assert Fresh(Reason.PROPERTIES_CHANGED) == decide(held, turn(*NEXT, tools=[bare]))


def test_a_turn_with_its_own_id_is_never_shortened() -> None:
    """Its input is not its whole history, whatever it looks like."""
    assert decide(HELD, turn(*NEXT, previous_response_id="resp_1")) is None


@pytest.mark.parametrize("outside", [{"previous_response_id": "resp_0"}, {"conversation": "conv"}])
def test_an_answer_to_part_of_a_history_continues_nothing(outside: dict[str, str]) -> None:
    """What the upstream holds there is more than the input it was sent with."""
    held = chain(turn(user("a"), **outside), answer("b"))
    assert decide(held, turn(*NEXT)) is None


def test_a_text_input_is_one_user_message() -> None:
    """The next turn's list begins with it."""
    held = chain(turn_of_text("a"), answer("b"))
    assert Continue(held, 2) == decide(held, turn(*NEXT))


def turn_of_text(text: str) -> Turn:
    return decode_request(b'{"model":"m","input":"%b"}' % text.encode())


def test_a_chain_of_turns_holds_everything_said() -> None:
    """Each link carries the digests on, so that its cost is that of the new items."""
    history = [user("0")]
    held = None
    for number in range(1, 30):
        current = turn(*history)
        if held is not None:
            decision = decide(held, current)
            assert Continue(held, len(history) - 1) == decision
        held = chain(current, answer(f"a{number}", number), previous=held)
        assert len(history) + 1 == held.length
        history += [answer(f"a{number}", number), user(str(number))]
    whole = chain(turn(*history[:-2]), answer("a29", 29))
    assert held is not None
    assert (whole.digest, whole.mark) == (held.digest, held.mark)
