"""What `longwire doctor` looks for in what nodes share: clocks, Valkey, who is there."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from longwire.cli.joined import with_fleet
from longwire.cli.nodes import silences, taken_names
from longwire.core.errors import FleetUnavailable, LongwireError

if TYPE_CHECKING:
    from longwire.fleet.fleet import Fleet
    from longwire.fleet.nodes import Presence
    from longwire.fleet.valkey import Valkey
    from longwire.settings import Settings
    from longwire.store.store import Store

_MOST_SKEW: Final = 3.0
_KEPT: Final = "noeviction"


class Verdict(Enum):
    """How a check went: well, so that somebody should look, or so that something will fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and whether that is well."""

    what: str
    how: str
    verdict: Verdict = Verdict.OK


def check_clock(what: str, ahead: float) -> Check:
    """Judge by how many seconds another clock is ahead of this host's."""
    if abs(ahead) <= _MOST_SKEW:
        return Check(f"clock of {what}", "agrees with this host's")
    side = "ahead of" if ahead > 0 else "behind"
    how = f"{abs(ahead):.0f} s {side} this host's; have both follow NTP"
    return Check(f"clock of {what}", how, Verdict.WARN)


async def database_ahead(store: "Store") -> float:
    """Return by how many seconds the database's clock is ahead of this host's."""

    async def seconds() -> float:
        return await store.time() / 1000

    return await _ahead(seconds)


async def _ahead(ask: Callable[[], Awaitable[float]]) -> float:
    """Return by how many seconds a clock is ahead of this host's, half the way to it taken off."""
    before = time.time()
    theirs = await ask()
    return theirs - (before + time.time()) / 2


def check_fleet(settings: "Settings") -> list[Check]:
    """Look at Valkey and the nodes; nothing where no fleet is configured."""
    if not settings.fleet.url.get_secret_value():
        return []
    try:
        return with_fleet(settings, _checks)
    except LongwireError as error:
        return [Check("valkey", str(error), Verdict.FAIL)]


async def _checks(fleet: "Fleet") -> list[Check]:
    valkey = fleet.valkey
    if valkey is None:
        return []
    ahead = await _ahead(lambda: _time(valkey))
    checks = [*_server(await _report(valkey)), check_clock("valkey", ahead)]
    return [*checks, *_nodes(await fleet.nodes.others(), fleet.nodes.own.version)]


async def _report(valkey: "Valkey") -> Mapping[str, str]:
    """Return what the server says of itself; nothing where it is not asked that."""
    try:
        text = await valkey.call("INFO")
    except FleetUnavailable:
        return {}
    lines = [line.partition(":") for line in text.decode(errors="replace").splitlines()]
    return {name: value for name, _, value in lines}


async def _time(valkey: "Valkey") -> float:
    seconds, microseconds = await valkey.call("TIME")
    return float(seconds) + float(microseconds) / 1e6


def _server(report: Mapping[str, str]) -> Iterator[Check]:
    version = report.get("valkey_version") or report.get("redis_version")
    kind = "valkey" if "valkey_version" in report else "redis"
    yield Check("valkey", f"{kind} {version}" if version else "answers; its version is not told")
    policy = report.get("maxmemory_policy", "")
    if policy == _KEPT:
        yield Check("valkey memory", f"maxmemory-policy is {policy}")
    elif policy:
        how = f"maxmemory-policy is {policy}, which forgets limits and homes; set {_KEPT}"
        yield Check("valkey memory", how, Verdict.FAIL)
    else:
        how = f"maxmemory-policy is not told; make sure that it is {_KEPT}"
        yield Check("valkey memory", how, Verdict.WARN)
    is_kept = report.get("aof_enabled") == "1"
    how = "AOF is on" if is_kept else "AOF is off: limits begin anew when it is restarted"
    yield Check("valkey persistence", how)


def _nodes(presence: "Presence", version: str) -> Iterator[Check]:
    names = ", ".join(f"{node.name} {node.version}" for node in presence.nodes)
    versions = {node.version for node in presence.nodes} | {version}
    if len(versions) > 1:
        how = f"{names}; this is {version}: end a roll soon, two versions are for its time alone"
        yield Check("nodes", how, Verdict.WARN)
    else:
        yield Check("nodes", names or "none is there")
    for line in silences(presence):
        yield Check("nodes", line, Verdict.WARN)
    for line in taken_names(presence):
        yield Check("nodes", line, Verdict.FAIL)
