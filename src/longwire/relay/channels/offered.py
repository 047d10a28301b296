"""Which models callers are offered: those that are configured, and what channels serve by name."""

from collections.abc import Callable, Iterator

from longwire.core.nouns.access import Grant
from longwire.core.nouns.renames import is_pattern
from longwire.core.rules.routing import Route
from longwire.core.rules.targets import ModelRoutes, first_target
from longwire.dialects.codex.models import CLIENT_VERSION
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.relay.channels.listings import Listings


class OfferedModels:
    """The models of the channels that run, as far as upstreams have listed theirs."""

    def __init__(self, snapshot: Callable[[], Snapshot], listings: Listings) -> None:
        self._snapshot = snapshot
        self._listings = listings

    async def owners(self, grant: Grant, wanted: str = "") -> dict[str, str]:
        """Return the models that a key may use, with the name of a channel that serves each.

        The one that is `wanted` is among them if a channel renames it.
        """
        channels, models = await self.channels(grant), self._snapshot().models
        owners = {name: route.label for name, route in self.configured(grant)}
        for channel in channels:
            renamed = [wanted] if channel.sent_name(wanted) != wanted else []
            for name in filter(grant.allows_model, [*self.names_of(channel), *renamed]):
                if name not in models:
                    owners.setdefault(name, channel.name)
        return owners

    def configured(self, grant: Grant) -> Iterator[tuple[str, Route]]:
        """Yield the configured models that a key may use, with the first target that it may."""
        for name, found in self._snapshot().models.items():
            target = _target(found, grant) if grant.allows_model(name) else None
            if target is not None:
                yield name, target

    def is_configured(self, name: str) -> bool:
        """Whether a name is a configured model's, be it one that nobody may use."""
        return name in self._snapshot().models

    def target(self, route: Route) -> Channel:
        """Return the channel of a model's target."""
        return self._snapshot().target(route)

    async def channels(self, grant: Grant, version: str = "") -> list[Channel]:
        """Return the channels that a key may use, once it was tried to learn their lists."""
        live = self._snapshot().channels.values()
        self._listings.forget_others({each.endpoint for each in live})
        channels = [
            channel
            for channel in live
            if channel.route.is_enabled and grant.allows_channel(channel.id)
        ]
        await self._listings.look(filter(_needs_list, channels), version or CLIENT_VERSION)
        return channels

    def names_of(self, channel: Channel) -> list[str]:
        """Return the names that callers may use of a channel, each under its own name for it."""
        literals = [name for name in channel.route.models if not is_pattern(name)]
        listed = filter(channel.route.serves, self._listings.of(channel).entries)
        return list(dict.fromkeys([*literals, *listed]))


def _target(found: ModelRoutes, grant: Grant) -> Route | None:
    """Return the first target of a model that a key may use, None for a model that is not."""
    if not found.model.is_enabled or not found.model.serves_project(grant.project_id):
        return None
    return first_target(found, grant)


def _needs_list(channel: Channel) -> bool:
    """Whether not all is known of a channel's models without its upstream's list."""
    return channel.vendor.lists_for_codex or any(map(is_pattern, channel.spec.models))
