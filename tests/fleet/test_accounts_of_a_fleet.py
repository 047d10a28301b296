"""Accounts that several nodes share: renewed once, whatever their clocks; signed in at any node."""

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial

import aiohttp
import pytest

from longwire.core.nouns.access import Role
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import decode_auth_json
from longwire.emulator import Emulator, IssuerFault, IssuerOptions, Options
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.store.store import now_ms, open_store
from longwire.upstream.oauth.issuer import Registration
from tests.databases import drop_postgresql_database, new_postgresql_database
from tests.doubles.fleet import ACTOR, SECRET
from tests.doubles.reverse_proxies import free_port

ADA = "ada@example.org"
SKEWS = (-60_000, 0, 60_000)
START = """mutation($channel: ID!) {
  startCodexSignIn(channelID: $channel, method: BROWSER) { id status url }
}"""
FINISH = """mutation($id: ID!, $url: String!) {
  finishCodexSignIn(id: $id, callbackURL: $url) { status error account { email } }
}"""
LOOK = "query($id: ID!) { codexSignIn(id: $id) { status account { email } } }"


@pytest.fixture
async def issuer():
    """An upstream that signs people in and counts how often it was asked for tokens."""
    async with Emulator(Options(issuer=IssuerOptions(people=(ADA,)))) as running:
        yield running


@pytest.fixture
async def database(fleet_postgresql, fleet_template):
    """The URL of a new database."""
    url = await new_postgresql_database(fleet_postgresql.url, fleet_template)
    yield url
    await drop_postgresql_database(fleet_postgresql.url, url)


async def test_nodes_whose_clocks_differ_renew_an_account_once(issuer, database, tmp_path):
    """Three nodes, one a minute behind and one before, want new tokens at once: one request."""
    issuer.issuer.faults.append(IssuerFault(at="refresh", act="delay", after_ms=500))
    async with AsyncExitStack() as stack:
        nodes = []
        for skew in SKEWS:
            clock = partial(_clock, skew)
            store = await open_store(database, Secret(SECRET), tmp_path / "none", clock)
            stack.push_async_callback(store.close)
            if not nodes:
                spec = await store.channels.create(ChannelSpec("", "c", "codex"), ACTOR)
                login = decode_auth_json(json.dumps(issuer.issuer.auth_json(ADA)))
                account = await store.accounts.sign_in(spec.id, login, ACTOR)
            issuers = Issuers(Registration(issuer.url), clock, store.channels)
            accounts = LiveAccounts(store.accounts, issuers, clock)
            await stack.enter_async_context(accounts.running())
            accounts.take_over(await store.accounts.all())
            nodes.append(accounts)
        live = [each.find(account.id) for each in nodes]
        async with asyncio.TaskGroup() as group:
            for each, one in zip(nodes, live, strict=True):
                group.create_task(each.renew(one))
                await asyncio.sleep(0.1)  # who is behind comes first: its lease ended long ago
    assert 1 == issuer.issuer.counters["refresh"]
    assert 1 == len({one.account.tokens.access.reveal() for one in live})
    assert [True] * 3 == [one.account.is_active for one in live]


def _clock(skew: int) -> int:
    return now_ms() + skew


async def test_a_sign_in_may_begin_at_one_node_and_end_at_another(issuer, fleet_of):
    """The browser's address is pasted at a node that did not begin it: the account is there."""
    tables = f'[codex]\nissuer = "{issuer.url}"\nredirect_port = {free_port()}\n'
    async with fleet_of(tables, count=2) as fleet, aiohttp.ClientSession() as client:
        first, second = fleet.nodes
        async with fleet.store() as store:
            url = f"{issuer.url}/backend-api/codex"
            spec = await store.channels.create(ChannelSpec("", "codex", "codex", url), ACTOR)
            owner = User("", "owner@example.org", "Owner", Role.OWNER)
            user = await store.users.create(owner, Secret("correct horse battery"), ACTOR)
            token = (await store.sign_ins.begin(user.id)).reveal()
        ask = partial(_ask, client, token)
        begun = await ask(first.url, START, channel=spec.id)
        async with client.get(begun["url"], allow_redirects=False) as answer:
            place = answer.headers["location"]
        finished = await ask(second.url, FINISH, id=begun["id"], url=place)
        seen = await ask(first.url, LOOK, id=begun["id"])
    assert ("DONE", ADA) == (finished["status"], finished["account"]["email"])
    assert ("DONE", ADA) == (seen["status"], seen["account"]["email"])


async def _ask(client: aiohttp.ClientSession, token: str, node: str, query: str, /, **variables):
    """What the admin API of a node answers to who has this token."""
    headers = {"origin": node, "x-longwire-csrf": "1", "cookie": f"__Host-longwire={token}"}
    body = {"query": query, "variables": variables}
    async with client.post(f"{node}/admin/graphql", json=body, headers=headers) as answer:
        content = await answer.json()
    assert "errors" not in content, content
    (value,) = content["data"].values()
    return value
