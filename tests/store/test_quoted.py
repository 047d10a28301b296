"""Turns by what somebody quotes."""

import pytest
from sqlalchemy import text

from longwire.store.quoted import Quote, Seen, ids_query, quotes_of, values_query, words_of
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, row

PREFIXED = ("request_id", "response_id", "session", "trace")


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


ROW = row(
    7,
    request_id="req_0a1b2c3d4e5f",
    response_id="resp_6f5e4d3c2b1a",
    session="codex-1234-5678",
    trace="4bf92f3577b34da6a3ce929d0e0e4736",
)
SEEN = Seen(["prj_2"], ["key_2"])
OTHERS = [row(number, request_id=f"req_other{number}", response_id="") for number in range(3)]


@pytest.mark.parametrize("column", ["id", *PREFIXED])
async def test_a_turn_is_found_by_whatever_names_it(log, column):
    """The whole of an id is enough, wherever it comes from, with blanks and quotes around it."""
    await log.add([*OTHERS, ROW])
    value = str(getattr(ROW, column))
    for quoted in (value, f'  "{value}",\n'):
        assert [(column, ROW)] == [tuple(found) for found in await log.find(quoted)]


@pytest.mark.parametrize("column", PREFIXED)
async def test_a_beginning_is_enough_where_it_is_long_enough(log, column):
    """Six letters find a turn, five do not, and no text is found in the middle of another."""
    await log.add([*OTHERS, ROW])
    value = getattr(ROW, column)
    assert [(column, ROW)] == [tuple(found) for found in await log.find(value[:10])]
    assert () == await log.find(value[:5])
    assert () == await log.find(value[1:11])


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("resp_68a1", "resp_68a1"),
        ("resp_68a1", "msg_68a1"),
        ("other-1", "msg_of.other-1"),
        ("resp_chatcmpl-B9", "chatcmpl-B9"),
        ("resp_msg_01Xa", "msg_01Xa"),
        ("resp_gen-1_2", "gen-1.2"),
        ("resp_gen-12", "gen-1.2"),
        ("resp_aYx-_9", "aYx-_9"),
    ],
)
async def test_a_response_is_found_by_the_id_that_its_client_got(log, kept, shown):
    """Translated or passed on in its vendor's API: what the client read in it leads to the turn."""
    await log.add([*OTHERS, row(9, response_id=kept)])
    (found,) = await log.find(shown)
    assert ("response_id", kept) == (found.by, found.row.response_id)


async def test_an_error_that_quotes_an_id_is_enough(log):
    """Whoever pastes what their client printed need not pick the id out of it."""
    await log.add([*OTHERS, ROW])
    pasted = '{"type":"error","error":{"message":"No"},"request_id":"req_0a1b2c3d4e5f"}'
    assert [ROW] == [found.row for found in await log.find(pasted)]


async def test_only_the_projects_that_may_be_seen(log):
    """What is quoted of another project's turns finds nothing, neither whole nor begun."""
    await log.add([ROW, row(8, project_id="prj_2", request_id="req_0a1b2c3d4eff")])
    assert () == await log.find("req_0a1b2c3d4e5f", Seen(["prj_2"]))
    assert () == await log.find("req_0a1b2c3d4e5f", Seen([]))
    seen = await log.find("req_0a1b2c3", Seen(["prj_2"]))
    assert ["req_0a1b2c3d4eff"] == [found.row.request_id for found in seen]


@pytest.mark.parametrize("seen", [Seen(["prj_2"]), Seen(None, ["key_2"])], ids=["project", "key"])
async def test_those_of_others_leave_room_for_what_is_seen(log, seen):
    """However many others have newer turns of that name, or names that begin the same."""
    mine = {"project_id": "prj_2", "key_id": "key_2"}
    await log.add(
        [
            row(1, session="shared", **mine),
            row(2, session="codex-zz", **mine),
            *(row(number, NOON + number, session="shared") for number in range(10, 40)),
            *(row(number, NOON + number, session=f"codex-{number}") for number in range(50, 80)),
        ]
    )
    for quoted, own in (("shared", "shared"), ("codex-", "codex-zz")):
        assert [own] == [each.row.session for each in await log.find(quoted, seen)]
    assert 20 == len(await log.find("codex-"))


async def test_the_newest_come_first_and_not_all(log):
    """A session of many turns shows its last twenty, by its whole id and by its beginning."""
    await log.add([row(number, NOON + number, session="codex-long") for number in range(30)])
    found = [each.row.started_at - NOON for each in await log.find("codex-long")]
    assert list(range(29, 9, -1)) == found
    assert 20 == len(await log.find("codex-l"))


@pytest.mark.parametrize(
    "quoted", ["", " ", "%", "_____", "x" * 100_000, "\0", "Sitzung – 会議", "9" * 19]
)
async def test_anything_may_be_pasted(log, quoted):
    """What names nothing finds nothing, and breaks nothing."""
    await log.add([ROW])
    assert () == await log.find(quoted)


def test_a_long_text_is_looked_through_a_little_way():
    """A paste of a whole log asks the database no more than a line of it."""
    assert 7 == len(words_of(" ".join(f"req_{number:08}" for number in range(1_000))))


@pytest.mark.parametrize("column", PREFIXED)
async def test_each_look_is_a_range_of_an_index(log, database, column):
    """Whole ids and beginnings are found by their index, on either engine, among many rows."""
    await log.add([row(number, request_id=f"req_{number:08}") for number in range(2_000)])
    index = f"{column}_id"
    quotes = [quote for quote in quotes_of("req_00000007") if quote.column == column]
    for query in (
        ids_query(quotes, is_sqlite=database.is_sqlite),
        values_query([Quote(column, "req_0000")], is_sqlite=database.is_sqlite),
        values_query([Quote(column, "req_0000")], SEEN, is_sqlite=database.is_sqlite),
    ):
        plan = await _plan(database, query)
        assert index in plan
        assert "Seq Scan on turns" not in plan
        assert "SCAN turns" not in plan


async def _plan(database, query):
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    compiled = query.compile(database.engine.sync_engine, compile_kwargs={"literal_binds": True})
    async with database.read() as connection:
        if not database.is_sqlite:
            await connection.execute(text("ANALYZE turns"))
            await connection.execute(text("SET enable_seqscan = off"))
        plan = await connection.exec_driver_sql(f"{explain} {compiled}")
        return "; ".join(step[-1] for step in plan)
