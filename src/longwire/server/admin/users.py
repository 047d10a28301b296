"""People in the admin API: coming in, oneself, others, and invitations.

Law: passwords and tokens come in and are never shown; a new token is shown once.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import FieldProblem, Forbidden, InvalidFields
from longwire.core.nouns.access import PERMISSIONS, Permission, Role
from longwire.core.nouns.people import Invitation, User, UserStatus, normal_email
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sign_on import Identity
from longwire.server.admin.context import Info, require, signed_in
from longwire.server.admin.gate import cookie_name, give_cookie, renew_cookie, take_cookie
from longwire.server.admin.inputs import changes, view_of
from longwire.server.admin.paging import Connection, Id, connection
from longwire.server.admin.scalars import time_of, time_or_none

strawberry.enum(Role, description="What somebody is to the whole gateway.")
strawberry.enum(UserStatus, description="Whether somebody may sign in.")
_BY_PROVIDER: Final = "Passwords are for owners alone (oidc.only_oidc); use single sign-on."
_FIELDS: Final = ("email", "name", "role", "status")
_DEFAULTS: Final = User("", "", "", Role.VIEWER)


@strawberry.type(name="Identity", description="Who a user is to a provider.")
class IdentityView:
    issuer: str
    subject: str
    email: str
    created_at: datetime
    last_sign_in_at: datetime


async def _has_password(info: Info, root: strawberry.Parent["UserView"]) -> bool:
    return (await info.context.ways_in.load(root.id)).has_password


async def _identities(info: Info, root: strawberry.Parent["UserView"]) -> list[IdentityView]:
    return [_identity(each) for each in (await info.context.ways_in.load(root.id)).identities]


def _identity(identity: Identity) -> IdentityView:
    created_at, last = time_of(identity.created_at), time_of(identity.last_sign_in_at)
    return view_of(IdentityView, identity, created_at=created_at, last_sign_in_at=last)


@strawberry.type(name="User", description="Somebody who may sign in.")
class UserView:
    id: strawberry.ID
    email: str
    name: str
    role: Role
    status: UserStatus
    created_at: datetime
    last_sign_in_at: datetime | None
    revision: int

    has_password: bool = strawberry.field(
        resolver=_has_password, description="Whether they can sign in with a password."
    )
    identities: list[IdentityView] = strawberry.field(
        resolver=_identities, description="Who they are to the provider of single sign-on."
    )


@strawberry.type(description="Who is signed in, and what they may do.")
class Me:
    user: UserView
    permissions: list[str]
    project_ids: list[strawberry.ID] = strawberry.field(
        name="projectIDs", description="The projects they belong to."
    )


@strawberry.type(name="Invitation", description="Who may become a user until it expires.")
class InvitationView:
    id: strawberry.ID
    email: str = strawberry.field(description="Who it is for; empty for whoever has the token.")
    role: Role
    project_id: strawberry.ID | None = strawberry.field(name="projectID")
    invited_by: str
    created_at: datetime
    expires_at: datetime


@strawberry.type(description="An invitation, and this once its token.")
class IssuedInvitation:
    invitation: InvitationView
    token: str


@strawberry.input(description="An email and a password.")
class SignInInput:
    email: str
    password: str


@strawberry.input(description="Who comes in by a token: that of the first start, or an invitation.")
class JoinInput:
    token: str
    email: str
    password: str
    name: str = ""


@strawberry.input(description="Who is made, with their first password.")
class CreateUserInput:
    email: str
    password: str
    role: Role
    name: str = ""


@strawberry.input(description="Left out stays; null sets the default.")
class UpdateUserInput:
    email: str | None = strawberry.UNSET
    name: str | None = strawberry.UNSET
    role: Role | None = strawberry.UNSET
    status: UserStatus | None = strawberry.UNSET


@strawberry.input(description="Whom to invite; an empty email is for whoever has the token.")
class InviteUserInput:
    role: Role
    email: str = ""
    project_id: strawberry.ID | None = strawberry.field(name="projectID", default=None)


SignIn = Annotated[SignInInput, strawberry.argument(name="input")]
Join = Annotated[JoinInput, strawberry.argument(name="input")]
Create = Annotated[CreateUserInput, strawberry.argument(name="input")]
Update = Annotated[UpdateUserInput, strawberry.argument(name="input")]
Invite = Annotated[InviteUserInput, strawberry.argument(name="input")]


def shown(user: User) -> UserView:
    """Return a user as they are shown."""
    signed_in_at = time_or_none(user.last_sign_in_at)
    return view_of(
        UserView, user, created_at=time_of(user.created_at), last_sign_in_at=signed_in_at
    )


def _invitation(invitation: Invitation) -> InvitationView:
    return view_of(
        InvitationView,
        invitation,
        created_at=time_of(invitation.created_at),
        expires_at=time_of(invitation.expires_at),
    )


async def _setup_is_needed(info: Info) -> bool:
    return await info.context.administration.store.users.count() == 0


async def _me(info: Info) -> Me | None:
    viewer = info.context.viewer
    if viewer is None:
        return None
    renew_cookie(info.context)
    own = await info.context.administration.store.projects.of_user(viewer.user.id)
    return Me(
        user=shown(viewer.user),
        permissions=sorted(PERMISSIONS[viewer.role]),
        project_ids=[strawberry.ID(each) for each in own],
    )


async def _users(info: Info, first: int = 50, after: str | None = None) -> Connection[UserView]:
    require(info, Permission.USERS_READ)
    page = await info.context.administration.store.users.page(first=first, after=after)
    return connection(page, shown)


async def _user(info: Info, user_id: Id) -> UserView:
    require(info, Permission.USERS_READ)
    return shown(await info.context.administration.store.users.get(user_id))


async def _invitations(
    info: Info, first: int = 50, after: str | None = None
) -> Connection[InvitationView]:
    require(info, Permission.USERS_READ)
    page = await info.context.administration.store.invitations.page(first=first, after=after)
    return connection(page, _invitation)


async def _sign_in(info: Info, credentials: SignIn) -> UserView:
    context, account = info.context, normal_email(credentials.email)
    attempt = await context.throttle.attempt(context.address, account)
    users = context.administration.store.users
    user = await users.verify(credentials.email, Secret(credentials.password))
    if user is None:
        problem = FieldProblem("password", "this is not the password of this email")
        raise InvalidFields([problem])
    attempt.succeeded()
    if _is_by_provider_alone(info) and user.role is not Role.OWNER:
        raise Forbidden(_BY_PROVIDER)
    await _begin(info, user)
    return shown(user)


def _is_by_provider_alone(info: Info) -> bool:
    sign_on = info.context.administration.sign_on
    return sign_on is not None and sign_on.config.is_only


async def _join(info: Info, draft: Join) -> UserView:
    context, user = info.context, User("", draft.email, draft.name, Role.VIEWER)
    attempt = await context.throttle.attempt(context.address)
    if _is_by_provider_alone(info) and await context.administration.store.users.count():
        raise Forbidden(_BY_PROVIDER)
    password, invitations = Secret(draft.password), context.administration.store.invitations
    joined = await invitations.accept(draft.token, user, password, context.address)
    attempt.succeeded()
    await _begin(info, joined)
    return shown(joined)


async def _begin(info: Info, user: User) -> None:
    context = info.context
    agent = context.request.headers.get("user-agent", "")
    sign_ins = context.administration.store.sign_ins
    give_cookie(context, await sign_ins.begin(user.id, context.address, agent))


async def _sign_out(info: Info) -> bool:
    context = info.context
    token = context.request.cookies.get(cookie_name(context.administration), "")
    await context.administration.store.sign_ins.end(token)
    take_cookie(context)
    return True


async def _change_password(info: Info, current: str, new: str) -> bool:
    context, viewer = info.context, signed_in(info)
    attempt = await context.throttle.attempt(context.address, viewer.user.email)
    users = context.administration.store.users
    if await users.verify(viewer.user.email, Secret(current)) is None:
        raise InvalidFields([FieldProblem("current", "this is not your password")])
    attempt.succeeded()
    await users.set_password(viewer.user.id, Secret(new), viewer.actor)
    await _begin(info, viewer.user)
    return True


async def _create(info: Info, draft: Create) -> UserView:
    actor = require(info, _needed(draft.role)).actor
    user = User("", draft.email, draft.name, draft.role)
    users = info.context.administration.store.users
    return shown(await users.create(user, Secret(draft.password), actor))


async def _update(info: Info, user_id: Id, revision: int, draft: Update) -> UserView:
    require(info, Permission.USERS_WRITE)
    users = info.context.administration.store.users
    held = await users.get(user_id)
    user = replace(held, revision=revision, **changes(draft, _DEFAULTS, _FIELDS, {}))
    actor = require(info, _needed(held.role, user.role)).actor
    saved = await users.update(user, actor)
    await info.context.administration.refresh()
    return shown(saved)


async def _set_password(info: Info, user_id: Id, password: str) -> UserView:
    require(info, Permission.USERS_WRITE)
    users = info.context.administration.store.users
    held = await users.get(user_id)
    actor = require(info, _needed(held.role)).actor
    return shown(await users.set_password(user_id, Secret(password), actor, held.revision))


async def _delete(info: Info, user_id: Id, revision: int) -> bool:
    require(info, Permission.USERS_WRITE)
    users = info.context.administration.store.users
    actor = require(info, _needed((await users.get(user_id)).role)).actor
    await users.delete(user_id, revision, actor)
    await info.context.administration.refresh()
    return True


async def _invite(info: Info, draft: Invite) -> IssuedInvitation:
    actor = require(info, _needed(draft.role)).actor
    invitations = info.context.administration.store.invitations
    issued = await invitations.create(draft.role, actor, draft.email, draft.project_id)
    return IssuedInvitation(invitation=_invitation(issued.invitation), token=issued.token.reveal())


async def _revoke(info: Info, invitation_id: Id) -> bool:
    actor = require(info, Permission.USERS_WRITE).actor
    await info.context.administration.store.invitations.revoke(invitation_id, actor)
    return True


def _needed(*roles: Role) -> Permission:
    """Return the permission to make or change somebody of these roles."""
    return Permission.OWNERS_WRITE if Role.OWNER in roles else Permission.USERS_WRITE


@strawberry.type
class UserQueries:
    setup_is_needed: bool = strawberry.field(
        resolver=_setup_is_needed, description="Whether nobody is there yet to sign in."
    )
    me: Me | None = strawberry.field(
        resolver=_me, description="Null for who is not signed in; renews the cookie of who is."
    )
    users: Connection[UserView] = strawberry.field(resolver=_users)
    user: UserView = strawberry.field(resolver=_user)
    invitations: Connection[InvitationView] = strawberry.field(
        resolver=_invitations, description="Those that can still be accepted, newest first."
    )


@strawberry.type
class UserMutations:
    sign_in: UserView = strawberry.field(resolver=_sign_in)
    sign_out: bool = strawberry.field(resolver=_sign_out)
    join: UserView = strawberry.field(
        resolver=_join,
        description="Become a user by the token of the first start or of an invitation, once.",
    )
    change_password: bool = strawberry.field(
        resolver=_change_password, description="One's own; every other sign-in ends."
    )
    create_user: UserView = strawberry.field(resolver=_create)
    update_user: UserView = strawberry.field(
        resolver=_update, description="The keys of who is disabled are refused."
    )
    set_user_password: UserView = strawberry.field(
        resolver=_set_password, description="Somebody else's; their sign-ins end."
    )
    delete_user: bool = strawberry.field(
        resolver=_delete, description="For good; their keys are refused from then on."
    )
    invite_user: IssuedInvitation = strawberry.field(resolver=_invite)
    revoke_invitation: bool = strawberry.field(resolver=_revoke)
