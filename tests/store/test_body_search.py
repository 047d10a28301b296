"""Kept bodies found by their words, on both engines."""

import json

import pytest
from sqlalchemy import text

from longwire.core.nouns.retention import Retention
from longwire.store.body_search import BodySearch
from longwire.store.retention import sweep
from longwire.store.secrets import Vault
from longwire.store.turn_filter import ANY_TURN, TurnFilter
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, bodies, row

DAY = 86_400_000


@pytest.fixture
def search(database):
    return BodySearch(database, is_allowed=True)


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)), indexes_bodies=True)


def said(number, words, **ways):
    """A turn whose request says something, and its bodies."""
    turn = row(number, **ways)
    request = {"model": "gpt-5.5", "input": [{"role": "user", "content": words}]}
    return turn, bodies(turn, json.dumps(request, ensure_ascii=False).encode())


async def add(log, *turns):
    await log.add([turn for turn, _ in turns], [kept for _, kept in turns])


async def ids(search, words, wanted=ANY_TURN):
    """The numbers of the turns that are found."""
    page = await search.page(words, wanted)
    return [found.row.id - row(0).id for found in page.items]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("connection", [2, 1]),
        ("CONNECTION lost", [1]),
        ('"lost connection"', []),
        ('"connection lost"', [1]),
        ("src/app.py", [2]),
        ("app.py src", [2]),
        ("connect", []),
        ("会议", [3]),
        ("明天会议", [3]),
        ("议", [3]),
        ("会明", []),
        ('"room 三号会议 today"', [3]),
        ("straße", [4]),
        ("", []),
        ("  ", []),
        ('"', []),
        ("* : ^ - ( ) { }", []),
        ("NEAR(lost, 2) OR connection", []),
        ("lost' & !x | y <-> z :* \\", []),
        ('connection "lost', [1]),
        ("lost\x00", [1]),
        ("text:lost", []),
        ("gpt", []),
    ],
)
async def test_any_text_is_a_search_and_finds_what_has_all_of_it(log, search, words, found):
    """Words in any case, phrases, parts of what writes no words apart; no syntax can break it."""
    await add(
        log,
        said(1, "The connection lost its way"),
        said(2, "Read src/app.py: the connection is closed"),
        said(3, "明天会议在 room 三号会议 today"),
        said(4, "In der STRASSE, der Straße"),
    )
    assert found == await ids(search, words)


SAID = (
    "İstanbul",
    "sap\u0131tmak",
    "cafe\u0301 noir",
    "ΟΔΟΣ",
    "οδός",
    "x\u0304 = 3",
    "हिन्दी",
    "שָׁלוֹם",
)
SAID += ("نَعَم", "a\u200bb", "\ue0a0main", "ﬁle", "한\u1112\u1161", "Kelvin \u212a", "ǅ", "½ cup")


async def test_a_text_finds_itself(log, search):
    """Whatever it is written in: pasted whole it is found, and shown."""
    await add(log, *(said(number, words) for number, words in enumerate(SAID)))
    for number, words in enumerate(SAID):
        assert number in await ids(search, words), words
        (found, *_) = (await search.page(words, ANY_TURN)).items
        assert any(is_it for _, is_it in found.pieces), words


@pytest.mark.parametrize("words", ["café NOIR", "CAFE\u0301", "istanbul", "İSTANBUL", "οδοσ"])
async def test_case_and_how_accents_are_written_tell_nothing_apart(log, search, words):
    """Composed or not, and in any case."""
    await add(log, said(1, "Cafe\u0301 Noir in İstanbul, ΟΔΟΣ"))
    assert [1] == await ids(search, words)


async def test_a_page_shows_the_words_and_goes_on(log, search):
    """Newest first, with marks in the words around; cursors meet, and filters and walls hold."""
    texts = [said(n, f"{'x ' * 200}the needle {n}", project_id=f"prj_{n % 2}") for n in range(5)]
    await add(log, *texts)
    first = await search.page("needle", ANY_TURN, 2)
    rest = await search.page("needle", ANY_TURN, 9, first.edges[-1][0])
    numbers = [found.row.id - row(0).id for found in (*first.items, *rest.items)]
    assert ([4, 3, 2, 1, 0], True, False) == (numbers, first.has_more, rest.has_more)
    pieces = first.items[0].pieces
    assert [("…", False), ("needle", True), (" 4", False)] == [pieces[0], *pieces[2:4]]
    assert texts[4][0] == first.items[0].row
    assert [3, 1] == await ids(search, "needle", TurnFilter(project_ids=("prj_1",)))
    assert [] == await ids(search, "needle", TurnFilter(project_ids=()))
    assert [] == await ids(search, "needle", TurnFilter(key_id="key_2"))
    assert [] == await ids(search, "needle", TurnFilter(until=NOON - 1))


async def test_a_text_is_found_where_it_was_brought(log, search):
    """What a later turn sends again is not found there; its answer and its new items are."""
    request = {
        "instructions": "system words",
        "messages": [
            {"role": "user", "content": "brought earlier"},
            {"role": "assistant", "content": "answered earlier"},
            {"role": "tool", "tool_call_id": "call_secretid", "content": "output now"},
        ],
    }
    answer = {"id": "chatcmpl_id", "choices": [{"message": {"content": "你好 answer now"}}]}
    turn = row(1)
    kept = bodies(turn, json.dumps(request).encode(), json.dumps(answer).encode())
    await log.add([turn], [kept])
    assert [1] == await ids(search, "output answer now 你好")
    for words in ("brought", "answered", "chatcmpl", "call_secretid", "system"):
        assert [] == await ids(search, words)


async def test_it_is_written_where_it_is_allowed_alone(database, log):
    """Without leave nothing of a body stands there in clear, and what stood there goes."""
    await add(log, said(1, "written while it was allowed"))
    off = BodySearch(database, is_allowed=False)
    silent = Turns(database, Vault((b"k" * 32,)))
    await add(silent, said(2, "never written"))
    count = text("SELECT count(*) FROM bodies_index")
    async with database.read() as connection:
        assert 1 == await connection.scalar(count)
    await off.forget()
    async with database.read() as connection:
        assert 0 == await connection.scalar(count)


async def test_words_go_with_their_bodies(database, log, search):
    """A sweep leaves the words of no body that it deletes."""
    old, new = said(1, "same words"), said(1, "same words", at=NOON + 5 * DAY)
    await add(log, old, new)
    await sweep(database, Retention(30, 3), NOON + 5 * DAY)
    found = await search.page("same", ANY_TURN)
    assert [new[0].id] == [each.row.id for each in found.items]
