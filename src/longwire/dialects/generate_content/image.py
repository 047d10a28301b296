"""What a client of this API will send back of a response: the content it was shown.

Law: `image = decode(encode(output))`, literally; a client may send it in one piece or in many.
"""

from collections.abc import Sequence

from msgspec import Raw

from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.generate_content.contents import Contents
from longwire.dialects.generate_content.options import Options
from longwire.dialects.generate_content.parts import Parts, Shown, whole_parts
from longwire.dialects.messages.render import item_of
from longwire.dialects.messages.stream import Frame
from longwire.dialects.names import shortened
from longwire.dialects.responses.items import canonical_item
from longwire.dialects.responses.output_events import ITEM_DONE


def shown_of(parts: Parts, output: Sequence[bytes], *, is_short: bool = False) -> list[Shown]:
    """Return all that is shown of output items; see `Parts.end`."""
    shown = [
        part
        for index, raw in enumerate(output)
        for part in parts.feed(Frame(ITEM_DONE, index, item=Raw(raw)))
    ]
    return [*shown, *parts.end(is_short=is_short)]


def image_of(options: Options, output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return the canonical items of what the client was shown of output items, None if it was cut.

    An answer whose calls have other ids in the replay cannot be gone on from: the upstream holds
    something else. Nor can one with half a call, which the client may not have and never answers.
    Then it is the output itself, which no such replay equals.
    """
    parts = Parts(options)
    shown = whole_parts(shown_of(parts, output))
    if parts.is_cut:
        return None
    if parts.unfinished or any(map(_is_renamed, output)):
        return tuple(map(canonical_item, output))
    contents = Contents({}, set())
    contents.read(b'[{"role":"model","parts":[%b]}]' % b",".join(shown))
    return tuple(map(canonical_item, contents.items))


def _is_renamed(raw: bytes) -> bool:
    """Whether it is a call that the client sends back by another id, or that has none."""
    item = item_of(raw)
    if item.type != "function_call":
        return False
    return not item.call_id or shortened(item.call_id) != item.call_id
