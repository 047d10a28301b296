"""Everything that is remembered, opened as one: the database, its secrets, and the nouns."""

import time
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Final

from sqlalchemy import insert, select

from longwire.core.errors import ConfigurationError, NothingKept
from longwire.core.nouns.access import KeyDigest, digest_with
from longwire.core.nouns.secret import Secret
from longwire.store.accounts import Accounts
from longwire.store.alert_destinations import AlertDestinations
from longwire.store.alert_rules import AlertRules
from longwire.store.alerts import Alerts
from longwire.store.audit import Audit
from longwire.store.body_search import BodySearch
from longwire.store.budgets import StoredBudgets
from longwire.store.channels import Channels
from longwire.store.clock import database_now
from longwire.store.database import DEFAULT_POOL, Database, PoolSize
from longwire.store.engine import AsyncConnection
from longwire.store.homes import StoredHomes
from longwire.store.identities import Identities
from longwire.store.invitations import Invitations
from longwire.store.keys import ApiKeys
from longwire.store.latencies import Latencies
from longwire.store.migrate import migrate, schema_of
from longwire.store.models import Models
from longwire.store.passwords import Passwords
from longwire.store.pending_sign_ins import PendingSignIns
from longwire.store.projects import Projects
from longwire.store.runs import Runs
from longwire.store.secrets import Vault, new_master_key, read_master_keys
from longwire.store.settings import StoredSettings
from longwire.store.sign_ins import SignIns
from longwire.store.tables import keyring, revisions
from longwire.store.turns import Turns
from longwire.store.untrusted_proxies import UntrustedProxies
from longwire.store.usage import Usage
from longwire.store.users import Users

_PEPPER: Final = "pepper"
_PEPPER_PLACE = f"keyring.sealed:{_PEPPER}"
_SEALED_PEPPER = select(keyring.c.sealed).where(keyring.c.name == _PEPPER)
_PEPPER_SIZE: Final = 32


def now_ms() -> int:
    """Return the wall clock in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Store:
    """The nouns over one database; to be closed."""

    database: Database
    vault: Vault
    digest: KeyDigest
    channels: Channels
    models: Models
    accounts: Accounts
    keys: ApiKeys
    projects: Projects
    users: Users
    sign_ins: SignIns
    identities: Identities
    invitations: Invitations
    turns: Turns
    body_search: BodySearch
    usage: Usage
    runs: Runs
    latencies: Latencies
    settings: StoredSettings
    audit: Audit
    homes: StoredHomes
    pending_sign_ins: PendingSignIns
    alert_rules: AlertRules
    alert_destinations: AlertDestinations
    alerts: Alerts
    budgets: StoredBudgets
    untrusted_proxies: UntrustedProxies

    async def configuration_revision(self) -> int:
        """Return the number that grows with each change running gateways must take over."""
        query = select(revisions.c.number).where(revisions.c.name == "configuration")
        async with self.database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def time(self) -> int:
        """Return ms since 1970 UTC by the database's own clock; SQLite's is this machine's."""
        async with self.database.read() as connection:
            return int((await connection.execute(select(database_now(self.database)))).scalar_one())

    async def close(self) -> None:
        """Close the connections."""
        await self.database.close()


async def open_store(
    url: str,
    secret_key: Secret,
    secret_path: Path,
    clock: Callable[[], int] = now_ms,
    pool: PoolSize = DEFAULT_POOL,
    *,
    indexes_bodies: bool = False,
) -> Store:
    """Connect, migrate, and open what is sealed with the `secret_key`, or the one in its file.

    The words of bodies are kept and found where it `indexes_bodies`.

    Raises `ConfigurationError` with the mend: no database there, a newer schema, a wrong key.
    """
    database = Database(url, pool)
    async with _closed_on_failure(database):
        await _migrated(database)
        vault, digest = await _sealed(database, secret_key, secret_path)
        return _store_of(database, vault, digest, clock, indexes_bodies=indexes_bodies)


