"""An upstream's own model list."""

import pytest

from longwire.core.errors import (
    UpstreamDisconnected,
    UpstreamRejected,
    UpstreamUnavailable,
)
from tests.doubles.canned import answer, canned


@pytest.mark.parametrize(
    "listed",
    [
        b'{"object":"list","data":[{"id":"a","x":1},{"id":"b"},{}]}',
        b'{"models":[{"slug":"a"},{"slug":"b","display_name":"B"}]}',
    ],
)
async def test_models(transport, listed):
    """Ids come from either kind of list."""
    async with canned(answer(listed, "application/json")) as upstream:
        http = transport("http://127.0.0.1:1", models_url=upstream.url + "/v1/models")
        assert await http.models() == ["a", "b"]
    assert upstream.heads[0].startswith("GET /v1/models HTTP/1.1\r\n")


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
