"""`longwire version`."""

import platform
from importlib.metadata import version as version_of

import typer


def version() -> None:
    """Print the version, for a bug report."""
    typer.echo(f"longwire {version_of('longwire')} (Python {platform.python_version()})")
