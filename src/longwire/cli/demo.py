"""`longwire demo`: the whole product on one machine, without an account."""

from typing import Annotated

import typer

Once = Annotated[bool, typer.Option("--once", help="End after the session.")]


def demo(once: Once = False) -> None:
    """Run an agent's session against a local upstream and show what is saved."""
    from longwire.demo import run

    raise typer.Exit(run(once=once))
