"""What a client will send back of an answer: the blocks it was shown, as it would send them."""

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Raw

from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.halves import hidden
from longwire.dialects.messages.assistant import assistant_items
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import Content
from longwire.dialects.responses.items import canonical_item


def image_of(options: Options, output: Sequence[bytes]) -> tuple[CanonicalItem, ...]:
    """Return the canonical items of an answer as its client will send them back.

    An answer that a stop sequence cut has the image of the whole one, which nobody sends back: the
    upstream holds more than its client saw, so nothing may go on from there.
    """
    content = Content(output, replace(options, stop_sequences=()))
    raw, halves = hidden(content.raw)
    items = assistant_items(Raw(raw), "content")
    return tuple(map(canonical_item, map(halves.restore, items)))
