"""How the admin API answers what is no good query, over HTTP and WebSocket."""

import asyncio
import json
import logging

import graphql
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from longwire.core.errors import StoreUnavailable
from longwire.server.admin.app import MOST_BYTES
from longwire.server.admin.limits import (
    MOST_ALIASES,
    MOST_FIELDS,
    MOST_LETTERS,
    MOST_LEVELS,
    MOST_TOKENS,
    MOST_TOKENS_OF_NOBODY,
)

VERSION = "{ version }"
SCHEMA = "{ __schema { types { name } } }"


async def post(caller, body, content_type="application/json"):
    """Send bytes as they are."""
    headers = {**caller.headers, "content-type": content_type}
    return await caller.client.post(f"{caller.url}/admin/graphql", content=body, headers=headers)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post(admin, method):
    """No other method does anything, and no page with an editor is there."""
    url = f"{admin.url}/admin/graphql?query=%7Bversion%7D"
    headers = {**admin.headers, "accept": "text/html"}
    answer = await admin.client.request(method, url, headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"5",
        b"null",
        b'[{"query":"{version}"}]',
        b'{"query":5}',
        b'{"variables":{}}',
        b'{"query":"{version}","variables":5}',
        b'{"query":"{version}","operationName":"x"}',
        b'{"query":"subscription{turnAdded{id}}"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"query":"{version}","variables":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)
async def test_no_query_is_an_error_of_the_caller(admin, body):
    """Whatever the body is, the answer is JSON with a code, and no failure of the gateway."""
    answer = await post(admin, body)
    assert answer.status_code in (200, 400)
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_QUERY"


async def test_only_json(admin):
    """A form, which any page of the web could send, is refused."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await post(admin, b'{"query":"{version}"}', kind)
        assert answer.status_code == 400


async def test_answers_are_not_kept(admin):
    """No cache holds what an admin saw."""
    assert (await admin.post(VERSION)).headers["cache-control"] == "no-store"


async def test_a_body_is_bounded(admin):
    """A body that is larger than any query is refused before it is read."""
    answer = await post(admin, b'{"query":"' + b" " * MOST_BYTES + b'"}')
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "version " * MOST_TOKENS + "}",
        "{ " + "version " * (MOST_FIELDS + 1) + "}",
        "{ version }" + " " * MOST_LETTERS,
        "{ " + " ".join(f"a{n}: version" for n in range(MOST_ALIASES + 1)) + " }",
        "{ turns { " + "nodes { " * MOST_LEVELS + "id" + " }" * MOST_LEVELS + " } }",
        "{ turns {" * 300,
        "{ " + "a{" * 600 + "b" + "}" * 600 + " }",
        "{ turn(id: " + "[" * 900 + "]" * 900 + ") { id } }",
        "{ ...none }",
        "query { ...A } fragment A on Query { ...A }",
        "{ version(odd: 1) }",
        "{ nothing }",
        '{ channel(id: "\\u0000") { id } }',
    ],
    ids=lambda query: query[:40],
)
async def test_queries_are_bounded(admin, query):
    """Too long, too many aliases, too deep, or against the schema: refused with the code."""
    told = await admin.ask(query)
    assert {error["extensions"]["code"] for error in told["errors"]} == {"INVALID_QUERY"}


async def test_who_has_not_signed_in_asks_but_little(nobody):
    """A query that anybody can send costs nobody's time; by signing in it may be sent again."""
    query = "{ setupIsNeeded " + "me { user { id } } " * (MOST_TOKENS_OF_NOBODY // 6) + "}"
    assert (await nobody.fail(query))["code"] == "UNAUTHENTICATED"


async def test_a_query_is_compared_with_the_schema_once(admin, monkeypatch):
    """A page asks the same ones each time; with other limits it is another query."""
    compared = []

    def validate(*given):
        compared.append(given)
        return graphql.validate(*given)

    monkeypatch.setattr("strawberry.schema.schema.validate", validate)
    query = f"{{ of{admin.url.rpartition(':')[2]}: version }}"
    for _ in range(3):
        assert "errors" not in await admin.ask(query)
    assert 1 == len(compared)


async def test_fragments_that_double_are_checked_at_once(viewer):
    """What would expand beyond measure costs no more than its text."""
    doubling = [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(150)]
    query = "{ ...f0 } " + " ".join(doubling) + " fragment f150 on Query { a: version }"
    async with asyncio.timeout(5):
        told = await viewer.ask(query)
    assert told["errors"][0]["extensions"]["code"] == "INVALID_QUERY"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_texts_that_nothing_can_store_are_refused(admin, text):
    """NUL and half a character are told as the caller's mistake."""
    query = "query($search: String!) { channels(search: $search) { nodes { id } } }"
    body = json.dumps({"query": query, "variables": {"search": text}}).encode()
    (error,) = (await post(admin, body)).json()["errors"]
    assert error["extensions"]["code"] == "INVALID_QUERY"


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x", "apiKey": "sk-planted", "odd": 1},
        {"name": ["sk-planted"]},
        {"name": "x", "weight": "sk-planted"},
        {"name": "x", "status": "sk-planted"},
        {"name": "x", "rates": {"requestsPerMinute": "sk-planted"}},
        {"name": "x", "endpoints": [{"path": "sk-planted"}]},
    ],
)
async def test_what_was_sent_is_not_repeated(admin, given):
    """A value of the wrong type, which may be a secret, is not in the answer."""
    answer = await admin.post(
        "mutation($input: ChannelInput!) { createChannel(input: $input) { id } }", input=given
    )
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_QUERY"
    assert "sk-planted" not in answer.text


