"""Random agents, faults, restarts and cuts over three nodes, each turn at any of them."""

import pytest

from bench.fleet_soak import soak
from bench.soak import Plan, quieten


@pytest.mark.timeout(180)
async def test_no_law_is_broken(tmp_path, fleet_postgresql, fleet_template):
    """No wrong context, no leak, no reasoning that its account cannot read, no needless error."""
    quieten()
    plan = Plan(turns=500, sessions=24, roam=True)
    rows = await soak(fleet_postgresql.url, fleet_template, tmp_path, plan)
    assert [] == [str(row) for row in rows if row.is_missed]
    assert 0 < next(row.figure.median for row in rows if row.what == "nodes stopped")
