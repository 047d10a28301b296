"""An upstream's own model list."""

import pytest

from longwire.core.errors import (
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamUnavailable,
)
from longwire.upstream.http.listing import MOST_PAGES
from tests.doubles.canned import answer, canned


@pytest.mark.parametrize(
    "listed",
    [
        b'{"object":"list","data":[{"id":"a","x":1},{"id":"b"},{}]}',
        b'{"models":[{"slug":"a"},{"slug":"b","display_name":"B"}]}',
        b'{"models":[{"name":"models/a","displayName":"A"},{"name":"models/b"}]}',
        b'{"data":[{"type":"model","id":"a"},{"id":"b"}],"has_more":false,"last_id":"b"}',
    ],
)
async def test_models(transport, listed):
    """Names come from each kind of list."""
    async with canned(answer(listed, "application/json")) as upstream:
        http = transport("http://127.0.0.1:1", models_url=upstream.url + "/v1/models")
        assert await http.models() == ["a", "b"]
    assert upstream.heads[0].startswith("GET /v1/models HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("first", "last", "query"),
    [
        (
            b'{"models":[{"name":"models/a"}],"nextPageToken":"t=1"}',
            b'{"models":[{"name":"models/b"}]}',
            "pageToken=t%3D1",
        ),
        (
            b'{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}',
            b'{"data":[{"id":"b"}],"has_more":false,"last_id":"b"}',
            "after_id=a",
        ),
    ],
)
async def test_models_on_several_pages(transport, first, last, query):
    """A list is read to its last page, by Gemini's token or from Anthropic's last id on."""
    pages = (answer(each, "application/json") for each in (first, last))
    async with canned(*pages) as upstream:
        assert await transport(upstream.url, models_url=f"{upstream.url}/models").models() == [
            "a",
            "b",
        ]
    assert [head.partition(" HTTP")[0] for head in upstream.heads] == [
        "GET /models",
        f"GET /models?{query}",
    ]
    assert all("anthropic-version: 2023-06-01" in head for head in upstream.heads)


async def test_a_list_without_end_is_read_so_far(transport):
    """An upstream that names a next page for ever is not asked for ever."""
    page = answer(b'{"models":[{"name":"models/a"}],"nextPageToken":"again"}', "application/json")
    async with canned(page) as upstream:
        assert ["a"] == await transport(upstream.url, models_url=upstream.url).models()
    assert len(upstream.heads) == MOST_PAGES


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(b"{}", "application/json", 401), UpstreamRejected),
        (answer(b"[]", "application/json"), UpstreamDisconnected),
        (answer(b"", status=301, headers=["location: /"]), UpstreamUnavailable),
        (None, UpstreamDisconnected),
    ],
)
async def test_models_that_cannot_be_listed(transport, response, error):
    """A list that does not come is an upstream error."""
    async with canned(response) as upstream:
        with pytest.raises(error):
            await transport(upstream.url, models_url=upstream.url).models()


async def test_models_of_a_raw_url(transport):
    """A URL used as it stands may not tell where models are listed."""
    with pytest.raises(UpstreamUnavailable, match="name them in the channel's `models`"):
        await transport("http://127.0.0.1:1").models()
