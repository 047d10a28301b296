"""What no account here can read of the sessions that lost theirs: of a bounded number, the newest.

Law: a session whose items were left out once is sent without them from then on, so that what
follows continues what was sent.
"""

from collections import OrderedDict

from longwire.core.rules.turn import Scope, Turn, TurnRequest
from longwire.dialects.responses.sealed import last_sealed, without_sealed

_MOST_SESSIONS = 4096
_MOST_CHAINS = 16


class Unreadable:
    """Where the unreadable items of sessions end; a session may hold several conversations.

    `ends` are the digests by session: where there are none, no turn needs to be looked at.
    """

    __slots__ = ("ends",)

    def __init__(self) -> None:
        self.ends: OrderedDict[tuple[Scope | None, str], tuple[bytes, ...]] = OrderedDict()

    def note(self, request: TurnRequest) -> None:
        """Remember that nobody could read the sealed items of a turn."""
        end = last_sealed(request.turn)
        if end is None:
            return
        session = request.conversation
        self.ends[session] = (*self.ends.get(session, ()), end)[-_MOST_CHAINS:]
        self.ends.move_to_end(session)
        if len(self.ends) > _MOST_SESSIONS:
            self.ends.popitem(last=False)

    def left_out(self, request: TurnRequest, turn: Turn) -> Turn:
        """Return a turn, as it is to be sent, without what nobody could read before."""
        ends = self.ends.get(request.conversation)
        return turn if ends is None else without_sealed(turn, ends)
