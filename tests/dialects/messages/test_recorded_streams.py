"""Answers of real upstreams, as clients of this API read them; where the recordings are at hand."""

import json
from pathlib import Path

import pytest

from longwire.core.events import Kind
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.responses.stream import NoEvent
from tests.dialects.messages.answers import (
    THINKING,
    Json,
    accumulated,
    data_of,
    decoded,
    seen,
    streamed,
    streamed_plain,
    turn,
)
from tests.dialects.recordings import FOLDER, needs_recordings

STREAMS = sorted(
    path
    for vendor in ("openai-responses", "azure", "lmstudio", "xai-responses")
    for path in FOLDER.joinpath(vendor).glob("*.chunks.txt")
)
SENT = turn(thinking=THINKING)


def responses_in(path: Path) -> list[list[Json]]:
    """The events of each response in a recording."""
    found: list[list[Json]] = []
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if event["type"] == "response.created" or not found:
            found.append([])
        found[-1].append(event)
    return found


THINNED = "openai-phase.1.chunks.txt"
"""A recording without most of its deltas, whose items are whole all the same."""


def is_known(event: Json) -> bool:
    try:
        decoded(event)
    except NoEvent:
        return False
    return True


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_every_recorded_answer_is_read(path: Path) -> None:
    """Anthropic's client puts together from the stream what the whole answer is."""
    for events in responses_in(path):
        known = [each for each in events if is_known(each)]
        if path.name == THINNED:
            known = [each for each in known if not each["type"].endswith(".delta")]
        aggregate, stream = Aggregate(), streamed(SENT, known)
        kinds = {seen(aggregate, decoded(each)).kind for each in known}
        terminal = aggregate.terminal
        if Kind.ERROR in kinds or terminal is None or terminal.kind is Kind.FAILED:
            assert "message_stop" not in [event["type"] for event in data_of(stream)]
            continue
        answer = json.loads(MessagesAnswer(SENT, aggregate).whole(terminal))
        read = accumulated(stream).to_dict()
        assert (answer["content"], answer["stop_reason"]) == (read["content"], read["stop_reason"])
        assert stream == streamed_plain(SENT, known)
