"""How memory is kept: bodies are received into pages that are there; cycles are seldom looked for.

Law: a matter of speed alone; where the C library is another one, its part changes nothing.
"""

import ctypes
import gc
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_LARGEST_ON_HEAP: Final = 32 * 1024 * 1024  # the most that glibc takes
_KEPT_FREE: Final = 64 * 1024 * 1024
_NEW_OBJECTS: Final = 50_000
"""So many new objects that are still alive begin a search for cycles; Python's own is 700."""


def prepare_memory() -> None:
    """Do both, before anything is served."""
    keep_pages()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


def keep_pages() -> None:
    """Take bodies from the heap, not from pages that are mapped, cleared and unmapped each time.

    Up to 64 MiB that nothing uses stay with the process. See mallopt(3).
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_ON_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT_FREE)
