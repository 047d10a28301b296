"""What a client of Chat Completions will send back of a response: the message it was shown.

Law: `image = decode(encode(output))`, literally. What this API cannot carry is absent from it.
"""

from collections.abc import Sequence

from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.chat_completions.messages import ItemReader
from longwire.dialects.chat_completions.names import short_id
from longwire.dialects.chat_completions.options import Options
from longwire.dialects.chat_completions.shown import ShownMessage
from longwire.dialects.responses.items import canonical_item


def image_of(options: Options, output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return the canonical items of what the client was shown of output items, None if it was cut.

    An answer whose calls have other ids in the replay cannot be gone on from: the upstream holds
    something else. Then it is the output itself, which no such replay equals.
    """
    message = ShownMessage(output, options)
    if message.is_cut:
        return None
    ids = message.call_ids
    renames = options.calls_functions or any(short_id(each) != each for each in ids)
    if ids and renames:
        return tuple(map(canonical_item, output))
    reader = ItemReader({}, set())
    reader.read(b"[%b]" % message.encode())
    return tuple(map(canonical_item, reader.items))
