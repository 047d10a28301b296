"""The Longwire before a schema, out of the history of this checkout."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_MIGRATIONS = "src/longwire/store/migrations/versions"


def before_schema(number: str, folder: Path) -> Path:
    """Unpack the last source that did not know a schema; return what to put on PYTHONPATH.

    That is by the first parents: the schemas of branches that came together later are not whole.
    Without history the test is skipped.
    """
    (newest,) = (ROOT / _MIGRATIONS).glob(f"m{number}_*.py")
    adding = ("--diff-filter=A", "--format=%H", "-1", "--", str(newest.relative_to(ROOT)))
    added = _git("log", "--first-parent", "-m", *adding).decode().strip()
    if not added:
        pytest.skip("needs git and the history of this checkout")
    archive = _git("archive", f"{added}^", "src")
    with tarfile.open(fileobj=BytesIO(archive)) as unpacked:
        unpacked.extractall(folder, filter="data")
    return folder / "src"


def _git(*arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        return b""
    ran = subprocess.run([git, *arguments], cwd=ROOT, capture_output=True, check=False)
    return ran.stdout if ran.returncode == 0 else b""
