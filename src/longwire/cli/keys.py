"""`longwire keys`: what callers present; a running gateway takes changes over."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli import fields
from longwire.cli.fields import Sets
from longwire.cli.store import AsJson, Config, every, operator, refuse_declared, with_store
from longwire.cli.tables import show, show_json, show_table, time_text
from longwire.core.errors import Conflict, FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.access import ApiKey, Grant, IssuedKey
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]
Which = Annotated[str, typer.Argument(metavar="KEY", help="The key's id or name.")]
Overlap = Annotated[str, typer.Option(help="How long the key before stays good, as 24h.")]
_TITLES = ("key", "begins", "project", "user", "status", "expires", "last used", "id")


def build() -> typer.Typer:
    """The commands below `longwire keys`."""
    commands = typer.Typer(help="Hand out keys, and take them back.", no_args_is_help=True)
    for command in (create, list_, edit, revoke, rotate):
        commands.command(command.__name__.rstrip("_"))(command)
    commands.command("rotate-secret")(rotate_secret)
    return commands


def create(name: Name, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Make a key and print it, this once.

    Fields: project, user (by email: whose it is), models, channels, expires (30d, or a date),
    keeps_bodies, shows_reasoning (to clients of Chat Completions, also unasked),
    requests_per_minute, tokens_per_minute, concurrent_turns, tokens_per_day,
    tokens_per_month, cost_per_day, cost_per_month (in US dollars).
    """
    values = _read(sets, config)

    async def work(store: "Store") -> IssuedKey:
        draft = ApiKey("", name, "", b"", Grant(project_id=DEFAULT_PROJECT))
        return await store.keys.create(await _changed(store, draft, values), operator())

    _show_issued(with_store(config, work, creates=True), as_json)


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all keys, those of the configuration file, too; never the keys themselves."""
    from longwire.settings import load
    from longwire.settings.declared import key_of

    stored, emails = with_store(config, _all)
    keys = [*(key_of(each).key for each in load(config).api_keys), *stored]
    if as_json:
        show_json(keys)
        return
    rows = (_row(key, emails) for key in keys)
    show_table(_TITLES, rows, "no keys yet; make one: longwire keys create NAME")


async def _all(store: "Store") -> tuple[list[ApiKey], dict[str, str]]:
    """Return the keys of a store, and the emails of users by their ids."""
    return await every(store.keys.page), await store.users.emails()


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a key; see `create` for them, and name. What is not named stays."""
    values = _read(sets, config)

    async def work(store: "Store") -> ApiKey:
        key = await _find(store, which, config)
        return await store.keys.update(await _changed(store, key, values), operator())

    _show(with_store(config, work), as_json)


def revoke(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Accept a key never again."""

    async def work(store: "Store") -> ApiKey:
        key = await _find(store, which, config)
        return await store.keys.revoke(key.id, key.revision, operator())

    _show(with_store(config, work), as_json)


def rotate(
    which: Which, overlap: Overlap = "24h", config: Config = None, as_json: AsJson = False
) -> None:
    """Give a key a new secret and print it, this once; the one before stays good for a while."""
    milliseconds = _milliseconds("overlap", overlap)

    async def work(store: "Store") -> IssuedKey:
        key = await _find(store, which, config)
        return await store.keys.rotate(key.id, key.revision, milliseconds, operator())

    _show_issued(with_store(config, work), as_json)


def rotate_secret(config: Config = None) -> None:
    """Encrypt all credentials anew with a new secret key.

    Running gateways read the new key from its file. A key that the configuration gives is changed
    there: write a new one before it, run this, then restart running gateways.
    """
    from longwire.settings import load
    from longwire.store.rotation import rotate_secret as rotate_all

    database = load(config).database
    configured = Secret(database.secret_key.get_secret_value())
    number = with_store(
        config, lambda store: rotate_all(store.database, configured, database.secret_file)
    )
    typer.echo(f"encrypted anew: {number} values")


async def _find(store: "Store", which: str, config: Config) -> ApiKey:
    """Return the key of an id, or the only one of a name, to be changed."""
    named = await store.keys.named(which)
    if len(named) > 1:
        raise Conflict(f"{len(named)} keys are called '{which}'; name one by its id.")
    if named:
        return named[0]
    try:
        return await store.keys.get(which)
    except NotFound:
        refuse_declared(config, "API key", which)
        raise


async def _changed(store: "Store", key: ApiKey, changes: dict[str, Any]) -> ApiKey:
    values = dict(changes)
    grant = replace(
        key.grant,
        rates=replace(key.grant.rates, **fields.taken_out(values, fields.RATES)),
        budgets=replace(key.grant.budgets, **fields.taken_out(values, fields.BUDGETS)),
        **fields.taken_out(values, ("models", "keeps_bodies", "shows_reasoning")),
    )
    if "project" in values:
        grant = replace(grant, project_id=values.pop("project"))
    if "user" in values:
        email = values.pop("user")
        user_id = (await store.users.find(email)).id if email else None
        grant = replace(grant, user_id=user_id)
    if "channels" in values:
        channels = [await _channel_id(store, each) for each in values.pop("channels")]
        grant = replace(grant, channels=tuple(channels))
    if "expires" in values:
        values["expires_at"] = _expiry(values.pop("expires"))
    return replace(key, grant=grant, **values)


def _read(sets: Sets, config: Config) -> dict[str, Any]:
    """Return the fields that are set; channels of the file by their ids, as `file:main`."""
    from longwire.settings import load

    values = fields.read(sets or (), fields.KEY)
    if "channels" in values:
        declared = {each.name for each in load(config).channels}
        names = values["channels"]
        values["channels"] = [f"file:{name}" if name in declared else name for name in names]
    return values


async def _channel_id(store: "Store", name: str) -> str:
    """Return the id of a channel in the database; other names are ids already."""
    try:
        return (await store.channels.find(name)).id
    except NotFound:
        return name


def _expiry(text: str) -> int | None:
    """Return a time in ms since 1970 UTC from a duration or a date; nothing is never."""
    from longwire.store.store import now_ms

    if not text:
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return now_ms() + _milliseconds("expires", text)
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


def _milliseconds(field: str, text: str) -> int:
    from longwire.settings.quantities import parse_duration

    try:
        days = text.removesuffix("d")
        return int(days) * 86_400_000 if days != text else round(parse_duration(text) * 1000)
    except ValueError:
        problem = FieldProblem(field, "write a duration such as 30d or 24h, or a date")
        raise InvalidFields([problem]) from None


def _show_issued(issued: IssuedKey, as_json: bool) -> None:
    from longwire.store.changes import json_value

    secret = issued.secret.reveal()
    if as_json:
        typer.echo(json.dumps({"secret": secret, "key": json_value(issued.key)}, indent=2))
        return
    typer.echo(f"{issued.key.name} ({issued.key.id}); the key is shown this once:", err=True)
    typer.echo(secret)


def _show(key: ApiKey, as_json: bool) -> None:
    show(key, f"{key.name}: {key.status.value}, {key.id}", as_json=as_json)


def _row(key: ApiKey, emails: Mapping[str, str]) -> tuple[str, ...]:
    expires, used = time_text(key.expires_at), time_text(key.last_used_at)
    place = "file" if key.is_declared else key.id
    grant = key.grant
    user = emails.get(grant.user_id, "gone") if grant.user_id else ""
    return (
        key.name,
        f"{key.prefix}…",
        grant.project_id,
        user,
        key.status.value,
        expires,
        used,
        place,
    )
