"""Clients behind a proxy: known by what it says where it is trusted, and noted where it is not."""

import pytest

from longwire.server.http.forwarded import behind
from tests.server.admin.conftest import PASSWORD, SQLITE, Caller, serving_admin

pytestmark = SQLITE
XFF = {"x-forwarded-for": "203.0.113.7"}
SIGN_IN = """mutation($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { email }
}"""


@pytest.fixture
async def from_a_proxy(administration, client):
    """What asks the admin API as a proxy on this machine that is trusted, or is not."""

    async def ask(proxies):
        async with serving_admin(administration, lambda app: behind(proxies, app)) as url:
            caller = Caller(url, client)
            caller.headers |= XFF
            await caller.fail(SIGN_IN, email="x@example.org", password=PASSWORD.reveal())

    return ask


async def test_who_forwards_is_noted_once_unless_trusted(from_a_proxy, store):
    """`longwire doctor` can say whom to name; a proxy that is named is no news."""
    await from_a_proxy(["127.0.0.1/32"])
    assert () == await store.untrusted_proxies.all()
    await from_a_proxy([])
    assert ("127.0.0.1",) == await store.untrusted_proxies.all()