@pytest.mark.parametrize("type_", ["DateTime", "Int64", "ID", "APIKeyStatus", "Boolean"])
async def test_no_scalar_repeats_what_was_sent(admin, type_):
    """Nor an enum: as a variable, or as it stands in the query."""
    fields = {"DateTime": "expiresAt", "ID": "projectID", "APIKeyStatus": "status"}
    places = {"Int64": "rates: {tokensPerMinute: $value}", "Boolean": "keepsBodies: $value"}
    place = places.get(type_, f"{fields.get(type_)}: $value")
    value = ["sk-planted"] if type_ == "ID" else "sk-planted"
    query = (
        f'mutation($value: {type_}) {{ createAPIKey(input: {{name: "x", {place}}}) {{ secret }} }}'
    )
    answers = [await admin.post(query, value=value)]
    literal = query.replace(f"($value: {type_})", "").replace("$value", json.dumps(value))
    answers.append(await admin.post(literal))
    for answer in answers:
        assert answer.json()["errors"]
        assert "sk-planted" not in answer.text


async def test_the_schema_is_for_people_who_signed_in(nobody, viewer):
    """Introspection needs a session."""
    told = await nobody.ask(SCHEMA)
    assert {error["extensions"]["code"] for error in told["errors"]} == {"INVALID_QUERY"}
    assert (await viewer.get(SCHEMA))["types"] != []


async def test_a_bug_is_told_by_its_request_alone(admin, administration, caplog):
    """What nobody foresaw is INTERNAL, with the id under which the log has its trace."""
    administration.reconciler.declared = None
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        answer = await admin.post("{ settings { file } }")
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "declared" not in answer.text
    assert "NoneType" not in answer.text
    (line,) = [line for line in logs if line["event"] == "internal_error"]
    assert line["request_id"] == error["extensions"]["requestID"]
    assert [record for record in caplog.records if record.name.startswith("strawberry")] == []


async def test_a_database_that_is_away_is_told(admin, monkeypatch):
    """Whether it is missed by who is asked or by a query: UNAVAILABLE, and why in the log alone."""

    async def away(*_args, **_options):
        raise StoreUnavailable("the disk is full")

    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr("longwire.store.settings.StoredSettings.retention", away)
            queried = await admin.post("{ settings { turnDays } }")
        monkeypatch.setattr("longwire.store.sign_ins.SignIns.user", away)
        asked = await admin.post(VERSION)
    assert (200, 503) == (queried.status_code, asked.status_code)
    for answer in (queried, asked):
        (error,) = answer.json()["errors"]
        assert "UNAVAILABLE" == error["extensions"]["code"]
        assert "disk" not in answer.text
    assert ["store_unavailable"] * 2 == [line["event"] for line in logs]


async def dialled(caller, **given):
    """A WebSocket to the admin API."""
    url = caller.url.replace("http", "ws") + "/admin/graphql"
    headers = {name: value for name, value in caller.headers.items() if name == "cookie"}
    given = {"subprotocols": ["graphql-transport-ws"], "origin": caller.url, **given}
    return await connect(url, additional_headers=headers, **given)


async def test_another_origin_gets_no_websocket(admin):
    """A page of another origin cannot listen with the cookies of somebody who is signed in."""
    with pytest.raises(InvalidStatus) as refused:
        await dialled(admin, origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "message",
    [
        "x",
        "5",
        "{}",
        '{"type":["x"]}',
        '{"type":"subscribe","id":"1","payload":5}',
        '{"type":"subscribe","id":["1"],"payload":{"query":"{version}"}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{version}","variables":[1]}}',
        '{"type":"subscribe","id":"1","payload":{"query":5}}',
        '{"type":"ping","payload":{"x":"' + "x" * MOST_BYTES + '"}}',
    ],
)
async def test_no_message_ends_the_websocket(admin, message):
    """What is no message of the protocol closes the connection with the protocol's own code."""
    async with await dialled(admin) as wire:
        await wire.send('{"type":"connection_init"}')
        await wire.recv()
        await wire.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await wire.recv()
    assert closed.value.rcvd.code == 4400


async def test_queries_over_a_websocket_keep_the_limits(admin):
    """What is too deep over HTTP is too deep here."""
    query = (
        "subscription { sessionChanges { "
        + "changed { " * MOST_LEVELS
        + "session"
        + " }" * MOST_LEVELS
        + " } }"
    )
    async with admin.subscribed(query) as read:
        told = await read()
    assert told["payload"][0]["extensions"]["code"] == "INVALID_QUERY"
