"""How channels fare in running gateways, for `longwire channels show` and `longwire doctor`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from longwire.core.errors import ConfigurationError

if TYPE_CHECKING:
    from longwire.server.fleet_health import Fare, Resting
    from longwire.settings import Settings

_WHY: Final = {
    "failures": "after failures",
    "retry_after": "as long as the upstream asked for (Retry-After)",
    "elsewhere": "because it failed at another node",
    "limit": "because the limit of its accounts is reached",
    "sign_in": "until an account signs in again: longwire login",
}


Answers = Mapping[str, Mapping[str, Any]]
"""How channels fare by their ids, by node, or by process where there is no fleet."""


def fares_of(channel_id: str, answers: Answers) -> "Mapping[str, Fare]":
    """Return how a channel fares, by node; empty where it runs nowhere."""
    from longwire.server.fleet_health import fare_of

    return {
        node: fare_of(answer[channel_id])
        for node, answer in sorted(answers.items())
        if channel_id in answer
    }


def ask_health(settings: "Settings") -> Answers:
    """Ask the gateways that run with these settings; who does not answer is left out."""
    from longwire.cli.joined import with_fleet
    from longwire.server.fleet_health import HEALTH

    if settings.fleet.url.get_secret_value():
        try:
            return with_fleet(settings, lambda fleet: fleet.asking.ask(HEALTH, {})).by_node
        except (ConfigurationError, OSError):
            return {}
    return _of_processes(settings.server.port)


def _of_processes(port: int) -> Answers:
    """Return what each process of the gateway at a port answers."""
    from longwire.cli.sessions import answer_of, sockets
    from longwire.server.live_sessions import check_owner, folder

    place = folder()
    if not place.exists():
        return {}
    try:
        check_owner(place)
    except ConfigurationError:
        return {}
    found = {}
    for path in sockets(place, port, "health"):
        answer = answer_of(path, dict[str, Any])
        if answer is not None:
            found[f"process {path[2]}"] = answer
    return found


def lines_of(fares: "Mapping[str, Fare]") -> Iterator[str]:
    """Say how a channel fares, node by node where they differ."""
    if not fares:
        yield "health: not known here, for no gateway of this user or fleet runs it"
    said = {node: tuple(_lines(fare)) for node, fare in fares.items()}
    differ = len(set(said.values())) > 1
    for node, lines in said.items():
        for line in lines:
            yield f"health at {node}: {line}" if differ else f"health: {line}"
        if not differ:
            return


def resting_keys(fares: "Mapping[str, Fare]") -> "Mapping[str, Resting]":
    """Return the keys of a channel that rest, by their ids; where nodes differ, one that does."""
    return {key: rests for fare in fares.values() for key, rests in fare.resting_keys.items()}


def rests_text(resting: "Resting | None") -> str:
    """Say that something rests, why, and until when; "" for what does not."""
    return f"rests {_resting(resting)}" if resting else ""


def summary(fare: "Fare") -> str:
    """Say in a line how a channel fares."""
    return "; ".join(_lines(fare))


def _lines(fare: "Fare") -> Iterator[str]:
    if fare.channel is None:
        yield "it does not run"
    elif fare.resting is not None:
        yield f"rests {_resting(fare.resting)}"
    else:
        yield fare.channel.value
    if fare.websocket_resting is not None:
        yield f"its WebSocket rests {_resting(fare.websocket_resting)}; turns go over HTTP"
    if fare.problem:
        yield f"cause: {fare.problem}"
    failure = fare.cause or fare.last_failure
    if failure is not None:
        where = f" at node {failure.node}" if failure.node else ""
        yield (
            f"last error: {_time(failure.at)}{where}, {failure.status} {failure.code}: "
            f"{failure.message} (longwire turns show {failure.request_id})"
        )


def _resting(resting: "Resting") -> str:
    since = "" if resting.since is None else f" since {_time(resting.since)}"
    until = "" if resting.until is None else f" until {_time(resting.until)}"
    return f"{_WHY[resting.why.value]}{since}{until}"


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
