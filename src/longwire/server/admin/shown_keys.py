"""The keys of a channel as they are shown: their last four characters, and how each does."""

import time
from typing import Any

import strawberry

from longwire.core.nouns.channel import ChannelSpec
from longwire.relay.channels.channel import Channel as Running
from longwire.server.admin.accounts import QuotaWindow, shown_window
from longwire.server.admin.channel_health import Rests, rests_of
from longwire.server.admin.context import Info
from longwire.server.admin.inputs import view_of
from longwire.server.fleet_health import Trust, resting_of, trust_of


@strawberry.type(description="One of several keys of an upstream, without the key itself.")
class ChannelKey:
    id: strawberry.ID
    label: str
    masked: str = strawberry.field(description="Its last four characters.")
    weight: float = strawberry.field(description="Its share of the sessions among the keys.")
    is_enabled: bool
    trust: Trust | None = strawberry.field(
        description="Whether turns go to it at this node; null for one that does not run."
    )
    problem: str = strawberry.field(description="Why it failed last; empty while it is sound.")
    resting: Rests | None = strawberry.field(description="Null while turns go to it.")
    requests: QuotaWindow | None = strawberry.field(
        description="What is used of its rate of requests, as answers said last."
    )
    tokens: QuotaWindow | None


def keys_of(root: strawberry.Parent[Any], info: Info) -> list[ChannelKey]:
    """Return the keys of a channel that has several; none where it has one alone."""
    spec: ChannelSpec = root.spec
    running = {
        each.route.account: each
        for each in info.context.administration.health.running(spec.id)
        if each.key is not None
    }
    return [
        view_of(ChannelKey, key, **_fares(running.get(key.entry))) for key in spec.keys_in_force
    ]


def _fares(running: Running | None) -> dict[str, object]:
    if running is None:
        return {"trust": None, "problem": "", "resting": None, "requests": None, "tokens": None}
    health, quota = running.state.health, running.state.quota.quota
    clocks = time.monotonic(), time.time()
    return {
        "trust": trust_of(health, clocks[0]),
        "problem": health.problem,
        "resting": rests_of(resting_of([health], *clocks)),
        "requests": shown_window(quota.primary),
        "tokens": shown_window(quota.secondary),
    }
