"""Accounts in the admin API: signed in by browser, pasted address, device code and auth.json."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.quota import Quota, Window
from longwire.emulator import IssuerFault
from tests.server.admin.conftest import SQLITE

START = """
  mutation($channel: ID!, $method: CodexSignInMethod!) {
    startCodexSignIn(channelID: $channel, method: $method) {
      id method status url userCode pollSeconds expiresAt error account { id }
    }
  }
"""
FINISH = """
  mutation($id: ID!, $url: String!) {
    finishCodexSignIn(id: $id, callbackURL: $url) { status error account { email } }
  }
"""
LOOK = """
  query($id: ID!) { codexSignIn(id: $id) { status error account { id email plan status } } }
"""
CANCEL = "mutation($id: ID!) { cancelCodexSignIn(id: $id) }"
IMPORT = """
  mutation($channel: ID!, $text: String!) {
    importCodexAuth(channelID: $channel, authJSON: $text) {
      id channelID email accountID plan status problem expiresAt refreshedAt createdAt revision
      quota { plan }
    }
  }
"""
STATUS = """
  mutation($id: ID!, $revision: Int!, $status: AccountStatus!) {
    updateAccountStatus(id: $id, revision: $revision, status: $status) { status revision }
  }
"""
REFRESH = "mutation($id: ID!) { refreshAccount(id: $id) { status problem } }"
REMOVE = "mutation($id: ID!, $revision: Int!) { removeAccount(id: $id, revision: $revision) }"
ADA = "ada@example.org"


@pytest.fixture
async def channel(store):
    spec = ChannelSpec("", "codex", "codex", "https://chatgpt.com/backend-api/codex")
    return (await store.channels.create(spec, Actor("", "test"))).id


def auth_json(upstream, person=ADA):
    return json.dumps(upstream.issuer.auth_json(person))


async def sent_back(client, url):
    """The address that the issuer sends a browser to."""
    answer = await client.get(url, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def settled(admin, sign_in_id):
    """A sign-in once it is over."""
    async with asyncio.timeout(10):
        while (told := await admin.get(LOOK, id=sign_in_id))["status"] == "PENDING":
            pass
    return told


@SQLITE
async def test_a_browser_comes_back(admin, channel, client, store):
    """On the gateway's own machine a browser signs an account in without more ado."""
    begun = await admin.get(START, channel=channel, method="BROWSER")
    assert ("PENDING", "", None) == (begun["status"], begun["userCode"], begun["account"])
    place = urlsplit(await sent_back(client, begun["url"]))
    page = await client.get(f"http://127.0.0.1:{place.port}{place.path}?{place.query}")
    assert "signed in" in page.text
    told = await admin.get(LOOK, id=begun["id"])
    assert ("DONE", ADA, "plus") == (
        told["status"],
        told["account"]["email"],
        told["account"]["plan"],
    )
    (row,) = (await store.audit.page(kind="account")).items
    assert ("sign_in", "admin@example.org") == (row.action, row.actor.name)


@SQLITE
async def test_a_browser_elsewhere_is_finished_by_its_address(admin, channel, client):
    """The address that a browser ended at is as good as its coming back, once."""
    begun = await admin.get(START, channel=channel, method="BROWSER")
    place = await sent_back(client, begun["url"])
    wrong = place.replace("state=", "state=x")
    for url in (wrong, "no address at all", ""):
        told = await admin.fail(FINISH, id=begun["id"], url=url)
        assert ["callbackURL"] == [each["field"] for each in told["fields"]]
    told = await admin.get(FINISH, id=begun["id"], url=place)
    assert ("DONE", ADA) == (told["status"], told["account"]["email"])
    assert (
        "is over" in (await admin.fail(FINISH, id=begun["id"], url=place))["fields"][0]["message"]
    )


