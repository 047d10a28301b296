"""Streams of Messages as they were seen in the field, each a filter of the right one."""

from collections.abc import Iterator

import msgspec

from longwire.emulator.events import Event
from longwire.emulator.messages.events import Story, event
from longwire.emulator.options import Options


def oddly(events: Iterator[Event], story: Story, options: Options) -> Iterator[Event]:
    """The events as the settings want them."""
    match options.message_start:
        case "duplicate":
            events = repeated(events)
        case "spliced":
            events = spliced(events, story)
        case "whole":
            events = at_once(events, story)
        case "plain":
            pass
    return pinged(events) if options.message_pings else events


def at_end(events: Iterator[Event], story: Story) -> Iterator[Event]:
    """The whole message in place of the terminal."""
    for each in events:
        is_end = each.mark == "terminal"
        yield Event("message", msgspec.json.encode(story.message()), each.mark) if is_end else each


def repeated(events: Iterator[Event]) -> Iterator[Event]:
    """`message_start` twice."""
    for each in events:
        yield each
        if each.kind == "message_start":
            yield each


def spliced(events: Iterator[Event], story: Story) -> Iterator[Event]:
    """An answer that begins anew in the middle of its first block."""
    yield story.start()
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    delta = {"type": "text_delta", "text": "This was never said."}
    yield event("content_block_delta", "delta", index=0, delta=delta)
    yield from events


def at_once(events: Iterator[Event], story: Story) -> Iterator[Event]:
    """A `message_start` that holds all blocks and the reason of the end, and `message_stop`."""
    for each in events:
        if each.mark == "terminal":
            yield story.start()
        if each.mark == "terminal" or each.kind == "error":
            yield each


def pinged(events: Iterator[Event]) -> Iterator[Event]:
    """A ping behind each event but the last."""
    for each in events:
        yield each
        if each.mark != "terminal":
            yield event("ping")
