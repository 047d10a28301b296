"""What real upstreams of the Responses API answer whole, and how they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from longwire.core.nouns.access import Grant
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.clients import decoder_of, dialect_of
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.image import items_of
from longwire.dialects.responses.stream import terminal_of
from longwire.dialects.responses.usage import decode_bill
from tests.dialects.recordings import FOLDER, needs_recordings

VENDORS = ("azure", "lmstudio", "openai-responses", "xai-responses")
FOUND = [path for vendor in VENDORS for path in sorted((FOLDER / vendor).glob("*.json"))]
ANSWERS = [path for path in FOUND if "error" not in path.stem] or [None]
ERRORS = [path for path in FOUND if "error" in path.stem] or [None]
BODIES: dict[str, dict[str, Any]] = {
    "responses": {"input": "hi"},
    "chat_completions": {"messages": [{"role": "user", "content": "hi"}]},
    "messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 99},
    "generate_content": {"contents": [{"parts": [{"text": "hi"}]}]},
}


def named(path: Path | None) -> str:
    """What a case is called."""
    return path.stem if path is not None else "none"


def read(api: str, said: Any) -> tuple[str, list[str]]:
    """The text and the names of the calls that a client reads, whatever its API."""
    match api:
        case "responses":
            parts = [part for item in said["output"] for part in item.get("content") or ()]
            texts = [part["text"] for part in parts if part["type"] == "output_text"]
            calls = [item["name"] for item in said["output"] if item["type"] == "function_call"]
        case "chat_completions":
            message = said["choices"][0]["message"]
            texts = [message["content"] or ""]
            calls = [
                call["function"]["name"]
                for call in message.get("tool_calls", ())
                if call["type"] == "function"
            ]
        case "messages":
            texts = [each["text"] for each in said["content"] if each["type"] == "text"]
            calls = [each["name"] for each in said["content"] if each["type"] == "tool_use"]
        case _:
            parts = said["candidates"][0]["content"]["parts"]
            texts = [each["text"] for each in parts if "text" in each]
            calls = [each["functionCall"]["name"] for each in parts if "functionCall" in each]
    return "".join("".join(texts).split()), calls


@needs_recordings
@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("path", ANSWERS, ids=named)
def test_a_recorded_answer_is_read_without_loss(path, api):
    """Text, calls and usage are those of the recording; its items are as many."""
    recorded = json.loads(path.read_bytes())
    terminal = terminal_of(path.read_bytes())
    assert len(recorded["output"]) == len(items_of(terminal))
    assert decode_bill(terminal).usage.input == recorded["usage"]["input_tokens"]
    assert decode_bill(terminal).usage.output == recorded["usage"]["output_tokens"]
    body = json.dumps({"model": "m", **BODIES[api]}).encode()
    turn = decoder_of(api, "m")(body, {}, Grant(shows_reasoning=True))
    answer = dialect_of(api).answer(turn, Aggregate(terminal=terminal), {})
    assert read("responses", recorded) == read(api, json.loads(answer.whole(terminal)))


@needs_recordings
@pytest.mark.parametrize("path", ERRORS, ids=named)
def test_a_recorded_error_is_told_in_its_words(path):
    """With its code, where it has one."""
    recorded = json.loads(path.read_bytes())["error"]
    rejection = decode_problem(path.read_bytes()).to_rejection()
    assert {name: json.loads(rejection.body)["error"][name] for name in ("message", "param")} == {
        name: recorded[name] for name in ("message", "param")
    }
    assert recorded["code"] in {None, rejection.code}


@needs_recordings
def test_every_recording_of_an_answer_is_read():
    """A folder that is empty, or named anew, is seen."""
    assert {*VENDORS} == {path.parent.name for path in FOUND}
