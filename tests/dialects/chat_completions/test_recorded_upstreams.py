"""What real vendors of Chat Completions answered, read without loss."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longwire.core.events import Kind
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.profiles.profile import Profile
from tests.dialects.chat_completions.upstreams import (
    FALLBACK,
    Item,
    check,
    read,
    read_whole,
    reading_of,
    response_in,
    said,
    stream_of,
)
from tests.dialects.recordings import FOLDER, needs_recordings

VENDORS = ("openai-chat", "deepseek", "qwen", "kimi", "mistral", "groq", "xai")
FOUND = [path for vendor in VENDORS for path in sorted((FOLDER / vendor).glob("*.*"))]
ANSWERS = [path for path in FOUND if "error" not in path.stem] or [None]
STREAMS = [path for path in ANSWERS if path and path.suffix != ".json"] or [None]
NAMES = {"ids": lambda path: getattr(path, "name", "none")}


def profile_for(path: Path) -> Profile:
    return profile_of(path.parent.name.removesuffix("-chat"), "")


def chunks_in(path: Path) -> list[Item]:
    """What a file holds, event by event."""
    raw = path.read_bytes()
    if path.suffix == ".json":
        return [json.loads(raw)]
    lines = (line.removeprefix(b"data:").strip() for line in raw.splitlines())
    return [json.loads(line) for line in lines if line[:1] == b"{"]


def sent_by(path: Path) -> bytes:
    raw = path.read_bytes()
    return raw if path.suffix == ".sse" else stream_of(filter(None, raw.splitlines()))


def events_of(path: Path) -> list[Any]:
    profile = profile_for(path)
    if path.suffix == ".json":
        return read_whole(path.read_bytes(), profile=profile)
    return read(sent_by(path), profile=profile)


def deltas_in(path: Path) -> Iterator[Item]:
    for each in chunks_in(path):
        for choice in each.get("choices") or ():
            yield choice.get("delta") or choice.get("message") or {}


def texts_in(content: Any, kind: str) -> str:
    """The texts of one kind in a content of whatever form."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    return "".join(
        part["text"] if kind == "text" else texts_in(part["thinking"], "text")
        for part in content or ()
        if part["type"] == kind
    )


def expected_of(path: Path) -> Item:
    """What a recording says, put together without the code under test."""
    found: Item = {"reasoning": "", "text": "", "calls": []}
    calls: dict[int, list[str]] = {}
    for delta in deltas_in(path):
        found["text"] += texts_in(delta.get("content"), "text")
        found["reasoning"] += texts_in(delta.get("content"), "thinking")
        found["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
        for at, call in enumerate(delta.get("tool_calls") or ()):
            parts = calls.setdefault(call.get("index", at), ["", "", ""])
            function = call["function"]
            news = (call.get("id"), function.get("name"), function.get("arguments"))
            parts[:] = [old + (new or "") for old, new in zip(parts, news, strict=True)]
    found["calls"] = [tuple(calls[index]) for index in sorted(calls)]
    reasons = [
        choice["finish_reason"]
        for each in chunks_in(path)
        for choice in each["choices"]
        if choice.get("finish_reason")
    ]
    found["status"] = "incomplete" if reasons == ["length"] else "completed"
    return found


@needs_recordings
@pytest.mark.parametrize("path", ANSWERS, **NAMES)
def test_a_recorded_answer_is_read_without_loss(path):
    """Its text, reasoning and calls are those of the recording, and so is how it ended."""
    assert expected_of(path) == said(events_of(path))


@needs_recordings
@pytest.mark.parametrize("path", ANSWERS, **NAMES)
def test_a_recorded_answer_says_what_it_cost_and_who_gave_it(path):
    """Tokens are counted as the vendor counts them, xAI's reasoning among the output."""
    response = response_in(events_of(path))
    chunks = chunks_in(path)
    usages = [each["usage"] for each in chunks if each.get("usage")]
    assert {each["model"] for each in chunks if each.get("model")} >= {response["model"]}
    own_id = next(each["id"] for each in chunks if each["id"])
    assert f"resp_{own_id}" == response["id"]
    if not usages:
        assert response["usage"] is None
        return
    usage = usages[-1]
    into, out = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details")
    reasoning = (out or {}).get("reasoning_tokens", 0)
    beside = reasoning if path.parent.name == "xai" else 0
    assert {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {
            "cached_tokens": into.get("cached_tokens", usage.get("cached_tokens", 0)),
            "cache_write_tokens": 0,
        },
        "output_tokens": usage["completion_tokens"] + beside,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"] + beside,
    } == response["usage"]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, **NAMES)
def test_a_recorded_stream_may_be_cut_anywhere(path):
    """Into single bytes, or in two at some hundreds of places: the events are the same."""
    sent, profile = sent_by(path), profile_for(path)
    whole = read(sent, profile=profile)
    check(whole)
    assert whole == read(sent, range(1, len(sent)), profile=profile)
    for cut in range(0, len(sent), max(1, len(sent) // 300)):
        assert whole == read(sent, [cut], profile=profile)


@needs_recordings
def test_a_recorded_error_is_one():
    """The upstream's own error stays as it was said."""
    path = FOLDER / "openai-chat" / "reasoning-model-legacy-parameter-error.json"
    (event,) = reading_of().whole(path.read_bytes())
    assert Kind.ERROR is event.kind
    error = json.loads(path.read_bytes())["error"]
    assert {"type": "error", "error": error} == json.loads(event.raw)
    assert FALLBACK not in event.raw.decode()
