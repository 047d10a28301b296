"""One attempt to deliver a message to a destination; what came of it is a value, never an error."""

from longwire.core.nouns.delivery import Delivery, Sent
from longwire.core.nouns.destination import AlertDestination, DestinationKind
from longwire.upstream.loading import load


async def send(destination: AlertDestination, delivery: Delivery, now: float) -> Sent:
    """Send a message, `now` in seconds since 1970 UTC."""
    if destination.kind is DestinationKind.MAIL:
        from longwire.upstream.notices.mail import (  # noqa: PLC0415 - only mail needs it
            send_mail,
        )

        return await send_mail(destination.mail, delivery, now)
    await load("longwire.upstream.net.session")
    from longwire.upstream.notices.webhook import post  # noqa: PLC0415 - only webhooks need it

    return await post(destination.webhook, delivery, now)
