"""What real upstreams stream, as chunks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from longwire.core.errors import UpstreamRejected
from longwire.core.rules.continuity import is_replay
from longwire.dialects.responses.image import output_of
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    HIDING,
    QUESTION,
    SHOWING,
    accumulated,
    chunks_of,
    completion,
    turn_of,
)
from tests.dialects.recordings import FOLDER, needs_recordings

FOUND = sorted(FOLDER.glob("*/*.chunks.txt"))
FILES = [path for path in FOUND if b'"response.created"' in path.read_bytes()] or [None]
TERMINALS = ("response.completed", "response.incomplete", "response.failed")


def responses_in(path: Path) -> Iterator[list[bytes]]:
    """The frames of each response that a recording of the Responses API holds."""
    frames: list[bytes] = []
    for line in path.read_bytes().splitlines():
        raw = line.removeprefix(b"data:").strip()
        kind = json.loads(raw).get("type", "") if raw[:1] == b"{" else ""
        if kind.startswith("response.") or kind == "error":
            frames.append(raw)
        if kind in TERMINALS:
            yield frames
            frames = []


@needs_recordings
@pytest.mark.parametrize("grant", [HIDING, SHOWING], ids=["hiding", "showing"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: getattr(path, "stem", "none"))
def test_a_recorded_stream_is_answered(path, grant):
    """Streamed as whole, on the hot path as off it; and the replay of the answer is recognised."""
    turn, responses = turn_of(grant=grant), list(responses_in(path))
    assert responses
    for frames in responses:
        answering = Answering(turn)
        try:
            whole = completion(answering.whole(frames))["choices"][0]
        except UpstreamRejected:
            with pytest.raises(UpstreamRejected):
                stream(turn, frames[:1] + frames[-1:])
            continue
        for plan in ([], [(False, 2), (True, 10_000)]):
            added = accumulated(chunks_of(stream(turn, frames, plan)))
            assert whole["finish_reason"] == added.pop("finish_reason")
            assert {**whole["message"], "content": whole["message"]["content"] or ""} == {
                "annotations": [],
                **added,
            }
            later = turn_of(QUESTION, added, grant=grant).history.canonical_items(1)
            image = turn.image(output_of(answering.aggregate))
            assert len(image) == len(later)
            assert all(map(is_replay, image, later))
