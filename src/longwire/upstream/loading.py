"""Large libraries are loaded by who needs them first, and not by everybody's start."""

import asyncio
import sys
from importlib import import_module


async def load(name: str) -> None:
    """Import a module in a thread: turns go on meanwhile. An import of it costs nothing then."""
    if name not in sys.modules:
        await asyncio.to_thread(import_module, name)
