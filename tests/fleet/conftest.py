"""What the tests of a fleet share."""

import pytest

from tests.doubles.valkey import running_valkey


@pytest.fixture
async def valkey_server():
    """A Valkey of the test's own."""
    async with running_valkey() as server:
        yield server
