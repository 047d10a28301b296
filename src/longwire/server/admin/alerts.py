"""The history of alerts in the admin API, and what was sent of each."""

from datetime import datetime

import strawberry

from longwire.core.nouns.access import Permission
from longwire.core.nouns.alert import AlertEvent, AlertState, Watched
from longwire.core.nouns.delivery import Alert, Delivery, DeliveryStatus
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import view_of
from longwire.server.admin.paging import Connection, connection
from longwire.server.admin.scalars import time_of, time_or_none
from longwire.server.alerts.messages import sentence

strawberry.enum(Watched, name="AlertWatched", description="What an alert rule watches.")
strawberry.enum(AlertEvent, description="Why somebody is told.")
strawberry.enum(
    DeliveryStatus, name="AlertDeliveryStatus", description="What became of a delivery."
)


@strawberry.type(name="AlertDelivery", description="A message of an alert to one destination.")
class DeliveryView:
    id: strawberry.ID
    destination_id: strawberry.ID
    destination_name: str
    event: AlertEvent
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    answer: str = strawberry.field(description="What came back last, or why nothing did.")


@strawberry.type(name="Alert", description="Something that a rule watches, and that was so.")
class AlertView:
    id: strawberry.ID
    rule_id: strawberry.ID
    rule_name: str
    watched: Watched
    threshold: float
    subject: str = strawberry.field(description="The id of what it is about.")
    label: str
    text: str = strawberry.field(description="What is so, in a few words.")
    since: datetime
    fired_at: datetime
    until: datetime | None = strawberry.field(description="Null while it lasts.")
    value: float
    note: str
    deliveries: list[DeliveryView]


def delivery_shown(delivery: Delivery) -> DeliveryView:
    """Return a delivery as it is shown."""
    return view_of(
        DeliveryView,
        delivery,
        created_at=time_of(delivery.created_at),
        next_at=time_or_none(delivery.next_at),
        ended_at=time_or_none(delivery.ended_at),
    )


def _shown(alert: Alert) -> AlertView:
    state = AlertState(alert.subject, alert.label, alert.since, alert.value)
    return view_of(
        AlertView,
        alert,
        text=sentence(alert.watched, state),
        since=time_of(alert.since),
        fired_at=time_of(alert.fired_at),
        until=time_or_none(alert.until),
        deliveries=[delivery_shown(each) for each in alert.deliveries],
    )


async def _page(
    info: Info,
    first: int = 50,
    after: str | None = None,
    only_open: bool = False,  # noqa: FBT001, FBT002 - an argument of the query
) -> Connection[AlertView]:
    _, administration = admitted(info, Permission.ALERTS_READ)
    alerts = administration.store.alerts
    return connection(await alerts.page(first=first, after=after, only_open=only_open), _shown)


async def _open(info: Info) -> int:
    _, administration = admitted(info, Permission.ALERTS_READ)
    return await administration.store.alerts.count_open()


@strawberry.type
class AlertQueries:
    alerts: Connection[AlertView] = strawberry.field(
        resolver=_page, description="Alerts, the newest first: all, or those that last."
    )
    open_alerts: int = strawberry.field(resolver=_open, description="How many alerts last.")
