"""Queries that nobody would write: made from the schema, all of them answered."""

import asyncio

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

from longwire.core.nouns.access import Role
from longwire.server.admin.schema import schema_text
from tests.server.admin.conftest import SQLITE

EXAMPLES = 10
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def failures(url, headers_of):
    """Send queries for each operation; return what was answered as a failure of the gateway."""
    scalar("Int64", st.integers().map(nodes.Int))
    schema = schemathesis.graphql.from_file(schema_text())
    schema.config.update(base_url=url)
    operations = [result.ok() for result in schema.get_all_operations()]
    return [
        failure
        for number, operation in enumerate(operations)
        for failure in failures_of(operation, url, headers_of(number))
    ]


def failures_of(operation, url, headers):
    """Send queries for one operation."""
    found = []

    @QUIET
    @given(case=operation.as_strategy())
    def send(case):
        answer = case.call(base_url=url, headers=headers)
        has_failed = any(code in answer.text for code in ('"INTERNAL"', '"UNAVAILABLE"'))
        if answer.status_code >= 500 or has_failed:
            found.append((case.body, answer.status_code, answer.text))

    send()
    return found


@SQLITE
async def test_no_query_makes_the_gateway_fail(signed_in, store):
    """Whatever fits the schema is answered: with what was asked for, or a refusal with its code."""
    owner = await signed_in(Role.OWNER)
    user = await store.users.find("owner@example.org")
    tokens = [(await store.sign_ins.begin(user.id)).reveal() for _ in range(200)]

    def headers_of(number):
        return {**owner.headers, "cookie": f"longwire={tokens[number]}"}

    assert await asyncio.to_thread(failures, f"{owner.url}/admin/graphql", headers_of) == []
