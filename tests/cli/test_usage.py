"""`longwire usage` shows what turns came to, and why they were not continued."""

import json
import time

import pytest

from longwire.core.errors import InvalidFields
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from tests.store.turn_rows import row


@pytest.fixture
async def logged(database_url):
    """Four turns of just now: two continued, one rewritten, one that was never sent."""
    database, now = Database(database_url), time.time_ns() // 1_000_000
    rows = [
        row(0, now),
        row(1, now),
        row(2, now, continuity="fresh", reason="history_rewritten", bytes_sent=1_000),
        row(3, now, continuity="", channel_id="", error_code="limited", cost=None),
    ]
    await Turns(database, Vault((b"k" * 32,))).add(rows)
    await database.close()


def test_by_reason(command, logged):
    """The most frequent first, its figures below each other; by the day the same as by the hour."""
    for since in ("1h", "30d"):
        lines = command("usage", "--since", since).splitlines()
        assert ["reason", "turns", "share", "continued", "errors"] == lines[0].split()[:5]
        assert ["continued", "2", "50.0%", "100.0%", "0", "2,000", "B", "200", "B"] == (
            lines[1].split()[:9]
        )
        assert ["history_rewritten", "1", "25.0%", "0.0%", "0"] == lines[3].split()[:5]
        assert ["(never", "sent)", "1", "25.0%", "0.0%", "1"] == lines[2].split()[:6]
        assert 1 == len({line.rindex("$") for line in lines[1:]})


@pytest.mark.parametrize("by", ["model", "key", "channel", "project", "api"])
def test_by_what_is_asked(command, logged, by):
    """Each split has its lines, as JSON, too, with the ids and what people call them."""
    assert by == command("usage", "--by", by).split()[0]
    listed = json.loads(command("usage", "--by", by, "--json"))
    assert 4 == sum(each["turns"] for each in listed)
    expected = {"model": "gpt-5.5", "key": "key_1", "channel": "ch_1", "project": "prj_1"}
    assert expected.get(by, "responses") in {each[by] for each in listed}


def test_of_no_turn_nothing_is_shown(command):
    """It says so, rather than print titles alone."""
    assert "no turns in this time\n" == command("usage", "--by", "project")


@pytest.mark.parametrize("since", ["", "yesterday", "7", "-1h"])
def test_a_time_that_is_none_is_refused(command, since):
    """With what to write instead."""
    with pytest.raises(InvalidFields, match="write for example 7d or 2026-11-01"):
        command("usage", f"--since={since}")


def test_the_log_by_reason(command, logged):
    """The last turns that were not continued for a reason; a word that is none is refused."""
    lines = command("turns", "tail", "--reason", "history_rewritten").splitlines()
    assert 2 == len(lines)
    assert "fresh (history_rewritten)" in lines[1]
    with pytest.raises(InvalidFields, match="write one of new_session, new_branch"):
        command("turns", "tail", "--reason", "history")
