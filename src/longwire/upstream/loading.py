"""Large libraries are loaded at their first use, and not when the process starts."""

import asyncio
import sys
from importlib import import_module


async def load(name: str) -> None:
    """Import a module in a thread, so that turns go on; an `import` of it costs nothing after."""
    if name not in sys.modules:
        await asyncio.to_thread(import_module, name)
