"""`longwire turns tail` shows the log as it is and as it grows."""

import asyncio
import json
from contextlib import aclosing
from functools import partial

import pytest
from typer.testing import CliRunner

from longwire.cli import turn_page
from longwire.cli import turns as command
from longwire.cli.tables import time_text
from longwire.cli.turn_table import TurnTable
from longwire.core.errors import InvalidFields, NotFound
from longwire.core.nouns.turn_row import ID_BITS
from longwire.core.rules.change import Edit, ItemChange
from longwire.core.rules.continuity import Reason
from longwire.dialects.responses.items import KINDS
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turn_filter import ANY_TURN
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, details, row


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


async def _taken(rows, number):
    return [await anext(rows) for _ in range(number)]


async def _each(log, limit, *, follows):
    async with aclosing(command._batches(log, limit, ANY_TURN, follows=follows)) as batches:
        async for rows in batches:
            for each in rows:
                yield each


async def test_the_last_turns_come_oldest_first(log):
    """As many as asked for, and then it ends."""
    await log.add([row(number) for number in range(9)])
    assert [row(6), row(7), row(8)] == [each async for each in _each(log, 3, follows=False)]
    assert 9 == len([each async for each in _each(log, 100, follows=False)])


async def test_turns_that_end_are_followed(log, monkeypatch):
    """Each once, however many at a time; one that is written late comes late, none is lost."""
    monkeypatch.setattr(command, "_PAUSE", 0)
    monkeypatch.setattr(command, "_AT_ONCE", 10)
    await log.add([row(0, NOON), row(0, NOON + 1_000)])
    async with asyncio.timeout(20), aclosing(_each(log, 1, follows=True)) as rows:
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
    async with asyncio.timeout(20), aclosing(_each(log, 5, follows=True)) as rows:
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
    assert (0, [*TurnTable().lines([row(2)])]) == (told.exit_code, told.stdout.splitlines())
    told = run(["list", "--config", str(config), "--session", "x", "--json"])
    assert ["x"] == [json.loads(line)["session"] for line in told.stdout.splitlines()]
    told = run(["show", str(row(2).id), "--config", str(config), "--json"])
    assert row(2).cost / 10**9 == json.loads(told.stdout)["cost_usd"]
    told = run(["tail", "--config", str(config), "--json"])
    assert [row(1).cost / 10**9] * 2 == [
        json.loads(line)["cost_usd"] for line in told.stdout.splitlines()
    ]
    assert ["agent-1", "x"] == [json.loads(line)["session"] for line in told.stdout.splitlines()]


async def _written(url, rows, beside=()):
    database = Database(url)
    await Turns(database, Vault((b"k" * 32,))).add(rows, beside)
    await database.close()


def test_a_line_says_what_matters():
    """Below its titles: who, what, in which API, where and which way, how it went, how much."""
    titles, line = TurnTable().lines([row(dropped="seed, prediction")])
    shown = row()
    ended = time_text(shown.started_at + shown.total_ms, has_seconds=True)
    assert line.startswith(ended)
    assert "dev" == line[titles.index("key") :].split()[0]
    assert "websocket continued" == line[titles.index("way") :][:19]
    for text in ("gpt-5.5", "responses -> responses", "lw-0", "200 completed", "0.9 s"):
        assert text in line
    assert line.endswith("10+5  100 of 1,000 B  $0.0000  seed, prediction")


def test_a_line_of_what_never_travelled():
    """Columns in which nothing stands are left out, and why it failed is said."""
    unknown = {"transport": "", "continuity": "", "input_tokens": None, "cost": None}
    unknown |= {"upstream_api": "", "dropped": "", "node": ""}
    refused = row(
        channel_name="", outcome="refused", status=404, error_code="model_not_found", **unknown
    )
    titles, line = TurnTable().lines([refused])
    assert "404 refused model_not_found" in line
    assert not {"node", "tokens", "cost", "without"} & {*titles.split()}


