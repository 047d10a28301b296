"""`longwire serve`: check the settings, then serve until told to stop."""

import os
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option(help="The TOML file to read.", dir_okay=False)]
Host = Annotated[str | None, typer.Option(help="Address to listen on; wins over the file.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Port to listen on; wins over the file.")
]
Workers = Annotated[
    int,
    typer.Option(
        min=1,
        help="Number of processes. HAProxy, if installed, brings each session to one of them.",
    ),
]


def serve(
    config: Config = None, host: Host = None, port: Port = None, workers: Workers = 1
) -> None:
    """Serve the gateway."""
    import gc
    import signal

    # It would end what still starts. It is held back until it can be obeyed, in workers, too.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    from longwire.settings import load

    flags = {"LONGWIRE_SERVER__HOST": host, "LONGWIRE_SERVER__PORT": port}
    overrides = {name: str(value) for name, value in flags.items() if value is not None}
    settings = load(config, {**os.environ, **overrides})

    gc.disable()  # what is loaded stays: to look for garbage in it is a tenth of a start
    try:
        from longwire.processes import serve as serve_gateway
    finally:
        gc.enable()

    serve_gateway(settings, workers=workers)
