"""Who may come in over WebSocket: refusals before the upgrade are those over HTTP."""

import aiohttp
import pytest
from multidict import CIMultiDict
from websockets.exceptions import InvalidStatus

from longwire.server.health import Stage
from tests.conftest import serving, settings_for
from tests.doubles.sockets import socket, user
from tests.server.conftest import is_envelope

UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PATHS = ("/v1/responses", "/backend-api/codex/responses")


async def refusal(gateway, path="/v1/responses", **headers):
    """Status, headers and body with which an upgrade is refused."""
    async with (
        aiohttp.ClientSession(gateway.url) as session,
        session.get(path, headers={**UPGRADE, **headers}) as response,
    ):
        return response.status, response.headers, await response.read()


class TestTheDoor:
    @pytest.mark.parametrize("path", PATHS)
    async def test_a_client_comes_in(self, gateway, path):
        """With its key, on either path; the 101 carries the request's id."""
        async with socket(gateway.url, path=path, headers={"x-request-id": "mine"}) as client:
            assert "mine" == client.connection.response.headers["x-request-id"]
            assert "completed" == (await client.ask(user("hi")))["status"]

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
    @pytest.mark.parametrize("path", PATHS)
    async def test_no_key_no_upgrade(self, gateway, path, headers):
        """The refusal is the one over HTTP, before the upgrade."""
        status, received, body = await refusal(gateway, path, **headers)
        assert (401, "Bearer", True) == (status, received["www-authenticate"], is_envelope(body))
        assert "application/json" == received["content-type"]

    async def test_a_key_in_a_subprotocol(self, gateway):
        """A browser can set no header: its key comes as a subprotocol, and never goes back."""
        offered = f"openai-insecure-api-key.{gateway.key}, other, realtime"
        headers = {"sec-websocket-protocol": offered}
        async with socket(gateway.url, key="", headers=headers) as client:
            assert "realtime" == client.connection.subprotocol
            assert gateway.key not in str(client.connection.response.headers)
            assert "completed" == (await client.ask(user("hi")))["status"]

    async def test_a_key_in_a_subprotocol_on_a_line_of_its_own(self, gateway):
        """Subprotocols may come in several lines, which mean what one line does."""
        offered = ["realtime", f"openai-insecure-api-key.{gateway.key}"]
        lines = [*UPGRADE.items(), *(("sec-websocket-protocol", each) for each in offered)]
        async with (
            aiohttp.ClientSession(gateway.url) as session,
            session.get("/v1/responses", headers=CIMultiDict(lines)) as response,
        ):
            assert 101 == response.status
            assert ["realtime"] == response.headers.getall("sec-websocket-protocol")

    async def test_a_wrong_key_in_a_subprotocol(self, gateway):
        """It is refused before the upgrade, and not repeated in the error."""
        offered = "realtime, openai-insecure-api-key.wrong-key"
        status, headers, body = await refusal(gateway, **{"sec-websocket-protocol": offered})
        assert (401, True) == (status, is_envelope(body))
        assert "wrong-key" not in f"{headers}{body}"

    async def test_a_subprotocol_beside_a_bearer(self, gateway):
        """A client that offers some closes unless one is chosen."""
        headers = {"sec-websocket-protocol": "realtime"}
        async with socket(gateway.url, headers=headers) as client:
            assert "realtime" == client.connection.subprotocol

    async def test_switched_off_clients_fall_back(self, emulator):
        """426 tells clients to use HTTP, whatever their key."""
        settings = settings_for(emulator.url, server={"websocket": False})
        async with serving(settings) as gateway:
            status, headers, body = await refusal(gateway)
            assert (426, "websocket", True) == (status, headers["upgrade"], is_envelope(body))
            with pytest.raises(InvalidStatus):
                async with socket(gateway.url):
                    pass

    async def test_draining_nobody_comes_in(self, gateway):
        """As over HTTP: 503, and when to come again."""
        gateway.app.readiness.stage = Stage.DRAINING
        status, headers, body = await refusal(gateway, **gateway.headers)
        assert (503, "5", True) == (status, headers["retry-after"], is_envelope(body))

    async def test_a_key_that_is_taken_back_ends_what_it_could(self, gateway):
        """Each turn asks again whose key it is; the connection stays for the answer."""
        async with socket(gateway.url) as client:
            assert "completed" == (await client.ask(user("hi")))["status"]
            gateway.app.keys.hand_out(())
            answer = await client.ask(user("again"))
            assert (401, "invalid_api_key") == (answer["status"], answer["error"]["code"])

    async def test_connections_are_counted(self, gateway):
        """The gauge follows those who come and go."""
        assert b"longwire_client_connections 0.0" in gateway.app.metrics.render()
        async with socket(gateway.url) as client, socket(gateway.url):
            await client.ask(user("hi"))
            assert b"longwire_client_connections 2.0" in gateway.app.metrics.render()
