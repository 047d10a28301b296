"""What a client will send back of an answer: the blocks it was shown, as it would send them."""

from collections.abc import Sequence

from msgspec import Raw

from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.messages.assistant import assistant_items
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import Content
from longwire.dialects.responses.items import canonical_item


def image_of(options: Options, output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return the canonical items of an answer as its client will send them back.

    None for one that a stop sequence has cut.
    """
    content = Content(output, options)
    if content.stop_sequence is not None:
        return None
    return tuple(map(canonical_item, assistant_items(Raw(content.raw), "content", [])))
