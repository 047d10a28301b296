"""Kept bodies searched over GraphQL."""

import json

import pytest

from longwire.store.body_search import BodySearch
from longwire.store.turns import Turns
from tests.store.turn_rows import bodies, row

SEARCH = """
  query($text: String!, $first: Int, $after: String) {
    searchBodies(text: $text, first: $first, after: $after) {
      nodes { turn { id } snippet { text isMatch } }
      pageInfo { hasNextPage endCursor }
    }
  }
"""


@pytest.fixture
def allowed(store):
    """The operator lets bodies be indexed."""
    store.body_search.is_allowed = True


async def said(store, number, words, project_id="default"):
    """Keep a turn whose request says something."""
    turn = row(number, project_id=project_id)
    request = json.dumps({"input": [{"role": "user", "content": words}]})
    log = Turns(store.database, store.vault, indexes_bodies=store.body_search.is_allowed)
    await log.add([turn], [bodies(turn, request.encode())])
    return str(turn.id)


@pytest.mark.usefixtures("allowed")
async def test_turns_are_found_by_what_was_said(admin, store):
    """Newest first, part by part, with what was looked for marked."""
    ids = [await said(store, number, f"a needle <b>{number}") for number in range(3)]
    first = await admin.get(SEARCH, text="needle", first=2)
    assert [ids[2], ids[1]] == [each["turn"]["id"] for each in first["nodes"]]
    assert [
        {"text": "a ", "isMatch": False},
        {"text": "needle", "isMatch": True},
        {"text": " <b>2", "isMatch": False},
    ] == first["nodes"][0]["snippet"][:3]
    after = first["pageInfo"]["endCursor"]
    rest = await admin.get(SEARCH, text="needle", after=after)
    assert ([ids[0]], False) == (
        [each["turn"]["id"] for each in rest["nodes"]],
        rest["pageInfo"]["hasNextPage"],
    )


async def test_without_leave_the_mend_is_named(admin, store):
    """Where the file does not allow an index, the answer says what to write there."""
    assert isinstance(store.body_search, BodySearch)
    answer = await admin.fail(SEARCH, text="needle")
    assert "set index = true below [bodies]" in json.dumps(answer)
    assert {"indexesBodies": False} == await admin.get("{ settings { indexesBodies } }")


@pytest.mark.usefixtures("allowed")
async def test_a_text_that_is_too_long_is_refused(admin):
    """The field and the most it may have are named."""
    answer = await admin.fail(SEARCH, text="x" * 401)
    assert "400 letters" in json.dumps(answer)
