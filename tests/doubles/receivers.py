"""Who alerts are sent to, as processes: a webhook's receiver, and a mail server.

`python -m tests.doubles.receivers webhook|mail JSON` prints its port, then a line of JSON for each
message that arrives.
"""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

_STARTS = 30


class Receiver:
    """A receiver in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hook"

    async def message(self, within: float = 20.0) -> dict:
        """The next message that arrives."""
        async with asyncio.timeout(within):
            return json.loads(await self._process.stdout.readline())

    async def is_quiet(self, seconds: float) -> bool:
        """Whether nothing more arrives for a while."""
        try:
            await self.message(seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def receiving(kind: str, **options: object) -> AsyncIterator[Receiver]:
    """Run a receiver: a webhook's with `answers`, or a mail server's with `tls`, `user`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.receivers", kind, json.dumps(options)),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        async with asyncio.timeout(_STARTS):
            port = int(await process.stdout.readline())
        yield Receiver(process, port)
    finally:
        process.kill()
        await process.wait()


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - the lines that the test reads


async def _webhook(answers: list) -> None:
    """Answer by a list of status and headers; the last one for all that follow."""

    async def take(request: web.Request) -> web.Response:
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        body = (await request.read()).decode()
        names = {name.lower(): value for name, value in request.headers.items()}
        _say({"path": request.path, "headers": names, "body": body, "status": status})
        return web.Response(status=status, headers=headers, text="as you wish")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _say(site._server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


class _Mailbox:
    """Takes mail; who is called `nobody` is unknown."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server, _session, envelope, address, _options
    ):
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 - likewise
        is_encrypted = server.transport.get_extra_info("ssl_object") is not None
        content = envelope.content.decode()
        to = envelope.rcpt_tos
        _say({"from": envelope.mail_from, "to": to, "content": content, "tls": is_encrypted})
        return "250 OK"


async def _mail(tls: str = "", files: tuple = (), user: str = "", password: str = "") -> None:
    """Take mail: with `tls` of "starttls" or "tls" by the certificate and key in `files`."""
    from aiosmtpd.smtp import SMTP, AuthResult  # noqa: PLC0415 - the webhook's needs it not

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)

    def authenticate(_server, _session, _envelope, _mechanism, data):
        is_known = (data.login.decode(), data.password.decode()) == (user, password)
        return AuthResult(success=is_known, handled=False)

    def protocol() -> SMTP:
        return SMTP(
            _Mailbox(),
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=authenticate if user else None,
            auth_required=bool(user),
            auth_require_tls=bool(tls == "starttls"),
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None
    )
    _say(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    kinds = {"webhook": _webhook, "mail": _mail}
    asyncio.run(kinds[sys.argv[1]](**json.loads(sys.argv[2])))
