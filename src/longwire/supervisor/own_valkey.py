"""Where workers share a Valkey of their own, noted for commands of the same user.

It lies beside the sockets of `longwire sessions`, by the port that the workers serve.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from longwire.core.errors import ConfigurationError
from longwire.logger import structlog
from longwire.server.live_sessions import check_owner, folder, make_private

_log = structlog.get_logger()


@contextmanager
def noted(port: int, url: str) -> Iterator[None]:
    """Note where it is, until left; "" is nowhere, and a failure is but a warning."""
    path = _path(port)
    try:
        if url:
            make_private(path.parent)
            path.touch(mode=0o600)
            path.write_text(url, encoding="utf-8")
    except (OSError, ConfigurationError) as error:
        _log.warning("valkey_not_noted", reason=str(error), note="longwire nodes finds none")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def url_at(port: int) -> str:
    """Return where the workers that serve a port share one, "" where there is none.

    Raises `ConfigurationError` where the note may be somebody else's.
    """
    path = _path(port)
    with suppress(FileNotFoundError):
        check_owner(path.parent)
        return path.read_text(encoding="utf-8")
    return ""


def _path(port: int) -> Path:
    return folder() / f"{port}.valkey"
