"""The HTTP transport, closed when its test is over."""

import pytest

from longwire.upstream.http.transport import Address, HttpTransport
from longwire.upstream.ports import Timeouts
from tests.upstream.http.steps import PLAIN


@pytest.fixture
async def transport():
    """Make transports that are closed in the end."""
    transports = []

    def make(url, *, models_url=None, headers=None, context=PLAIN, proxy=None, **timeouts):
        address = Address(url, models_url, context, headers or {}, proxy)
        transports.append(HttpTransport(address, Timeouts(**timeouts)))
        return transports[-1]

    yield make
    for each in transports:
        await each.close()
