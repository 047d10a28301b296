"""The live connections, for the admin API, and over a Unix socket that this user alone can open.

One connection, one answer: a JSON list of rows, then the end. The socket's name carries the port
and the process, so that several gateways and workers live side by side. Without it all else works.
"""

import asyncio
import os
import stat
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.run import run_id
from longwire.core.rules.continuity import Decision, words_of
from longwire.core.rules.lease import Entry
from longwire.core.rules.ledger import Ledger
from longwire.core.rules.turn import SessionKey
from longwire.logger import structlog
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.relay.records.journal import Recent
from longwire.server.auth import Keys
from longwire.upstream.websocket.pool import Pool

Names = Callable[[], Mapping[str, str]]
About = Callable[[Entry], Mapping[str, Any]]
"""Tells more of a connection: see `AboutConnections`."""

LONGEST_PATH = 103
"""Bytes: the shortest limit among systems for a Unix socket's path, without its ending zero."""

_MEND = "name another folder of yours in XDG_RUNTIME_DIR"
_log = structlog.get_logger()


def folder() -> Path:
    """Return where sockets live: below `XDG_RUNTIME_DIR`, else a private folder for temporaries."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute():
        return runtime / "longwire"
    return Path(tempfile.gettempdir()) / f"longwire-{os.geteuid()}"


def check_owner(place: Path) -> None:
    """Raise `ConfigurationError` unless `place` is a folder, and this user's own."""
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigurationError(f"{place} is not a folder of this user; {_MEND}")


def make_private(place: Path) -> None:
    """Make a folder, for nobody else. Raises `ConfigurationError` where it is somebody else's."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_owner(place)
    place.chmod(0o700)


def _nothing(_entry: Entry) -> Mapping[str, Any]:
    return {}


@asynccontextmanager
async def serving_sessions(
    port: int, ledger: Ledger, names: Names, about: About = _nothing
) -> AsyncIterator[None]:
    """Answer on the socket of the gateway at `port` with a row for each of its connections."""

    def rows() -> object:
        now = asyncio.get_running_loop().time()
        return [{**row(each, names(), now), **about(each)} for each in ledger.entries()]

    async with answering(port, "sock", rows):
        yield


@asynccontextmanager
async def answering(port: int, kind: str, answer_of: Callable[[], object]) -> AsyncIterator[None]:
    """Answer on a socket of the gateway at `port`; 0 has none, and a failure is but a warning."""
    path = folder() / f"{port}-{os.getpid()}.{kind}"

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(msgspec.json.encode(answer_of()))
            writer.close()
            await writer.wait_closed()

    server = None
    if port:
        try:
            _prepare(path)
            server = await asyncio.start_unix_server(answer, path)
            path.chmod(0o600)
        except (OSError, ConfigurationError) as error:
            _log.warning("no_local_socket", reason=str(error), note="commands find none of it")
    try:
        yield
    finally:
        if server is not None:
            server.close()
            path.unlink(missing_ok=True)


def _prepare(path: Path) -> None:
    """Make the folder, for nobody else, and room for the socket. Raises where that cannot be."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ConfigurationError(
            f"{path} is longer than the {LONGEST_PATH} bytes of a Unix socket's path; "
            "name a shorter folder in XDG_RUNTIME_DIR"
        )
    make_private(path.parent)
    path.unlink(missing_ok=True)


def row(entry: Entry, names: Mapping[str, str], now: float) -> dict[str, Any]:
    """Return the row of one connection: its age in seconds, sizes in bytes."""
    key = entry.key
    return {
        "connection": entry.id,
        "channel": names.get(key.endpoint, "") if key else "",
        "scope": key.scope if key else "",
        "session": key.session if key else "",
        "state": entry.state.value,
        "age": round(now - entry.born, 1),
        "turns": entry.exchanges,
        "continued": entry.continued,
        "bytes_saved": entry.bytes_saved,
        "last": _last(entry.decision),
    }


@dataclass(frozen=True, slots=True)
class AboutConnections:
    """Tells whose connections are, which model their last turn had, and the runs they serve."""

    keys: Keys
    recent: Recent

    def __call__(self, entry: Entry) -> dict[str, str]:
        """Return what is known of one, "" for what is not; `run` and `trace` are ids of runs."""
        place, last = entry.key, self.recent.last(entry.id)
        key = self.keys.of_scope(place.scope) if place else None
        about = {"key_id": "", "key_name": "", "model": "", "run": "", "trace": ""}
        if key is not None and place is not None:
            about |= {"key_id": key.id, "key_name": key.name}
            if place.session:
                project = key.grant.project_id
                about["run"] = run_id("session", place.session, project, key.id)
        if last is not None:
            about["model"] = last.model_asked
            if last.trace and about["run"]:
                about["trace"] = run_id("trace", last.trace, last.project_id)
        return about


class LiveSessions:
    """The live connections of a pool, as the admin API shows and ends them."""

    def __init__(self, pool: Pool, reconciler: ChannelReconciler, about: AboutConnections) -> None:
        self._pool = pool
        self._reconciler = reconciler
        self._about = about

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per connection, with what it can live, who waits, and its last turns."""
        now, waiting = asyncio.get_running_loop().time(), self._pool.waiting()
        return [self._row(entry, now, waiting) for entry in self._pool.ledger.entries()]

    def of_channels(self) -> Counter[str]:
        """Return how many there are of each channel, by its id."""
        return Counter(map(_channel_of, self._pool.ledger.entries()))

    def _row(self, entry: Entry, now: float, waiting: Counter[SessionKey | None]) -> dict[str, Any]:
        lifetime = entry.expires_at - entry.born
        return (
            row(entry, self._reconciler.names, now)
            | self._about(entry)
            | {
                "channel_id": _channel_of(entry),
                "lifetime": round(lifetime, 1) if isfinite(lifetime) else None,
                "waiting": waiting[entry.key] if entry.key else 0,
                "recent": self._about.recent.of(entry.id),
            }
        )

    def close(self, connection: int) -> bool:
        """End one, after the turn it may serve; False where there is none such."""
        return self._pool.end(connection)


def _channel_of(entry: Entry) -> str:
    """Return the id of a connection's channel, "" while it is nobody's."""
    return entry.key.endpoint.rpartition("@")[0] if entry.key else ""


def _last(decision: Decision | None) -> str:
    """Say how the last turn travelled: why in full, else in the words of the response headers."""
    continuity, reason, _ = ("", None, "") if decision is None else words_of(decision)
    return reason or continuity
