"""The small routes, and what is none."""

import json

import pytest

from longwire.core.nouns.passed_api import PASSED_APIS
from longwire.emulator import Fault
from longwire.server.health import Stage
from tests.conftest import serving, settings_for
from tests.doubles.canned import answer
from tests.server.conftest import between, dial, is_envelope

LISTED = b'{"data":[{"id":"gpt-5.2"},{"id":"gpt-5-mini"},{"id":"o3"},{"id":"org/odd name"}]}'


async def test_models_are_those_of_the_upstream(client):
    """The official client lists the models behind the gateway."""
    models = [model async for model in client.models.list()]
    assert [model.id for model in models] == ["gpt-5.5", "gpt-5.2", "gpt-5-mini"]
    assert {model.owned_by for model in models} == {"main"}
    assert (await client.models.retrieve("gpt-5.2")).id == "gpt-5.2"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (["gpt-9", "gpt-10"], ["gpt-9", "gpt-10"]),
        (["gpt-5*"], ["gpt-5.2", "gpt-5-mini"]),
        (["gpt-9", "o?", "gpt-5.2"], ["gpt-9", "gpt-5.2", "o3"]),
    ],
)
async def test_patterns_choose_among_the_upstreams_own(declared, expected):
    """Names stand for themselves, patterns for what the upstream lists, each once."""
    said = answer(LISTED, "application/json")
    async with between(said, channel={"models": declared}) as (upstream, connection):
        for _ in range(3):
            _, _, body = await connection.ask(b"", method="GET", path="/v1/models")
    assert [model["id"] for model in json.loads(body)["data"]] == expected
    assert len(upstream.bodies) == (0 if declared[0] == "gpt-9" and len(declared) == 2 else 1)


async def test_a_model_with_any_name_is_found():
    """Slashes and spaces in a name are no obstacle."""
    async with between(answer(LISTED, "application/json")) as (_, connection):
        path = "/v1/models/org%2Fodd%20name"
        status, headers, body = await connection.ask(b"", method="GET", path=path)
        assert (status, json.loads(body)["id"]) == (200, "org/odd name")
        assert headers["x-request-id"]
        status, _, body = await connection.ask(b"", method="GET", path="/v1/models/gone")
        assert (status, json.loads(body)["error"]["code"]) == (404, "model_not_found")


async def test_an_upstream_that_lists_nothing_leaves_the_names(emulator):
    """A model list that fails leaves what was declared."""
    emulator.faults.add(Fault(at="handshake", act="error", status=500))
    settings = settings_for(emulator.url, channel={"models": ["gpt-9", "*"]})
    async with serving(settings) as gateway, dial(gateway) as connection:
        _, _, body = await connection.ask(b"", method="GET", path="/v1/models")
    assert [model["id"] for model in json.loads(body)["data"]] == ["gpt-9"]


async def test_models_of_channels_that_are_off_are_not_listed():
    """Only what could be used is listed."""
    settings = settings_for("http://127.0.0.1:1", channel={"models": ["a"], "enabled": False})
    async with serving(settings) as gateway, dial(gateway) as connection:
        _, _, body = await connection.ask(b"", method="GET", path="/v1/models")
    assert json.loads(body)["data"] == []


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/x", "/v1/responses"])
async def test_the_data_plane_asks_for_a_key(connection, path):
    """Without the key nothing is shown, not even which models there are."""
    connection.key = "wrong"
    method = "POST" if path.endswith("responses") else "GET"
    status, headers, body = await connection.ask(b"", method=method, path=path)
    assert (status, headers["www-authenticate"], is_envelope(body)) == (401, "Bearer", True)


async def test_health_and_readiness(gateway, connection):
    """Both answer without a key; readiness tells the stages apart."""
    connection.key = "none"
    assert (await connection.ask(b"", method="GET", path="/health"))[0] == 200
    found = []
    for gateway.app.readiness.stage in Stage:
        status, _, body = await connection.ask(b"", method="GET", path="/ready")
        found.append((json.loads(body)["status"], status))
        assert (await connection.ask(b"", method="GET", path="/health"))[0] == 200
    assert found == [("starting", 503), ("ready", 200), ("leaving", 503), ("draining", 503)]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/responses", 426, "upgrade_required"),
        ("PUT", "/v1/responses", 405, "method_not_allowed"),
        ("DELETE", "/v1/responses", 405, "method_not_allowed"),
        ("PROPFIND", "/v1/responses", 405, "method_not_allowed"),
        ("POST", "/v1/responses/..", 405, "method_not_allowed"),
        ("POST", "/v1", 404, "unknown_url"),
        ("POST", "/", 404, "unknown_url"),
        ("POST", "//", 404, "unknown_url"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("POST", "/v1/chat/nothing", 404, "unknown_url"),
        ("POST", "/v1/responses/..%2f..", 404, "unknown_url"),
        ("GET", "/v1/responses?x=%00", 426, "upgrade_required"),
        ("GET", "/%ff%00", 404, "unknown_url"),
    ],
)
async def test_what_is_no_route(connection, method, path, status, code):
    """Wrong paths and methods get the envelope as well, and the connection serves on."""
    answered, headers, body = await connection.ask(b"{}", method=method, path=path)
    assert (answered, json.loads(body)["error"]["code"]) == (status, code)
    assert ("allow" in headers) == (status == 405)
    assert (await connection.ask(b"", method="GET", path="/health"))[0] == 200


async def test_who_asks_for_another_api_is_told_all_that_are_served(connection):
    """Those that are passed on, too."""
    told = await connection.ask(b"{}", method="POST", path="/v1/images/variations")
    message = json.loads(told[2])["error"]["message"]
    assert [] == [each.path for each in PASSED_APIS.values() if f"/v1{each.path}" not in message]
    assert "/v1/responses, /v1/chat/completions, /v1/messages, /v1/embeddings" in message


@pytest.mark.parametrize(
    "path",
    [
        "//metrics",
        "/v1/../metrics",
        "/./metrics",
        "/v1/metrics",
        "//admin/graphql",
        "/admin//graphql",
        "/v1/v1/admin/graphql",
        "/v1/responses/..//admin/graphql",
        "//health",
    ],
)
async def test_what_a_proxy_closes_has_one_spelling(connection, path):
    """A rule for `/admin` or `/metrics` holds: no other path leads there."""
    status, _, _ = await connection.ask(b"{}", method="GET", path=path)
    assert 404 == status


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/responses", 426), ("/health", 200), ("/x", 404)]
)
async def test_head(session, path, status):
    """HEAD is GET without a body."""
    async with session.head(path) as response:
        assert (response.status, await response.read()) == (status, b"")
