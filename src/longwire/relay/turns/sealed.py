"""What no account here can read of the sessions that lost theirs: of a bounded number, the newest.

Law: a session whose items were left out once is sent without them from then on, so that what
follows continues what was sent.
"""

from collections import OrderedDict
from typing import TypeVar

from longwire.core.rules.routing import Manner
from longwire.core.rules.turn import Scope, Turn, TurnRequest
from longwire.dialects.passed_seals import last_thought, without_thoughts_to
from longwire.dialects.responses.sealed import last_sealed, without_sealed
from longwire.relay.channels.channel import Channel

_MOST_SESSIONS = 4096
_MOST_CHAINS = 16
_Conversation = tuple[Scope | None, str]
_K = TypeVar("_K")
_V = TypeVar("_V")


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
        _keep(self.ends, session, (*self.ends.get(session, ()), end)[-_MOST_CHAINS:])

    def left_out(self, request: TurnRequest, turn: Turn) -> Turn:
        """Return a turn, as it is to be sent, without what nobody could read before."""
        ends = self.ends.get(request.conversation)
        return turn if ends is None else without_sealed(turn, ends)


class Strangers:
    """Whose thoughts are in the histories that are passed on, and where those of others end.

    What an upstream seals there bears no mark of ours: so it is known by who answered last. It is
    one `maker` for each session and API, by where it is reached. Of a session that goes to another
    one, all that was thought before is left out there from then on; likewise, at whoever it may be
    (""), what an upstream has refused to read.
    """

    __slots__ = ("_ends", "_makers")

    def __init__(self) -> None:
        self._makers: OrderedDict[tuple[_Conversation, str], str] = OrderedDict()
        self._ends: OrderedDict[tuple[_Conversation, str, str], tuple[bytes, ...]] = OrderedDict()

    def note_maker(self, request: TurnRequest, channel: Channel) -> None:
        """Remember who answers a turn that is passed on."""
        if channel.way.manner is Manner.NATIVE:
            _keep(self._makers, (request.conversation, channel.way.api), _maker_of(channel))

    def note_refusal(self, request: TurnRequest, channel: Channel) -> None:
        """Remember that nobody could read what a turn brings."""
        if channel.way.manner is Manner.NATIVE:
            self._note(request, channel.way.api, "")

    def left_out(self, request: TurnRequest, channel: Channel, turn: Turn) -> Turn:
        """Return a turn, as it is to be passed on, without what its upstream did not think."""
        api, session = channel.way.api, request.conversation
        if channel.way.manner is not Manner.NATIVE:
            return turn
        own = _maker_of(channel)
        if self._makers.get((session, api), own) != own:
            self._note(request, api, own)
        if not self._ends:
            return turn
        ends = [*self._ends.get((session, api, own), ()), *self._ends.get((session, api, ""), ())]
        return without_thoughts_to(turn, ends) if ends else turn

    def _note(self, request: TurnRequest, api: str, maker: str) -> None:
        end, place = last_thought(request.turn), (request.conversation, api, maker)
        ends = self._ends.get(place, ())
        if end is not None and end not in ends:
            _keep(self._ends, place, (*ends, end)[-_MOST_CHAINS:])


def _maker_of(channel: Channel) -> str:
    return channel.spec.endpoint(channel.way.api).base_url


def _keep(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_SESSIONS:
        memory.popitem(last=False)
