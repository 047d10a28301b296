"""The list of models as clients of Anthropic's API read it."""

import json
import ssl

import aiohttp
import anthropic
import pytest

from tests.conftest import serving, settings_for

VERSION = {"anthropic-version": "2023-06-01"}
NAMES = [f"model-{number}" for number in range(5)]


@pytest.fixture
async def listing():
    """A gateway that lists five models, and serves any of Claude's names."""
    channel = {"models": NAMES, "renames": {"claude-*": "model-1"}}
    async with serving(settings_for("http://127.0.0.1:1", channel=channel)) as gateway:
        yield gateway


@pytest.fixture
async def client(listing):
    """The official client, which takes nothing that its types do not."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with anthropic.AsyncAnthropic(
        base_url=listing.url,
        auth_token=listing.key,
        max_retries=0,
        http_client=anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=bare),
        _strict_response_validation=True,
    ) as client:
        yield client


async def ask(gateway, path, method="GET", **headers):
    """Ask as a client of Anthropic's: status, headers and body."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, gateway.url + path, headers=gateway.headers | headers) as answer,
    ):
        return answer.status, answer.headers, json.loads(await answer.read())


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


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
async def test_a_client_turns_the_pages(client, limit):
    """Forwards and backwards, each model once."""
    assert NAMES == [model.id async for model in client.models.list(limit=limit)]
    page = await client.models.list(limit=limit, before_id="model-3")
    seen = [model.id for model in page.data]
    while page.has_next_page():
        page = await page.get_next_page()
        seen = [*(model.id for model in page.data), *seen]
    assert NAMES[:3] == seen
    assert [] == (await client.models.list(after_id="model-4")).data


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("limit=%C2%B2", "limit"),
        ("after_id=gone", "after_id"),
        ("before_id=gone", "before_id"),
        ("after_id=model-1&before_id=model-3", "before_id"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(listing, query, named):
    """The parameter is named."""
    status, _, body = await ask(listing, f"/v1/models?{query}", **VERSION)
    assert (400, "invalid_request_error") == (status, body["error"]["type"])
    assert f"'{named}'" in body["error"]["message"]


async def test_a_model_is_all_that_its_type_asks_for(client):
    """The strict client takes it, from the list and alone."""
    model = await client.models.retrieve("model-2")
    assert ("model-2", "active") == (model.id, model.lifecycle)
    assert model == (await client.models.list(limit=3)).data[2]
    assert "model-2" == (await client.beta.models.retrieve("model-2")).id


@pytest.mark.parametrize("headers", [VERSION, {}], ids=["Anthropic's", "OpenAI's"])
async def test_a_name_that_a_pattern_serves_is_a_model(listing, headers):
    """What can be asked for is found, though no list can hold all such names."""
    status, _, body = await ask(listing, "/v1/models/claude-foo", **headers)
    assert (200, "claude-foo") == (status, body["id"])
    status, _, _ = await ask(listing, "/v1/models/gone", **headers)
    assert 404 == status


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/models/model-1", "/anthropic/v1/models/model-1"]
)
async def test_an_answer_has_the_id_of_its_request(listing, path):
    """Its client shows it to those who ask for help."""
    status, headers, body = await ask(listing, path, **VERSION)
    assert (200, headers["x-request-id"]) == (status, headers["request-id"])
    assert "model" == body.get("data", [body])[0]["type"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/v1/models/gone", VERSION),
        ("GET", "/anthropic/v1/models/gone", {}),
        ("POST", "/anthropic/v1/zzz", {}),
        ("POST", "/v1/zzz", VERSION),
        ("POST", "/v1/files", VERSION),
        ("POST", "/v1/models/model-1:generate", VERSION),
    ],
)
async def test_what_is_not_there_is_said_in_the_clients_words(listing, method, path, headers):
    """Whoever names a version of Anthropic's API, or asks below its path, reads its errors."""
    status, sent, body = await ask(listing, path, method, **headers)
    assert (404, "error", "not_found_error") == (status, body["type"], body["error"]["type"])
    assert sent["request-id"] == body["request_id"]


async def test_a_wrong_key_is_said_to_be_final(listing):
    """The client would ask again for minutes."""
    listing.headers = {"x-api-key": "wrong"}
    for path in ("/v1/models", "/v1/models/model-1"):
        status, headers, body = await ask(listing, path, **VERSION)
        assert (401, "false") == (status, headers["x-should-retry"])
        assert "authentication_error" == body["error"]["type"]
        assert headers["request-id"] == body["request_id"]


async def test_other_clients_read_openais_errors(listing):
    """Nothing changes for who names no version."""
    status, headers, body = await ask(listing, "/v1/models/gone")
    assert (404, "model_not_found") == (status, body["error"]["code"])
    assert "request-id" not in headers
