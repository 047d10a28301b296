import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import update

from longwire.core.nouns.secret import Secret
from longwire.store.database import Database, place_of
from longwire.store.migrate import head
from longwire.store.store import open_store
from longwire.store.tables import revisions


def _name(path, name=None):
    with closing(sqlite3.connect(path)) as connection, connection:
        if name:
            connection.execute("UPDATE projects SET name = ?", (name,))
        return connection.execute("SELECT name FROM projects").fetchone()[0]


def test_a_database_is_migrated_down_and_up(longwire, url):
    """`migrate` says from which schema to which, and that there is nothing to do."""
    assert "already\n" in longwire("migrate", **url).stdout
    down = longwire("migrate", "--to", "0001", **url)
    assert (0, f"database: {place_of(url['LONGWIRE_DATABASE__URL'])}\n") == (
        down.returncode,
        down.stderr,
    )
    up = longwire("migrate", **url)
    assert up.stdout.startswith("from schema 0001 to ")
    assert "already\n" in longwire("migrate", **url).stdout


def test_a_first_start_needs_nothing(longwire, tmp_path):
    """Without a database `migrate` makes one."""
    path = tmp_path / "data" / "new.db"
    done = longwire("migrate", LONGWIRE_DATABASE__URL=f"sqlite:///{path}")
    assert done.stdout.startswith("from schema none to ")
    assert "Default" == _name(path)


@pytest.mark.process
@pytest.mark.parametrize("words", ["migrate", "keys create ci", "serve --port 0"])
@pytest.mark.parametrize("blocks", [0, 40])
def test_a_disk_that_is_full_is_one_line(tmp_path, words, blocks):
    """Whatever opens the database says which setting, why, and what to check."""
    command = f"ulimit -f {blocks}; exec {sys.executable} -m longwire {words} 2>&1 | cat"
    url = {"LONGWIRE_DATABASE__URL": f"sqlite:///{tmp_path / 'new.db'}"}
    environ = {**os.environ, **url, "HOME": str(tmp_path)}
    failed = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert failed.stdout.startswith("longwire: database.url: sqlite:///")
    assert failed.stdout.endswith("and that the disk is not full\n")
    assert 1 == failed.stdout.count("\n")


@pytest.mark.parametrize("words", ["serve", "migrate", "keys list", "channels list", "users list"])
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://u:planted@127.0.0.1:1/d?sslmode=require&channel_binding=require", "refused"),
        ("postgres://u:planted@127.0.0.1:1/d?application_name=a&connect_timeout=5", "refused"),
        ("postgresql://u:planted@127.0.0.1:1/d?sslmode=planted", "sslmode must be one of"),
        ("sqlite:///new.db?mode=ro", "no parameters"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_line(longwire, words, url, why):
    """Exit code 1, the setting, no traceback and no password."""
    failed = longwire(*words.split(), LONGWIRE_DATABASE__URL=url, LONGWIRE_SERVER__PORT="0")
    assert (1, "", 1) == (failed.returncode, failed.stdout, failed.stderr.count("\n"))
    assert failed.stderr.startswith("longwire: database.url: ")
    assert why in failed.stderr.replace("Connect call failed", "refused")
    assert "planted" not in failed.stderr


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
    place = f"database: {place_of(database_url)}\n"
    assert (0, place) == (made.returncode, made.stderr)
    path = tmp_path / "longwire.db"
    _name(path, "changed")
    restored = longwire("restore", "copy.db", **url)
    assert (0, place) == (restored.returncode, restored.stderr)
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


@pytest.mark.parametrize(("oldest", "words"), [("newest", "may run"), ("none", "install")])
def test_a_newer_schema_is_named(longwire, url, database_url, oldest, words):
    """`migrate` and `doctor` say which it is, and leave it; one that may not be used is refused."""
    asyncio.run(_expanded(database_url, head() if oldest == "newest" else "9999"))
    migrated = longwire("migrate", **url)
    assert words in migrated.stdout + migrated.stderr
    assert (0 if oldest == "newest" else 1) == migrated.returncode
    checked = longwire("doctor", "--offline", **url).stdout
    assert ("schema 9999, newer than" in checked) == (oldest == "newest")


async def _expanded(url, oldest):
    database = Database(url)
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        mine = revisions.c.name == "oldest_program"
        await connection.execute(update(revisions).where(mine).values(number=int(oldest)))
    await database.close()


async def _noted(url, folder, address):
    store = await open_store(url, Secret(""), folder / "secret.key")
    try:
        await store.untrusted_proxies.note(address)
    finally:
        await store.close()


def test_doctor_names_a_proxy_that_nobody_trusts(longwire, tmp_path):
    """With the line that mends it; then it is content."""
    url = f"sqlite:///{tmp_path / 'longwire.db'}"
    asyncio.run(_noted(url, tmp_path, "172.18.0.2"))
    variables = {"LONGWIRE_DATABASE__URL": url}
    checked = longwire("doctor", "--offline", **variables).stdout
    assert "warn proxy 172.18.0.2: says whom its requests come from" in checked
    assert 'server.trusted_proxies = ["172.18.0.2"]' in checked
    variables["LONGWIRE_SERVER__TRUSTED_PROXIES"] = "172.16.0.0/12"
    named = longwire("doctor", "--offline", **variables)
    assert "ok   database" in named.stdout
    assert "172.18.0.2" not in named.stdout
