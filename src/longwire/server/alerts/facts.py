"""The facts that rules are held against, from what the gateway knows anyway."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from longwire.core.nouns.account import AccountStatus
from longwire.core.nouns.alert import AlertRule, Fact, Watched
from longwire.fleet.nodes import Nodes
from longwire.relay.channels.budgets import found_budgets
from longwire.relay.channels.reconcile import ChannelReconciler
from longwire.server.alerts.figures import OF_NODES, NodeFigures
from longwire.server.alerts.messages import LABELS, NOTES
from longwire.server.fleet_health import FleetHealth, Trust, worst
from longwire.store.alert_figures import Share, shares
from longwire.store.spending import budget_states
from longwire.store.store import Store

_TRUST: Final = {Trust.SOUND: 0.0, Trust.FAILING: 0.5, Trust.RESTING: 1.0}
_SECOND: Final = 1_000
_REMEMBERED: Final = 86_400.0
Gather = Callable[[AlertRule, int], Awaitable[list[Fact]]]


class Facts:
    """Gathers facts, those that several rules look at once for all."""

    def __init__(
        self,
        store: Store,
        reconciler: ChannelReconciler,
        health: FleetHealth,
        figures: NodeFigures,
        nodes: Nodes,
    ) -> None:
        self._store = store
        self._reconciler = reconciler
        self._health = health
        self._figures = figures
        self._nodes = nodes
        self._silent: dict[str, float] = {}
        self._gather: dict[Watched, Gather] = {
            Watched.CHANNEL_RESTING: self._resting,
            Watched.SIGN_IN_NEEDED: self._signed_out,
            Watched.BUDGET_SHARE: self._budgets,
            Watched.ERROR_RATE: self._error_rates,
            Watched.CONTINUED_SHARE: self._continued,
            Watched.CONTINUED_DROP: self._drop,
            Watched.NODE_GONE: self._gone,
            **dict.fromkeys(OF_NODES, self._of_nodes),
        }

    async def of(self, rules: Collection[AlertRule], now: int) -> dict[str, Sequence[Fact]]:
        """Return the facts for each rule by its id, `now` in ms since 1970 UTC.

        Raises `StoreUnavailable`.
        """
        known: dict[tuple[Watched, int], Sequence[Fact]] = {}
        for rule in rules:
            place = (rule.watched, rule.window)
            if place not in known:
                known[place] = await self._gather[rule.watched](rule, now)
        return {rule.id: known[rule.watched, rule.window] for rule in rules}

    async def notice_nodes(self) -> None:
        """Remember who went silent: the fleet forgets that after ten minutes."""
        if not self._nodes.is_shared:
            return
        presence = await self._nodes.presence()
        present = {node.name for node in presence.nodes}
        silent = {**self._silent, **presence.silent}
        self._silent = {
            name: presence.silent.get(name, age)
            for name, age in silent.items()
            if name not in present and age < _REMEMBERED
        }

    async def _resting(self, _rule: AlertRule, _now: int) -> list[Fact]:
        found = []
        for channel_id in sorted(self._reconciler.running_ids):
            fare = worst([*(await self._health.of(channel_id)).values()])
            if fare.channel is not None:
                value = _TRUST[fare.channel]
                failure = NOTES[Watched.CHANNEL_RESTING].format(problem=fare.problem)
                note = failure if value and fare.problem else ""
                found.append(Fact(channel_id, self._name(channel_id), value, note=note))
        return found

    async def _signed_out(self, _rule: AlertRule, _now: int) -> list[Fact]:
        label = LABELS[Watched.SIGN_IN_NEEDED]
        return [
            Fact(
                account.id,
                label.format(account=account.label, channel=self._name(account.channel_id)),
                float(account.status is AccountStatus.SIGN_IN_NEEDED),
                note=account.problem,
            )
            for account in await self._store.accounts.all()
        ]

    async def _budgets(self, _rule: AlertRule, now: int) -> list[Fact]:
        declared, store = self._reconciler.declared, self._store
        zone = declared.time_zone or await store.settings.time_zone()
        budgets = await found_budgets(store, declared.budgets)
        return [
            Fact(
                state.budget.id,
                f"{state.budget.kind} {state.name}, {state.budget.unit} of this "
                f"{state.budget.period}",
                state.share,
            )
            for state in await budget_states(store, budgets, zone, now)
        ]

    async def _error_rates(self, rule: AlertRule, now: int) -> list[Fact]:
        note = NOTES[Watched.ERROR_RATE]
        return [
            Fact(
                each.channel_id,
                self._name(each.channel_id),
                each.failures / each.turns,
                each.turns,
                note.format(failures=each.failures, turns=each.turns),
            )
            for each in await self._shares(rule, now)
        ]

    async def _continued(self, rule: AlertRule, now: int) -> list[Fact]:
        turns, continued = _added(await self._shares(rule, now))
        if not turns:
            return []
        watched, share = rule.watched, continued / turns
        note = NOTES[watched].format(continued=continued, turns=turns)
        return [Fact("all", LABELS[watched], share, turns, note)]

    async def _drop(self, rule: AlertRule, now: int) -> list[Fact]:
        turns, continued = _added(await self._shares(rule, now))
        earlier = await self._shares(rule, now - rule.window * _SECOND)
        turns_before, continued_before = _added(earlier)
        if not turns or not turns_before:
            return []
        share, before = continued / turns, continued_before / turns_before
        counts = {"turns_before": turns_before, "turns": turns}
        note = NOTES[rule.watched].format(before=f"{before:.0%}", share=f"{share:.0%}", **counts)
        label = LABELS[rule.watched]
        return [Fact("all", label, before - share, min(turns, turns_before), note)]

    async def _gone(self, _rule: AlertRule, _now: int) -> list[Fact]:
        return [
            Fact(name, name, 1.0, note=NOTES[Watched.NODE_GONE].format(seconds=f"{age:.0f}"))
            for name, age in self._silent.items()
        ]

    async def _of_nodes(self, rule: AlertRule, _now: int) -> list[Fact]:
        return await self._figures.facts(rule.watched, rule.window)

    async def _shares(self, rule: AlertRule, until: int) -> tuple[Share, ...]:
        return await shares(self._store.database, until - rule.window * _SECOND, until)

    def _name(self, channel_id: str) -> str:
        return next((each.name for each in self._reconciler.running(channel_id)), channel_id)


def _added(found: Sequence[Share]) -> tuple[int, int]:
    return sum(each.turns for each in found), sum(each.continued for each in found)
