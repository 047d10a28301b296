"""What Codex asks for beside its turns when it is signed in with ChatGPT.

Law: an answer tells of the caller's own sign-in and of the channels that its key may use, and of
nobody else. Nothing of it goes upstream.
"""

import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from longwire.core.quota import Quota, Window
from longwire.core.turn import Principal
from longwire.relay.channel import Snapshot
from longwire.server.auth import Keys
from longwire.server.errors import headers_of

_CLAIMS = "https://api.openai.com/auth"
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
        self._caller(request)
        account = {
            "id": _account_of(headers_of(request.scope)),
            "workspace_backend_origin": _ORIGIN,
            "account_routing_override": "NO_CONSTRAINT",
        }
        return JSONResponse({"accounts": [account]})

    async def usage(self, request: Request) -> Response:
        """Answer how much is used of the freest subscription that the caller's turns may go to."""
        caller, now = self._caller(request), self._clock()
        seen = [
            channel.quota.seen
            for channel in self._snapshot().channels.values()
            if channel.route.is_enabled
            and caller.grant.allows_channel(channel.id)
            and channel.quota.seen is not None
        ]
        quota = min(seen, key=lambda each: each.used(now), default=Quota())
        is_blocked = quota.blocked_until(now) is not None
        limits = {
            "allowed": not is_blocked,
            "limit_reached": is_blocked,
            "primary_window": _window(quota.primary, now),
            "secondary_window": _window(quota.secondary, now),
        }
        return JSONResponse({"plan_type": quota.plan or "unknown", "rate_limit": limits})

    async def settings(self, request: Request) -> Response:
        """Answer that nothing is set."""
        self._caller(request)
        return JSONResponse({})

    async def plugins(self, request: Request) -> Response:
        """Answer that there are none."""
        self._caller(request)
        return JSONResponse({"plugins": []})

    async def nothing(self, request: Request) -> Response:
        """Answer that there is no such server here."""
        self._caller(request)
        raise HTTPException(404, "This gateway serves no plugins.")

    def _caller(self, request: Request) -> Principal:
        return self._keys.authenticate(headers_of(request.scope))


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


def _account_of(headers: Mapping[str, str]) -> str:
    """Return the account that a bearer token says it is for, "" where it says none.

    Its signature is not checked, for it opens nothing: it is told back to who sent it.
    """
    try:
        payload = headers.get("authorization", "").split(".")[1]
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims[_CLAIMS]["chatgpt_account_id"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""
