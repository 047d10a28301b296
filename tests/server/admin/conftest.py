"""The admin API on a real socket, over a real store on both engines, and people of every role."""

import asyncio
import json
import socket
import ssl
from collections import Counter
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

import httpx2
import pytest
import uvicorn
from websockets.asyncio.client import connect

from longwire.core.nouns.access import Actor, ApiKey, Grant, IssuedKey, Role
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.people import User
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.core.nouns.secret import Secret
from longwire.emulator import Emulator, IssuerOptions, Options
from longwire.fleet.fleet import alone
from longwire.fleet.local import LocalLimits
from longwire.relay.accounts.accounts import LiveAccounts
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.kept_sign_ins import KeptSignIns
from longwire.relay.accounts.sign_ins import SignIns
from longwire.relay.channels.channel import RoutingTable, Snapshot
from longwire.relay.channels.listings import Listings
from longwire.relay.channels.offered import OfferedModels
from longwire.relay.channels.probe import probe
from longwire.relay.channels.reconcile import Declared
from longwire.relay.homes import LocalHomes
from longwire.relay.records.accounting import Accounting
from longwire.relay.records.journal import Feed
from longwire.relay.records.metrics import Gauges, Metrics
from longwire.relay.records.pricing import Prices
from longwire.relay.turns.candidates import Candidates, Policy
from longwire.relay.turns.explained import explain
from longwire.relay.turns.running import Relay
from longwire.server import oauth_callback
from longwire.server.admin.administration import Administration
from longwire.server.admin.app import admin_app
from longwire.server.admin.schema import build_schema
from longwire.server.alerts.alerting import Alerting
from longwire.server.fleet_health import FleetHealth
from longwire.server.fleet_sessions import FleetSessions
from longwire.store.turn_log import TurnLog
from longwire.upstream.oauth.issuer import Registration
from tests.store.turn_rows import NOON

PASSWORD = Secret("correct horse battery")
SECRETS = ("sk-planted-file", "lw-planted-file", "planted-proxy", "planted-header")
SCHEMA = cache(build_schema)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _one_schema(monkeypatch):
    """All gateways share a schema: to build one is half of a short test."""
    monkeypatch.setattr("longwire.server.admin.app.build_schema", SCHEMA)


class File:
    """The configuration file of these tests: one channel and one key, each with its secrets."""

    def __init__(self, path: Path) -> None:
        channel = ChannelSpec(
            "file:main",
            "main",
            credential=Secret("sk-planted-file"),
            proxy=Secret("http://user:planted-proxy@127.0.0.1:3128"),
            headers=(("x-team", Secret("planted-header")),),
            is_declared=True,
        )
        grant = Grant("file:dev", DEFAULT_PROJECT)
        key = ApiKey("file:dev", "dev", "lw-p", b"", grant, is_declared=True)
        self.declared = Declared((channel,), (IssuedKey(key, Secret("lw-planted-file")),), path)
        self.reloads = 0

    async def reload_file(self) -> None:
        self.reloads += 1


class Live:
    """Live connections that a test puts in."""

    def __init__(self) -> None:
        self.held = {}

    def put(self, number, scope="api_key:file:dev", **fields):
        row = {"connection": number, "channel": "main", "scope": scope, "session": "s"}
        row |= {"state": "idle", "age": 1.5, "turns": 1, "continued": 0, "bytes_saved": 0}
        row |= {"last": "", "channel_id": "", "lifetime": None, "waiting": 0, "recent": []}
        self.held[number] = row | fields

    def rows(self):
        return list(self.held.values())

    def of_channels(self):
        return Counter(row["channel_id"] for row in self.held.values())

    def close(self, connection):
        return self.held.pop(connection, None) is not None


class Counted:
    """Counts how often the gateway was asked to take over what the store holds."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


class Caller:
    """Somebody who asks the admin API: with a session or without."""

    def __init__(self, url: str, client: httpx2.AsyncClient, token: str = "") -> None:
        self.url = url
        self.client = client
        self.headers = {"origin": url, "x-longwire-csrf": "1"}
        if token:
            self.sign_in(token)

    def sign_in(self, token):
        """Have a cookie from now on."""
        self.headers["cookie"] = f"longwire={token}"

    async def post(self, query, /, **variables):
        """The whole answer as HTTP has it."""
        body = {"query": query, "variables": variables}
        return await self.client.post(f"{self.url}/admin/graphql", json=body, headers=self.headers)

    async def ask(self, query, /, **variables):
        """The answer's JSON."""
        return (await self.post(query, **variables)).json()

    async def get(self, query, /, **variables):
        """What a query that goes well gives: the value of its only field."""
        told = await self.ask(query, **variables)
        assert "errors" not in told, told["errors"]
        (value,) = told["data"].values()
        return value

    async def fail(self, query, /, **variables):
        """The extensions of the only error of a query that fails."""
        told = await self.ask(query, **variables)
        assert len(told.get("errors", ())) == 1, told
        return told["errors"][0]["extensions"]

    @asynccontextmanager
    async def subscribed(self, query, /, **variables):
        """Results of a subscription over a WebSocket, one by one."""
        async with connect(
            self.url.replace("http", "ws") + "/admin/graphql",
            subprotocols=["graphql-transport-ws"],
            additional_headers={k: v for k, v in self.headers.items() if k == "cookie"},
            origin=self.url,
        ) as wire:
            await wire.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await wire.recv()) == {"type": "connection_ack"}
            payload = {"query": query, "variables": variables}
            await wire.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))

            async def read():
                return json.loads(await wire.recv())

            yield read


