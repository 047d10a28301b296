"""SQLAlchemy's asynchronous engine without its ORM, which the engine's package loads for sessions.

Law: a start does not load the ORM, a tenth of it and 8 MiB. So everything in the store imports the
engine from here, and uses it without sessions.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"


def _engine() -> ModuleType:
    """Import the engine's module alone: its package is there meanwhile, but has not run."""
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None:
        return import_module(f"{_PACKAGE}.engine")
    sys.modules[_PACKAGE] = module_from_spec(spec)
    try:
        return import_module(f"{_PACKAGE}.engine")
    finally:
        del sys.modules[_PACKAGE]  # who wants the package whole imports it as ever


if not TYPE_CHECKING:
    _loaded = _engine()
    AsyncConnection = _loaded.AsyncConnection
    AsyncEngine = _loaded.AsyncEngine
    create_async_engine = _loaded.create_async_engine
