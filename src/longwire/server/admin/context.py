"""Who asks the admin API, and the one place where permissions are checked."""

from dataclasses import dataclass

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.dataloader import DataLoader

from longwire.core.errors import Forbidden, Unauthenticated
from longwire.core.nouns.access import PERMISSIONS, Actor, Permission, Role
from longwire.core.nouns.people import User
from longwire.core.nouns.turn_row import TurnDetails, TurnId
from longwire.core.ports import Throttle
from longwire.server.admin.administration import Administration
from longwire.store.identities import WaysIn


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is signed in, and how the audit log names them."""

    user: User
    actor: Actor

    @property
    def role(self) -> Role:
        """What they are to the whole gateway."""
        return self.user.role


@dataclass(frozen=True, slots=True)
class Context:
    """One request: who sent it, None for nobody known, and what it can reach.

    `details` reads those of a whole page of turns at once, `ways_in` how all users of one sign in.
    """

    request: Request | WebSocket
    response: Response | WebSocket
    administration: Administration
    throttle: Throttle
    viewer: Viewer | None
    request_id: str
    details: DataLoader[TurnId, TurnDetails | None]
    ways_in: DataLoader[str, WaysIn]

    @property
    def address(self) -> str:
        """Where the request came from."""
        return self.request.client.host if self.request.client else ""

    @property
    def origin(self) -> str:
        """Where the browser is, as it says itself, and as the gate has found to be ours."""
        url = self.request.url
        return self.request.headers.get("origin") or f"{url.scheme}://{url.netloc}"


Info = strawberry.Info[Context, str]


def signed_in(info: Info) -> Viewer:
    """Return who asks. Raises `Unauthenticated` for nobody known."""
    if info.context.viewer is None:
        msg = "Sign in first."
        raise Unauthenticated(msg)
    return info.context.viewer


def require(info: Info, permission: Permission) -> Viewer:
    """Return who asks, if they may. Raises `Unauthenticated` and `Forbidden`."""
    viewer = signed_in(info)
    if permission not in PERMISSIONS[viewer.role]:
        msg = f"Your role, {viewer.role.value}, does not have the permission {permission.value}."
        raise Forbidden(msg)
    return viewer


def admitted(info: Info, permission: Permission) -> tuple[Viewer, Administration]:
    """Return who asks, if they may, and what they reach. Raises as `require` does."""
    return require(info, permission), info.context.administration
