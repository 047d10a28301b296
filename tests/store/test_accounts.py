import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.account import AccountStatus, Login, Owner, Tokens
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.quota import Quota, Window
from longwire.core.nouns.secret import Secret
from longwire.store.accounts import Accounts
from longwire.store.database import Database
from longwire.store.rotation import rotate_secret
from longwire.store.secrets import Vault, read_master_keys
from longwire.store.tables import accounts


def login(number=1, email="ada@example.org", account_id="acct-1"):
    tokens = Tokens(
        Secret(f"access-{number}"),
        Secret(f"refresh-{number}"),
        Secret(f"identity-{number}"),
        1_790_000_900_000,
    )
    return Login(tokens, Owner(email, account_id, "plus"), 1_790_000_000_000)


@pytest.fixture
async def channel(store, actor):
    spec = ChannelSpec("", "codex", "codex", "https://chatgpt.com/backend-api/codex")
    return await store.channels.create(spec, actor)


@pytest.fixture
async def account(store, channel, actor):
    return await store.accounts.sign_in(channel.id, login(), actor)


async def test_an_account_comes_back_as_it_was_signed_in(store, channel, account):
    """Tokens, owner and times survive the table; gateways are told to take it over."""
    held = await store.accounts.get(account.id)
    assert account == held
    assert (login().tokens, login().owner) == (held.tokens, held.owner)
    assert (account,) == await store.accounts.all(channel.id)
    assert () == await store.accounts.all("ch_other")
    assert 3 == await store.configuration_revision()


async def test_no_token_stands_readable_in_the_table(store, account):
    """A stolen database shows whose account it is, and none of its tokens."""
    async with store.database.read() as connection:
        row = (await connection.execute(select(accounts))).one()
    stored = b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
    tokens = login().tokens
    texts = [each.reveal().encode() for each in (tokens.access, tokens.refresh, tokens.identity)]
    assert [] == [text for text in texts if text in stored]


async def test_signing_in_again_heals_an_account(store, channel, account, actor):
    """The same person's account gets the new tokens and works again; another's is another one."""
    await store.accounts.end(account, "The issuer says so.")
    again = await store.accounts.sign_in(channel.id, login(2), actor)
    assert (account.id, AccountStatus.ACTIVE, "") == (again.id, again.status, again.problem)
    assert "access-2" == again.tokens.access.reveal()
    other = await store.accounts.sign_in(channel.id, login(3, email="bob@example.org"), actor)
    assert other.id != account.id


async def test_only_codex_channels_have_accounts(store, actor):
    """A channel of another type, or one that is not there, takes no account."""
    spec = ChannelSpec("", "openai", credential=Secret("sk-1"))
    openai = await store.channels.create(spec, actor)
    with pytest.raises(InvalidFields, match="has no accounts"):
        await store.accounts.sign_in(openai.id, login(), actor)
    with pytest.raises(NotFound):
        await store.accounts.sign_in("file:codex", login(), actor)


async def test_one_of_many_gets_the_lease(store, account):
    """Of ten that want to renew the same tokens at once, one may."""
    async with asyncio.TaskGroup() as group:
        claims = [
            group.create_task(store.accounts.claim(account, f"holder-{n}", 15_000))
            for n in range(10)
        ]
    assert 1 == sum(claim.result() for claim in claims)


async def test_a_lease_ends_by_itself(store, account):
    """Who was killed with the lease stands in nobody's way for long."""
    assert await store.accounts.claim(account, "killed", 60_000)
    assert not await store.accounts.claim(account, "next", 60_000)
    async with store.database.write() as connection:
        past = accounts.c.lease_until - 60_000
        await connection.execute(update(accounts).values(lease_until=past))
    assert await store.accounts.claim(account, "next", 60_000)


async def test_a_lease_goes_by_the_clock_of_the_database(store, account, clock, database_url):
    """A gateway whose own clock is a minute ahead or behind takes it no sooner and no later."""
    assert await store.accounts.claim(account, "first", 30_000)
    other = Database(database_url)
    for skew in (-60_000, 60_000, 10**12):
        wrong = Accounts(other, store.vault, lambda skew=skew: clock() + skew)
        assert not await wrong.claim(account, "other", 30_000)
        assert not await wrong.claim(account, "other", 30_000)
    await other.close()


