import os
import sqlite3
from contextlib import closing

import pytest


def _name(path, name=None):
    with closing(sqlite3.connect(path)) as connection, connection:
        if name:
            connection.execute("UPDATE projects SET name = ?", (name,))
        return connection.execute("SELECT name FROM projects").fetchone()[0]


def test_a_database_is_migrated_down_and_up(longwire, url):
    """`migrate` says from which schema to which, and that there is nothing to do."""
    assert "already\n" in longwire("migrate", **url).stdout
    down = longwire("migrate", "--to", "0001", **url)
    assert (0, "") == (down.returncode, down.stderr)
    up = longwire("migrate", **url)
    assert up.stdout.startswith("from schema 0001 to ")
    assert "already\n" in longwire("migrate", **url).stdout


def test_a_first_start_needs_nothing(longwire, tmp_path):
    """Without a database `migrate` makes one."""
    path = tmp_path / "data" / "new.db"
    done = longwire("migrate", LONGWIRE_DATABASE__URL=f"sqlite:///{path}")
    assert done.stdout.startswith("from schema none to ")
    assert "Default" == _name(path)


def test_an_unknown_schema_is_a_failure(longwire, url):
    """A schema that is not known ends with code 1 and one line."""
    failed = longwire("migrate", "--to", "later", **url)
    assert 1 == failed.returncode
    assert "asked for later" in failed.stderr
    assert 1 == failed.stderr.count("\n")


def test_a_backup_is_made_and_brought_back(longwire, database_url, url, tmp_path):
    """A SQLite database returns from its copy; for PostgreSQL the mend names its own tool."""
    made = longwire("backup", "copy.db", **url)
    if database_url.startswith("postgresql"):
        assert (1, True) == (made.returncode, "use pg_dump" in made.stderr)
        return
    assert (0, "") == (made.returncode, made.stderr)
    path = tmp_path / "longwire.db"
    _name(path, "changed")
    restored = longwire("restore", "copy.db", **url)
    assert (0, "") == (restored.returncode, restored.stderr)
    assert "Default" == _name(path)
    assert "changed" == _name(path.with_name("longwire.db.before-restore"))
    assert 0 == longwire("restore", "copy.db", **url).returncode
    assert [
        "copy.db",
        "longwire.db",
        "longwire.db.before-restore",
        "longwire.db.before-restore.2",
    ] == sorted(os.listdir(tmp_path))  # noqa: PTH208


@pytest.mark.parametrize(
    ("variable", "value", "mend"),
    [
        ("URL", "postgresql://nobody:planted@127.0.0.1:1/none", "check that it is there"),
        ("URL", "sqlite:////proc/none/longwire.db", "check that it is there"),
        ("SECRET_KEY", "planted", "openssl rand -base64 32"),
    ],
)
def test_a_gateway_without_its_database_does_not_start(longwire, variable, value, mend):
    """`serve` ends with code 1 and one line that says the mend, and no secret."""
    failed = longwire(
        "serve", LONGWIRE_SERVER__PORT="0", **{f"LONGWIRE_DATABASE__{variable}": value}
    )
    assert (1, "", 1) == (failed.returncode, failed.stdout, failed.stderr.count("\n"))
    assert f"longwire: database.{variable.lower()}: " in failed.stderr
    assert mend in failed.stderr
    assert "planted" not in failed.stderr
