"""What clients say that other APIs have no words for: refused, or left out by name."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.routing import IN_SESSION, Manner, sayable_in, way_of
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import decoder_of
from longwire.dialects.ports import Terms
from longwire.dialects.responses.audio import without_audio
from longwire.dialects.upstreams import UPSTREAMS

CHAT, MESSAGES, GEMINI = "chat_completions", "messages", "generate_content"
MODELS = {CHAT: "gpt-5.5", MESSAGES: "claude-opus-4-6", GEMINI: "gemini-3-pro-preview"}
SAY, TEXT = {"role": "user", "content": "hi"}, {"type": "text", "text": "k"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "abcd", "format": "wav"}}
BASH = {"type": "bash_20250124", "name": "bash"}
FILE = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
VIDEO = {"type": "video_url", "video_url": {"url": "https://a.b/c"}}
GIVEN = {"role": "assistant", "content": "{"}
ASKED = {"role": "user", "parts": [{"text": "hi"}]}
BEGUN = {"role": "model", "parts": [{"text": "{"}]}


def content(*parts):
    return {"messages": [{"role": "user", "content": [*parts]}]}


DROPPED = [
    (MESSAGES, {"messages": [SAY], "tools": [BASH]}, "tools.bash_20250124", "tools.0.type"),
    (
        MESSAGES,
        {"messages": [SAY], "tools": [BASH], "tool_choice": {"type": "tool", "name": "bash"}},
        "tools.bash_20250124",
        "tools.0.type",
    ),
    (MESSAGES, {"messages": [SAY, GIVEN]}, "prefill", "messages.1.role"),
    (MESSAGES, content(TEXT, FILE), "messages.content.image", "messages.0.content.1.source.type"),
    (
        MESSAGES,
        content({"type": "container_upload", "file_id": "f"}, TEXT),
        "messages.content.container_upload",
        "messages.0.content.0.type",
    ),
    (CHAT, content(TEXT, VIDEO), "messages.content.video_url", "messages.0.content.1.type"),
    (
        CHAT,
        {"messages": [SAY, {"role": "assistant", "audio": {"id": "a"}}, SAY]},
        "messages.audio",
        "messages.1.audio",
    ),
    (
        CHAT,
        {"messages": [SAY], "tools": [{"type": "web_search"}]},
        "tools.web_search",
        "tools.0.type",
    ),
    (GEMINI, {"contents": [ASKED, BEGUN]}, "prefill", "contents"),
]


def turn_of(api, members) -> Turn:
    body = {"model": "m", "max_tokens": 99, **members} if api != GEMINI else members
    return decoder_of(api, "m")(json.dumps(body).encode(), {}, EVERYTHING)


@pytest.mark.parametrize(("api", "members", "name", "field"), DROPPED)
def test_what_has_no_words_elsewhere_is_left_out_where_that_may_be(api, members, name, field):
    """The rest is read, so that a channel which may drop it serves the turn; others refuse it."""
    turn = turn_of(api, members)
    source = turn.source
    assert (field, False) == (source.refusal.param, source.is_unread)
    assert name in source.dropped
    assert "{" not in [part["text"] for part in json.loads(turn.input)[-1]["content"]]
    for upstream in MODELS.keys() - {api}:
        model = MODELS[upstream].encode()
        said = UPSTREAMS[upstream].translate(_of_model(turn, model), {}, Terms(may_drop=True))
        assert b"bash" not in said.body


def _of_model(turn: Turn, model: bytes) -> Turn:
    turn.members["model"] = b'"%b"' % model
    return turn


@pytest.mark.parametrize(
    ("api", "members"),
    [
        (MESSAGES, {"messages": [GIVEN]}),
        (MESSAGES, content(FILE)),
        (
            MESSAGES,
            {"messages": [SAY, {"role": "assistant", "content": "b"}, *content(FILE)["messages"]]},
        ),
        (MESSAGES, {"messages": [{"role": "user", "content": " "}]}),
        (
            CHAT,
            {"messages": [SAY, {"role": "assistant", "content": "b"}, *content(VIDEO)["messages"]]},
        ),
        (GEMINI, {"contents": [BEGUN]}),
        (GEMINI, {"contents": [ASKED, BEGUN, {"role": "user", "parts": [{"text": ""}]}]}),
    ],
)
def test_a_last_word_of_which_nothing_is_left_is_no_turn(api, members):
    """Nobody answers to nothing: only an upstream of the client's own API may be asked."""
    source = turn_of(api, members).source
    assert source.is_unread
    assert source.refusal.param.startswith(("messages.", "contents"))


def test_audio_goes_to_those_that_hear_it():
    """Gemini, and vendors of Chat Completions; a session only where it may be dropped."""
    turn = turn_of(CHAT, content(TEXT, AUDIO))
    assert (None, True) == (turn.source.refusal, turn.source.has_audio)
    said = UPSTREAMS[GEMINI].translate(_of_model(turn, b"gemini-3-pro-preview"), {}, Terms())
    parts = json.loads(said.body)["contents"][0]["parts"]
    assert [{"text": "k"}, {"inlineData": {"mimeType": "audio/wav", "data": "abcd"}}] == parts
    sayable = sayable_in(turn.source)

    def way(*offered, may_drop=False):
        return way_of(CHAT, offered, sayable, is_read=True, may_drop=may_drop)

    assert Manner.TRANSLATED is way("responses", GEMINI).manner
    assert Manner.NATIVE is way("responses", CHAT).manner
    assert (None, None) == (way("responses"), way(MESSAGES))
    assert IN_SESSION is way("responses", may_drop=True)
    assert MESSAGES == way(MESSAGES, may_drop=True).api


def test_audio_is_left_out_of_a_session_by_name():
    """Part by part: what else was said stays, and so does a result that was nothing else."""
    turn = without_audio(
        turn_of(
            CHAT, {"messages": [*content(AUDIO)["messages"], *content(AUDIO, TEXT)["messages"]]}
        )
    )
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "k"}]}
    assert [said] == json.loads(turn.input)
    assert ("input.input_audio",) == turn.source.dropped
    with pytest.raises(InvalidRequest) as error:
        without_audio(turn_of(CHAT, content(AUDIO)))
    assert "input_audio" == error.value.param
