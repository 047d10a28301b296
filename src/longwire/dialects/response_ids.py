"""Ids of responses: what a client got one as, and what it is called inside.

Law: whatever API a client speaks, the id that it was shown leads to the one that the log keeps.
"""

import re
from typing import Final

from longwire.dialects.messages.ids import response_id

_RESPONSE: Final = "resp_"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


def kept_ids(shown: str) -> tuple[str, ...]:
    """Return the ids that a response may be kept by which a client got as `shown`.

    A translated response has its own id, or that of the message it became; one that was passed on
    in its vendor's API has the vendor's there, and the same behind `resp_` here.
    """
    of_message = response_id(shown) or shown
    passed_on = (_UNSAFE.sub(other, shown) for other in ("", "_"))
    named = (_RESPONSE + own for own in (*passed_on, _gemini_id(shown)))
    return tuple(dict.fromkeys((shown, of_message, *named)))


def _gemini_id(shown: str) -> str:
    from longwire.dialects.generate_content.reading import own_id  # noqa: PLC0415 - few look for one

    return own_id(shown)
