"""`python -m bench.unlogged FILE`: the gateway of a configuration, but without a database."""

import socket
import sys
from pathlib import Path

from longwire.app import App
from longwire.processes import server_of
from longwire.server import logs
from longwire.settings import load


def main(file: Path) -> None:
    """Serve on a free port, which is told first, until ended."""
    logs.configure()
    settings = load(file)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server_of(App(settings), settings).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
