"""A named response: its history takes the place of its id."""

import json

import pytest

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Continue, extend
from longwire.dialects.responses.call import encode_body, encode_create
from longwire.dialects.responses.items import canonical_item
from longwire.dialects.responses.recall import as_received, link_of, with_history
from longwire.dialects.responses.stream import decode_event
from tests.dialects.responses.turns import ANSWER, QUESTION, answered, create, sent

CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
ENCRYPTED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
BARE = {"type": "reasoning", "id": "rs_1", "summary": []}


def test_a_history_takes_the_place_of_its_id():
    """Input, output and what is new are one array, each item byte for byte."""
    first = create(input='h\u00e9 \\ "')
    link = link_of(first, answered(ENCRYPTED, CALL), None)
    new = {"type": "function_call_output", "call_id": "c", "output": "1"}
    turn = with_history(create(input=[new], previous_response_id="resp_1"), link)
    question = {"type": "message", "role": "user", "content": 'h\u00e9 \\ "'}
    assert [question, ENCRYPTED, CALL, new] == sent(turn)["input"]
    assert (None, "resp_1", 3) == (
        turn.previous_response_id,
        turn.source.previous_response_id,
        turn.source.recalled,
    )
    again = link_of(turn, answered(ANSWER, response_id="resp_2"), link)
    last = with_history(create(input=[QUESTION], previous_response_id="resp_2"), again)
    assert [question, ENCRYPTED, CALL, new, ANSWER, QUESTION] == sent(last)["input"]
    assert again.length == last.source.recalled == 5


def test_halves_of_an_emoji_are_recalled():
    """A text that was cut inside one is a history like any other, in question and answer."""
    thought = {**ENCRYPTED, "summary": [{"type": "summary_text", "text": "cut \ud83d"}]}
    link = link_of(create(input="low \ude00"), answered(thought), None)
    turn = with_history(create(input=[QUESTION], previous_response_id="resp_1"), link)
    question = {"type": "message", "role": "user", "content": "low \ude00"}
    assert [question, thought, QUESTION] == sent(turn)["input"]


def test_the_connection_that_holds_it_gets_the_suffix():
    """What is recalled equals what was held, so that only what is new travels."""
    first = create(input=[QUESTION])
    chain = extend(first, "resp_1", (canonical_item(json.dumps(CALL).encode()),), None)
    link = link_of(first, answered(CALL), None)
    turn = with_history(create(input=[QUESTION], previous_response_id="resp_1"), link)
    frame = json.loads(encode_create(turn, Continue(chain, 2)))
    assert ([QUESTION], "resp_1") == (frame["input"], frame["previous_response_id"])
    assert turn.history.after(chain.mark) is not None


def test_a_warm_up_is_a_history_without_output():
    """Its input comes first in what follows; it may be empty, and so may what follows."""
    for prepared in ([], [QUESTION]):
        link = link_of(create(input=prepared, generate=False), answered(), None)
        turn = with_history(create(previous_response_id="resp_1"), link)
        assert prepared == sent(turn)["input"]


def test_the_log_has_what_the_client_sent():
    """A recalled turn is logged with its id and its own items."""
    link = link_of(create(input=[QUESTION]), answered(ANSWER), None)
    turn = create(input=[CALL], previous_response_id="resp_1")
    received = as_received(with_history(turn, link))
    assert encode_body(turn, streams=True) == encode_body(received, streams=True)
    assert as_received(turn) is turn


@pytest.mark.parametrize(
    ("turn", "aggregate"),
    [
        (create(input=[QUESTION]), answered(BARE, ANSWER)),
        (create(input=[QUESTION]), answered({**ENCRYPTED, "encrypted_content": None})),
        (create(input=[QUESTION]), answered("no item")),
        (create(input=[QUESTION]), answered(response_id=None)),
        (create(input=[QUESTION], previous_response_id="resp_0"), answered()),
        (create(input=[QUESTION], conversation="conv_1"), answered()),
        (create(input=[QUESTION]), Aggregate()),
    ],
)
def test_what_cannot_be_sent_again_is_not_kept(turn, aggregate):
    """Reasoning without its content, what refers elsewhere, what has no id or no end."""
    assert link_of(turn, aggregate, None) is None


def test_output_of_the_terminal_counts_where_no_item_came():
    """As everywhere, items finished one by one come first."""
    aggregate = answered()
    raw = {"type": "response.completed", "response": {"id": "resp_1", "output": [ANSWER]}}
    aggregate.terminal = decode_event(json.dumps(raw).encode())
    link = link_of(create(input=[QUESTION]), aggregate, None)
    assert [QUESTION, ANSWER] == json.loads(b"[" + b"".join(link.history()) + b"]")
