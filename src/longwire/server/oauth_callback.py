"""Waits on this machine for browsers that come back from an issuer."""

from collections.abc import Awaitable, Callable
from html import escape

from longwire.relay.accounts.sign_ins import Answer
from longwire.upstream.loading import load


async def listen(port: int, answer: Answer) -> Callable[[], Awaitable[None]]:
    """Listen for browsers on a port; return what ends it. Raises `OSError` for a port in use."""
    await load("aiohttp.web")
    from aiohttp import web  # noqa: PLC0415 - aiohttp's server is loaded for a sign-in alone

    async def come_back(request: web.Request) -> web.Response:
        status, text = await answer(dict(request.query))
        page = f"<!doctype html><meta charset=utf-8><title>Longwire</title><p>{escape(text)}</p>"
        return web.Response(text=page, status=status, content_type="text/html")

    app = web.Application()
    app.router.add_get("/auth/callback", come_back)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner.cleanup