def test_a_line_moves_no_cursor():
    """What a caller wrote for a model cannot paint over the terminal."""
    assert "a?[2Jb" in [*TurnTable().lines([row(model_asked="a\x1b[2Jb")])][1]


@pytest.mark.parametrize("width", [200, 160])
def test_a_line_keeps_to_the_terminal(width):
    """Long names are cut so that columns stand below each other; figures and times never are."""
    rows = [row(1, model_asked="m" * 90), row(2, key_name="k" * 90)]
    lines = [*TurnTable(width).lines(rows)]
    assert max(map(len, lines)) <= width
    assert all("0.9 s" in line and "100 of 1,000 B" in line for line in lines[1:])
    assert 1 == len({line.index("0.9 s") for line in lines[1:]})


def test_the_header_comes_again_each_screenful():
    """While turns are followed one by one, too."""
    table = TurnTable(200, 5)
    lines = [line for number in range(9) for line in table.lines([row(number)])]
    assert [0, 4, 8] == [at for at, line in enumerate(lines) if line.startswith("ended")]


def test_json_has_every_field():
    """One object a line, with the names of the row; money is in dollars, and says so."""
    shown, held = json.loads(command._json(row(1, connection=None))), row(1, connection=None)
    cost = {"cost_usd": held.cost / 10**9}
    assert {**{k: v for k, v in held._asdict().items() if k != "cost"}, **cost} == shown
    assert shown["id"] >> ID_BITS == NOON


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


async def test_a_text_that_names_several_turns_lists_them(longwire, url, log):
    """With their ids, and how to see one."""
    await log.add([row(1, session="s-123456"), row(2, session="s-123456"), row(3)])
    shown = await asyncio.to_thread(longwire, "turns", "show", "see s-123456, please", **url)
    titles, *rows, mend = shown.stdout.splitlines()
    assert [str(row(1).id), str(row(2).id)] == [line.split()[0] for line in rows]
    assert titles.startswith("turn ")
    assert "2 turns; see one: longwire turns show TURN" == mend


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["--model", "other"], [2]),
        (["--project", "Default"], [1, 2, 3]),
        (["--session", "s"], [3]),
        (["--failed"], [2]),
        (["--outcome", "failed"], [2]),
        (["--api", "messages"], [1]),
        (["--reason", "new_branch"], [3]),
        (["--since", "2001-01-01"], [1, 2, 3]),
    ],
)
def test_turns_are_filtered(tmp_path, sqlite_template, words, numbers):
    """Each filter by itself."""
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    rows = {
        1: row(1, api="messages", project_id="prj_default"),
        2: row(2, model_asked="other", outcome="failed", error_code="x", project_id="prj_default"),
        3: row(3, session="s", reason="new_branch", project_id="prj_default"),
    }
    asyncio.run(_written(f"sqlite:///{path}", list(rows.values())))
    config = tmp_path / "longwire.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{path}"\n', encoding="utf-8")
    listed = CliRunner().invoke(
        command.build(), ["list", *words, "--json", "--config", str(config)]
    )
    found = [json.loads(line)["id"] for line in listed.stdout.splitlines()]
    assert [rows[number].id for number in numbers] == found


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--reason", "magic"], InvalidFields),
        (["--outcome", "nope"], InvalidFields),
        (["--api", "nope"], InvalidFields),
        (["--api", "fax"], InvalidFields),
        (["--since", "soon"], InvalidFields),
        (["--key", "nobody"], NotFound),
        (["--channel", "nowhere"], NotFound),
        (["--project", "none"], NotFound),
    ],
)
def test_a_filter_that_names_nothing_is_refused(tmp_path, sqlite_template, words, error):
    """Rather than that it finds no turn."""
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    config = tmp_path / "longwire.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{path}"\n', encoding="utf-8")
    refused = CliRunner().invoke(command.build(), ["tail", *words, "--config", str(config)])
    assert isinstance(refused.exception, error)
    assert words[1] in str(refused.exception)
