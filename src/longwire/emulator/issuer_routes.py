"""The issuer's routes: authorize, token, device code; and what tests and people steer it by.

Law: a parameter that is missing or wrong is refused, and noted as a violation.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from aiohttp import web

from longwire.emulator.counters import Journal
from longwire.emulator.errors import Rejected
from longwire.emulator.issuer import Device, Issuer, IssuerFault, Step, challenge_of, refusal
from longwire.emulator.wire import abort

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PENDING = 403
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def issuer_routes(issuer: Issuer, journal: Journal) -> Sequence[web.RouteDef]:
    """All routes of one issuer."""
    routes = Routes(issuer, journal)
    return [
        web.get("/oauth/authorize", routes.behind("authorize", routes.authorize)),
        web.post("/oauth/token", routes.token),
        web.post("/api/accounts/deviceauth/usercode", routes.behind("usercode", routes.usercode)),
        web.post("/api/accounts/deviceauth/token", routes.behind("poll", routes.poll)),
        web.get("/codex/device", routes.page),
        web.post("/codex/device", routes.approve),
        web.get("/_emulator/issuer", routes.show),
        web.post("/_emulator/issuer", routes.steer),
    ]


class Routes:
    """What the issuer answers."""

    def __init__(self, issuer: Issuer, journal: Journal) -> None:
        self.issuer = issuer
        self.journal = journal

    def behind(self, step: Step, answer: Answer) -> Answer:
        """An answer behind the faults of its step, refusals in the issuer's own form."""

        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                return await self._struck(step, answer, request)
            except Rejected as error:
                if error.violation:
                    self.journal.violation(f"issuer {step}", str(error))
                return web.json_response(error.body(), status=error.status, headers=error.headers)

        return serve

    async def _struck(self, step: Step, answer: Answer, request: web.Request) -> web.StreamResponse:
        fault = self.issuer.count(step)
        if fault is not None and fault.act == "refuse":
            raise refused_by(fault)
        response = await answer(request)
        if fault is not None:
            await asyncio.sleep(fault.after_ms / 1000)
            if fault.act == "lose" and request.transport is not None:
                abort(request.transport)
        return response

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Sign somebody in, as `login_hint` says or the first of the people, and send them back."""
        query = request.query
        wanted = {
            "response_type": "code",
            "client_id": self.issuer.options.client_id,
            "code_challenge_method": "S256",
        }
        for name, value in wanted.items():
            if query.get(name) != value:
                raise Rejected(f"'{name}' must be '{value}'.", param=name)
        if not _CHALLENGE.fullmatch(query.get("code_challenge", "")):
            raise Rejected("'code_challenge' must be 43 letters.", param="code_challenge")
        if "offline_access" not in query.get("scope", "").split() or not query.get("state"):
            raise Rejected("'scope' must have offline_access, and 'state' must be there.")
        place = query.get("redirect_uri", "")
        if urlsplit(place).hostname != "localhost" or urlsplit(place).path != "/auth/callback":
            raise Rejected("'redirect_uri' is not registered.", param="redirect_uri")
        email = query.get("login_hint") or self.issuer.options.people[0]
        code = self.issuer.grant(email, query["code_challenge"], place)
        answer = urlencode({"code": code, "state": query["state"]})
        raise web.HTTPFound(f"{place}?{answer}")

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Exchange a code, or rotate a refresh token."""
        is_json = request.content_type == "application/json"
        fields = decoded(await request.read()) if is_json else dict(await request.post())
        kind = fields.get("grant_type")
        step: Step = "refresh" if kind == "refresh_token" else "exchange"

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.json_response(self._tokens(fields))

        return await self.behind(step, answer)(request)

    def _tokens(self, fields: Mapping[str, Any]) -> dict[str, str]:
        if fields.get("client_id") != self.issuer.options.client_id:
            raise Rejected("Unknown client.", code="invalid_client", status=400)
        match fields.get("grant_type"):
            case "refresh_token":
                return self.issuer.refresh(text(fields, "refresh_token"))
            case "authorization_code":
                wanted = ("code", "code_verifier", "redirect_uri")
                return self.issuer.exchange(*(text(fields, name) for name in wanted))
            case _:
                raise Rejected("Unknown grant_type.", code="unsupported_grant_type")

    async def usercode(self, request: web.Request) -> web.StreamResponse:
        """Begin a sign-in by device code."""
        fields = decoded(await request.read())
        if fields.get("client_id") != self.issuer.options.client_id:
            raise Rejected("Unknown client.", code="invalid_client")
        letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        device = Device(f"{letters[:4]}-{letters[4:]}")
        identity = f"deviceauth_{secrets.token_hex(16)}"
        self.issuer.devices[identity] = device
        interval = str(self.issuer.options.device_interval)
        answer = {"device_auth_id": identity, "user_code": device.user_code, "interval": interval}
        return web.json_response(answer)

    async def poll(self, request: web.Request) -> web.StreamResponse:
        """Give the code of a device that was approved, once; 403 until then."""
        fields = decoded(await request.read())
        identity = text(fields, "device_auth_id")
        device = self.issuer.devices.get(identity)
        if device is None or device.user_code != fields.get("user_code"):
            raise refusal("Unknown device code.", "deviceauth_unknown", 404)
        if not device.email:
            raise refusal("Nobody has approved it yet.", "deviceauth_pending", _PENDING)
        del self.issuer.devices[identity]
        verifier = secrets.token_urlsafe(48)
        challenge = challenge_of(verifier)
        place = f"{request.scheme}://{request.host}/deviceauth/callback"
        code = self.issuer.grant(device.email, challenge, place)
        return web.json_response(
            {
                "authorization_code": code,
                "code_challenge": challenge,
                "code_verifier": verifier,
            }
        )

    async def page(self, _: web.Request) -> web.StreamResponse:
        """The page where a person types the code."""
        person = self.issuer.options.people[0]
        html = f"""<!doctype html><title>Sign in a device</title><form method="post">
<label>Code <input name="user_code"></label>
<label>Account <input name="email" value="{person}"></label><button>Approve</button></form>"""
        return web.Response(text=html, content_type="text/html")

    async def approve(self, request: web.Request) -> web.StreamResponse:
        """Approve a device by its code."""
        form = await request.post()
        code = str(form.get("user_code", "")).strip().upper()
        for device in self.issuer.devices.values():
            if device.user_code == code:
                device.email = str(form.get("email") or self.issuer.options.people[0])
                return web.Response(text="Approved. You may close this page.")
        return web.Response(text="No device waits for this code.", status=404)

    async def show(self, _: web.Request) -> web.StreamResponse:
        """Requests by step, and the logins without their tokens."""
        logins = [{"email": each.email, "alive": each.is_alive} for each in self.issuer.logins]
        return web.json_response({"requests": self.issuer.counters, "logins": logins})

    async def steer(self, request: web.Request) -> web.StreamResponse:
        """Arm faults, limit somebody, revoke or end; or sign somebody in and give `auth.json`."""
        try:
            wanted = msgspec.json.decode(await request.read(), type=Steering)
        except msgspec.MsgspecError as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)
        self.issuer.faults.extend(wanted.faults)
        self.issuer.limits.update(wanted.limits)
        for email in wanted.revoke_access:
            self.issuer.revoke_access(email)
        for email in wanted.end:
            self.issuer.end_all(email)
        answer = self.issuer.auth_json(wanted.sign_in) if wanted.sign_in else {"ok": True}
        return web.json_response(answer)


class Steering(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /_emulator/issuer` takes."""

    faults: list[IssuerFault] = msgspec.field(default_factory=list)
    limits: dict[str, float] = msgspec.field(default_factory=dict)
    revoke_access: list[str] = msgspec.field(default_factory=list)
    end: list[str] = msgspec.field(default_factory=list)
    sign_in: str = ""


def refused_by(fault: IssuerFault) -> Rejected:
    """The refusal that a fault is."""
    error = refusal("The issuer fails on demand.", fault.code, fault.status)
    if fault.retry_after is not None:
        error.headers = {"retry-after": str(fault.retry_after)}
    error.is_flat = fault.flat
    return error


def decoded(content: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises Rejected."""
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Rejected("The body must be a JSON object.", code="invalid_json") from error


def text(fields: Mapping[str, Any], name: str) -> str:
    """A text that must be there. Raises Rejected."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Rejected(f"'{name}' is missing.", param=name)
    return value
