"""Who comes by a provider: one user for one subject, however many come at once."""

import asyncio
from dataclasses import replace

import pytest

from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.people import User
from longwire.core.nouns.project import Project
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sign_on import Admission, Person, SignOnProblem, SignOnRefused

TEST, PASSWORD = Actor("", "test"), Secret("a long password")
ADA = Person("https://idp.example", "1", "ada@example.org", is_verified=True, name="Ada")
ALL = Admission(default_role=Role.VIEWER)
GROUPS = Admission(roles=(("ops", Role.ADMIN), ("chiefs", Role.OWNER)), default_role=Role.VIEWER)


@pytest.fixture
async def owner(store):
    """The owner, who has a password."""
    return await store.users.create(User("", "o@example.org", "", Role.OWNER), PASSWORD, TEST)


async def refused(store, person, admission):
    """Why somebody does not come in."""
    with pytest.raises(SignOnRefused) as caught:
        await store.identities.admit(person, admission, "")
    return caught.value.problem


async def test_one_subject_is_one_user(store, owner):
    """Also when it comes by several browsers for the first time at once, and with a new email."""
    async with asyncio.TaskGroup() as group:
        arrivals = [group.create_task(store.identities.admit(ADA, ALL, "")) for _ in range(4)]
    ids = {each.result()[0].id for each in arrivals}
    again, identity = await store.identities.admit(replace(ADA, email="x@example.org"), ALL, "")
    assert ids == {again.id}
    assert ("ada@example.org", "x@example.org") == (again.email, identity.email)
    assert 2 == await store.users.count()
    ways = await store.identities.ways_in([owner.id, again.id])
    assert [True, False] == [ways[each].has_password for each in (owner.id, again.id)]
    assert [identity] == list(ways[again.id].identities)


async def test_the_same_subject_of_another_issuer_is_somebody_else(store, owner):
    """Their email is taken, so they do not come in as the first."""
    await store.identities.admit(ADA, ALL, "")
    other = replace(ADA, issuer="https://evil.example")
    assert SignOnProblem.EMAIL_TAKEN == await refused(store, other, ALL)
    other = replace(other, email="other@example.org")
    user, _ = await store.identities.admit(other, ALL, "")
    assert "other@example.org" == user.email


async def test_an_email_links_where_it_is_verified_and_that_is_allowed(store, owner):
    """Else nothing changes."""
    known = replace(ADA, email="o@example.org")
    links = replace(ALL, links_by_email=True)
    assert SignOnProblem.EMAIL_TAKEN == await refused(store, known, ALL)
    unverified = replace(known, is_verified=False)
    assert SignOnProblem.EMAIL_UNVERIFIED == await refused(store, unverified, links)
    user, _ = await store.identities.admit(known, links, "")
    assert (owner.id, Role.OWNER) == (user.id, user.role)
    assert (await store.users.verify("o@example.org", PASSWORD)).id == owner.id


async def test_roles_follow_groups_but_for_the_last_owner(store, owner):
    """Up, down, and never so that nobody is an owner."""
    for groups, role in (("ops", Role.ADMIN), ("ops chiefs", Role.OWNER), ("", Role.VIEWER)):
        person = replace(ADA, groups=frozenset(groups.split()))
        user, _ = await store.identities.admit(person, GROUPS, "")
        assert role is user.role
    chief, _ = await store.identities.admit(replace(ADA, groups=frozenset({"chiefs"})), GROUPS, "")
    await store.users.delete(owner.id, owner.revision, TEST)
    kept, _ = await store.identities.admit(ADA, GROUPS, "")
    assert (chief.id, Role.OWNER) == (kept.id, kept.role)
    assert kept == await store.users.get(kept.id)


async def test_without_groups_a_role_is_what_it_was_made(store, owner):
    """The default counts for who is new alone."""
    user, _ = await store.identities.admit(ADA, ALL, "")
    await store.users.update(replace(user, role=Role.ADMIN), TEST)
    again, _ = await store.identities.admit(ADA, ALL, "")
    assert Role.ADMIN is again.role


async def test_projects_follow_groups(store, owner):
    """By name or id; what no group stands for is left alone, what is not there passed over."""
    one, two, three = [
        await store.projects.create(Project("", name), TEST) for name in ("one", "two", "three")
    ]
    mapped = (("a", "one"), ("b", two.id), ("c", "one"), ("a", "nowhere"))
    admission = replace(ALL, projects=mapped)
    for groups, expected in (("a b", {one, two}), ("c", {one}), ("", set())):
        person = replace(ADA, groups=frozenset(groups.split()))
        user, _ = await store.identities.admit(person, admission, "")
        await store.projects.add_member(three.id, user.id, TEST)
        own = await store.projects.of_user(user.id)
        assert {each.id for each in expected} | {three.id} == set(own)


async def test_the_first_user_is_an_owner(store):
    """Nobody else comes first, or nobody could ever be one."""
    assert SignOnProblem.NO_OWNER_YET == await refused(store, ADA, ALL)
    user, _ = await store.identities.admit(replace(ADA, groups=frozenset({"chiefs"})), GROUPS, "")
    assert Role.OWNER is user.role


@pytest.mark.parametrize(
    ("person", "admission", "problem"),
    [
        (replace(ADA, email=""), ALL, SignOnProblem.NO_EMAIL),
        (replace(ADA, email="no email"), ALL, SignOnProblem.NO_EMAIL),
        (ADA, replace(ALL, email_domains=("other.org",)), SignOnProblem.OTHER_DOMAIN),
        (
            replace(ADA, email="ada@evil-example.org"),
            replace(ALL, email_domains=("example.org",)),
            SignOnProblem.OTHER_DOMAIN,
        ),
        (
            replace(ADA, is_verified=False),
            replace(ALL, email_domains=("example.org",)),
            SignOnProblem.EMAIL_UNVERIFIED,
        ),
        (ADA, Admission(roles=(("ops", Role.ADMIN),)), SignOnProblem.NO_GROUP),
        (ADA, replace(ALL, creates_users=False), SignOnProblem.NO_USER),
    ],
)
async def test_who_does_not_come_in(store, owner, person, admission, problem):
    """And leaves nothing behind."""
    assert problem == await refused(store, person, admission)
    assert 1 == await store.users.count()


async def test_an_email_of_the_domain_comes_in(store, owner):
    """Whatever the case of either."""
    admission = replace(ALL, email_domains=("@Example.org",))
    user, _ = await store.identities.admit(ADA, admission, "")
    assert "ada@example.org" == user.email


@pytest.mark.parametrize("guess", ["", "!", "nobody has this password"])
async def test_who_has_no_password_comes_in_by_none(store, owner, guess):
    """Neither by what stands in its place, nor by what is compared for nobody."""
    await store.identities.admit(ADA, ALL, "")
    assert await store.users.verify("ada@example.org", Secret(guess)) is None
