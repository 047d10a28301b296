"""The list of models, and models by other names."""

import json
from dataclasses import replace

from longwire.emulator import Fault
from longwire.relay.channels.channel import Snapshot
from tests.server.data.codex_channels import before, channel_to


def _rename(client, *renames):
    """Send models by other names over the Codex channel."""
    channels = dict(client.gateway.app.routing.snapshot.channels)
    own = client.channel()
    channels[own.id] = replace(own, spec=replace(own.spec, renames=renames))
    client.gateway.app.routing.snapshot = Snapshot(channels)


class TestModels:
    async def test_the_list_as_codex_reads_it(self, upstream):
        """An upstream's own entries under the callers' names, and new ones in the same shape."""
        codex = channel_to(upstream.url, models=["gpt-5.5", "mine"])
        plain = channel_to(upstream.url, name="plain", type="openai", models=["o3"])
        async with before(codex, plain) as client:
            _rename(client, ("mine", "gpt-5.2"))
            _, headers, body = await client.get("/v1/models?client_version=0.169.0")
            entries = json.loads(body)["models"]
            assert [entry["slug"] for entry in entries] == ["gpt-5.5", "mine", "o3"]
            assert len({frozenset(entry) for entry in entries}) == 1
            assert entries[1]["display_name"] == "gpt-5.2"
            assert headers["etag"] == '"emulator-1"'
            path = "/backend-api/codex/models"
            status, _, again = await client.get(path, **{"if-none-match": headers["etag"]})
            assert (status, again) == (304, b"")
            _, _, public = await client.get("/v1/models")
            assert [each["id"] for each in json.loads(public)["data"]] == ["gpt-5.5", "mine", "o3"]

    async def test_a_list_that_cannot_be_had_leaves_the_names(self, upstream):
        """Codex gets entries of what was declared, with an ETag of their own."""
        upstream.faults.add(Fault(at="handshake", act="error", status=500))
        async with before(channel_to(upstream.url, models=["gpt-5.5"])) as client:
            status, headers, body = await client.get("/backend-api/codex/models")
            assert (status, [e["slug"] for e in json.loads(body)["models"]]) == (200, ["gpt-5.5"])
            assert headers["etag"].startswith('"')


class TestOtherNames:
    """A channel that is bound to one model, and serves clients that ask for others."""

    @staticmethod
    def _channel(upstream):
        return channel_to(
            upstream.url,
            type="openai",
            base_url=f"{upstream.url}/v1",
            models=["gpt-5.2"],
            renames={"claude-*": "gpt-5.2", "fast": "gpt-5.2-mini"},
        )

    async def test_a_client_is_served_by_names_that_it_brings(self, upstream):
        """The upstream sees its own name; a name that no pair and no model has stays unknown."""
        async with before(self._channel(upstream)) as client:
            for model in ("claude-sonnet-5-20260101", "fast"):
                status, _, _ = await client.respond(model=model)
                assert status == 200
            assert [turn.model for turn in upstream.turns] == ["gpt-5.2", "gpt-5.2-mini"]
            status, _, body = await client.respond(model="gemini-3")
            assert (status, b"does not serve it" in body) == (404, True)

    async def test_the_list_has_names_and_no_patterns(self, upstream):
        """A name can be picked from a list, a pattern cannot."""
        async with before(self._channel(upstream)) as client:
            _, _, body = await client.get("/v1/models")
            assert [each["id"] for each in json.loads(body)["data"]] == ["gpt-5.2", "fast"]
