"""The routes of the data plane by what clients call them.

Law: no redirect: a client would send its key once more, in clear where a proxy speaks TLS.
"""

import re
from typing import Final

from longwire.core.nouns.passed_api import PASSED_APIS

DATA_PLANE: Final = ("/v1/", "/v1beta/", "/anthropic/", "/backend-api/")
"""What the paths of the data plane begin with."""

_SLASHES = re.compile("//+")
_VERSIONS = re.compile("(?:/v1)+(?=/)")
_UNVERSIONED = re.compile(
    f"/(?:responses|models|chat/completions|messages|{'|'.join(PASSED_APIS)})(?:/|$)"
)


def canonical(path: str) -> str:
    """Return the one spelling of a path: of the data plane no slash too many, one version.

    What a proxy may have closed by its path, as `/admin`, has no spelling but its own; only a slash
    behind it is none.
    """
    path = path.rstrip("/") or "/"
    meant = _SLASHES.sub("/", path)
    meant = meant.removeprefix("/v1") if meant.startswith("/v1/v1beta/") else meant
    meant = f"/v1{meant}" if _UNVERSIONED.match(meant) else _VERSIONS.sub("/v1", meant, count=1)
    return meant if meant.startswith(DATA_PLANE) else path
