"""The operator's settings: one TOML file and the environment, read once and checked whole.

Every problem found names its place and its mend; nothing else of Longwire reads the environment.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from longwire.core.errors import ConfigurationError
from longwire.settings.keys import Settings
from longwire.settings.problems import explain, misspelt_variables
from longwire.settings.sources import (
    default_database,
    find_file,
    origin_of_database,
    overlay,
    read_environment,
    read_file,
)

__all__ = ["Settings", "load", "why_this_database"]


def load(config: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, overlay and check; raises `ConfigurationError` with one line per problem."""
    source = find_file(config, environ)
    tables = {"database": {"url": default_database(environ)}}
    in_file = read_file(source, environ) if source else {}
    in_environment = read_environment(environ, Settings.model_fields)
    problems = misspelt_variables(Settings, environ)
    try:
        settings = Settings(**overlay(overlay(tables, in_file), in_environment))
    except ValidationError as error:
        problems += explain(error, Settings, source, in_environment)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings.read_from(source)


def why_this_database(settings: Settings, environ: Mapping[str, str] = os.environ) -> str:
    """Return what names the database, "" for the default one of the user."""
    url = settings.database.url.get_secret_value()
    return origin_of_database(url, settings.source, environ)
