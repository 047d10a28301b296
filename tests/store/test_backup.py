import sqlite3
from contextlib import closing

import pytest

from longwire.core.errors import ConfigurationError
from longwire.store.backup import backup, restore


@pytest.fixture
def path(tmp_path, sqlite_template):
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


def _name(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name FROM projects").fetchone()[0]


def _rename(path, name):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE projects SET name = ?", (name,))


def test_a_copy_made_while_others_write_is_whole_and_can_be_brought_back(path, tmp_path):
    """What was there at the time of the copy is there after restoring; what it replaced is kept."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE projects SET name = 'kept'")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE projects SET name = 'half-written'")
        backup(path, copy)
        writer.execute("COMMIT")
    assert "kept" == _name(copy)
    assert 0o600 == copy.stat().st_mode & 0o777
    kept = restore(copy, path)
    assert "kept" == _name(path)
    assert "half-written" == _name(kept)


def test_a_database_in_use_is_not_replaced(path, tmp_path):
    """Restoring under a running gateway is refused and changes nothing."""
    backup(path, tmp_path / "copy.db")
    _rename(path, "newer")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT * FROM projects").fetchall()
        with pytest.raises(ConfigurationError, match=r"in use.*stop the gateway"):
            restore(tmp_path / "copy.db", path)
    assert "newer" == _name(path)


def test_a_damaged_database_can_be_replaced(path, tmp_path):
    """A file that is no database any more does not stop its own rescue."""
    backup(path, tmp_path / "copy.db")
    path.write_bytes(b"noise" * 1000)
    restore(tmp_path / "copy.db", path)
    assert "Default" == _name(path)


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_copy_is_refused(path, tmp_path, content):
    """Something else than a copy replaces nothing."""
    copy = tmp_path / "copy.db"
    if content is not None:
        copy.write_bytes(content)
    with pytest.raises(ConfigurationError, match="longwire backup"):
        restore(copy, path)
    assert "Default" == _name(path)


def test_a_database_that_cannot_be_read_is_blamed_itself(path, tmp_path):
    """And not the file that the copy would be."""
    path.write_bytes(b"no database" * 100)
    with pytest.raises(ConfigurationError, match=r"longwire\.db: cannot be read"):
        backup(path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_overwrites_nothing(path, tmp_path):
    """A file that is there is not overwritten, and a missing directory is named."""
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(ConfigurationError, match="exists; name another"):
        backup(path, tmp_path / "copy.db")
    with pytest.raises(ConfigurationError, match="make it first"):
        backup(path, tmp_path / "nowhere" / "copy.db")
    with pytest.raises(ConfigurationError, match="nothing to back up"):
        backup(tmp_path / "none.db", tmp_path / "other.db")
    assert "mine" == (tmp_path / "copy.db").read_text()