async def open_kept_store(
    url: str, secret_key: Secret, secret_path: Path, *, indexes_bodies: bool = False
) -> Store:
    """Open what is there: neither a database nor a key is made. Raises `NothingKept`, too."""
    database = Database(url, DEFAULT_POOL)
    async with _closed_on_failure(database):
        await _check_kept(database)
        await _migrated(database)
        if bool(secret_key) or await to_thread(secret_path.exists):
            vault, digest = await _sealed(database, secret_key, secret_path)
        else:
            vault, digest = await _unsealed(database, secret_path)
        return _store_of(database, vault, digest, now_ms, indexes_bodies=indexes_bodies)


@asynccontextmanager
async def _closed_on_failure(database: Database) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await database.close()
        raise


async def _migrated(database: Database) -> None:
    await database.check()
    with database.starting():
        await migrate(database)


async def _check_kept(database: Database) -> None:
    """Raise `NothingKept` for no database, or one without tables."""
    if database.path is not None and not database.path.exists():
        raise NothingKept(f"there is no database at {database.place}")
    with database.starting():
        if await schema_of(database) is None:
            raise NothingKept(f"the database {database.place} has no tables yet")


def _no_key(database: Database, path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path.absolute()}: the secret key of the database {database.place} is missing; "
        "bring it back, or name it in database.secret_key"
    )


async def _sealed(database: Database, key: Secret, path: Path) -> tuple[Vault, KeyDigest]:
    """Return what opens a database, made where it is the first time."""
    vault = Vault(read_master_keys(key, path), None if key else path)
    with database.starting():
        async with database.read() as connection:
            sealed = await connection.scalar(_SEALED_PEPPER)
        if sealed is not None:  # nothing is written, so that who writes now bars nobody
            return vault, digest_with(vault.open(sealed, _PEPPER_PLACE))
        async with database.write() as connection:
            return vault, digest_with(await _pepper(connection, vault))


async def _unsealed(database: Database, path: Path) -> tuple[Vault, KeyDigest]:
    """Return what opens a database in which nothing is sealed yet, and is not kept.

    Raises `ConfigurationError` where something is.
    """
    with database.starting():
        async with database.read() as connection:
            is_sealed = await connection.scalar(select(keyring.c.name).limit(1))
    if is_sealed is not None:
        raise _no_key(database, path)
    return Vault((new_master_key(),)), digest_with(token_bytes(_PEPPER_SIZE))


def _store_of(
    database: Database,
    vault: Vault,
    digest: KeyDigest,
    clock: Callable[[], int],
    *,
    indexes_bodies: bool,
) -> Store:
    users = Users(database, clock, Passwords())
    return Store(
        database=database,
        vault=vault,
        digest=digest,
        channels=Channels(database, vault, clock),
        models=Models(database, clock),
        accounts=Accounts(database, vault, clock),
        keys=ApiKeys(database, digest, clock),
        projects=Projects(database, clock),
        users=users,
        sign_ins=SignIns(database, clock),
        identities=Identities(database, clock),
        invitations=Invitations(database, clock, users),
        turns=Turns(database, vault, indexes_bodies=indexes_bodies),
        body_search=BodySearch(database, is_allowed=indexes_bodies),
        usage=Usage(database),
        runs=Runs(database),
        latencies=Latencies(database),
        settings=StoredSettings(database, clock),
        audit=Audit(database, clock),
        homes=StoredHomes(database, clock),
        pending_sign_ins=PendingSignIns(database, vault),
        alert_rules=AlertRules(database, clock),
        alert_destinations=AlertDestinations(database, vault, clock),
        alerts=Alerts(database),
        budgets=StoredBudgets(database, clock),
        untrusted_proxies=UntrustedProxies(database, clock),
    )


async def _pepper(connection: AsyncConnection, vault: Vault) -> bytes:
    """Return the pepper of this database; the first to open it makes one, others wait for it."""
    await connection.execute(select(revisions.c.number).with_for_update())
    sealed = await connection.scalar(_SEALED_PEPPER)
    if sealed is not None:
        return vault.open(sealed, _PEPPER_PLACE)
    secret = token_bytes(_PEPPER_SIZE)
    sealed = vault.seal(secret, _PEPPER_PLACE)
    await connection.execute(insert(keyring).values(name=_PEPPER, sealed=sealed))
    return secret
