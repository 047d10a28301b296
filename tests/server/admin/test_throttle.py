"""Who guesses is slowed, whoever else signs in is not: over GraphQL."""

import asyncio

from longwire.core.nouns.access import Role
from longwire.fleet.throttle import MOST_HERE
from tests.server.admin.conftest import PASSWORD, SQLITE

SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { email } }"
JOIN = "mutation($input: JoinInput!) { join(input: $input) { email } }"


@SQLITE
async def test_guesses_at_once_are_as_many(nobody, signed_in):
    """Eighty wrong passwords sent together are counted before any of them is looked at."""
    await signed_in(Role.OWNER)
    wrong = {"email": "owner@example.org", "password": "not the password"}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(nobody.fail(SIGN_IN, input=wrong)) for _ in range(40)]
    codes = [task.result()["code"] for task in tasks]
    assert (MOST_HERE, 40 - MOST_HERE) == (codes.count("INVALID"), codes.count("LIMIT"))


@SQLITE
async def test_bad_tokens_lock_nobody_out(nobody, store):
    """After many tries with invented tokens a good one still lets its bearer in."""
    token = await store.invitations.open_setup()
    given = {"email": "ada@example.org", "password": PASSWORD.reveal()}
    for number in range(2 * MOST_HERE):
        told = await nobody.fail(JOIN, input={**given, "token": f"invented {number}"})
        assert "INVALID" == told["code"]
    made = await nobody.get(JOIN, input={**given, "token": token.reveal()})
    assert {"email": "ada@example.org"} == made


@SQLITE
async def test_the_cookie_lasts_from_its_last_use(viewer):
    """Asking who one is renews the cookie for as long as the sign-in lasts."""
    answer = await viewer.post("{ me { user { email } } }")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert viewer.headers["cookie"] == cookie.partition(";")[0]
    assert f"Max-Age={14 * 86_400}" in cookie
