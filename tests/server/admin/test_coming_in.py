"""Coming in over GraphQL: the first owner, an invitation, a password; cookies and other pages."""

from dataclasses import replace
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from longwire.core.nouns.access import Role
from longwire.server.admin.gate import is_same
from tests.server.admin.conftest import PASSWORD, Caller, serving_admin

JOIN = """
  mutation($token: String!, $email: String!) {
    join(input: {token: $token, email: $email, password: "a long password"}) { id role }
  }
"""
SIGN_IN = """
  mutation($email: String!, $password: String!) {
    signIn(input: {email: $email, password: $password}) { email }
  }
"""
INVITE = "mutation { inviteUser(input: {role: VIEWER}) { token } }"
UPDATE = """
  mutation($id: ID!, $revision: Int!, $input: UpdateUserInput!) {
    updateUser(id: $id, revision: $revision, input: $input) { name role status revision }
  }
"""
DELETE = "mutation($id: ID!, $revision: Int!) { deleteUser(id: $id, revision: $revision) }"
ME = "{ me { user { email role } } }"


def cookie_of(answer):
    """The only cookie that an answer sets."""
    (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return cookie


async def test_the_whole_life_of_a_user(nobody, url, client, store):
    """The first owner comes by the token, invites, changes, and at last deletes somebody."""
    assert await nobody.get("{ setupIsNeeded }") is True
    token = (await store.invitations.open_setup()).reveal()
    answer = await nobody.post(JOIN, token=token, email="ada@example.org")
    assert answer.json()["data"]["join"]["role"] == "OWNER"
    owner = Caller(url, client, cookie_of(answer).value)
    assert await owner.get(ME) == {"user": {"email": "ada@example.org", "role": "OWNER"}}
    assert await nobody.get("{ setupIsNeeded }") is False

    invited = (await owner.get(INVITE))["token"]
    guest = await nobody.get(JOIN, token=invited, email="bob@example.org")
    assert guest["role"] == "VIEWER"
    assert (await nobody.fail(JOIN, token=invited, email="eve@example.org"))["code"] == "INVALID"

    seen = {"id": guest["id"], "revision": 1}
    changed = await owner.get(UPDATE, **seen, input={"name": "Bob", "status": "DISABLED"})
    assert changed == {"name": "Bob", "role": "VIEWER", "status": "DISABLED", "revision": 2}
    refused = await nobody.fail(SIGN_IN, email="bob@example.org", password="a long password")
    assert refused["code"] == "INVALID"
    assert (await owner.fail(UPDATE, **seen, input={"name": "B"}))["revision"] == 2
    assert await owner.get(DELETE, id=guest["id"], revision=2) is True


@pytest.mark.parametrize("insecure", [True, False])
async def test_the_flags_of_the_cookie(insecure, administration, store, client, signed_in):
    """No script reads it, no other site sends it along; without HTTPS alone it is not Secure."""
    await signed_in(Role.VIEWER)
    async with serving_admin(replace(administration, insecure_cookies=insecure)) as url:
        caller = Caller(url, client)
        given = {"email": "viewer@example.org", "password": PASSWORD.reveal()}
        cookie = cookie_of(await caller.post(SIGN_IN, **given))
    assert cookie.key == ("longwire" if insecure else "__Host-longwire")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert (cookie["secure"] or False, cookie["domain"]) == (not insecure, "")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-longwire-csrf": ""},
        {"x-longwire-csrf": "0"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://["},
    ],
)
async def test_no_other_page_does_anything(headers, admin, store):
    """Without the header, or from another origin, the cookie is worth nothing."""
    admin.headers |= headers
    answer = await admin.post('mutation { createProject(input: {name: "x"}) { id } }')
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (403, "FORBIDDEN")
    assert [project.name for project in await store.projects.all()] == ["Default"]


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("https://gw.example", "gw.example", True),
        ("https://gw.example", "gw.example:443", True),
        ("http://gw.example:80", "gw.example", True),
        ("https://GW.example:8443", "gw.example:8443", True),
        ("https://[::1]:8443", "[::1]:8443", True),
        ("https://[::1]", "[::1]:443", True),
        ("https://gw.example:8443", "gw.example", False),
        ("https://gw.example", "gw.example:80", False),
        ("https://gw.example.evil", "gw.example", False),
        ("null", "", False),
    ],
)
def test_an_origin_is_that_of_its_host_with_the_port_it_has(origin, host, expected):
    """The usual port of a scheme may be written or left out, on either side."""
    assert expected == is_same(origin, host)


async def test_a_host_whose_port_a_proxy_cut_is_known_by_the_header(admin):
    """The page's own POST is let in, and from then on its WebSocket; no other page's ever is."""
    own, evil = {"origin": "http://127.0.0.1:8443"}, {"origin": "http://evil.example:8443"}
    cut = {"host": "127.0.0.1"}
    port = urlsplit(admin.url).port

    async def listens(headers):
        options = {"subprotocols": ["graphql-transport-ws"], "port": port, "proxy": None}
        options["additional_headers"] = {"cookie": admin.headers["cookie"]}
        try:
            async with connect("ws://127.0.0.1/admin/graphql", **headers, **options):
                return True
        except InvalidStatus:
            return False

    assert not await listens(own)
    admin.headers |= {**own, **cut}
    assert 200 == (await admin.post("{ version }")).status_code
    assert await listens(own)
    assert not await listens(evil)
    admin.headers |= evil
    answer = await admin.post("{ version }")
    (error,) = answer.json()["errors"]
    assert ("FORBIDDEN", "origin") == tuple(error["extensions"][n] for n in ("code", "reason"))
    assert "Host $http_host" in error["message"]


async def test_who_signed_out_is_out(admin):
    """The cookie is taken back, and its copy opens nothing."""
    answer = await admin.post("mutation { signOut }")
    assert (cookie_of(answer).value, cookie_of(answer)["max-age"]) == ("", "0")
    assert await admin.get(ME) is None
    assert (await admin.fail("{ version }"))["code"] == "UNAUTHENTICATED"


async def test_guessing_is_slowed(nobody, signed_in):
    """After some wrong passwords there is a pause, with its length."""
    await signed_in(Role.VIEWER)
    given = {"email": "viewer@example.org", "password": "wrong"}
    codes = []
    while len(codes) < 30 and "LIMIT" not in codes:
        told = await nobody.ask(SIGN_IN, **given)
        codes.append(told["errors"][0]["extensions"]["code"])
    assert set(codes[:-1]) == {"INVALID"}
    assert codes[-1] == "LIMIT"
    assert told["errors"][0]["extensions"]["retryAfter"] > 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "no address", "password": "long enough"}, "email"),
        ({"email": "a@example.org", "password": "short"}, "password"),
        ({"email": "a@example.org", "password": "long enough", "name": "\n"}, "name"),
    ],
)
async def test_bad_users_are_refused_by_field(given, field, admin, store):
    """The field is named, and nobody is made."""
    query = "mutation($input: CreateUserInput!) { createUser(input: $input) { id } }"
    refused = await admin.fail(query, input={"role": "VIEWER", **given})
    assert [each["field"] for each in refused["fields"]] == [field]
    assert await store.users.count() == 1
