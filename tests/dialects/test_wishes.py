"""What the Responses API has no word for, from clients of other APIs to upstreams that have one."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.routing import IN_SESSION, Manner, Route, Way
from longwire.dialects.chat_completions.request import decode_request as decode_chat
from longwire.dialects.generate_content.request import decode_request as decode_content
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.messages.request import decode_request as decode_message
from longwire.dialects.ports import Terms
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.upstreams import UPSTREAMS
from longwire.dialects.wishes import refusal_of
from longwire.relay.channels.channel import Channel

MESSAGES = [{"role": "user", "content": "hi"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
CHAT = {"stop": "###", "seed": 7, "frequency_penalty": 0.50, "presence_penalty": 1}
CONTENT = {
    "stopSequences": ["###"],
    "seed": 7,
    "frequencyPenalty": 0.5,
    "presencePenalty": 1,
}


def chat(**members):
    body = {"model": "m", "messages": MESSAGES, **members}
    return decode_chat(json.dumps(body).encode(), {}, EVERYTHING)


def content(**config):
    body = json.dumps({"contents": CONTENTS, "generationConfig": config}).encode()
    return decode_content(body, {}, EVERYTHING, target=Target("m"))


def message(*stops):
    body = {"model": "m", "max_tokens": 99, "messages": MESSAGES, "stop_sequences": stops}
    return decode_message(json.dumps(body).encode(), {}, EVERYTHING)


def said(turn, api, **terms):
    """The call of a turn, and its body."""
    call = UPSTREAMS[api].translate(turn, {}, Terms(**terms))
    return call, json.loads(call.body)


def channel(*apis, **terms):
    return Channel(Route("a"), "a@1", apis=apis, terms=Terms(**terms))


def test_chat_says_what_clients_of_gemini_wish():
    """Each in the words of that API."""
    call, body = said(content(**CONTENT), "chat_completions")
    assert {**CHAT, "stop": ["###"]}.items() <= body.items()
    assert () == call.dropped


def test_gemini_says_what_clients_of_chat_wish():
    """As they wrote it."""
    call, body = said(chat(**CHAT), "generate_content")
    assert CONTENT.items() <= body["generationConfig"].items()
    assert b'"frequencyPenalty":0.5' in call.body
    assert () == call.dropped


@pytest.mark.parametrize("turn", [chat(stop="###", seed=7), content(stopSequences=["###"], seed=7)])
def test_claude_stops_and_knows_no_seed(turn):
    """What is left out has its client's own name."""
    call, body = said(turn, "messages")
    assert ["###"] == body["stop_sequences"]
    assert [("seed" in name) for name in call.dropped] == [True]


@pytest.mark.parametrize(
    ("api", "members", "lost"),
    [
        ("messages", {"metadata": {"a": "b"}}, ("metadata",)),
        ("messages", {"logprobs": True}, ("logprobs",)),
        ("generate_content", {"metadata": {"a": "b"}, "user": "u"}, ("metadata", "user")),
        ("messages", {"metadata": {}, "user": "u"}, ()),
        ("generate_content", {"logprobs": True}, ()),
    ],
)
def test_what_an_upstream_does_not_know_is_named(api, members, lost):
    """Nothing is lost in silence, and nothing is named that was sent or empty."""
    assert lost == said(chat(**members), api)[0].dropped


def test_an_upstream_gets_as_many_stops_as_it_takes():
    """At the others the gateway cuts, and white space alone is refused by some."""
    turn = message(" ", *"abcdefg")
    assert [*"abcd"] == said(turn, "chat_completions")[1]["stop"]
    assert [*"abcde"] == said(turn, "generate_content")[1]["generationConfig"]["stopSequences"]
    assert "stop" not in said(message(" "), "chat_completions")[1]


def test_a_vendor_gets_what_it_takes():
    """What changes the answer is refused by the name that its client has for it."""
    openai, xai = profile_of("openai", ""), profile_of("xai", "")
    call, body = said(content(**CONTENT), "chat_completions", profile=openai)
    assert (7, False, ()) == (body["seed"], "stop" in body, call.dropped)
    with pytest.raises(InvalidRequest) as refused:
        said(content(frequencyPenalty=1), "chat_completions", profile=xai)
    assert "generationConfig.frequencyPenalty" == refused.value.param
    call, _ = said(content(frequencyPenalty=1), "chat_completions", profile=xai, may_drop=True)
    assert ("generationConfig.frequencyPenalty",) == call.dropped


@pytest.mark.parametrize("turn", [chat(presence_penalty=1), content(presencePenalty=1)])
def test_penalties_go_where_they_are_known(turn):
    """Elsewhere they are refused, unless the channel may drop them."""
    assert channel("responses").way_of(turn) is None
    assert channel("messages").way_of(turn) is None
    assert turn.source.wishes[0].name == refusal_of(turn.source).param
    assert channel("responses", may_drop=True).way_of(turn) is IN_SESSION
    chat_way = Way("chat_completions", Manner.TRANSLATED)
    assert chat_way == channel("responses", "chat_completions", may_drop=True).way_of(
        content(presencePenalty=1)
    )


def test_in_a_session_what_has_no_word_is_named():
    """The gateway cuts at stop sequences itself: nothing is lost of them."""
    turn = channel("responses").adapt(chat(stop="###", seed=7))
    assert ("seed",) == turn.source.dropped
