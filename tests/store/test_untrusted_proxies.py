"""Proxies that nobody named are few, and forgotten."""

from longwire.store.untrusted_proxies import MOST, UntrustedProxies

WEEK = 7 * 24 * 3_600_000


async def test_a_few_are_kept_for_a_week(store):
    """One more than there is room for is not; after a week there is room again."""
    now = 1_000
    proxies = UntrustedProxies(store.database, lambda: now)
    for number in (*range(MOST), 0, MOST):
        await proxies.note(f"10.0.0.{number}")
    assert {f"10.0.0.{number}" for number in range(MOST)} == set(await proxies.all())
    now += WEEK + 1
    assert () == await proxies.all()
    await proxies.note("10.0.0.99")
    assert ("10.0.0.99",) == await proxies.all()
