"""What no account here can read of the sessions that lost theirs: of a bounded number, the newest.

Law: a session whose items were left out once is sent without them from then on, so that what
follows continues what was sent.
"""

from collections import OrderedDict
from typing import TypeVar

from longwire.core.rules.routing import Manner
from longwire.core.rules.turn import Purpose, Scope, Turn, TurnRequest
from longwire.dialects.passed_seals import (
    chain_of,
    last_thought,
    without_thoughts_at,
    without_thoughts_to,
)
from longwire.dialects.responses.sealed import last_sealed, without_sealed
from longwire.relay.channels.channel import Channel

_PASSED = Purpose.PASSED
_MOST_SESSIONS = 4096
_MOST_CHAINS = 16
_BEGIN, _NOBODY = b"", ""
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
        ends = None if turn.purpose is _PASSED else self.ends.get(request.conversation)
        return turn if ends is None else without_sealed(turn, ends)


class Strangers:
    """Whose thoughts are in the histories that are passed on, and where the unreadable ones end.

    What an upstream seals there bears no mark of ours: so it is known by who answered the turn
    whose history ended before it, a `maker` by where it is reached. What another one has made is
    left out; what nobody is known for is sent, and left out from then on where it is refused.
    """

    __slots__ = ("_ends", "_makers")

    def __init__(self) -> None:
        self._makers: OrderedDict[tuple[_Conversation, str, bytes], str] = OrderedDict()
        self._ends: OrderedDict[tuple[_Conversation, str], tuple[bytes, ...]] = OrderedDict()

    def note_maker(self, request: TurnRequest, channel: Channel) -> None:
        """Remember who answers a turn that is passed on.

        Only of an API that several upstreams speak need it be known. Several conversations of a
        session may begin at several of them: then nobody is known for the first thoughts of it.
        """
        if channel.way.manner is not Manner.NATIVE:
            return
        chain, maker = chain_of(request.turn), _maker_of(channel)
        place = (request.conversation, channel.way.api, chain[-1] if chain else _BEGIN)
        is_sure = bool(chain) or self._makers.get(place, maker) == maker
        _keep(self._makers, place, maker if is_sure else _NOBODY)

    def note_refusal(self, request: TurnRequest, channel: Channel) -> None:
        """Remember that nobody could read what a turn brings."""
        end, place = last_thought(request.turn), (request.conversation, channel.way.api)
        ends = self._ends.get(place, ())
        if channel.way.manner is Manner.NATIVE and end is not None and end not in ends:
            _keep(self._ends, place, (*ends, end)[-_MOST_CHAINS:])

    def left_out(self, request: TurnRequest, channel: Channel, turn: Turn) -> Turn:
        """Return a turn, as it is to be passed on, without what its upstream did not think."""
        if channel.way.manner is not Manner.NATIVE or turn.purpose is _PASSED:
            return turn
        session, api, known = request.conversation, channel.way.api, (_NOBODY, _maker_of(channel))
        if self._makers:
            befores = (_BEGIN, *chain_of(request.turn))
            makers = (self._makers.get((session, api, each), _NOBODY) for each in befores)
            others = {at for at, each in enumerate(makers) if each not in known}
            turn = without_thoughts_at(turn, others)
        ends = self._ends.get((session, api))
        return without_thoughts_to(turn, ends) if ends else turn


def _maker_of(channel: Channel) -> str:
    return channel.spec.endpoint(channel.way.api).base_url


def _keep(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST_SESSIONS:
        memory.popitem(last=False)
