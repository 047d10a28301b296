"""Installed from the wheel into an empty environment, without Node: the page loads and works."""

import os
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.ui import stage as stages
from tests.ui.stage import OWNER, PASSWORD, ROOT, Stage


@pytest.fixture(scope="module")
def uv():
    """The `uv` that dev.py uses."""
    found = shutil.which("uv") or ROOT / ".venv-uv" / "bin" / "uv"
    return str(found)


@pytest.mark.timeout(400)
def test_the_wheel_has_the_page(uv, tmp_path, browser, monkeypatch):
    """The wheel alone serves the interface; the first owner is made in it."""
    variables = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}

    def run(*command):
        subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)

    run(uv, "build", "--wheel", "--out-dir", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "venv"
    run(uv, "venv", "--python", sys.executable, str(home))
    python = home / "bin" / "python"
    run(uv, "pip", "install", "--python", str(python), str(wheel))
    monkeypatch.setattr(stages.sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(home / "bin"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "stage").mkdir()
    served = Stage(tmp_path / "stage")
    try:
        page = browser.new_page()
        page.goto(f"{served.url}/setup#{served.token}")
        page.get_by_label("Email").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the owner and begin").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("First steps")
        page.close()
    finally:
        served.stop()
