"""The running configuration: loaded from file and store, planned, provisioned, swapped, retired.

Law: the snapshot is replaced by one assignment or not at all; channels that a change does not
concern keep their connections. A revoked key is refused even when a channel of its change fails.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.core.nouns.access import ApiKey, IssuedKey
from longwire.core.nouns.alert import AlertRule
from longwire.core.nouns.budget import DeclaredBudget
from longwire.core.nouns.channel import ChannelSpec, Status
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.destination import AlertDestination
from longwire.core.nouns.model import Model
from longwire.core.ports import REVISION, Tidings
from longwire.core.rules.limits import Subject
from longwire.core.rules.swap import plan
from longwire.core.rules.targets import resolve
from longwire.fleet.local import LocalTidings
from longwire.logger import structlog
from longwire.relay.accounts.accounts import LiveAccount, LiveAccounts
from longwire.relay.channels.budgets import running_budgets
from longwire.relay.channels.channel import Channel, RoutingTable, Snapshot
from longwire.relay.channels.provision import ProvisionContext, adapt, fingerprint_of, provision

if TYPE_CHECKING:
    from longwire.store.store import Store

_log = structlog.get_logger()
_REMEMBERED = 4096
HandOut = Callable[[Sequence[IssuedKey], Sequence[ApiKey]], None]


@dataclass(frozen=True, slots=True)
class Declared:
    """What the configuration file says; `file` is where it stands, None for none.

    With a `time_zone` it says in which zone budgets are counted.
    """

    channels: tuple[ChannelSpec, ...] = ()
    keys: tuple[IssuedKey, ...] = ()
    file: Path | None = None
    alert_rules: tuple[AlertRule, ...] = ()
    alert_destinations: tuple[AlertDestination, ...] = ()
    models: tuple[Model, ...] = ()
    budgets: tuple[DeclaredBudget, ...] = ()
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store holds."""

    keys: tuple[ApiKey, ...] = ()
    channels: tuple[ChannelSpec, ...] = ()
    accounts: tuple[LiveAccount, ...] = ()
    models: tuple[Model, ...] = ()
    budgets: Mapping[str, Subject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A channel that shall run, for one of its accounts or for a key."""

    spec: ChannelSpec
    account: LiveAccount | None = None
    key: ChannelKey | None = None

    @property
    def id(self) -> str:
        entry = self.account.account.id if self.account else self.key.entry if self.key else ""
        return f"{self.spec.id}/{entry}" if entry else self.spec.id


def _wanted(spec: ChannelSpec, accounts: Sequence[LiveAccount]) -> list[_Wanted]:
    """Return how a channel shall run: once for each account, and for each key if it has some."""
    own = [_Wanted(spec, each) for each in accounts if each.account.channel_id == spec.id]
    if keys := spec.keys_in_force:
        running = [_Wanted(spec.for_key(key), key=key) for key in keys if key.is_enabled]
        return [*own, *running] or [_Wanted(replace(spec, status=Status.DISABLED, keys=()))]
    return [*own, _Wanted(spec)] if spec.credential or not own else own


class ChannelReconciler:
    """Keeps what runs like what is configured.

    `read` reads the file anew and raises `ConfigurationError`; `hand_out` takes the keys of the
    file and of the store. `names` tells channels by the identity of their connections, those that
    ended lately included. `problem` is why the last change was not taken over, "" if it was. What
    is changed here is told by `tidings`, so that other nodes look at once.
    """

    def __init__(
        self,
        routing: RoutingTable,
        context: ProvisionContext,
        read: Callable[[], Declared],
        hand_out: HandOut,
        tidings: Tidings | None = None,
    ) -> None:
        self.declared = read()
        self.names: OrderedDict[str, str] = OrderedDict()
        self.problem = ""
        self._routing = routing
        self._context = context
        self._read = read
        self._hand_out = hand_out
        self._store: Store | None = None
        self._accounts: LiveAccounts | None = None
        self._revision = -1
        self._seen = _look_of(self.declared.file)
        self._lock = asyncio.Lock()
        self._must_reload = False
        self._must_look = asyncio.Event()
        self._tidings = tidings or LocalTidings()
        self._tidings.hear(REVISION, lambda _node, _facts: self._must_look.set())
        self._swap(self.declared, _Stored())
        hand_out(self.declared.keys, ())

    async def begin(self, store: "Store | None", accounts: LiveAccounts | None = None) -> None:
        """Take over what a store holds; a channel of it that cannot run is left out, and said."""
        self._store, self._accounts = store, accounts
        with suppress(ConfigurationError):
            await self._load(self.declared)

    async def refresh(self) -> None:
        """Take over what the store holds now, after it was changed here, and tell other nodes.

        Raises `ConfigurationError` for a channel that cannot run: it stays as it was, or out. What
        was raised before is not raised again with every change of something else.
        """
        try:
            await self._load(self.declared)
        finally:
            self._tidings.tell(REVISION, {})

    async def reload_file(self) -> None:
        """Take over what the file says now.

        Raises `ConfigurationError` for a bad file: then everything stays as it is.
        """
        self._seen = _look_of(self.declared.file)
        await self._load(self._read())
        _log.info("configuration_reloaded", file=str(self.declared.file))

    def running(self, channel_id: str) -> tuple[Channel, ...]:
        """Return a channel as it runs now, once for each of its accounts."""
        running = self._routing.snapshot.channels.values()
        return tuple(each for each in running if each.id == channel_id)

    @property
    def running_ids(self) -> frozenset[str]:
        """The ids of the channels that run now."""
        return frozenset(each.id for each in self._routing.snapshot.channels.values())

    def budgets(self) -> Mapping[str, Subject]:
        """Return who may spend what now, by kind and id."""
        return self._routing.snapshot.budgets

    def request_reload(self) -> None:
        """Let the file be read soon, whether it changed or not."""
        self._must_reload = True
        self._must_look.set()

    @asynccontextmanager
    async def watching(self, pause: float = 1.0) -> AsyncIterator[None]:
        """Take over changes of the file and the store, each so many seconds."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._watch(pause))
            try:
                yield
            finally:
                task.cancel()

    async def _watch(self, pause: float) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._must_look.wait()
            self._must_look.clear()
            await self.look()

    async def look(self) -> None:
        """Take over what changed. What cannot be stands in `problem` and, once, in the log."""
        try:
            if self._must_reload or _look_of(self.declared.file) != self._seen:
                self._must_reload = False
                await self.reload_file()
            elif self._store is not None and await self._is_behind(self._store):
                await self._load(self.declared)
        except ConfigurationError as error:
            self._complain(str(error))
        except StoreUnavailable as error:
            self._complain(f"the database cannot be read ({error.reason})")

    async def close(self) -> None:
        """Close what channels hold, for the end of the process."""
        for channel in self._routing.snapshot.channels.values():
            for transport in channel.by_api.values():
                await transport.close()

    async def _is_behind(self, store: "Store") -> bool:
        return await store.configuration_revision() != self._revision

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            _log.error("configuration_not_taken_over", reason=problem)
        self.problem = problem

    async def _load(self, declared: Declared) -> None:
        async with self._lock:
            stored = await self._stored(declared)
            retired, problems = self._swap(declared, stored)
            self.declared = declared
            self._hand_out(declared.keys, stored.keys)
            for channel in retired:
                await self._retire(channel)
            if not problems:
                self.problem = ""
                return
            is_known = self.problem == (problem := "; ".join(problems))
            self._complain(problem)
            if not is_known:
                raise ConfigurationError(problem)

    async def _stored(self, declared: Declared) -> _Stored:
        """Return what the store holds; its keys are handed out even if no channel can be read."""
        if self._store is None:
            return _Stored()
        revision = await self._store.configuration_revision()
        keys = await self._store.keys.all()
        self._hand_out(self.declared.keys, keys)
        channels, models = await self._store.channels.all(), await self._store.models.all()
        accounts: tuple[LiveAccount, ...] = ()
        if self._accounts is not None:
            accounts = (*self._accounts.take_over(await self._store.accounts.all()).values(),)
        budgets = await running_budgets(self._store, declared.budgets, declared.time_zone)
        self._revision = revision
        return _Stored(keys, channels, accounts, models, budgets)

    def _swap(self, declared: Declared, stored: _Stored) -> tuple[list[Channel], list[str]]:
        """Let this run; return the channels that do no more, and why others do not yet."""
        running = self._routing.snapshot.channels
        specs = (*declared.channels, *stored.channels)
        desired = {each.id: each for spec in specs for each in _wanted(spec, stored.accounts)}
        swap = plan(
            {each: channel.fingerprint for each, channel in running.items()},
            {each: fingerprint_of(want.spec, want.account) for each, want in desired.items()},
        )
        started, problems = self._provision(desired[each] for each in swap.start)
        channels: dict[str, Channel] = {}
        for each, want in desired.items():
            if each in swap.keep:
                kept = running[swap.keep[each]]
                channels[each] = adapt(kept, want.spec, self._context, want.key)
            elif each in started:
                channels[each] = started[each]
            elif each in running:
                channels[each] = running[each]
        models = (*declared.models, *stored.models)
        routes = [channel.route for channel in channels.values()]
        headers = self._routing.snapshot.session_headers
        targets = resolve(models, routes)
        self._routing.snapshot = Snapshot(channels, headers, targets, stored.budgets)
        self._name(channels.values())
        stay = {channel.endpoint for channel in channels.values()}
        retired = [running[each] for each in swap.retire if running[each].endpoint not in stay]
        return retired, problems

    def _name(self, channels: Iterable[Channel]) -> None:
        for channel in channels:
            self.names[channel.endpoint] = channel.name
            self.names.move_to_end(channel.endpoint)
        while len(self.names) > max(_REMEMBERED, len(self._routing.snapshot.channels)):
            self.names.popitem(last=False)

    def _provision(self, wanted: Iterable[_Wanted]) -> tuple[dict[str, Channel], list[str]]:
        """Make channels run. Raises `ConfigurationError` where one of the file cannot."""
        started, problems = {}, []
        for each in wanted:
            try:
                started[each.id] = provision(each.spec, self._context, each.account, each.key)
            except ConfigurationError as error:
                if each.spec.is_declared:
                    raise
                problems.append(str(error))
        return started, problems

    async def _retire(self, channel: Channel) -> None:
        self._context.pool.retire(channel.endpoint)
        for transport in channel.by_api.values():
            await transport.retire()


def _look_of(file: Path | None) -> tuple[int, int, int] | None:
    """Return what differs when a file was written; None where there is none."""
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
