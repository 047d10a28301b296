"""What the admin API stands on: the store, the running gateway, and what the file declares."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longwire.core.errors import Conflict, managed_by_file
from longwire.core.nouns.access import ApiKey
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.model import Model
from longwire.core.nouns.price import PriceFinder
from longwire.fleet.fleet import Fleet
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.sign_ins import SignIns
from longwire.relay.channels.offered import OfferedModels
from longwire.relay.channels.probe import Probed
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.relay.records.accounting import Price
from longwire.relay.records.journal import Feed
from longwire.relay.records.pricing import Quote
from longwire.relay.turns.explained import Explained
from longwire.server.alerts.alerting import Alerting
from longwire.server.fleet_health import FleetHealth
from longwire.server.fleet_sessions import FleetSessions
from longwire.store.store import Store

if TYPE_CHECKING:
    from longwire.server.admin.sign_on import SignOn


async def _nothing() -> None:
    """Count nothing: there are no limits to keep in step."""


@dataclass(frozen=True, slots=True)
class Administration:
    """Everything that resolvers reach.

    `refresh` makes the gateway take over what the store holds now; it raises `ConfigurationError`
    where that cannot run. `probe` tries a channel with a model, None for the first it names, in one
    of its APIs, "" for the usual. `give_way` waits a little while the turn log has much to write:
    turns come first. `explain` tells where a turn would go, `offered` which models there are, and
    `recount` takes over what budgets are spent; `price` tells what tokens cost, `quote` what a
    model does, `running` how a channel runs: once for each account, not at all, or once.
    """

    store: Store
    refresh: Callable[[], Awaitable[None]]
    reconciler: ChannelReconciler
    fleet: Fleet
    sessions: FleetSessions
    health: FleetHealth
    feed: Feed
    probe: Callable[[ChannelSpec, str | None, str], Awaitable[Probed]]
    give_way: Callable[[], Awaitable[None]]
    accounts: LiveAccounts
    sign_ins: SignIns
    alerting: Alerting
    explain: Callable[..., Awaitable[Explained]]
    offered: OfferedModels
    insecure_cookies: bool = False
    recount: Callable[[], Awaitable[None]] = _nothing
    sign_on: "SignOn | None" = None
    price: Price = lambda *_, **_configured: None
    quote: Callable[[tuple[str, ...], PriceFinder], Quote | None] = lambda *_: None

    @property
    def file(self) -> str:
        """Where the configuration file stands, "" where there is none."""
        return str(self.reconciler.declared.file or "")

    def declared_channels(self) -> tuple[ChannelSpec, ...]:
        """Return the channels of the file."""
        return self.reconciler.declared.channels

    def declared_models(self) -> tuple[Model, ...]:
        """Return the models of the file."""
        return self.reconciler.declared.models

    def declared_keys(self) -> tuple[ApiKey, ...]:
        """Return the keys of the file, without their secrets."""
        return tuple(issued.key for issued in self.reconciler.declared.keys)

    async def key(self, key_id: str) -> ApiKey:
        """Return a key, declared or stored. Raises `NotFound`."""
        for key in self.declared_keys():
            if key.id == key_id:
                return key
        return await self.store.keys.get(key_id)

    def refusal(self, noun: str, name: str, param: str | None = None) -> Conflict:
        """Return why what the file declares is not changed here."""
        return managed_by_file(noun, name, self.file, param)
