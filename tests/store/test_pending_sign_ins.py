"""Sign-ins under way: any node finds them, one finishes them, and no proof stands readable."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.pending_sign_in import PendingSignIn
from longwire.core.nouns.secret import Secret
from longwire.store.database import Database
from longwire.store.pending_sign_ins import PendingSignIns
from longwire.store.tables import pending_sign_ins

PROOF = '{"state": "s1", "verifier": "v-e-r-i-f-i-e-r"}'


@pytest.fixture
async def sign_in(store, actor, clock):
    """One that this node began."""
    spec = ChannelSpec("", "codex", "codex", "https://chatgpt.com/backend-api/codex")
    channel = await store.channels.create(spec, actor)
    return PendingSignIn(
        "s1", channel.id, "lw-0", actor, "browser", Secret(PROOF), clock() + 900_000, "pending"
    )


@pytest.fixture
async def elsewhere(store, database_url):
    """The sign-ins as another node sees them, over a database of its own."""
    database = Database(database_url)
    yield PendingSignIns(database, store.vault)
    await database.close()


async def test_it_is_found_on_another_node(store, sign_in, elsewhere):
    """Whole, with what proves it."""
    await store.pending_sign_ins.add(sign_in)
    assert sign_in == await elsewhere.find("s1")
    assert PROOF == (await elsewhere.find("s1")).proof.reveal()
    assert await elsewhere.find("s2") is None


async def test_of_two_nodes_one_finishes_it(store, sign_in, elsewhere):
    """Whoever leaves its stage first; the other is refused and changes nothing."""
    await store.pending_sign_ins.add(sign_in)
    done = replace(sign_in, stage="done", account_id="acc_1", proof=Secret(""))
    failed = replace(sign_in, stage="failed", error="The issuer refused.")
    assert await elsewhere.update(done, was="pending")
    assert not await store.pending_sign_ins.update(failed, was="pending")
    assert done == await store.pending_sign_ins.find("s1")


async def test_no_proof_stands_readable_in_the_table(store, sign_in):
    """A stolen database finishes no sign-in."""
    await store.pending_sign_ins.add(sign_in)
    async with store.database.read() as connection:
        row = (await connection.execute(select(pending_sign_ins))).one()
    stored = b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
    assert (False, False) == (b"v-e-r" in stored, PROOF.encode() in stored)


async def test_what_expired_is_swept(store, sign_in):
    """And nothing else; what expired counts no more before."""
    later = replace(sign_in, id="s2", expires_at=sign_in.expires_at + 1)
    rows = store.pending_sign_ins
    for each in (sign_in, later, replace(later, id="s3", stage="done")):
        await rows.add(each)
    assert [2, 1] == [await rows.count({"pending"}, sign_in.expires_at - ms) for ms in (1, 0)]
    assert 1 == await rows.sweep(later.expires_at)
    assert [None, later] == [await rows.find(each) for each in ("s1", "s2")]


async def test_it_goes_with_its_channel(store, sign_in, actor):
    """A channel that is removed leaves none behind, and gets no new one."""
    await store.pending_sign_ins.add(sign_in)
    channel = await store.channels.get(sign_in.channel_id)
    await store.channels.delete(channel.id, channel.revision, actor)
    assert await store.pending_sign_ins.find(sign_in.id) is None
    with pytest.raises(IntegrityError):
        await store.pending_sign_ins.add(sign_in)
