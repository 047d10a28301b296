"""One attempt to deliver a message to a destination; what came of it is a value, never an error."""

import asyncio
from typing import Final

from longwire.core.nouns.delivery import Delivery, Sent
from longwire.core.nouns.destination import AlertDestination, DestinationKind
from longwire.logger import structlog
from longwire.upstream.loading import load

_log = structlog.get_logger()
_LONGEST: Final = 60.0
"""Seconds for all of an attempt; nobody else makes it meanwhile."""


async def send(destination: AlertDestination, delivery: Delivery, now: float) -> Sent:
    """Send a message, `now` in seconds since 1970 UTC."""
    try:
        async with asyncio.timeout(_LONGEST):
            return await _attempt(destination, delivery, now)
    except TimeoutError:
        return Sent("no answer in time", may_succeed_later=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, alerts go on
        _log.exception("alert_not_sent", destination=destination.name)
        return Sent(f"It cannot be sent ({type(error).__name__}); the log has more.")


async def _attempt(destination: AlertDestination, delivery: Delivery, now: float) -> Sent:
    if destination.kind is DestinationKind.MAIL:
        from longwire.upstream.notices.mail import (  # noqa: PLC0415 - only mail needs it
            send_mail,
        )

        return await send_mail(destination.mail, delivery, now)
    await load("longwire.upstream.net.session")
    from longwire.upstream.notices.webhook import post  # noqa: PLC0415 - only webhooks need it

    return await post(destination.webhook, delivery, now)
