import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.people import User, UserStatus
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Audit
from longwire.store.invitations import LIFETIME_MS, Invitations
from longwire.store.passwords import Passwords
from longwire.store.projects import Projects
from longwire.store.schema import metadata
from longwire.store.sign_ins import LIFETIME_MS as SIGN_IN_MS
from longwire.store.sign_ins import SignIns
from longwire.store.users import Users

PASSWORD = Secret("planted-password")


class Counting(PasswordHasher):
    """A real hasher, cheap, that counts what it verified."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, kept, password):
        self.verified += 1
        return super().verify(kept, password)


@pytest.fixture
def hasher():
    return Counting()


@pytest.fixture
def users(database, clock, hasher):
    return Users(database, clock, Passwords(hasher))


@pytest.fixture
def sign_ins(database, clock):
    return SignIns(database, clock)


@pytest.fixture
def invitations(database, clock, users):
    return Invitations(database, clock, users)


def somebody(email="ada@example.org", role=Role.OWNER):
    return User("", email, "Ada", role)


async def test_the_life_of_a_user(users, actor, clock):
    """Made, changed and deleted, a user is at each time what was last said."""
    await users.create(somebody("first@example.org"), PASSWORD, actor)
    made = await users.create(somebody(" Ada@Example.org"), PASSWORD, actor)
    expected = User(made.id, "ada@example.org", "Ada", Role.OWNER, created_at=clock.now, revision=1)
    assert expected == made == await users.get(made.id) == await users.find("ADA@example.org")
    changed = await users.update(replace(made, name="A.", role=Role.VIEWER), actor)
    assert replace(made, name="A.", role=Role.VIEWER, revision=2) == changed
    assert [changed] == [u for u in (await users.page()).items if u.id == made.id]
    await users.delete(made.id, 2, actor)
    with pytest.raises(NotFound):
        await users.get(made.id)
    with pytest.raises(NotFound):
        await users.find("ada@example.org")
    assert 1 == await users.count()


@pytest.mark.parametrize(
    ("field", "changes", "password"),
    [
        ("email", {"email": "nobody"}, "long enough"),
        ("email", {"email": "a b@c"}, "long enough"),
        ("email", {"email": "a" * 250 + "@c.de"}, "long enough"),
        ("name", {"name": "n" * 101}, "long enough"),
        ("name", {"name": "a\0"}, "long enough"),
        ("password", {}, "123456789"),
        ("password", {}, "p" * 1025),
    ],
)
async def test_bad_fields_are_told(users, actor, field, changes, password):
    """What a user or a password may not be is told by its field, and nobody is made."""
    with pytest.raises(InvalidFields) as caught:
        await users.create(replace(somebody(), **changes), Secret(password), actor)
    assert [field] == [problem.field for problem in caught.value.problems]
    assert password not in str(caught.value)
    assert 0 == await users.count()


async def test_an_email_belongs_to_one_user(users, actor):
    """An email that is taken is told as such, for a new user and for a change."""
    await users.create(somebody(), PASSWORD, actor)
    other = await users.create(somebody("bob@example.org"), PASSWORD, actor)
    with pytest.raises(Conflict, match=r"'ada@example\.org' already"):
        await users.create(somebody(), PASSWORD, actor)
    with pytest.raises(Conflict, match=r"'ada@example\.org' already"):
        await users.update(replace(other, email="ada@example.org"), actor)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await users.update(replace(other, revision=5), actor)


async def test_there_is_always_an_owner(users, actor):
    """The last active owner can be neither demoted, disabled nor deleted."""
    ada = await users.create(somebody(), PASSWORD, actor)
    await users.create(somebody("bob@example.org", Role.ADMIN), PASSWORD, actor)
    for attempt in (
        users.update(replace(ada, role=Role.ADMIN), actor),
        users.update(replace(ada, status=UserStatus.DISABLED), actor),
        users.delete(ada.id, 1, actor),
    ):
        with pytest.raises(Conflict, match="last active owner"):
            await attempt
    await users.create(somebody("eve@example.org"), PASSWORD, actor)
    await users.delete(ada.id, 1, actor)


async def test_owners_do_not_demote_each_other_at_once(users, actor):
    """Of those who leave at the same time one is the last and stays, and none waits crosswise."""
    names = "abcdef"
    owners = [
        await users.create(somebody(f"{name}@example.org"), PASSWORD, actor) for name in names
    ]

    async def demote(user):
        try:
            await users.update(replace(user, role=Role.VIEWER), actor)
        except Conflict:
            return 1
        return 0

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(demote(user)) for user in owners]
    assert 1 == sum(task.result() for task in tasks)


async def test_a_wrong_email_costs_what_a_wrong_password_costs(users, actor, hasher):
    """Each attempt verifies one hash, whoever it is for, and tells nothing but no."""
    made = await users.create(somebody(), PASSWORD, actor)
    gone = await users.create(somebody("off@example.org"), PASSWORD, actor)
    await users.update(replace(gone, status=UserStatus.DISABLED), actor)
    assert made == await users.verify("ADA@example.org", PASSWORD)
    for email, password in (
        ("ada@example.org", Secret("another password")),
        ("nobody@example.org", PASSWORD),
        ("nobody@example.org", Secret("nobody has this password")),
        ("off@example.org", PASSWORD),
        ("ada@example.org", Secret("\ud800" * 10)),
    ):
        before = hasher.verified
        assert await users.verify(email, password) is None
        assert 1 == hasher.verified - before


async def test_a_sign_in_lasts_while_it_is_used(users, sign_ins, actor, clock):
    """A token is good for two weeks from its last use, and no longer."""
    made = await users.create(somebody(), PASSWORD, actor)
    token = (await sign_ins.begin(made.id, "192.0.2.1", "x" * 999)).reveal()
    signed_in = await sign_ins.user(token)
    assert replace(made, last_sign_in_at=clock.now) == signed_in
    for _ in range(3):
        clock.now += SIGN_IN_MS - 1
        assert signed_in == await sign_ins.user(token)
    clock.now += SIGN_IN_MS
    assert await sign_ins.user(token) is None
    assert await sign_ins.user("invented") is None


async def test_sign_ins_end(users, sign_ins, actor):
    """By signing out, by a new password, by being disabled: the token is no longer good."""
    await users.create(somebody("boss@example.org"), PASSWORD, actor)
    made = await users.create(somebody(), PASSWORD, actor)
    first, second = [(await sign_ins.begin(made.id)).reveal() for _ in range(2)]
    await sign_ins.end(first)
    assert await sign_ins.user(first) is None
    assert await sign_ins.user(second) is not None
    with pytest.raises(Conflict, match="changed meanwhile"):
        await users.set_password(made.id, Secret("another password"), actor, 7)
    changed = await users.set_password(made.id, Secret("another password"), actor, 1)
    assert await sign_ins.user(second) is None
    assert await users.verify(made.email, PASSWORD) is None
    assert await users.verify(made.email, Secret("another password")) is not None
    third = (await sign_ins.begin(made.id)).reveal()
    await users.update(replace(changed, status=UserStatus.DISABLED), actor)
    assert await sign_ins.user(third) is None


async def test_the_first_owner_comes_in_by_a_token_once(users, invitations):
    """Of many who use the setup token at once, one becomes the owner; then it is over."""
    await invitations.open_setup()
    old = await invitations.open_setup()
    token = (await invitations.open_setup()).reveal()
    with pytest.raises(InvalidFields, match="token: is not good"):
        await invitations.accept(old.reveal(), somebody(), PASSWORD)

    async def come(name):
        who = somebody(f"{name}@example.org", Role.VIEWER)
        try:
            return await invitations.accept(token, who, PASSWORD, "192.0.2.7")
        except InvalidFields:
            return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(come(name)) for name in "abc"]
    (owner,) = [task.result() for task in tasks if task.result()]
    assert (Role.OWNER, 1) == (owner.role, await users.count())
    assert await invitations.open_setup() is None
    assert () == (await invitations.page()).items


async def test_several_first_starts_at_once_agree_on_one_token(invitations):
    """Of the tokens that gateways print at the same time, the last is good and none fails."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(invitations.open_setup()) for _ in range(6)]
    refused = 0
    for number, task in enumerate(tasks):
        try:
            token = task.result().reveal()
            await invitations.accept(token, somebody(f"{number}@example.org"), PASSWORD)
        except InvalidFields:
            refused += 1
    assert 5 == refused


