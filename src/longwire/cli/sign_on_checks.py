"""What `longwire doctor` looks for in single sign-on: the provider, and what it must know of us."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from longwire.cli.fleet_checks import Check, Verdict

if TYPE_CHECKING:
    from longwire.settings import Settings

_WHAT: Final = "single sign-on"
_PATH: Final = "/admin/oidc/callback"


def check_sign_on(settings: "Settings") -> Iterator[Check]:
    """Yield whether the provider answers, and the redirect URI; nothing where there is none."""
    from longwire.settings.oidc import single_sign_on_of

    config = single_sign_on_of(settings.oidc)
    if config is None:
        return
    import asyncio
    import time

    from longwire.core.nouns.sign_on import SignOnRefused
    from longwire.upstream.oidc.provider import Provider

    try:
        asyncio.run(Provider(config.client, time.time).metadata())
    except SignOnRefused as error:
        yield Check(_WHAT, str(error), Verdict.FAIL)
        return
    public = settings.server.public_url.rstrip("/")
    own = public or f"<the gateway's URL>{settings.server.base_path}"
    yield Check(_WHAT, f"{config.client.issuer} answers; its redirect URI for us is {own}{_PATH}")
