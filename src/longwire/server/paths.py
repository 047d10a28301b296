"""The routes of the data plane by what clients call them.

Law: no redirect: a client would send its key once more, in clear where a proxy speaks TLS.
"""

import re
from typing import Final

DATA_PLANE: Final = ("/v1/", "/v1beta/", "/anthropic/", "/backend-api/")
"""What the paths of the data plane begin with."""

_SLASHES = re.compile("//+")
_VERSIONS = re.compile("(?:/v1)+(?=/)")
_UNVERSIONED = re.compile(
    "/(?:responses|models|chat/completions|completions|messages|embeddings)(?:/|$)"
)


def canonical(path: str) -> str:
    """Return the one spelling of a path: no slash too many, and of `/v1` neither two nor none."""
    path = _SLASHES.sub("/", path).rstrip("/") or "/"
    return f"/v1{path}" if _UNVERSIONED.match(path) else _VERSIONS.sub("/v1", path, count=1)
