"""`longwire users invite` and its like: who may become a user by a link that works once."""

from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from longwire.cli import fields
from longwire.cli.store import AsJson, Config, every, operator, with_settings, with_store
from longwire.cli.tables import say, show, show_json, show_table, time_text
from longwire.core.errors import Conflict, NotFound
from longwire.core.nouns.access import Role
from longwire.core.nouns.people import Invitation, normal_email

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.invitations import Issued
    from longwire.store.store import Store

Email = Annotated[
    str,
    typer.Argument(metavar="EMAIL", help="Who alone can accept it; else whoever has the link."),
]
RoleName = Annotated[
    str | None,
    typer.Option("--role", help="owner, admin, viewer or member. The first user is an owner."),
]
ProjectName = Annotated[
    str, typer.Option("--project", help="The name or id of a project that they then belong to.")
]
Which = Annotated[
    str, typer.Argument(metavar="INVITATION", help="Its id, or the email that it is for.")
]
_TITLES: Final = ("for", "role", "project", "invited by", "expires", "id")
_ANYBODY: Final = "whoever has the link"


def invite(
    email: Email = "",
    role: RoleName = None,
    project: ProjectName = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a link by which somebody becomes a user, and print it, this once.

    They choose their own password. It works once, for seven days.
    """
    wanted = fields.role(role)

    async def work(store: "Store", settings: "Settings") -> tuple["Issued", "Settings"]:
        otherwise = Role.VIEWER if await store.users.count() else Role.OWNER
        project_id = (await store.projects.find(project)).id if project else None
        create = store.invitations.create
        return await create(wanted or otherwise, operator(), email, project_id), settings

    issued, settings = with_settings(config, work, creates=True)
    _show_issued(issued, settings, as_json=as_json)


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the invitations that can still be accepted; never their links."""

    async def work(store: "Store") -> tuple[list[Invitation], dict[str, str]]:
        names = {each.id: each.name for each in await store.projects.all()}
        return await every(store.invitations.page), names

    found, names = with_store(config, work)
    if as_json:
        show_json(found)
        return
    rows = (
        (
            *(each.email or _ANYBODY, each.role.value, _project(each, names)),
            *(each.invited_by, time_text(each.expires_at), each.id),
        )
        for each in found
    )
    show_table(_TITLES, rows, "no open invitations; make one: longwire users invite EMAIL")


def revoke(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Take an invitation back: its link stops working."""

    async def work(store: "Store") -> Invitation:
        invitation = await _find(store, which)
        await store.invitations.revoke(invitation.id, operator())
        return invitation

    found = with_store(config, work)
    line = f"{found.email or _ANYBODY}: revoked, the link of {found.id} is not good any more"
    show(found, line, as_json=as_json)


async def _find(store: "Store", which: str) -> Invitation:
    """Return the open invitation of an id, or the only one for an email."""
    email = normal_email(which) or None
    every_open = await every(store.invitations.page)
    found = [each for each in every_open if each.id == which or each.email == email]
    if len(found) > 1:
        choices = ", ".join(f"{each.id} ({each.role.value})" for each in found)
        raise Conflict(f"{len(found)} invitations are for {which}; name one by its id: {choices}.")
    for each in found:
        return each
    raise NotFound("open invitation", which)


def _project(invitation: Invitation, names: dict[str, str]) -> str:
    wanted = invitation.project_id
    return names.get(wanted, wanted) if wanted else "-"


def _show_issued(issued: "Issued", settings: "Settings", *, as_json: bool) -> None:
    """Print a link; what stands behind its `#` is sent to no server, so no log has it."""
    from longwire.cli.client_file import url_of

    public, token = settings.server.public_url.rstrip("/"), issued.token.reveal()
    link = f"{public or url_of(settings.server)}/join#{quote(token, safe='')}"
    _warn(issued.invitation, settings)
    if as_json:
        show_json({"link": link, "token": token, "invitation": issued.invitation})
        return
    invitation = issued.invitation
    about = f"{invitation.email or _ANYBODY} becomes {invitation.role.value} ({invitation.id})"
    say(f"{about}; the link is shown this once, and works once in seven days:", err=True)
    say(link)


def _warn(invitation: Invitation, settings: "Settings") -> None:
    """Say on stderr what keeps somebody from coming in, with the mend."""
    server, oidc = settings.server, settings.oidc
    if not server.public_url:
        mend = "set server.public_url to the one that browsers reach"
        say(f"the link names the address that this machine listens on; {mend}", err=True)
    if oidc.issuer and oidc.only_oidc:
        mend = "let them sign in by single sign-on"
        say(f"warning: oidc.only_oidc lets nobody accept an invitation; {mend}", err=True)
    if invitation.role is Role.MEMBER and invitation.project_id is None:
        mend = "invite them with --project PROJECT"
        say(f"a member makes keys in their projects alone; {mend}", err=True)
