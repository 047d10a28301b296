"""A running channel, and the snapshot of all of them that a turn keeps to its end."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.renames import renamer
from longwire.core.rules.limits import Subject
from longwire.core.rules.routing import Route
from longwire.core.rules.turn import Turn
from longwire.dialects.members import names_of
from longwire.dialects.responses.call import renamed
from longwire.dialects.responses.native_items import without_items
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.state import ChannelState
from longwire.relay.channels.vendors.openai import OpenAI
from longwire.relay.channels.vendors.ports import Vendor
from longwire.upstream.http.lazy import LazyHttpTransport
from longwire.upstream.ports import Transport

_NULL = b"null"


@dataclass(frozen=True)
class Channel:
    """A channel with its transports: with both of them it is `auto`, WebSocket first.

    `endpoint` is the identity its connections are bound to, `fingerprint` digests what they depend
    on. Its model list is read over `listing`. A channel with accounts runs once for each `account`.
    `state` is how it fares.
    """

    route: Route
    endpoint: str
    websocket: Transport | None = None
    http: Transport | None = None
    listing: LazyHttpTransport | None = None
    spec: ChannelSpec = field(default_factory=lambda: ChannelSpec(id="", name=""))
    fingerprint: str = ""
    account: LiveAccount | None = None
    vendor: Vendor = field(default_factory=OpenAI)
    state: ChannelState = field(default_factory=ChannelState, compare=False)

    @cached_property
    def id(self) -> str:
        """The channel's id, the same for all its life and all its accounts."""
        return self.route.channel

    @cached_property
    def route_id(self) -> str:
        """What it is called among those that run: the channel's id, with that of its account."""
        return self.route.id

    @property
    def unary(self) -> "Channel":
        """The same channel for what has no WebSocket form."""
        return replace(self, websocket=None, http=self.listing)

    def is_signed_out(self) -> bool:
        """Whether its account takes no turns."""
        return self.account is not None and not self.account.account.is_active

    @cached_property
    def name(self) -> str:
        """The channel's name, as people know it."""
        return self.route.label

    @cached_property
    def subject(self) -> Subject:
        """Whose limits hold for its turns."""
        return Subject(f"channel:{self.id}", self.name, self.spec.rates)

    @cached_property
    def sent_name(self) -> Callable[[str], str]:
        """What tells the name that a caller's model is sent upstream by."""
        return renamer(self.spec.renames)

    @cached_property
    def foreign_items(self) -> Collection[str]:
        """The types of items that the upstream does not take."""
        return self.spec.foreign_items

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn as it is sent: by its model's name here, with items that are taken.

        A client of the Responses API knows what its upstream takes, unless an operator set that.
        """
        if self.spec.renames:
            turn = renamed(turn, self.sent_name)
        is_translated = bool(turn.source.body)
        if self.foreign_items and (is_translated or self.spec.native_items is not None):
            turn = without_items(turn, self.foreign_items)
        adapted = self.vendor.adapt(turn)
        if adapted is turn:
            return turn
        kept = adapted.members
        left_out = [name for name, raw in turn.members.items() if name not in kept and raw != _NULL]
        source = turn.source
        dropped = names_of((*source.dropped, *left_out))
        return replace(adapted, source=replace(source, dropped=dropped))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running routing configuration, channels by the ids of their routes; immutable."""

    channels: Mapping[str, Channel]
    session_headers: tuple[str, ...] = ()


@dataclass(slots=True)
class RoutingTable:
    """What turns are routed by; replacing `snapshot` is the whole swap."""

    snapshot: Snapshot
