"""What a start loads is what the first turn over WebSocket needs."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.journeys.process import CONFIG

HEAVY = """
aiohttp alembic genai_prices graphql pydantic_settings redis rich sqlalchemy.dialects.postgresql
sqlalchemy.orm strawberry
"""
SCRIPT = """
import asyncio, sys
from pathlib import Path
from longwire.app import App, opening
from longwire.settings import load
from longwire.server.logs import configure

async def start():
    settings = load(Path("longwire.toml"))
    app = App(settings, opening(settings))
    async with app.running():
        print(app.readiness.stage.value, *[name for name in sys.argv[1:] if name in sys.modules])

configure()
asyncio.run(start())
"""


@pytest.mark.process
def test_a_start_loads_no_more_than_it_needs(tmp_path, sqlite_template):
    """When a gateway is ready, libraries for what nobody asked for yet are not loaded."""
    shutil.copy(sqlite_template, tmp_path / "longwire.db")
    text = CONFIG.format(upstream="https://127.0.0.1:9", key="lw-key-of-the-tests")
    database = '[database]\nurl = "sqlite:///longwire.db"\n'
    (tmp_path / "longwire.toml").write_text(text + database, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if "LONGWIRE" not in name}
    started = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HEAVY.split()],
        cwd=tmp_path,
        env={**inherited, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    logged = [json.loads(line)["event"] for line in started.stderr.splitlines()]
    assert ("ready\n", ["limits_counted"]) == (started.stdout, logged)
