"""The list of models as clients of Anthropic's API read it."""

import json

import pytest

VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("path", ["/v1/models?limit=1000", "/anthropic/v1/models"])
async def test_the_list_is_one_page(gateway, session, path):
    """Each model has the name by which it is asked for, and there is no next page."""
    headers = {**gateway.headers, **VERSION}
    async with session.get(path, headers=headers) as response:
        page = json.loads(await response.read())
    names = [model["id"] for model in page["data"]]
    assert "gpt-5.5" in names
    assert (False, names[0], names[-1]) == (page["has_more"], page["first_id"], page["last_id"])
    assert {"model"} == {model["type"] for model in page["data"]}