@asynccontextmanager
async def serving_admin(administration, within=lambda app: app):
    """Serve the admin API on a free port, `within` what stands before it, and give its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = within(admin_app(administration))
    options = {"lifespan": "off", "log_config": None, "proxy_headers": False}
    config = uvicorn.Config(app, ws="websockets-sansio", **options)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
            await asyncio.sleep(0.001)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


@pytest.fixture
async def upstream():
    """An upstream that signs people in."""
    async with Emulator(Options(issuer=IssuerOptions(device_interval=0))) as running:
        yield running
        assert [] == running.violations


@pytest.fixture
async def administration(store, tmp_path, upstream, unused_port, clock):
    """What the admin API stands on."""
    refresh = Counted()
    registration = Registration(upstream.url, redirect_port=unused_port)
    issuers = Issuers(registration, clock, store.channels)
    accounts = LiveAccounts(store.accounts, issuers, clock)
    sign_ins = SignIns(store.accounts, issuers, clock, refresh, oauth_callback.listen)
    fleet = alone("a")
    sign_ins.share(KeptSignIns(store.pending_sign_ins, "a", fleet.nodes.has_gone))
    async with accounts.running(), sign_ins.running():
        yield _administration(store, tmp_path, (refresh, accounts, sign_ins, fleet))


@pytest.fixture
def unused_port():
    """A port on which nobody listens yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _administration(store, tmp_path, parts):
    refresh, accounts, sign_ins, fleet = parts
    sessions = FleetSessions(Live(), fleet.asking)
    file = File(tmp_path / "longwire.toml")
    health = FleetHealth(lambda _: (), tuple, sessions, fleet.asking)
    log = TurnLog(store.turns, store.keys.used)
    return Administration(
        store=store,
        refresh=refresh,
        reconciler=file,
        fleet=fleet,
        sessions=sessions,
        health=health,
        feed=Feed(),
        probe=lambda spec, model, api: probe(spec, model, api=api),
        give_way=Counted(),
        accounts=accounts,
        sign_ins=sign_ins,
        alerting=Alerting(store, file, health, fleet, log),
        explain=partial(explain, _relay()),
        offered=OfferedModels(lambda: Snapshot({}), Listings()),
        quote=Prices(lambda: NOON).quote,
        insecure_cookies=True,
    )


def _relay():
    """What turns would be routed by, of no channel."""
    policy, limits = Policy(lambda _key, _turn: False), LocalLimits()
    candidates = Candidates(policy, limits, LocalHomes())
    accounting = Accounting(Metrics(Gauges(list, list)))
    return Relay(RoutingTable(Snapshot({})), policy, accounting, limits, candidates)


@pytest.fixture
async def url(administration):
    """The address of the admin API."""
    async with serving_admin(administration) as url:
        yield url


@pytest.fixture
async def client():
    """What speaks HTTP; without the system's certificates, which take their time."""
    async with httpx2.AsyncClient(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=30
    ) as client:
        yield client


@pytest.fixture
async def signed_in(store, url, client):
    """Somebody of a role who is signed in."""

    async def sign_in(role: Role) -> Caller:
        user = User("", f"{role}@example.org", "", role)
        made = await store.users.create(user, PASSWORD, Actor("", "test"))
        token = await store.sign_ins.begin(made.id)
        return Caller(url, client, token.reveal())

    return sign_in


@pytest.fixture
async def admin(signed_in):
    """An admin."""
    return await signed_in(Role.ADMIN)


@pytest.fixture
async def viewer(signed_in):
    """A viewer, who belongs to no project yet."""
    return await signed_in(Role.VIEWER)


@pytest.fixture
def nobody(url, client):
    """Somebody who has not signed in."""
    return Caller(url, client)
