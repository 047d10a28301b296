"""Who listens to a subscription, found out anew while it lasts."""

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.access import PERMISSIONS, Permission
from longwire.server.admin.context import Info, Viewer, require
from longwire.server.admin.gate import cookie_name

RENEWED_AFTER = 1.0
"""Seconds that somebody listens on whose sign-in has ended."""


async def listener(info: Info, permission: Permission) -> Viewer:
    """Return who listens, as they are now.

    Raises `Unauthenticated` once their sign-in has ended or their role allows it no more.
    """
    actor = require(info, permission).actor
    context = info.context
    token = context.request.cookies.get(cookie_name(context.administration), "")
    user = await context.administration.store.sign_ins.user(token)
    if user is None or permission not in PERMISSIONS[user.role]:
        msg = "Your sign-in has ended; sign in again."
        raise Unauthenticated(msg)
    return Viewer(user, actor)
