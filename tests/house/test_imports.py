"""Imports point down: the contracts of pyproject.toml hold, and notice when they do not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder):
    """Check the tree in a folder; the working directory comes first on the linter's path."""
    command = [str(LINTER), "--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_imports_point_down():
    """Every contract is kept."""
    result = lint_imports(ROOT / "src")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/broken.py", "import asyncio"),
        ("core/broken.py", "import msgspec"),
        ("dialects/broken.py", "from os import environ"),
        ("core/broken.py", "import longwire.dialects"),
        ("dialects/broken.py", "import longwire.settings"),
        ("dialects/broken.py", "import longwire.emulator"),
        ("settings/broken.py", "import longwire.emulator"),
        ("emulator/broken.py", "import longwire.core.errors"),
        ("relay/broken.py", "import sqlalchemy"),
        ("cli/broken.py", "from sqlalchemy.exc import SQLAlchemyError"),
        ("server/admin/broken.py", "import alembic"),
        ("store/broken.py", "import asyncpg"),
        ("elsewhere.py", "import longwire.core"),
    ],
)
def test_contracts_can_fail(module, line, tmp_path):
    """An import that points up or out, or a room nobody declared, breaks a contract."""
    shutil.copytree(ROOT / "src" / "longwire", tmp_path / "longwire")
    (tmp_path / "longwire" / module).write_text(f"{line}\n", encoding="utf-8")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout
