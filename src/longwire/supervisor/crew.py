"""Who is in the crew of a machine: as many workers as were asked for, and the engines there are."""

import os
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from longwire.balancers.configuration import Node
from longwire.core.errors import ConfigurationError
from longwire.logger import structlog
from longwire.server.live_sessions import LONGEST_PATH
from longwire.settings import Settings
from longwire.supervisor.engines import Counter, balancer, haproxy_binary, valkey_binary
from longwire.supervisor.supervisor import Crew
from longwire.supervisor.workers import Worker, environment

_log = structlog.get_logger()
_PLAIN: Final = re.compile(r"[A-Za-z0-9./_+-]+")
_NO_BALANCER: Final = (
    "without HAProxy a session comes to any worker: 38 % of what clients send goes upstream "
    "instead of 18 %; install longwire[fleet], or haproxy"
)
_NO_COUNTER: Final = (
    "without Valkey each worker admits its share of a limit; install longwire[fleet], or set "
    "fleet.url"
)


def _check(folder: Path) -> None:
    """Raise `ConfigurationError` for one that no socket fits in, or that HAProxy cannot read."""
    is_short = len(os.fsencode(folder / "valkey.sock")) <= LONGEST_PATH
    if not is_short or not _PLAIN.fullmatch(str(folder)):
        raise ConfigurationError(
            f"{folder}: the sockets of workers need a path of at most {LONGEST_PATH} bytes, of "
            "letters, digits and ./_+-; name another folder for temporary files in TMPDIR"
        )


def assembled(
    settings: Settings,
    workers: int,
    listeners: Sequence[socket.socket],
    folder: Path,
    announce: Callable[[], None],
) -> Crew:
    """Return the crew: what each worker knows of the others depends on what is installed.

    Raises `ConfigurationError` where no socket can be in `folder`.
    """
    _check(folder)
    balancer_path, url = haproxy_binary(), settings.fleet.url.get_secret_value()
    counter = Counter(path, folder) if not url and (path := valkey_binary()) else None
    url = counter.url if counter else url
    _say(workers, is_balanced=bool(balancer_path), is_counted=bool(url))
    port = int(listeners[0].getsockname()[1])
    members = [
        Worker(
            environment(settings, port, number, url),
            () if balancer_path else listeners,
            folder / f"{number}.sock" if balancer_path else None,
            workers,
        )
        for number in range(workers)
    ]
    nodes = [Node(each.name, str(each.path)) for each in members if each.path is not None]

    def close() -> None:
        for each in listeners:
            each.close()

    return Crew(
        workers=[each.program() for each in members],
        share=[counter.program()] if counter else [],
        before=[balancer(balancer_path, folder, settings, nodes, listeners)] if nodes else [],
        announce=announce,
        close=close,
        valkey=counter.url if counter else "",
    )


def _say(workers: int, *, is_balanced: bool, is_counted: bool) -> None:
    """Say once where limits are kept, and what it costs that something is not installed."""
    notes = ((is_balanced, _NO_BALANCER), (is_counted, _NO_COUNTER))
    note = "; ".join(text for is_there, text in notes if not is_there)
    log = _log.warning if note else _log.info
    log(
        "several_workers",
        workers=workers,
        balancer="haproxy" if is_balanced else "none: one port for all",
        limits="valkey" if is_counted else "shared out",
        **({"note": note} if note else {}),
    )
