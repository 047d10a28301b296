"""What Claude Code really sends: every recorded conversation goes on where it does."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.continuity import Continue, decide, extend
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.messages.assistant import assistant_items
from longwire.dialects.messages.request import decode_count, decode_request
from longwire.dialects.messages.thinking import sealed
from tests.dialects.messages.answers import encoded, items_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "claude-code"
INDEX = {each["file"]: each for each in json.loads((FOLDER / "index.json").read_text())}
CONTINUED = [name for name, each in INDEX.items() if each["after"]]
POSTED = [name for name, each in INDEX.items() if each["role"] != "probe"]
THREADS = ("threads/02.json", "threads/03.json")


def request_of(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text())


def turn_of(name: str, **changes: Any) -> Turn:
    request = request_of(name)
    headers = {key.lower(): value for key, value in request["headers"]}
    decode = decode_count if "count_tokens" in request["path"] else decode_request
    return decode(encoded(request["body"] | changes), headers, EVERYTHING)


def messages_of(name: str) -> list[Any]:
    """Messages whose thinking is the gateway's own, where it shows any: items come of it."""
    body = request_of(name)["body"]
    messages: list[Any] = body["messages"]
    for number, message in enumerate(messages if "thinking" in body else ()):
        for block in message["content"] if isinstance(message["content"], list) else ():
            for member in {"signature", "data"} & set(block):
                raw = msgspec.Raw(encoded(f"gAAAA{number}{block[member]}"))
                block[member] = sealed(msgspec.Raw(b'"rs_1"'), raw)
    return messages


def answer_to(before: list[Any], after: list[Any]) -> list[bytes]:
    """The items that the upstream answered with: what the next request adds of the assistant's."""
    content = after[len(before)]["content"]
    return list(assistant_items(msgspec.Raw(encoded(content)), "answer", []))


def conversation(name: str) -> list[str]:
    names = [name]
    while before := INDEX[names[0]]["after"]:
        names.insert(0, before)
    return names


@pytest.mark.parametrize("name", CONTINUED)
def test_every_recorded_turn_goes_on_where_it_does(name: str) -> None:
    """From the first turn on, each is decided on what its connection holds by then."""
    first, *later = conversation(name)
    before, last = messages_of(first), turn_of(first, messages=messages_of(first))
    chain = extend(last, "resp_0", (), None)
    for each in later:
        messages, continues = messages_of(each), INDEX[each]["continues"]
        turn = turn_of(each, messages=messages)
        chain = replace(chain, replies=last.image(answer_to(before, messages) if continues else ()))
        assert (Continue(chain, chain.length) if continues else None) == decide(chain, turn)
        chain = extend(turn, f"resp_{each}", (), chain if continues else None)
        before, last = messages, turn


@pytest.mark.parametrize("name", [each for each in CONTINUED if INDEX[each]["continues"]])
def test_the_prefix_of_every_turn_that_goes_on_is_equal_in_bytes(name: str) -> None:
    """Moving cache marks and strings that become blocks change no byte of what came before."""
    before, after = turn_of(INDEX[name]["after"]), turn_of(name)
    assert before.input is not None
    assert after.input is not None
    assert after.input.startswith(before.input[:-1])
    assert before.properties.raw == after.properties.raw


LEFT_OUT = {
    "messages.content.thinking",
    "messages.content.redacted_thinking",
    "messages.content.is_error",
    "tools.max_uses",
}


@pytest.mark.parametrize("name", POSTED)
def test_every_recorded_request_is_read(name: str) -> None:
    """No member, block or beta of any recorded version is refused.

    What is left out are seals that the recording server made up, and what the API has no word for.
    """
    turn = turn_of(name)
    assert request_of(name)["body"]["model"] == turn.model
    assert items_of(turn)
    assert LEFT_OUT >= set(turn.source.dropped)
    assert b"cache_control" not in (turn.input or b"")
    assert b"x-anthropic-billing-header" not in (turn.input or b"")


@pytest.mark.parametrize("name", POSTED)
def test_a_session_is_known_by_header_or_user_id(name: str) -> None:
    """Every version names its session in one of three ways."""
    if INDEX[name]["role"] == "count":
        return
    request = request_of(name)
    headers = {key.lower(): value for key, value in request["headers"]}
    session = headers.get("x-claude-code-session-id")
    (hint,) = turn_of(name).session_hints
    assert hint == (session or hint)
    assert hint in request["body"]["metadata"]["user_id"]
    without = decode_request(encoded(request["body"]), {}, EVERYTHING)
    assert (hint,) == without.session_hints


def test_side_calls_are_those_without_tools_and_history() -> None:
    """Title, classifier and small-model calls cost no connection of their session."""
    sides = {name for name in POSTED if turn_of(name).source.is_side_call}
    assert {
        "compact/02.json",
        "auto-mode/03.json",
        "auto-mode/04.json",
        "old-2.0.76/file-paths.json",
    } == sides


def test_a_thread_goes_on_from_the_response_that_its_message_was() -> None:
    """The system prompt is held by the chain, and is not sent again."""
    for name in THREADS:
        turn, thread = turn_of(name), request_of(name)["body"]["thread"]
        expected = thread["previous_message_id"].replace("msg_", "resp_")
        assert expected == turn.previous_response_id == turn.source.previous_response_id
        assert "developer" not in [each.get("role") for each in items_of(turn)]
        assert turn.has_tools


@pytest.mark.parametrize("name", [each for each in POSTED if INDEX[each]["role"] == "count"])
def test_counts_are_questions_for_tokens(name: str) -> None:
    """They bring only what the upstream's counting takes."""
    turn = turn_of(name)
    assert Purpose.COUNT is turn.purpose
    assert "messages/count_tokens" == turn.source.api
    assert set(turn.members) <= {"model", "tools"}
