"""What the tests of a fleet share."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.databases import migrated, name_of, new_postgresql_database
from tests.doubles.fleet import PostgresqlServer, running_fleet, running_postgresql
from tests.doubles.valkey import running_valkey


@pytest.fixture
async def valkey_server():
    """A Valkey of the test's own."""
    async with running_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def fleet_postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL that tests may take away."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def fleet_template(fleet_postgresql: PostgresqlServer) -> str:
    """The name of a database there at the newest schema."""
    url = asyncio.run(new_postgresql_database(fleet_postgresql.url))
    asyncio.run(migrated(url))
    return name_of(url)


@pytest.fixture
def fleet_of(tmp_path, fleet_postgresql, fleet_template):
    """What runs a fleet with some tables of configuration."""

    def run(tables: str, **members):
        members = {"template": fleet_template, **members}
        return running_fleet(tmp_path, fleet_postgresql.url, tables, **members)

    return run
