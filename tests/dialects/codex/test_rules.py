"""The Codex backend's own rules, and the law that adapting keeps a known history known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.dialects.codex import rules as codex
from longwire.dialects.codex.rules import adapted, compacted, over_http
from longwire.dialects.responses.request import decode_request


def turn(**members):
    """A turn as a client sends it."""
    return decode_request(json.dumps({"model": "m", "input": [USER], **members}).encode())


def members_of(adapted_turn):
    """The members of a turn as they go out."""
    return {name: json.loads(raw) for name, raw in adapted_turn.members.items()}


def items_of(adapted_turn):
    """The items of a turn as they go out."""
    return json.loads(adapted_turn.input)


@pytest.mark.parametrize("instructions", [{}, {"instructions": None}, {"instructions": ""}])
def test_there_are_always_instructions(instructions):
    """Absent, null and an empty text mean the same, and begin no conversation anew."""
    sent = adapted(turn(**instructions))
    assert "" == members_of(sent)["instructions"]
    assert adapted(turn()).properties.raw == sent.properties.raw
    assert "Be brief." == members_of(adapted(turn(instructions="Be brief.")))["instructions"]


@pytest.mark.parametrize("name", codex.REFUSED)
def test_what_the_backend_cannot_do_is_refused_unless_it_is_unset(name):
    """Null asks for nothing, and of log probabilities neither does zero."""
    refused = codex.refusal(turn(**{name: "x"}))
    assert (InvalidRequest, name) == (type(refused), refused.param)
    assert codex.refusal(turn(**{name: None})) is None
    assert codex.refusal(turn(top_logprobs=0)) is None


def test_what_no_store_is_needed_for_is_not_read():
    """An input without reasoning and references stays the very same bytes."""
    raw = turn().input
    assert codex.self_contained(raw) is raw
    assert b'"hi"' == codex.self_contained(b'"hi"')
    odd = b'[ {"type":"reasoning","id":7} ]'
    assert b'[{"type":"reasoning","id":7}]' == codex.self_contained(odd)


USER = {"role": "user", "content": "hi"}
ENCRYPTED = ["reasoning.encrypted_content"]


@pytest.mark.parametrize("name", codex.STRIPPED)
def test_what_the_backend_refuses_is_left_out(name):
    """Each parameter of the strip list goes, whatever its value."""
    assert name not in members_of(adapted(turn(**{name: "x"})))


@pytest.mark.parametrize("store", [{}, {"store": True}, {"store": False}, {"store": None}])
def test_nothing_is_stored(store):
    """The backend takes nothing else."""
    assert members_of(adapted(turn(**store)))["store"] is False


@pytest.mark.parametrize(
    ("included", "sent"),
    [
        ({}, ENCRYPTED),
        ({"include": None}, ENCRYPTED),
        ({"include": []}, ENCRYPTED),
        ({"include": ["a"]}, ["a", *ENCRYPTED]),
        ({"include": [*ENCRYPTED, "a"]}, [*ENCRYPTED, "a"]),
    ],
)
def test_the_encrypted_reasoning_is_included(included, sent):
    """Without it a history could not be sent again in full."""
    assert sent == members_of(adapted(turn(**included)))["include"]


@pytest.mark.parametrize(
    ("tier", "sent"),
    [("priority", "priority"), ("fast", "fast"), ("auto", None), ("flex", None), (None, None)],
)
def test_service_tiers(tier, sent):
    """Two tiers are known there; any other means the usual one."""
    assert sent == members_of(adapted(turn(service_tier=tier))).get("service_tier")


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        ({"role": "system", "content": "x"}, {"role": "developer", "content": "x"}),
        ({"role": "system", "content": "\ud83d"}, {"role": "developer", "content": "\ud83d"}),
        (USER | {"id": "msg_1"}, USER | {"id": "msg_1"}),
        (USER | {"id": "msg_" + "1" * 60}, USER | {"id": "msg_" + "1" * 60}),
        (USER | {"id": "msg_" + "1" * 61}, USER),
        (USER | {"id": "item_7"}, USER),
        (USER | {"id": "chatcmpl-1"}, USER),
        ({"type": "item_reference", "id": "x" * 70}, {"type": "item_reference", "id": "x" * 70}),
        ({"type": "agent_message", "id": "x"}, {"type": "agent_message", "id": "x"}),
        (USER | {"content": 'say "system"'}, USER | {"content": 'say "system"'}),
        ({"role": "user", "content": [{"role": "system"}]},) * 2,
    ],
)
def test_items(item, sent):
    """The role of old is renamed, an id that cannot be is dropped, and nothing else changes."""
    assert [sent] == items_of(adapted(turn(input=[item])))


def test_a_text_becomes_the_message_it_stands_for():
    """The backend takes lists alone; to continuity both are the same."""
    plain, sent = turn(input="hi"), adapted(turn(input="hi"))
    assert [{"type": "message", "role": "user", "content": "hi"}] == items_of(sent)
    assert plain.history.digest(1) == sent.history.digest(1)


def test_what_no_rule_concerns_is_the_clients_own_bytes():
    """Odd spacing, escapes and numbers stay, around a changed item, too."""
    odd = b'{ "role":"user" , "content":"\\u00e9 1.50" }'
    body = b'{"model":"m","input":[ %b ,\n{"role":"system","content":"x"} , %b ] }' % (odd, odd)
    sent = adapted(decode_request(body)).input
    assert sent == b'[ %b ,\n{"role":"developer","content":"x"} , %b ]' % (odd, odd)


def test_an_untouched_history_is_not_read_again():
    """What was known of the items before stays known."""
    plain = turn(input=[USER, USER | {"id": "msg_1"}])
    assert adapted(plain).history is plain.history


ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "developer"]),
            "content": st.sampled_from(["x", '"system"', '"id": "odd"', "naïve"]),
        },
        optional={"id": st.sampled_from(["msg_1", "odd", "msg_" + "1" * 80, "rs_1", ""])},
    ),
    max_size=5,
)
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")])


def _body(items, spaces):
    return json.dumps({"model": "m", "input": items}, separators=spaces).encode()


@given(ITEMS, ITEMS, SPACES)
def test_a_known_history_stays_known(before, after, spaces):
    """What was adapted is a prefix, byte for byte, of what is adapted with more behind it."""
    first = adapted(decode_request(_body(before, spaces)))
    second = adapted(decode_request(_body(before + after, spaces)))
    assert second.input.startswith(first.input[:-1])
    mark = first.history.mark()
    if after:
        assert len(second.history.after(mark)) == len(after)


@given(ITEMS, SPACES)
def test_adapting_twice_is_adapting_once(items, spaces):
    """A turn that was adapted needs nothing more."""
    once = adapted(decode_request(_body(items, spaces)))
    twice = adapted(once)
    assert (once.input, once.members) == (twice.input, twice.members)
    assert all(item["role"] != "system" for item in items_of(once))


def test_over_http_it_is_a_stream_in_full():
    """A client that wants JSON gets it all the same, folded from the stream."""
    sent = over_http(adapted(turn(stream=False, generate=True)))
    assert (sent.streams, "generate" in sent.members) == (True, False)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"generate": False}, "generate"),
    ],
)
def test_over_http_no_earlier_response_is_known(members, param):
    """What needs an open connection is refused with the mend, not sent to be refused."""
    with pytest.raises(InvalidRequest) as refused:
        over_http(adapted(turn(**members)))
    assert refused.value.param == param


def test_a_compaction_says_nothing_of_storing():
    """That route takes neither."""
    sent = compacted(turn(store=False, include=ENCRYPTED, metadata={}, input=[USER | {"id": "x"}]))
    assert ({"model": "m", "instructions": ""}, [USER]) == (members_of(sent), items_of(sent))


LITE = "x-openai-internal-codex-responses-lite"
SAID = "ws_request_header_x_openai_internal_codex_responses_lite"


def test_headers_of_a_request_and_members_of_a_frame_are_the_same():
    """What cannot stand in the head of an open socket stands in the frame, and back again."""
    headers = {LITE: "true", "traceparent": "00-1", "x-openai-subagent": "s", "user-agent": "u"}
    sent = codex.with_request_headers(turn(client_metadata={"a": "b"}), headers)
    expected = {"a": "b", SAID: "true", "ws_request_header_traceparent": "00-1"}
    assert expected == members_of(sent)["client_metadata"]
    assert {LITE: "true", "traceparent": "00-1"} == codex.request_headers(sent)
    plain = turn()
    assert codex.with_request_headers(plain, {"user-agent": "u"}) is plain


@pytest.mark.parametrize(
    "said",
    [
        {"ws_request_header_authorization": "Bearer x"},
        {"ws_request_header_chatgpt_account_id": "x"},
        {SAID: "a\r\nb: c"},
        {SAID: 7},
        {SAID + ": x\r\ny": "z"},
        {},
    ],
)
def test_no_frame_writes_other_headers(said):
    """Neither the account nor anything behind a line break."""
    assert {} == codex.request_headers(turn(client_metadata=said))


def test_the_model_that_served_is_not_told_as_a_rerouting():
    """The frame keeps all else."""
    raw = b'{"type":"response.metadata","headers":{"openai-model":"m","x-codex-turn-state":"t"}}'
    shown, headers = codex.decode_metadata(raw)
    assert {"x-codex-turn-state": "t"} == headers == json.loads(shown)["headers"]
    assert (b'{"type":"x"}', {}) == codex.decode_metadata(b'{"type":"x"}')