async def test_a_lease_is_given_back_by_its_holder_alone(store, account):
    """Somebody whose lease ran out does not take away that of the next one."""
    assert await store.accounts.claim(account, "mine", 15_000)
    await store.accounts.release(account, "other")
    assert not await store.accounts.claim(account, "third", 15_000)
    await store.accounts.release(account, "mine")
    assert await store.accounts.claim(account, "third", 15_000)


async def test_the_first_new_tokens_win(store, account):
    """Tokens replace those they came for, once; who comes late is told the ones that hold."""
    first = await store.accounts.renew(account, login(2))
    late = await store.accounts.renew(account, login(3))
    assert first == late
    assert ("access-2", 2) == (late.tokens.access.reveal(), late.tokens_revision)
    assert account.revision == late.revision
    assert not await store.accounts.claim(account, "behind", 15_000)


async def test_an_end_that_comes_late_ends_nothing(store, account):
    """A refusal of old tokens says nothing of those that another process has stored since."""
    await store.accounts.renew(account, login(2))
    assert (await store.accounts.end(account, "Used twice.")).is_active
    held = await store.accounts.get(account.id)
    ended = await store.accounts.end(held, "Used twice.")
    assert (AccountStatus.SIGN_IN_NEEDED, "Used twice.") == (ended.status, ended.problem)


async def test_status_and_removal_ask_for_the_revision(store, account, actor):
    """What somebody else changed meanwhile is not overwritten."""
    made = await store.accounts.set_status(account.id, 1, AccountStatus.DISABLED, actor)
    assert AccountStatus.DISABLED == made.status
    with pytest.raises(Conflict):
        await store.accounts.set_status(account.id, 1, AccountStatus.ACTIVE, actor)
    with pytest.raises(Conflict):
        await store.accounts.remove(account.id, 1, actor)
    await store.accounts.remove(account.id, 2, actor)
    with pytest.raises(NotFound):
        await store.accounts.get(account.id)


async def test_an_account_that_ended_is_not_switched_on(store, account, actor):
    """New tokens are the only way back; the status that says so is nobody's to set."""
    ended = await store.accounts.end(account, "Used twice.")
    with pytest.raises(InvalidFields, match=r"Used twice\. Sign in again"):
        await store.accounts.set_status(ended.id, ended.revision, AccountStatus.ACTIVE, actor)
    status = AccountStatus.SIGN_IN_NEEDED
    with pytest.raises(InvalidFields, match="must be active or disabled"):
        await store.accounts.set_status(ended.id, ended.revision, status, actor)


async def test_the_quota_is_kept(store, account):
    """What was known of a quota is known after a restart."""
    quota = Quota("plus", Window(40, 300, 1.5), None, True, "5", 1.0, 9.5)
    await store.accounts.save_quota(account.id, quota)
    assert replace(account, quota=quota) == await store.accounts.get(account.id)


async def test_a_quota_that_cannot_be_read_is_not_known(store, account):
    """An account whose row another version wrote otherwise is there all the same."""
    window = Window("40%", 300, 1.5)
    await store.accounts.save_quota(account.id, Quota("plus", window, None, True, "5", 1.0, 9.5))
    assert replace(account, quota=Quota()) == await store.accounts.get(account.id)


async def test_accounts_go_with_their_channel(store, channel, account, actor):
    """Deleting a channel forgets the tokens of its accounts."""
    await store.channels.delete(channel.id, channel.revision, actor)
    assert () == await store.accounts.all()


async def test_every_change_is_in_the_audit_log(store, account, actor):
    """Who signed in, disabled and removed an account can be read, its tokens cannot."""
    await store.accounts.set_status(account.id, 1, AccountStatus.DISABLED, actor)
    await store.accounts.remove(account.id, 2, actor)
    rows = (await store.audit.page(kind="account")).items
    assert ["delete", "update", "sign_in"] == [row.action for row in rows]
    assert {"status": ["active", "disabled"]} == rows[1].changes
    assert "refresh-1" not in str(rows)


async def test_a_new_master_key_reseals_the_tokens(store, account, tmp_path):
    """After a rotation the new key alone opens them."""
    path = tmp_path / "secret.key"
    await rotate_secret(store.database, Secret(""), path)
    newest = Vault(read_master_keys(Secret(""), path)[:1])
    async with store.database.read() as connection:
        row = (await connection.execute(select(accounts))).one()
    opened = newest.open(row.refresh_token, f"accounts.refresh_token:{account.id}")
    assert b"refresh-1" == opened
