"""What Codex asks for beside its turns when it is signed in with ChatGPT.

Codex sends its own token here, without a key of the gateway. An answer is made from that token, and
with a key from the quotas of the channels that the key may use. Nothing goes upstream.
"""

import time
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.quota import Quota, Window
from longwire.dialects.codex.auth import account_of
from longwire.relay.channels.channel import Snapshot
from longwire.server.auth import Keys
from longwire.server.problems import headers_of

_ORIGIN = "https://chatgpt.com"


class CodexSide:
    """The side routes, below `/backend-api`; `clock` gives seconds since 1970 UTC."""

    def __init__(
        self,
        keys: Keys,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._snapshot = snapshot
        self._clock = clock

    async def account(self, request: Request) -> Response:
        """Answer who the caller is by its own token: without this answer Codex takes no turn."""
        account = {
            "id": account_of(headers_of(request.scope).get("authorization", "")),
            "workspace_backend_origin": _ORIGIN,
            "account_routing_override": "NO_CONSTRAINT",
        }
        return JSONResponse({"accounts": [account]})

    async def usage(self, request: Request) -> Response:
        """Answer how much is used of the freest subscription that the caller's turns may go to."""
        now = self._clock()
        quota = min(self._seen(request), key=lambda each: each.used(now), default=Quota())
        is_blocked = quota.blocked_until(now) is not None
        limits = {
            "allowed": not is_blocked,
            "limit_reached": is_blocked,
            "primary_window": _window(quota.primary, now),
            "secondary_window": _window(quota.secondary, now),
        }
        return JSONResponse({"plan_type": quota.plan or "unknown", "rate_limit": limits})

    async def settings(self, _request: Request) -> Response:
        """Answer that nothing is set."""
        return JSONResponse({})

    async def plugins(self, _request: Request) -> Response:
        """Answer that there are none."""
        pages = {"next_page_token": None}
        return JSONResponse({"enabled": False, "plugins": [], "pagination": pages})

    async def swallow(self, _request: Request) -> Response:
        """Take what Codex tells of its use, unread: it is for nobody here."""
        return JSONResponse({}, 202)

    async def nothing(self, _request: Request) -> Response:
        """Answer that there is no such server here."""
        raise HTTPException(404, "This gateway serves no plugins.")

    def _seen(self, request: Request) -> list[Quota]:
        """Return what is known of the subscriptions that the caller's key may use."""
        try:
            caller = self._keys.authenticate(headers_of(request.scope))
        except Unauthenticated:
            return []
        return [
            quota
            for channel in self._snapshot().channels.values()
            if channel.route.is_enabled
            and not channel.is_signed_out()
            and caller.grant.allows_channel(channel.id)
            and (quota := channel.state.quota.quota).seen_at
        ]


def _window(window: Window | None, now: float) -> dict[str, Any] | None:
    if window is None:
        return None
    resets_at = int(window.resets_at or now)
    return {
        "used_percent": round(window.used(now)),
        "limit_window_seconds": (window.minutes or 0) * 60,
        "reset_after_seconds": max(resets_at - int(now), 0),
        "reset_at": resets_at,
    }
