"""Gateways behind nginx and Caddy are restarted, and no client notices.

HAProxy and Envoy stand before a whole fleet in `tests/fleet`.
"""

import pytest

from tests.conftest import KEY
from tests.doubles.authority import Authority
from tests.doubles.reverse_proxies import before
from tests.doubles.working import Work
from tests.journeys.rolling import nodes, roll

pytestmark = pytest.mark.process


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["caddy", "nginx"])
async def test_a_rolling_restart_under_load_fails_no_turn(emulator, tmp_path, name):
    """Six agents without pause, three gateways one after the other: every turn is answered."""
    authority = Authority(tmp_path)
    async with nodes(tmp_path, emulator.url, 3, "2s") as gateways:
        ports = [node.port for node in gateways]
        async with before(name, tmp_path / name, authority, ports) as proxy:
            work = Work(proxy.origin, KEY, {"delay_ms": 20}, pause=0.0, trust=proxy.trust)
            async with work.running(6):
                await roll(proxy, gateways)
    assert [] == work.errors
    assert len(work.turns) > 50
