"""Every command says which database it is about; what only reads makes nothing."""

import getpass
import json
import sqlite3
from contextlib import closing

import pytest
from typer.testing import CliRunner

from longwire.core.errors import LongwireError
from longwire.store import database
from longwire.store.database import place_of
from tests.cli.conftest import COMMANDS

READS = (
    "keys list",
    "channels list",
    "users list",
    "models list",
    "alerts list",
    "budgets list",
    "accounts list",
    "sessions list",
    "turns tail",
    "turns show 1",
    "usage",
    "channels edit main --set weight=2",
    "keys revoke ci",
)


def test_the_database_is_named_beside_what_is_printed(longwire, tmp_path):
    """On stderr, its path absolute; what is printed stays whole, a new one is said to be."""
    url = {"LONGWIRE_DATABASE__URL": "sqlite:///here.db"}
    place = f"database: sqlite:///{tmp_path / 'here.db'}"
    made = longwire("users", "create", "ann@example.org", "--password-stdin", **url)
    assert 1 == made.returncode  # an empty password
    assert f"{place} (new)" == made.stderr.splitlines()[0]
    listed = longwire("keys", "list", "--json", **url)
    assert ([], f"{place}\n") == (json.loads(listed.stdout), listed.stderr)


def test_a_password_is_never_part_of_the_name():
    """Of a server's URL what stands behind it is left out, too."""
    assert "postgresql://u:***@h:5432/d" == place_of(
        "postgres://u:planted@h:5432/d?sslmode=require"
    )


def test_either_engine_is_named(longwire, url, database_url):
    """One line, whichever it is."""
    listed = longwire("keys", "list", **url)
    assert [f"database: {place_of(database_url)}"] == listed.stderr.splitlines()


@pytest.mark.parametrize("words", READS)
def test_what_reads_makes_nothing(longwire, tmp_path, words):
    """Neither a folder nor a file is there after it; the error says where it looked, and why."""
    failed = longwire(*words.split())
    place = tmp_path / ".local/share/longwire/longwire.db"
    assert (1, "", 1) == (failed.returncode, failed.stdout, failed.stderr.count("\n"))
    assert f"sqlite:///{place} (the default of the user {getpass.getuser()})" in failed.stderr
    assert "`longwire serve` makes it" in failed.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_mistyped_url_is_said_to_be_from_its_place(longwire, tmp_path):
    """The variable or the file that names it is named, and nothing is made there."""
    file = tmp_path / "longwire.toml"
    file.write_text('[database]\nurl = "sqlite:///in/file.db"\n')
    by_file = longwire("keys", "list")
    by_variable = longwire("keys", "list", LONGWIRE_DATABASE__URL="sqlite:///lnogwire.db")
    assert f"named by {file}" in by_file.stderr
    assert "named by LONGWIRE_DATABASE__URL" in by_variable.stderr
    assert [file] == list(tmp_path.iterdir())


def test_a_missing_secret_key_is_not_made_anew(longwire, tmp_path):
    """A reading command says which file it is, and leaves it missing."""
    url = {"LONGWIRE_DATABASE__URL": f"sqlite:///{tmp_path / 'here.db'}"}
    assert 0 == longwire("keys", "create", "ci", **url).returncode
    (tmp_path / "secret.key").unlink()
    failed = longwire("keys", "list", **url)
    assert (1, 1) == (failed.returncode, failed.stderr.count("\n"))
    assert f"longwire: {tmp_path / 'secret.key'}: " in failed.stderr
    assert not (tmp_path / "secret.key").exists()


def test_an_empty_database_is_left_empty(longwire, tmp_path):
    """A file without tables gets none from a reading command."""
    (tmp_path / "empty.db").touch()
    failed = longwire("keys", "list", LONGWIRE_DATABASE__URL="sqlite:///empty.db")
    assert (1, True) == (failed.returncode, "has no tables yet" in failed.stderr)


def test_the_doctor_names_it_and_makes_none(longwire, tmp_path):
    """Before the first start a missing database is a warning with its path."""
    checked = longwire("doctor", "--offline")
    assert f"warn database: there is no database at sqlite:///{tmp_path}" in checked.stdout
    assert [] == list(tmp_path.iterdir())


def test_times_carry_their_zone(longwire, url):
    """That of this machine, or with --utc UTC."""
    longwire("keys", "create", "ci", "--set", "expires=2099-01-01", **url)
    local = longwire("keys", "list", TZ="Asia/Tokyo", **url)
    utc = longwire("--utc", "keys", "list", TZ="Asia/Tokyo", **url)
    assert "2099-01-01 09:00+09:00" in local.stdout
    assert "2099-01-01 00:00+00:00" in utc.stdout


def test_a_command_that_opens_it_often_names_it_once(longwire, url):
    """One line however often."""
    assert 1 == longwire("doctor", "--offline", **url).stderr.count("database: ")


def test_who_writes_bars_no_reader(longwire, tmp_path):
    """Another process may hold the database for itself as long as it writes."""
    url = {"LONGWIRE_DATABASE__URL": "sqlite:///here.db"}
    assert 0 == longwire("migrate", **url).returncode
    with closing(sqlite3.connect(tmp_path / "here.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        listed = longwire("keys", "list", "--json", **url)
    assert (0, "[]\n") == (listed.returncode, listed.stdout)


@pytest.mark.parametrize(
    ("words", "pragma"),
    [("keys list", "locking_mode=EXCLUSIVE"), ("keys create ci", "journal_mode")],
)
def test_a_database_that_is_held_is_one_line(longwire, tmp_path, monkeypatch, words, pragma):
    """After some patience, with the mend; nothing is changed."""
    url = f"sqlite:///{tmp_path / 'here.db'}"
    assert 0 == longwire("migrate", LONGWIRE_DATABASE__URL=url).returncode
    monkeypatch.setattr(database, "_BUSY_MS", 50)
    monkeypatch.setenv("LONGWIRE_DATABASE__URL", url)
    with closing(sqlite3.connect(tmp_path / "here.db", isolation_level=None)) as other:
        other.execute(f"PRAGMA {pragma}")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE other (id)")
        failed = CliRunner().invoke(COMMANDS, words.split())
    assert isinstance(failed.exception, LongwireError)
    (line,) = str(failed.exception).splitlines()
    assert "(database is locked); another process holds it; try again once that is done" in line
