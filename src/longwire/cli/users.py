"""`longwire users`: who may sign in to the admin side."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli import fields, invitations
from longwire.cli.fields import Sets
from longwire.cli.invitations import RoleName
from longwire.cli.store import AsJson, Config, every, operator, with_store
from longwire.cli.tables import say, show, show_json, show_table, time_text
from longwire.core.nouns.access import Role
from longwire.core.nouns.people import User, UserStatus
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.store.identities import WaysIn
    from longwire.store.store import Store

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="What they sign in with.")]
FullName = Annotated[str, typer.Option("--name", help="What they are called.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")]
_TITLES = ("email", "name", "role", "status", "signs in by", "last sign-in", "id")


def build() -> typer.Typer:
    """The commands below `longwire users`."""
    commands = typer.Typer(help="Make users, help them in, and out.", no_args_is_help=True)
    for command in (create, list_, edit, disable, enable, passwd, delete):
        commands.command(command.__name__.rstrip("_"))(command)
    commands.command("invite")(invitations.invite)
    commands.command("invitations")(invitations.list_)
    commands.command("revoke-invitation")(invitations.revoke)
    return commands


def create(
    email: Email,
    role: RoleName = None,
    name: FullName = "",
    from_stdin: FromStdin = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a user. The password is asked for, or read from stdin."""
    wanted, password = fields.role(role), _password(from_stdin)

    async def work(store: "Store") -> User:
        otherwise = Role.VIEWER if await store.users.count() else Role.OWNER
        user = User("", email, name, wanted or otherwise)
        return await store.users.create(user, password, operator())

    user = with_store(config, work, creates=True)
    _tell(user, as_json)
    if user.role is Role.MEMBER:
        mend = f"put them into a project: longwire projects add-user PROJECT {user.email}"
        say(f"{user.email} makes keys in their projects alone; {mend}", err=True)


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all users."""
    users, ways = with_store(config, _with_ways_in)
    if as_json:
        show_json([{**asdict(u), "signs_in_by": _ways(ways[u.id])} for u in users])
        return
    rows = (
        (
            *(u.email, u.name, u.role.value, u.status.value, ", ".join(_ways(ways[u.id]))),
            *(time_text(u.last_sign_in_at), u.id),
        )
        for u in users
    )
    show_table(_TITLES, rows, "no users yet; make the owner: longwire users create EMAIL")


async def _with_ways_in(store: "Store") -> "tuple[list[User], Mapping[str, WaysIn]]":
    users = await every(store.users.page)
    return users, await store.identities.ways_in([each.id for each in users])


def _ways(found: "WaysIn") -> list[str]:
    """Return how somebody signs in: by a password, by the issuers that know them."""
    by_password = ["password"] if found.has_password else []
    return [*by_password, *(each.issuer for each in found.identities)]


def edit(email: Email, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a user: email, name, role and status. What is not named stays.

    The role is owner, admin, viewer or member, the status active or disabled.
    """
    _change(email, fields.read(sets or (), fields.USER), config, as_json=as_json)


def disable(email: Email, config: Config = None, as_json: AsJson = False) -> None:
    """Keep somebody out: they are signed out everywhere, and their keys are refused."""
    _change(email, {"status": UserStatus.DISABLED}, config, as_json=as_json)


def enable(email: Email, config: Config = None, as_json: AsJson = False) -> None:
    """Let somebody in again, and take their keys again."""
    _change(email, {"status": UserStatus.ACTIVE}, config, as_json=as_json)


def delete(email: Email, config: Config = None, as_json: AsJson = False) -> None:
    """Delete a user for good, with their budgets; their keys are refused from then on."""

    async def work(store: "Store") -> User:
        user = await store.users.find(email)
        await store.users.delete(user.id, user.revision, operator())
        return user

    user = with_store(config, work)
    show(user, f"{user.email}: deleted, their keys are refused", as_json=as_json)


def _change(email: str, values: dict[str, Any], config: Config, *, as_json: bool) -> None:
    async def work(store: "Store") -> User:
        changed = replace(await store.users.find(email), **values)
        return await store.users.update(changed, operator())

    user = with_store(config, work)
    show(user, f"{user.email}: {user.role.value}, {user.status.value}, {user.id}", as_json=as_json)


def passwd(
    email: Email, from_stdin: FromStdin = False, config: Config = None, as_json: AsJson = False
) -> None:
    """Give a user a new password; they are signed out everywhere."""
    password = _password(from_stdin)

    async def work(store: "Store") -> User:
        user = await store.users.find(email)
        return await store.users.set_password(user.id, password, operator())

    user = with_store(config, work)
    show(user, f"{user.email}: new password, signed out everywhere", as_json=as_json)


def _password(from_stdin: bool) -> Secret:
    if from_stdin or not sys.stdin.isatty():
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    return Secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _tell(user: User, as_json: bool) -> None:
    show(user, f"{user.email}: {user.role.value}, {user.id}", as_json=as_json)
