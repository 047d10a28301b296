"""A stage with accounts: an upstream that signs people in, and a gateway whose store has them."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

from longwire.app import opening
from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.codex.auth import decode_auth_json
from longwire.settings import Settings
from tests.conftest import KEY

ADA, BOB, CYN = "ada@example.org", "bob@example.org", "cyn@example.org"
ACTOR = Actor("", "test")


def settings_of(emulator, folder: Path, **tables) -> Settings:
    """Settings with a store in a folder, and the emulator as issuer; no channel is declared."""
    return Settings(
        **{
            "api_keys": ({"name": "dev", "key": KEY},),
            "codex": {"issuer": emulator.url},
            "database": {"url": f"sqlite:///{folder / 'longwire.db'}"},
            **tables,
        }
    )


@asynccontextmanager
async def opened(settings: Settings):
    """The store of some settings, as a command opens it."""
    store = await opening(settings)()
    try:
        yield store
    finally:
        await store.close()


async def signed_in(store, emulator, *people, **changes):
    """Make a channel with the accounts of some people; returns it and them."""
    given = {"base_url": f"{emulator.url}/backend-api/codex", "transport": "websocket", **changes}
    spec = await store.channels.create(ChannelSpec("", "codex", "codex", **given), ACTOR)
    accounts = [await add_account(store, emulator, spec, person) for person in people]
    return spec, accounts


async def add_account(store, emulator, spec, person):
    """Sign somebody in at a channel, as an import of auth.json does."""
    login = decode_auth_json(json.dumps(emulator.issuer.auth_json(person)))
    return await store.accounts.sign_in(spec.id, login, ACTOR)
