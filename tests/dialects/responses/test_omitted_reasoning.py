"""A client may leave out the reasoning of a reply: all of it, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from longwire.core.rules.continuity import Chain, Continue, decide, held_items
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.request import decode_request
from tests.core.turns import chain, turn, user

Item = dict[str, Any]


def reply_of(kinds: str) -> list[Item]:
    """Output items by letters: r is reasoning, m a message, c a call."""
    return [ITEMS[kind](number) for number, kind in enumerate(kinds)]


ITEMS = {
    "r": lambda n: {
        "type": "reasoning",
        "id": f"rs_{n}",
        "encrypted_content": f"E{n}",
        "summary": [],
    },
    "m": lambda n: {
        "type": "message",
        "id": f"msg_{n}",
        "role": "assistant",
        "content": [{"type": "output_text", "text": f"text {n}"}],
    },
    "c": lambda n: {
        "type": "function_call",
        "id": f"fc_{n}",
        "call_id": f"call_{n}",
        "name": "read",
        "arguments": "{}",
    },
}
KINDS = st.text("rmc", min_size=1, max_size=7)
SENT = [user("hello")]


def without(reply: list[Item], left_out: set[int]) -> list[Item]:
    return [item for at, item in enumerate(reply) if at not in left_out]


def reasoning_in(reply: list[Item]) -> set[int]:
    return {at for at, item in enumerate(reply) if item["type"] == "reasoning"}


def spaced(*history: Item) -> Turn:
    """A turn whose earlier bytes are others, so that canonical items decide."""
    return decode_request(json.dumps({"model": "m", "input": history}, indent=1).encode())


@given(KINDS, st.data())
def test_a_reply_continues_whole_or_without_all_its_reasoning(
    kinds: str, data: st.DataObject
) -> None:
    """Of all subsets of a reply two count as left out: none of it, and all its reasoning."""
    reply = reply_of(kinds)
    thoughts, at = reasoning_in(reply), st.integers(0, len(reply) - 1)
    left_out = data.draw(st.one_of(st.sets(at), st.just(thoughts), st.sets(at).map(thoughts.union)))
    history = [*SENT, *without(reply, left_out)]
    held = len(history) if left_out in (set(), thoughts) else None
    for spell in (turn, spaced):
        assert held == held_items(chain(turn(*SENT), *reply), spell(*history, user("go on")))


@given(KINDS.filter(lambda kinds: "r" in kinds), st.data())
def test_nothing_else_may_differ(kinds: str, data: st.DataObject) -> None:
    """Without its reasoning, any other item that is changed, doubled or moved begins anew."""
    reply = reply_of(kinds)
    shown = without(reply, reasoning_in(reply))
    assume(shown)
    at = data.draw(st.integers(0, len(shown) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                [*shown[:at], {**shown[at], "id": "another"}, *shown[at + 1 :]],
                [*shown[:at], user("in between"), *shown[at:]],
                [*shown[1:], shown[0], shown[0]],
            ]
        )
    )
    assume(changed[: len(shown)] != shown)
    assert decide(chain(turn(*SENT), *reply), turn(*SENT, *changed, user("go on"))) is None


@given(KINDS.filter(lambda kinds: "r" in kinds), st.data())
def test_reasoning_that_turns_up_later_was_not_left_out(kinds: str, data: st.DataObject) -> None:
    """Moved behind the reply, whole or as a reference, it would be there twice."""
    reply = reply_of(kinds)
    thoughts = reasoning_in(reply)
    late = reply[data.draw(st.sampled_from(sorted(thoughts)))]
    late = data.draw(st.sampled_from([late, {"type": "item_reference", "id": late["id"]}]))
    new, at = [user("go on"), user("please")], data.draw(st.integers(0, 2))
    new.insert(at, late)
    is_in_its_place = at == 0 and kinds.index("r") == len(kinds) - 1
    assume(not is_in_its_place)
    history = [*SENT, *without(reply, thoughts), *new]
    assert decide(chain(turn(*SENT), *reply), turn(*history)) is None


@given(KINDS.filter(lambda kinds: "r" in kinds))
def test_it_is_no_equality_where_that_is_not_wanted(kinds: str) -> None:
    """The strict rule takes a reply without its reasoning for another history."""
    reply = reply_of(kinds)
    held, shown = chain(turn(*SENT), *reply), without(reply, reasoning_in(reply))
    following = turn(*SENT, *shown, user("go on"))
    assert isinstance(decide(held, following), Continue)
    assert decide(held, following, may_omit_reasoning=False) is None


def test_there_must_be_something_new() -> None:
    """Without a new item the turn asks the same again."""
    assert decide(chain(turn(*SENT), *reply_of("rm")), turn(*SENT, *reply_of("rm")[1:])) is None


@pytest.mark.parametrize("spell", [turn, spaced])
def test_a_client_that_never_replays_reasoning_goes_on_for_good(spell: Any) -> None:
    """Each turn continues the one before; what counts is the history as the client sends it."""
    history, held = [*SENT], None
    for number in range(1, 6):
        sent = spell(*history)
        if held is not None:
            decision = decide(held, sent)
            assert isinstance(decision, Continue)
            assert len(history) - 1 == decision.start
        reply = [{**item, "id": f"{item['id']}_{number}"} for item in reply_of("rmr")]
        held = chained(sent, reply, number, held)
        history += [reply[1], user(f"and {number}?")]


def chained(sent: Turn, reply: list[Item], number: int, held: Chain | None) -> Chain:
    return chain(sent, *reply, response_id=f"resp_{number}", previous=held)


def test_reasoning_that_was_left_out_once_stays_out() -> None:
    """A client that brings it back later, in the middle of what it sent, rewrites its history."""
    first, second = reply_of("rm"), [{**item, "id": item["id"] + "x"} for item in reply_of("rm")]
    sent = turn(*SENT, first[1], user("b"))
    held = chain(sent, *second, previous=chain(turn(*SENT), *first))
    assert isinstance(decide(held, turn(*SENT, first[1], user("b"), *second, user("c"))), Continue)
    assert decide(held, turn(*SENT, *first, user("b"), *second, user("c"))) is None