@SQLITE
async def test_a_code_of_another_proof_is_refused(admin, channel, client):
    """A code that was given for one sign-in gives nobody another one's account."""
    first = await admin.get(START, channel=channel, method="BROWSER")
    second = await admin.get(START, channel=channel, method="BROWSER")
    place = await sent_back(client, first["url"])
    state = parse_qs(urlsplit(second["url"]).query)["state"][0]
    code = parse_qs(urlsplit(place).query)["code"][0]
    stolen = f"http://localhost/auth/callback?code={code}&state={state}"
    told = await admin.get(FINISH, id=second["id"], url=stolen)
    assert ("FAILED", None) == (told["status"], told["account"])
    assert "invalid_grant" in told["error"]


@SQLITE
async def test_a_refusal_at_the_issuer_is_told(admin, channel):
    """Who says no in the browser sees why nothing came of it."""
    begun = await admin.get(START, channel=channel, method="BROWSER")
    state = parse_qs(urlsplit(begun["url"]).query)["state"][0]
    place = f"http://localhost/auth/callback?error=access_denied&state={state}"
    told = await admin.get(FINISH, id=begun["id"], url=place)
    assert ("FAILED", "The issuer refused: access_denied.") == (told["status"], told["error"])


@SQLITE
async def test_a_device_code_is_typed_elsewhere(admin, channel, client, upstream):
    """A code that somebody approves gives the account, whatever the issuer does meanwhile."""
    upstream.issuer.faults.append(IssuerFault(at="poll", status=500))
    begun = await admin.get(START, channel=channel, method="DEVICE")
    assert begun["url"].endswith("/codex/device")
    await client.post(begun["url"], data={"user_code": begun["userCode"], "email": "b@x.org"})
    told = await settled(admin, begun["id"])
    assert ("DONE", "b@x.org") == (told["status"], told["account"]["email"])


@SQLITE
async def test_a_sign_in_ends_by_itself(admin, channel, clock):
    """After fifteen minutes, or when it is cancelled, nothing comes of a sign-in any more."""
    begun = await admin.get(START, channel=channel, method="DEVICE")
    clock.now += 15 * 60_000
    assert "EXPIRED" == (await admin.get(LOOK, id=begun["id"]))["status"]
    begun = await admin.get(START, channel=channel, method="BROWSER")
    assert await admin.get(CANCEL, id=begun["id"])
    assert not await admin.get(CANCEL, id=begun["id"])
    assert "It was cancelled." == (await admin.get(LOOK, id=begun["id"]))["error"]


@SQLITE
async def test_sign_ins_are_bounded(admin, channel):
    """Nobody fills the memory with sign-ins that never end."""
    for _ in range(16):
        await admin.get(START, channel=channel, method="BROWSER")
    told = await admin.fail(START, channel=channel, method="BROWSER")
    assert "LIMIT" == told["code"]


@SQLITE
async def test_an_import_gives_an_account(admin, channel, upstream, store):
    """The content of auth.json is an account at once, and gateways take it over."""
    made = await admin.get(IMPORT, channel=channel, text=auth_json(upstream))
    assert ("ACTIVE", ADA, "plus", channel) == tuple(
        made[name] for name in ("status", "email", "plan", "channelID")
    )
    query = "query($id: ID!) { channel(id: $id) { accounts { id } } }"
    assert [made["id"]] == [each["id"] for each in (await admin.get(query, id=channel))["accounts"]]
    key = json.dumps({"OPENAI_API_KEY": "sk-planted"})
    told = await admin.get(IMPORT, channel=channel, text=key)
    assert ("api_key", "", None) == (told["plan"], told["email"], told["expiresAt"])


@SQLITE
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("planted, no JSON", "no JSON object"),
        ('{"tokens": {"access_token": "planted"}}', "no usable refresh_token"),
        ('{"tokens": {"access_token": "planted", "refresh_token": "planted"}}', "account's id"),
        ('{"OPENAI_API_KEY": null}', "neither"),
        ('{"OPENAI_API_KEY": "planted key"}', "neither"),
    ],
)
async def test_a_bad_import_is_told_at_its_field(admin, channel, text, problem):
    """What cannot be used is told with the mend, and never repeated."""
    answer = await admin.ask(IMPORT, channel=channel, text=text)
    (field,) = answer["errors"][0]["extensions"]["fields"]
    assert "authJSON" == field["field"]
    assert problem in field["message"]
    assert "planted" not in json.dumps(answer)


