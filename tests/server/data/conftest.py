"""The upstream that turns are sent to."""

import pytest

from longwire.emulator import Emulator, Options, Script


@pytest.fixture
async def upstream():
    """A strict upstream that nobody gave reason to complain."""
    async with Emulator(Options(), Script(tool_rounds=0)) as running:
        yield running
        assert running.violations == []
