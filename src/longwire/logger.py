"""structlog without rich, which it loads for traces in colour wherever it finds it.

Law: a start does not load rich, a tenth of it; our traces are plain. So everything imports
structlog from here. A command that logs does so on stderr: what it prints is for programs.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

__all__ = ["structlog"]


def _without(unwanted: str, name: str) -> ModuleType:
    """Import a module as it is where `unwanted` is not installed."""
    if unwanted in sys.modules:
        return import_module(name)
    sys.modules[unwanted] = None  # type: ignore[assignment] # Python's own sign for it
    try:
        return import_module(name)
    finally:
        del sys.modules[unwanted]


if not TYPE_CHECKING:
    structlog = _without("rich", "structlog")
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
