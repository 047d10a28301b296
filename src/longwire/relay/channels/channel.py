"""A running channel, and the snapshot of all of them that a turn keeps to its end."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from longwire.core.nouns.access import Grant
from longwire.core.nouns.channel import APIS, ChannelSpec
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.override import Override
from longwire.core.nouns.price import PriceFinder, price_finder
from longwire.core.nouns.renames import renamer
from longwire.core.rules.continuity import Reason
from longwire.core.rules.limits import Subject
from longwire.core.rules.routing import (
    IN_SESSION,
    RESPONSES,
    Manner,
    Route,
    Way,
    sayable_in,
    way_of,
)
from longwire.core.rules.targets import ModelRoutes
from longwire.core.rules.turn import UNARY, Purpose, Turn
from longwire.dialects.members import names_of
from longwire.dialects.overrides import (
    changed_call,
    changed_headers,
    changed_turn,
    marked_turn,
)
from longwire.dialects.ports import Headers, Terms
from longwire.dialects.responses.audio import without_audio
from longwire.dialects.responses.call import renamed, with_least_output
from longwire.dialects.responses.foreign import MARK, without_foreign
from longwire.dialects.responses.native_items import without_items
from longwire.dialects.upstreams import UPSTREAMS
from longwire.dialects.wishes import unheard
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.state import ChannelState
from longwire.relay.channels.vendors.openai import OpenAI
from longwire.relay.channels.vendors.ports import Vendor
from longwire.upstream.http.lazy import LazyHttpTransport
from longwire.upstream.ports import Call, Transport

_NULL = b"null"
_REMEMBERED_MODELS = 256
"""For so many models it is remembered which overrides are about them."""


@dataclass(frozen=True)
class Channel:
    """A channel with its transports: with both of them it is `auto`, WebSocket first.

    `endpoint` is the identity its connections are bound to, `fingerprint` digests what they depend
    on. A channel with accounts runs once for each `account`, one with several keys for each `key`,
    which is the credential of its `spec` then. `state` is how it fares. Of its `apis`, those of
    conversations and all others, `by_api` has what speaks them over HTTP; where it is another than
    Responses, turns are said on these `terms`. `way` is how it serves one turn, `target` as what of
    a model.
    """

    route: Route
    endpoint: str
    websocket: Transport | None = None
    http: Transport | None = None
    spec: ChannelSpec = field(default_factory=lambda: ChannelSpec(id="", name=""))
    fingerprint: str = ""
    account: LiveAccount | None = None
    key: ChannelKey | None = None
    vendor: Vendor = field(default_factory=OpenAI)
    state: ChannelState = field(default_factory=ChannelState, compare=False)
    apis: Collection[str] = (RESPONSES,)
    by_api: Mapping[str, LazyHttpTransport] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    way: Way = IN_SESSION
    target: Route | None = None

    @cached_property
    def id(self) -> str:
        """The channel's id, the same for all its life and all its accounts."""
        return self.route.channel

    @cached_property
    def route_id(self) -> str:
        """What it is called among those that run: the channel's id, with that of its account."""
        return self.route.id

    @cached_property
    def chosen(self) -> Route:
        """How routing knows it for one turn: as a model's target, or as itself."""
        return self.target or self.route

    @property
    def unary(self) -> "Channel":
        """The same channel for what has no WebSocket form."""
        return replace(self, websocket=None, http=self.by_api[self.way.api])

    @property
    def listing(self) -> LazyHttpTransport | None:
        """What its model list is read over."""
        return next(iter(self.by_api.values()), None)

    def way_of(self, turn: Turn) -> Way | None:
        """Return how it would serve a turn, None where it cannot."""
        source = turn.source
        way = way_of(
            source.api,
            self.apis,
            sayable_in(source),
            is_read=not source.is_unread,
            may_drop=self.terms.may_drop,
        )
        return way if way is IN_SESSION or not _needs_responses(turn) else None

    def serving(self, way: Way) -> "Channel":
        """Return the same channel as it serves turns in a way that has no sessions."""
        served = self._served.get(way)
        if served is None:
            served = replace(self, websocket=None, http=self.by_api[way.api], way=way)
            self._served[way] = served
        return served

    @cached_property
    def _served(self) -> dict[Way, "Channel"]:
        return {}

    def said(self, call: Call, headers: Headers) -> Call:
        """Return a call as it is said where another API than Responses is spoken.

        Raises `Unsayable` for what cannot be said there.
        """
        if self.way is IN_SESSION:
            return self._with_headers(call) if self.changes_headers else call
        dialect, is_native = UPSTREAMS[self.way.api], self.way.manner is Manner.NATIVE
        say = dialect.pass_on if is_native else dialect.translate
        said = say(call.turn, headers, self.terms)
        reason = call.reason or (Reason.NATIVE_API if is_native else Reason.TRANSLATED)
        if self.spec.overrides and (overrides := self.overrides_of(call.turn)):
            said = changed_call(said, overrides)
        source = call.turn.source
        # What was passed on lacks nothing that the Responses API could not have said.
        dropped = said.dropped if is_native else names_of((*source.dropped, *said.dropped))
        turn = replace(call.turn, source=replace(source, dropped=dropped))
        return replace(call, turn=turn, said=said, reason=reason)

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
        rename = renamer(self.spec.renames)
        if self.target is None:
            return rename
        sent = rename(self.target.model)
        return lambda _: sent

    @cached_property
    def price_of(self) -> PriceFinder:
        """What tells the price that is configured for a model here."""
        return price_finder(self.spec.prices)

    @cached_property
    def foreign_items(self) -> Collection[str]:
        """The types of items that the upstream does not take."""
        return self.spec.foreign_items

    def overrides_of(self, turn: Turn) -> tuple[Override, ...]:
        """Return what is put into the requests of a turn; none into what is no answer's."""
        if not self.spec.overrides or turn.purpose in UNARY:
            return ()
        found = self._overrides.get(turn.model)
        if found is None:
            model, api = self.sent_name(turn.model), self.way.api
            found = tuple(each for each in self.spec.overrides if each.is_for(model, api, APIS))
            if len(self._overrides) >= _REMEMBERED_MODELS:
                self._overrides.clear()
            self._overrides[turn.model] = found
        return found

    @cached_property
    def _overrides(self) -> dict[str, tuple[Override, ...]]:
        return {}

    def headers_of(self, turn: Turn, headers: Headers) -> Headers:
        """Return a caller's headers as they are sent on."""
        overrides = self.overrides_of(turn)
        return changed_headers(headers, overrides) if overrides else headers

    @cached_property
    def changes_headers(self) -> bool:
        """Whether overrides are about headers: then connections are told apart by them."""
        return any(each.header for each in self.spec.overrides)

    def _with_headers(self, call: Call) -> Call:
        return replace(call, headers=self.headers_of(call.turn, call.headers))

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn as it is sent: by its model's name here, with items that are taken.

        What overrides set of it is one of its properties.
        """
        adapted = self._adapted(turn)
        if not self.spec.overrides or not (overrides := self.overrides_of(turn)):
            return adapted
        change = changed_turn if self.way is IN_SESSION else marked_turn
        return change(adapted, overrides)

    def _adapted(self, turn: Turn) -> Turn:
        """Return a turn as the upstream takes it.

        A client of the Responses API knows what its upstream takes, unless an operator set that.
        """
        if self.spec.renames or self.target is not None:
            turn = renamed(turn, self.sent_name)
        if self.way is not IN_SESSION:
            return turn
        if turn.source.wishes:
            turn = _without_wishes(turn)
        if turn.source.has_audio:
            turn = without_audio(turn)
        if turn.input is not None and MARK in turn.input:
            turn = without_foreign(turn)
        is_translated = bool(turn.source.body)
        if is_translated:
            turn = with_least_output(turn)
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


def _without_wishes(turn: Turn) -> Turn:
    """Return a turn that names what the Responses API has no word for as left out."""
    source = turn.source
    dropped = names_of((*source.dropped, *unheard(source)))
    return replace(turn, source=replace(source, dropped=dropped))


def _needs_responses(turn: Turn) -> bool:
    """Whether nobody but an upstream of the Responses API could do what a client of it asks for."""
    if turn.purpose is Purpose.COMPACTION:
        return True
    asks_for_more = bool(turn.named) or turn.runs_in_background
    return asks_for_more and turn.source.api.startswith(RESPONSES)


@dataclass(frozen=True)
class Snapshot:
    """The running routing configuration; immutable.

    Channels stand by the ids of their routes, configured models by their names. `budgets` are
    the subjects that have some, by kind and id.
    """

    channels: Mapping[str, Channel]
    session_headers: tuple[str, ...] = ()
    models: Mapping[str, ModelRoutes] = field(default_factory=dict)
    budgets: Mapping[str, Subject] = field(default_factory=dict)

    def target(self, route: Route) -> Channel:
        """Return the channel of a model's target, as it serves that."""
        targeted = self._targets.get(route)
        if targeted is None:
            own = replace(route, model="").id
            targeted = self._targets[route] = replace(self.channels[own], target=route)
        return targeted

    def priced_as(self, model: str) -> tuple[str, ...]:
        """Return the names whose price a model has before it is known who serves it."""
        found = self.models.get(model) if self.models else None
        if found is None:
            return (model,)
        return tuple(dict.fromkeys(option.route.model for option in found.options))

    @cached_property
    def bounds_channels(self) -> bool:
        """Whether limits or budgets may keep a channel from taking a turn."""
        limited = (channel.subject.is_limited for channel in self.channels.values())
        return bool(self.budgets) or any(limited)

    @cached_property
    def _targets(self) -> dict[Route, Channel]:
        return {}

    @cached_property
    def shared_apis(self) -> Collection[str]:
        """The APIs that several upstreams speak: what one of them seals, the others cannot read."""
        places = {
            (api, channel.spec.endpoint(api).base_url)
            for channel in self.channels.values()
            for api in channel.apis
        }
        return {api for api, count in Counter(api for api, _ in places).items() if count > 1}

    def only_passes_on(self, api: str, grant: Grant, model: str) -> bool:
        """Whether one channel alone serves a client's turns, and passes them on as they are.

        Where several may serve, it is the history that says which one.
        """
        if model in self.models:
            return False
        has_one = False
        for channel in self.channels.values():
            route = channel.route
            if route.is_enabled and route.serves(model) and grant.allows_channel(route.channel):
                if has_one or RESPONSES in channel.apis or api not in channel.apis:
                    return False
                has_one = True
        return has_one


@dataclass(slots=True)
class RoutingTable:
    """What turns are routed by; replacing `snapshot` is the whole swap."""

    snapshot: Snapshot
