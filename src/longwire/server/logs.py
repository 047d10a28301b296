"""One line per event on stderr: JSON for machines, plain words on a terminal."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from longwire.logger import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure(least: int = logging.INFO, node: str = "") -> None:
    """Send everything that is logged, by whomever, through one form to stderr.

    What is below the level `least` is left out. Each line names the `node`, unless it is "".
    """
    steps: list[Processor] = [partial(_stamped, node)]
    is_terminal = sys.stderr.isatty()
    # A trace that shows local variables would show prompts and keys.
    rendered: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    )
    structlog.configure(
        processors=[*steps, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(steps, rendered)


class _Lines:
    """Writes lines to stderr; what its disk has no room for is lost, and fails nobody."""

    def msg(self, line: str) -> None:
        """Write a line, or lose it."""
        try:
            sys.stderr.write(f"{line}\n")
        except OSError:
            return

    debug = info = warning = error = exception = critical = msg


def _stamped(
    node: str, _: object, method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add level, time and node; in one step, as each is a call that every turn pays."""
    if node:
        line["node"] = node
    line["level"] = "error" if method == "exception" else method
    now = datetime.now(UTC).replace(tzinfo=None)
    line["timestamp"] = f"{now.isoformat(timespec='microseconds')}Z"
    return line


def _json(line: dict[str, Any], default: Callable[[object], object]) -> str:
    """Encode a line; what is no UTF-8, as half a surrogate pair, goes the long way."""
    try:
        return msgspec.json.encode(line, enc_hook=default).decode()
    except (TypeError, ValueError):
        return json.dumps(line, default=default)


def _route_standard_library(steps: "list[Processor]", rendered: "list[Processor]") -> None:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=steps, processors=[drop, *rendered]
    )
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(formatter)
    logging.basicConfig(handlers=[stderr], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """What is cancelled when the grace period is over, or sent in bad UTF-8, needs no trace."""
    usual = (asyncio.CancelledError, UnicodeDecodeError)
    return not (record.exc_info and isinstance(record.exc_info[1], usual))
