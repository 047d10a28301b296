"""`longwire turns tail` shows the log as it is and as it grows."""

import asyncio
import json
from contextlib import aclosing
from functools import partial

import pytest
from typer.testing import CliRunner

from longwire.cli import turn_page
from longwire.cli import turns as command
from longwire.core.errors import NotFound
from longwire.core.nouns.turn_row import ID_BITS
from longwire.core.rules.change import Edit, ItemChange
from longwire.core.rules.continuity import Reason
from longwire.dialects.responses.items import KINDS
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, details, row


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


async def _taken(rows, number):
    return [await anext(rows) for _ in range(number)]


async def test_the_last_turns_come_oldest_first(log):
    """As many as asked for, and then it ends."""
    await log.add([row(number) for number in range(9)])
    assert [row(6), row(7), row(8)] == [each async for each in command._rows(log, 3, follows=False)]
    assert 9 == len([each async for each in command._rows(log, 100, follows=False)])


async def test_turns_that_end_are_followed(log, monkeypatch):
    """Each once, however many at a time; one that is written late comes late, none is lost."""
    monkeypatch.setattr(command, "_PAUSE", 0)
    monkeypatch.setattr(command, "_AT_ONCE", 10)
    await log.add([row(0, NOON), row(0, NOON + 1_000)])
    async with asyncio.timeout(20), aclosing(command._rows(log, 1, follows=True)) as rows:
        assert [row(0, NOON + 1_000)] == await _taken(rows, 1)
        many = [row(number, NOON + 2_000) for number in range(35)]
        await log.add(many)
        assert many == await _taken(rows, 35)
        late, newest = row(0, NOON + 1_500), row(0, NOON + 60_000)
        await log.add([late])
        assert [late] == await _taken(rows, 1)
        await log.add([newest])
        assert [newest] == await _taken(rows, 1)


async def test_an_empty_log_is_followed_from_its_first_turn(log, monkeypatch):
    """Whoever watches a new gateway sees all there is."""
    monkeypatch.setattr(command, "_PAUSE", 0)
    async with asyncio.timeout(20), aclosing(command._rows(log, 5, follows=True)) as rows:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(anext(rows))
            await log.add([row(1)])
        assert row(1) == waiting.result()


def test_the_command_reads_the_configured_database(tmp_path, sqlite_template):
    """Without a gateway; as lines for people, or as JSON for programs."""
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    asyncio.run(_written(f"sqlite:///{path}", [row(1), row(2, session="x")]))
    config = tmp_path / "longwire.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{path}"\n', encoding="utf-8")
    run = partial(CliRunner().invoke, command.build())
    told = run(["tail", "--config", str(config), "--limit", "1"])
    assert (0, command._line(row(2), names_node=False) + "\n") == (told.exit_code, told.stdout)
    told = run(["tail", "--config", str(config), "--json"])
    assert ["agent-1", "x"] == [json.loads(line)["session"] for line in told.stdout.splitlines()]


async def _written(url, rows, beside=()):
    database = Database(url)
    await Turns(database, Vault((b"k" * 32,))).add(rows, beside)
    await database.close()


def test_a_line_says_what_matters():
    """Who, what, in which API, by which node and way, how it went, how much, what was left out."""
    assert (
        "2026-09-21 14:13:20  dev  gpt-5.5  responses -> responses  main  lw-0  "
        "websocket continued  200 completed  0.9 s  10+5 tokens  100 of 1,000 B  $0.0000  "
        "without seed, prediction"
    ) == command._line(row(), names_node=True)


def test_a_line_of_what_never_travelled():
    """Unknown figures are left out, and why it failed is said."""
    unknown = {"transport": "", "continuity": "", "input_tokens": None, "cost": None}
    unknown["upstream_api"] = ""
    refused = row(
        channel_name="", outcome="refused", status=404, error_code="model_not_found", **unknown
    )
    line = command._line(refused, names_node=True)
    assert (
        "dev  gpt-5.5  responses  -  lw-0  -  404 refused model_not_found  0.9 s  100 of 1,000 B"
        in line
    )


def test_a_line_moves_no_cursor():
    """What a caller wrote for a model cannot paint over the terminal."""
    assert "a?[2Jb" in command._line(row(model_asked="a\x1b[2Jb"), names_node=True)


def test_json_has_every_field():
    """One object a line, with the names of the row."""
    told = json.loads(command._json(row(1, connection=None)))
    assert row(1, connection=None)._asdict() == told
    assert told["id"] >> ID_BITS == NOON


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            "input[13] of 31: function_call_output",
            "item 14 of 31, a tool result, is not what it was",
        ),
        (
            "input[3] of 3: reasoning of the reply removed; model",
            "item 4, reasoning of the last answer, is gone; model",
        ),
        (
            "input[0] of 2: user message inserted",
            "item 1 of 2, a user message, was not there before",
        ),
        ("input[1024] or later of 1500", "an item from 1025 on, of 1500, changed"),
        ('tools[2] "shell", reasoning.effort', 'tools[2] "shell", reasoning.effort'),
        ("", ""),
    ],
)
def test_what_changed_is_a_sentence(changed, words):
    """Items are counted from 1, and called by what people call them; properties by their paths."""
    assert words == turn_page.changed_in_words(changed)


def test_every_change_can_be_read():
    """Whatever the rules write as an item, the sentence is another text."""
    for edit in Edit:
        for kind in (*KINDS.values(), "item"):
            text = str(ItemChange(3, 9, kind, edit))
            assert turn_page.changed_in_words(text).startswith("item 4")


def test_every_reason_has_words():
    """None is left to guess at."""
    assert set(Reason) == set(turn_page.REASONS)


def test_one_turn_is_shown_whole(tmp_path, sqlite_template):
    """By its own id or that of its request, also within a text; with attempts and what changed."""
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    shown = row(
        1,
        continuity="fresh",
        reason="history_rewritten",
        changed="input[13] of 31: function_call_output",
        request_id="req_0123456789abcdef",
    )
    asyncio.run(_written(f"sqlite:///{path}", [shown, row(2)], [details(shown)]))
    config = tmp_path / "longwire.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{path}"\n', encoding="utf-8")
    run = partial(CliRunner().invoke, command.build())
    for named in (str(shown.id), shown.request_id, f"failed (request {shown.request_id})"):
        told = run(["show", named, "--config", str(config)])
        assert 0 == told.exit_code
        assert "item 14 of 31, a tool result, is not what it was" in told.stdout
        assert "the history no longer begins with what was sent before" in told.stdout
        assert "attempt 1 main" in told.stdout
    told = run(["show", shown.request_id, "--json", "--config", str(config)])
    assert shown.changed == json.loads(told.stdout)["changed"]
    assert json.loads(told.stdout)["details"]["attempts"]
    missing = run(["show", "req_fedcba9876543210", "--config", str(config)])
    assert isinstance(missing.exception, NotFound)
