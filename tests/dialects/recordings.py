"""Recorded answers of real APIs, where their folder is beside this checkout, no part of it."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures" / "recorded-streams"
needs_recordings = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"{FOLDER.name} is not beside this checkout"
)