async def test_an_invitation_makes_a_user_with_its_role(users, invitations, actor, database, clock):
    """Who accepts gets the role and the project, by themselves alone, and once."""
    project = (await Projects(database, clock).all())[0].id
    issued = await invitations.create(Role.VIEWER, actor, "Eve@example.org", project)
    assert (issued.invitation,) == (await invitations.page()).items
    token = issued.token.reveal()
    with pytest.raises(InvalidFields, match=r"for eve@example\.org"):
        await invitations.accept(token, somebody(), PASSWORD)
    eve = await invitations.accept(token, somebody("eve@example.org"), PASSWORD)
    assert Role.VIEWER == eve.role
    assert (project,) == await Projects(database, clock).of_user(eve.id)
    with pytest.raises(InvalidFields, match="token: is not good"):
        await invitations.accept(token, somebody("eve2@example.org"), PASSWORD)
    created = (await Audit(database, int).page(kind="user")).items
    assert Actor(eve.id, eve.email, "") == created[0].actor


async def test_an_invitation_ends(invitations, actor, clock):
    """Taken back or too old, an invitation lets nobody in."""
    first = await invitations.create(Role.ADMIN, actor)
    await invitations.revoke(first.invitation.id, actor)
    second = await invitations.create(Role.ADMIN, actor)
    clock.now += LIFETIME_MS
    for issued in (first, second):
        with pytest.raises(InvalidFields, match="token: is not good"):
            await invitations.accept(issued.token.reveal(), somebody(), PASSWORD)
    assert () == (await invitations.page()).items
    for unknown in (first.invitation.id, "setup"):
        with pytest.raises(NotFound):
            await invitations.revoke(unknown, actor)


async def test_an_invitation_that_cannot_be_is_refused(users, invitations, actor):
    """A bad or taken email and an unknown project are told by their fields."""
    await users.create(somebody(), PASSWORD, actor)
    for field, email, project in (
        ("email", "nobody", None),
        ("email", "ada@example.org", None),
        ("projectID", "", "prj_none"),
    ):
        with pytest.raises(InvalidFields, match=field):
            await invitations.create(Role.VIEWER, actor, email, project)
    assert () == (await invitations.page()).items


async def test_a_stolen_database_tells_no_password_or_token(
    users, sign_ins, invitations, actor, database
):
    """Passwords, cookie tokens and invitations are in no row."""
    setup = await invitations.open_setup()
    made = await users.create(somebody(), PASSWORD, actor)
    tokens = [
        setup,
        await sign_ins.begin(made.id),
        (await invitations.create(Role.VIEWER, actor)).token,
        PASSWORD,
    ]
    async with database.read() as connection:
        told = [
            repr(cell)
            for table in metadata.sorted_tables
            for row in (await connection.execute(select(table))).all()
            for cell in row
        ]
    assert not [text for text in told for token in tokens if token.reveal() in text]
