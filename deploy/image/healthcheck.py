"""Whether the gateway of this container lives: exit code 0 if `/health` answers 200."""

import http.client
import os
import sys
from http import HTTPStatus

PATIENCE = 3


def lives(port: int) -> bool:
    """Ask it, past any proxy that the environment names."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if lives(int(os.environ.get("LONGWIRE_SERVER__PORT", "8090"))) else 1)
