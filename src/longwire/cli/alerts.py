"""`longwire alerts`: what lasts and what was, and whether a destination can be reached."""

from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli import alert_destinations, alert_rules
from longwire.cli.store import AsJson, Config, every, with_settings, with_store
from longwire.cli.tables import show, show_json, show_table, time_text
from longwire.core.errors import NotFound

if TYPE_CHECKING:
    from longwire.core.nouns.delivery import Alert, Delivery
    from longwire.core.nouns.destination import AlertDestination
    from longwire.core.nouns.page import Page
    from longwire.settings import Settings
    from longwire.store.store import Store

Which = Annotated[str, typer.Argument(metavar="DESTINATION", help="Its name or id.")]
Most = Annotated[int, typer.Option("--most", min=1, max=200, help="So many at most.")]
_TITLES = ("since", "until", "what", "rule", "deliveries")


def build() -> typer.Typer:
    """The commands below `longwire alerts`."""
    commands = typer.Typer(help="See alerts, and who is informed.", no_args_is_help=True)
    for name, command in (("list", list_), ("history", history), ("test", send_test)):
        commands.command(name)(command)
    commands.add_typer(alert_rules.build(), name="rules")
    commands.add_typer(alert_destinations.build(), name="destinations")
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the alerts that last."""

    async def work(store: "Store") -> "list[Alert]":
        async def page(first: int, after: str | None = None) -> "Page[Alert]":
            return await store.alerts.page(first=first, after=after, only_open=True)

        return await every(page)

    _show(with_store(config, work), "nothing to be warned of", as_json=as_json)


def history(most: Most = 50, config: Config = None, as_json: AsJson = False) -> None:
    """List alerts, the newest first, with what became of their deliveries."""

    async def work(store: "Store") -> "list[Alert]":
        return list((await store.alerts.page(first=most)).items)

    _show(with_store(config, work), "no alerts yet", as_json=as_json)


def send_test(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Send a test to a destination, and show what came back; exit with 1 where it failed."""
    delivery = with_settings(config, lambda store, settings: _test(store, settings, which))
    outcome = f"{delivery.destination_name}: {delivery.status.value}; {delivery.answer}"
    show(delivery, outcome, as_json=as_json)
    if delivery.status.value != "delivered":
        raise typer.Exit(1)


async def _test(store: "Store", settings: "Settings", which: str) -> "Delivery":
    from longwire.server.alerts.deliveries import Deliveries
    from longwire.settings.alerts import destination_of
    from longwire.store.store import now_ms

    async def destinations() -> "tuple[AlertDestination, ...]":
        declared = map(destination_of, settings.alert_destinations)
        return (*declared, *await store.alert_destinations.all())

    for each in await destinations():
        if which in (each.name, each.id):
            return await Deliveries(store.alerts, destinations, now_ms).test(each)
    raise NotFound("alert destination", which)


def _show(alerts: "list[Alert]", empty: str, *, as_json: bool) -> None:
    if as_json:
        show_json(alerts)
        return
    show_table(_TITLES, map(_row, alerts), empty)


def _row(alert: "Alert") -> tuple[str, ...]:
    from longwire.core.nouns.alert import AlertState
    from longwire.server.alerts.messages import sentence

    state = AlertState(alert.subject, alert.label, alert.since, alert.value)
    deliveries = ", ".join(
        f"{each.event.value} {each.destination_name}: {each.status.value}"
        for each in alert.deliveries
    )
    return (
        time_text(alert.since),
        time_text(alert.until, "lasts"),
        sentence(alert.watched, state),
        alert.rule_name,
        deliveries or "nobody",
    )
