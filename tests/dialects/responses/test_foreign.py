"""Histories that went through other vendors, on their way to an upstream of the Responses API."""

import msgspec

from longwire.dialects.responses.foreign import without_foreign
from longwire.dialects.responses.request import decode_request
from longwire.dialects.seals import Seal, opened, sealed

CLAUDE = sealed(Seal("anthropic", "EqQBCg=="))
USER = {"type": "message", "role": "user", "content": "Hello."}
MADE = {"type": "message", "id": "lw_msg_1_0", "role": "assistant", "content": "Hi."}
OWN = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


def turn_of(*items):
    """A turn with these items."""
    return decode_request(msgspec.json.encode({"model": "m", "input": items}))


def sent(*items):
    """The items that are sent."""
    return msgspec.json.decode(without_foreign(turn_of(*items)).input)


def test_what_another_vendor_sealed_is_left_out():
    """Sealed reasoning of Claude never reaches another vendor."""
    thought = {"type": "reasoning", "id": "lw_rs_1_0", "summary": [], "encrypted_content": CLAUDE}
    assert [USER] == sent(USER, thought)
    assert ("input.reasoning",) == without_foreign(turn_of(USER, thought)).source.dropped


def test_reasoning_without_a_seal_is_left_out_where_its_id_was_made():
    """Nothing upstream has such an id, so that it would be refused."""
    assert [USER] == sent(USER, {"type": "reasoning", "id": "lw_rs_1_0", "summary": []})


def test_a_made_id_is_left_out_and_the_item_stays():
    """The answer of another vendor is part of the history, by no id."""
    assert [USER, {k: v for k, v in MADE.items() if k != "id"}] == sent(USER, MADE)
    assert () == without_foreign(turn_of(USER, MADE)).source.dropped


def test_what_is_the_upstreams_own_stays_byte_for_byte():
    """A history that saw no other vendor is the same turn, also where a text has the mark."""
    bare = {
        "type": "reasoning",
        "id": "rs_2",
        "summary": [{"type": "summary_text", "text": '"lw_'}],
    }
    plain = turn_of(USER, OWN, bare, {**USER, "content": 'say "lw1. and "lw_'})
    assert without_foreign(plain) is plain


def test_the_history_is_that_of_the_items_that_are_sent():
    """So what was sent once is known again in the next turn."""
    turn = without_foreign(turn_of(USER, MADE))
    shorter = turn_of(USER, {k: v for k, v in MADE.items() if k != "id"})
    assert shorter.history.digest(2) == turn.history.digest(2)


def test_a_broken_seal_is_nobodys():
    """What has the mark and cannot be read is sent to nobody."""
    assert Seal("", "") == opened("lw1.%%%")
    assert [USER] == sent(USER, {**OWN, "encrypted_content": "lw1.%%%"})


def test_a_seal_is_opened_as_it_was_sealed():
    """Issuer, kind and content come back, dots in it included."""
    seal = Seal("gemini", "a.b/c+d==", "call")
    assert seal == opened(sealed(seal))
    assert Seal("responses", "gAAAA") == opened("gAAAA")
