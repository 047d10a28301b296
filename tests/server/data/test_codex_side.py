"""What Codex asks for beside its turns when it is signed in with ChatGPT."""

import base64
import json

import pytest

from longwire.core.nouns.quota import Quota, Window
from tests.conftest import KEY
from tests.server.data.codex_channels import CODEX, before, channel_to


def token_of(account):
    """A sign-in with ChatGPT: its signature is nobody's business here."""
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": account}}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


class TestSignedInWithChatGpt:
    async def test_the_key_stands_in_a_header_of_its_own(self, upstream, capfd):
        """Codex' own token is neither looked at, sent on, nor logged."""
        signed_in = {"authorization": f"Bearer {token_of('acc-1')}", "x-longwire-key": KEY}
        async with before(channel_to(upstream.url)) as client:
            status, _, _ = await client.respond(
                {**CODEX, **signed_in}, path="/backend-api/codex/responses"
            )
            assert status == 200
            assert upstream.turns[-1].fingerprint == "tok"
            del signed_in["x-longwire-key"]
            status, _, body = await client.respond({**CODEX, **signed_in})
            assert (status, b"x-longwire-key" in body) == (401, True)
        assert token_of("acc-1") not in "".join(capfd.readouterr())

    @pytest.mark.parametrize(
        ("token", "account"),
        [(token_of("acc-1"), "acc-1"), (KEY, ""), ("a.b.c", ""), ("a.e30.", "")],
    )
    async def test_who_the_caller_is_stands_in_its_own_token(self, upstream, token, account):
        """Nothing is answered but what it says itself."""
        async with before(channel_to(upstream.url)) as client:
            _, _, body = await client.get(
                "/backend-api/wham/accounts/check", authorization=f"Bearer {token}"
            )
            assert json.loads(body) == {
                "accounts": [
                    {
                        "id": account,
                        "workspace_backend_origin": "https://chatgpt.com",
                        "account_routing_override": "NO_CONSTRAINT",
                    }
                ]
            }

    async def test_usage_is_that_of_the_callers_channels(self, upstream):
        """With a key it is that of the freest subscription, without one of none."""
        async with before(channel_to(upstream.url)) as client:
            soon = 9_999_999_999.0
            client.quota().observe(
                Quota("pro", Window(100.0, 300, soon), limit_reached=True, seen_at=1.0)
            )
            _, _, body = await client.get("/backend-api/wham/usage")
            usage = json.loads(body)
            assert (usage["plan_type"], usage["rate_limit"]["limit_reached"]) == ("pro", True)
            assert usage["rate_limit"]["primary_window"]["used_percent"] == 100
            assert usage["rate_limit"]["primary_window"]["limit_window_seconds"] == 18_000
            foreign = {"authorization": f"Bearer {token_of('acc-1')}"}
            _, _, body = await client.get("/backend-api/wham/usage", **foreign)
            usage = json.loads(body)
            assert (usage["plan_type"], usage["rate_limit"]["allowed"]) == ("unknown", True)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "wham/settings/user", 200),
            ("GET", "ps/plugins/installed?limit=200", 200),
            ("GET", "ps/plugins/suggested/codex", 200),
            ("POST", "ps/mcp", 404),
            ("POST", "codex/analytics-events/events", 202),
        ],
    )
    async def test_what_else_it_asks_for(self, upstream, method, path, status):
        """Each is answered so that Codex goes on."""
        async with before(channel_to(upstream.url)) as client:
            request = client.session.request(method, f"/backend-api/{path}", data=b"{}")
            async with request as response:
                assert (response.status, type(await response.json())) == (status, dict)
