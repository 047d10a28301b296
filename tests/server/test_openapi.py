"""The document of the data plane says what is so, and what fits it never fails the gateway."""

import asyncio

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from starlette.routing import Route

from longwire.server.openapi import document
from tests.conftest import KEY

pytestmark = pytest.mark.timeout(180)
QUIET = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ELSEWHERE = {"/admin/graphql", "/admin/oidc/callback"}
"""The admin API has a schema of its own; a browser comes back to the other from its provider."""


async def test_the_document_is_served(gateway):
    """Whoever asks gets it, without a key."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/openapi.json") as answer,
    ):
        assert document() == await answer.json()


def test_every_route_is_described(gateway):
    """A route without a description, and a description without a route, is a mistake."""
    router = gateway.app._asgi.__closure__
    (starlette,) = [cell.cell_contents for cell in router if hasattr(cell.cell_contents, "routes")]
    paths = {each.path for each in starlette.routes if isinstance(each, Route)} - ELSEWHERE
    assert set(document()["paths"]) == {path.replace(":path", "") for path in paths}


def _failures(url, headers):
    """Send requests for each operation; return those that failed, or did not fit the document."""
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=url)
    operations = [result.ok() for result in schema.get_all_operations()]
    return [found for each in operations for found in _failures_of(each, url, headers)]


def _failures_of(operation, url, headers):
    found = []

    @QUIET
    @given(case=operation.as_strategy())
    def send(case):
        answer = case.call(base_url=url, headers=headers)
        if answer.status_code >= 500:
            found.append((case.path, case.body, answer.status_code, answer.text))
        else:
            case.operation.validate_response(answer, case=case)

    send()
    return found


async def test_nothing_that_fits_the_document_makes_it_fail(gateway):
    """Whatever is sent is answered as described: served, or refused with its own status."""
    headers = {"authorization": f"Bearer {KEY}"}
    assert [] == await asyncio.to_thread(_failures, gateway.url, headers)
    assert [] == await asyncio.to_thread(_failures, gateway.url, {})