@SQLITE
async def test_a_declared_channel_takes_no_accounts(admin, upstream):
    """Accounts live in the database; the refusal says what to do."""
    answer = await admin.ask(IMPORT, channel="file:main", text=auth_json(upstream))
    assert "CONFLICT" == answer["errors"][0]["extensions"]["code"]
    assert "made here" in answer["errors"][0]["message"]


@SQLITE
async def test_an_account_is_switched_off_on_and_removed(admin, channel, upstream, store):
    """Each change asks for the revision seen, and is in the audit log."""
    made = await admin.get(IMPORT, channel=channel, text=auth_json(upstream))
    off = await admin.get(STATUS, id=made["id"], revision=1, status="DISABLED")
    assert {"status": "DISABLED", "revision": 2} == off
    told = await admin.fail(STATUS, id=made["id"], revision=1, status="ACTIVE")
    assert ("CONFLICT", 2) == (told["code"], told["revision"])
    await admin.get(STATUS, id=made["id"], revision=2, status="ACTIVE")
    assert await admin.get(REMOVE, id=made["id"], revision=3)
    rows = (await store.audit.page(kind="account")).items
    assert ["delete", "update", "update", "sign_in"] == [row.action for row in rows]


@SQLITE
async def test_tokens_are_renewed_on_demand(admin, channel, upstream):
    """A refresh fetches new tokens; one that the issuer refuses says why."""
    made = await admin.get(IMPORT, channel=channel, text=auth_json(upstream))
    told = await admin.get(REFRESH, id=made["id"])
    assert {"status": "ACTIVE", "problem": ""} == told
    upstream.issuer.end_all(ADA)
    answer = await admin.ask(REFRESH, id=made["id"])
    assert "UPSTREAM" == answer["errors"][0]["extensions"]["code"]
    assert "refresh_token_invalidated" in answer["errors"][0]["message"]
    query = "query { accounts { status problem } }"
    (account,) = await admin.get(query)
    assert "SIGN_IN_NEEDED" == account["status"]
    assert "refresh_token_invalidated" in account["problem"]


@SQLITE
async def test_the_quota_of_the_running_account_is_shown(admin, channel, upstream, administration):
    """What the running gateway knows is newer than the store."""
    made = await admin.get(IMPORT, channel=channel, text=auth_json(upstream))
    query = """
      query { accounts { quota {
        plan limitReached creditsLeft blockedUntil seenAt
        primary { usedPercent minutes resetsAt } secondary { usedPercent }
      } } }
    """
    assert [{"quota": None}] == await admin.get(query)
    accounts = administration.accounts
    live = accounts.take_over(await administration.store.accounts.all())[made["id"]]
    window = Window(100.0, 300, 4_102_444_800.0)
    live.quota_tracker.observe(Quota("pro", window, limit_reached=True, seen_at=1.0))
    (told,) = await admin.get(query)
    assert {
        "plan": "pro",
        "limitReached": True,
        "creditsLeft": "",
        "blockedUntil": "2100-01-01T00:00:00+00:00",
        "seenAt": "1970-01-01T00:00:01+00:00",
        "primary": {
            "usedPercent": 100.0,
            "minutes": 300,
            "resetsAt": "2100-01-01T00:00:00+00:00",
        },
        "secondary": None,
    } == told["quota"]


@SQLITE
async def test_no_token_leaves(admin, channel, upstream):
    """Whatever is asked of accounts, no part of a token is in an answer."""
    given = json.loads(auth_json(upstream))
    await admin.get(IMPORT, channel=channel, text=json.dumps(given))
    fields = "id channelID email accountID plan status problem expiresAt refreshedAt revision"
    answer = json.dumps(await admin.ask(f"query {{ accounts {{ {fields} }} }}"))
    answer += json.dumps(await admin.ask("query { audit { nodes { changes nounName } } }"))
    for name in ("access_token", "refresh_token", "id_token"):
        assert given["tokens"][name] not in answer
