"""Any of four APIs in reaches any of four out: each way, each kind of turn, whole and streamed."""

import pytest

from tests.matrix.page import PAGE, WAYS, outcomes, page


@pytest.mark.parametrize("way", WAYS, ids=" to ".join)
async def test_a_way(way):
    """The model sees what the client sent, and the client is told what the model made."""
    (cells,) = (await outcomes([way])).values()
    assert [cell for cell in cells if "**" in cell or "refused" in cell] == []


async def test_the_page_says_what_was_found():
    """`python -m tests.matrix.page` writes it anew."""
    assert page(await outcomes(WAYS)) == PAGE.read_text(encoding="utf-8")
