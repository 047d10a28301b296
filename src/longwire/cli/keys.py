"""`longwire keys`: what callers present; a running gateway takes changes over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli import fields
from longwire.cli.fields import Sets
from longwire.cli.key_page import choices_text, limits_text, spent_text
from longwire.cli.store import (
    AsJson,
    Config,
    every,
    operator,
    refuse_declared,
    with_settings,
    with_store,
)
from longwire.cli.tables import show, show_json, show_table, time_text
from longwire.core.errors import Conflict, FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.access import ApiKey, Grant, IssuedKey, KeyStatus
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.core.nouns.secret import Secret
from longwire.core.rules.limits import Spent

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]
Which = Annotated[str, typer.Argument(metavar="KEY", help="The key's id or name.")]
Overlap = Annotated[str, typer.Option(help="How long the key before stays good, as 24h.")]
_TITLES = (
    *("key", "begins", "project", "user", "status", "expires", "last used"),
    *("limits", "spent today", "this month", "id"),
)
_DECLARED = "file:"


def build() -> typer.Typer:
    """The commands below `longwire keys`."""
    commands = typer.Typer(help="Hand out keys, and take them back.", no_args_is_help=True)
    for command in (create, list_, show_, edit, disable, enable, rotate, revoke, delete):
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
    values = fields.read(sets or (), fields.KEY)

    async def work(store: "Store") -> IssuedKey:
        draft = ApiKey("", name, "", b"", Grant(project_id=DEFAULT_PROJECT))
        issued = await store.keys.create(await _changed(store, draft, values, config), operator())
        await _warn_of_others(store, issued.key)
        return issued

    _show_issued(with_store(config, work, creates=True), as_json)


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all keys, those of the configuration file, too; never the keys themselves.

    What is spent is by UTC days and months, as a key's own budgets are.
    """
    listed = with_settings(config, _listed)
    if as_json:
        show_json([_facts(each) for each in listed])
        return
    show_table(_TITLES, map(_row, listed), "no keys yet; make one: longwire keys create NAME")


def show_(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Show a key: whose it is, what it may have and what it spent."""

    async def work(store: "Store", settings: "Settings") -> Listed:
        listed = await _listed(store, settings)
        named = [each for each in listed if which in (each.key.id, each.key.name)]
        valid = [each for each in named if each.key.status is not KeyStatus.REVOKED]
        _check_one(tuple(each.key for each in valid), which)
        for each in valid or named:
            return each
        raise NotFound("API key", which)

    found = with_settings(config, work)
    if as_json:
        show_json(_facts(found))
        return
    for title, cell in zip(_TITLES, _row(found), strict=True):
        typer.echo(f"{title:<11}  {cell or '-'}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A key, the names of its project and its person, and what it spent: today, this month."""

    key: ApiKey
    project: str
    user: str
    spent: tuple[Spent, ...]


async def _listed(store: "Store", settings: "Settings") -> list[Listed]:
    from longwire.core.rules.calendar import UTC_CALENDAR
    from longwire.settings.declared import key_of
    from longwire.store.spending import spent_by
    from longwire.store.store import now_ms

    declared = [await _used(store, key_of(each).key) for each in settings.api_keys]
    keys = [*declared, *await every(store.keys.page)]
    subjects = {key.id: f"key:{key.id}" for key in keys}
    spent = await spent_by(store.usage, set(subjects.values()), UTC_CALENDAR, now_ms())
    projects = {each.id: each.name for each in await store.projects.all()}
    emails = await store.users.emails()
    return [
        Listed(
            key,
            projects.get(key.grant.project_id, key.grant.project_id),
            emails.get(key.grant.user_id, "gone") if key.grant.user_id else "",
            spent[subjects[key.id]],
        )
        for key in keys
    ]


async def _used(store: "Store", key: ApiKey) -> ApiKey:
    """Return a key of the file with when it was last used, as the turn log has it."""
    from longwire.store.turn_filter import TurnFilter

    newest = await store.turns.page(TurnFilter(key_id=key.id), 1)
    return replace(key, last_used_at=max((row.started_at for row in newest.items), default=None))


def _facts(listed: Listed) -> dict[str, Any]:
    """Return a key for programs."""
    names = (each.name for each in dataclass_fields(listed.key))
    today, month = listed.spent
    spent = {"today": today._asdict(), "this_month": month._asdict()}
    return {**{name: getattr(listed.key, name) for name in names}, "spent": spent}


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a key; see `create` for them, and name. What is not named stays."""
    values = fields.read(sets or (), fields.KEY)

    _change(which, values, config, as_json=as_json)


def disable(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Accept a key no longer, until it is enabled again."""
    _change(which, {"status": KeyStatus.DISABLED}, config, as_json=as_json)


def enable(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Accept a key that was disabled again."""
    _change(which, {"status": KeyStatus.ENABLED}, config, as_json=as_json)


def _change(which: str, values: dict[str, Any], config: Config, *, as_json: bool) -> None:
    async def work(store: "Store") -> ApiKey:
        key = await _find(store, which, config)
        return await store.keys.update(await _changed(store, key, values, config), operator())

    _show(with_store(config, work), as_json)


def revoke(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Accept a key never again."""

    async def work(store: "Store") -> ApiKey:
        key = await _find(store, which, config)
        return await store.keys.revoke(key.id, key.revision, operator())

    _show(with_store(config, work), as_json)


def delete(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Delete a key that was revoked; its turns stay in the log."""

    async def work(store: "Store") -> ApiKey:
        revoked = await store.keys.named(which, are_revoked=True)
        _check_one(revoked, which)
        key = revoked[0] if revoked else await _find(store, which, config)
        await store.keys.delete(key.id, key.revision, operator())
        return key

    key = with_store(config, work)
    show(key, f"{key.name}: deleted", as_json=as_json)


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
    _check_one(named, which)
    if named:
        return named[0]
    try:
        return await store.keys.get(which)
    except NotFound:
        refuse_declared(config, "API key", which)
        raise


def _check_one(named: tuple[ApiKey, ...], which: str) -> None:
    """Raise `Conflict` where several keys have a name."""
    if len(named) > 1:
        choices = choices_text(named)
        raise Conflict(f"{len(named)} keys are called '{which}'; name one by its id: {choices}.")


async def _warn_of_others(store: "Store", key: ApiKey) -> None:
    """Say on stderr where a project has another key of the name: commands then want the id."""
    named = await store.keys.named(key.name)
    others = [each for each in named if each.grant.project_id == key.grant.project_id]
    if len(others) > 1:
        mend = f"name them by their ids: {choices_text(tuple(others))}"
        typer.echo(
            f"warning: {len(others)} keys of the project are called '{key.name}'; {mend}", err=True
        )


async def _changed(store: "Store", key: ApiKey, changes: dict[str, Any], config: Config) -> ApiKey:
    values = dict(changes)
    grant = replace(
        key.grant,
        rates=replace(key.grant.rates, **fields.taken_out(values, fields.RATES)),
        budgets=replace(key.grant.budgets, **fields.taken_out(values, fields.BUDGETS)),
        **fields.taken_out(values, ("models", "keeps_bodies", "shows_reasoning")),
    )
    if "project" in values:
        grant = replace(grant, project_id=await _project_id(store, values.pop("project")))
    if "user" in values:
        email = values.pop("user")
        user_id = (await store.users.find(email)).id if email else None
        grant = replace(grant, user_id=user_id)
    if "channels" in values:
        grant = replace(grant, channels=await channel_ids(store, values.pop("channels"), config))
    if "expires" in values:
        values["expires_at"] = _expiry(values.pop("expires"))
    return replace(key, grant=grant, **values)


async def _project_id(store: "Store", name: str) -> str:
    """Return the id of a project by its name; what is none is an id already."""
    try:
        return (await store.projects.find(name)).id
    except NotFound:
        return name


async def channel_ids(store: "Store", names: Sequence[str], config: Config) -> tuple[str, ...]:
    """Return the ids of channels by their names, those of the file, too."""
    from longwire.settings import load

    declared = {each.name for each in load(config).channels}
    stored = [name for name in names if name not in declared]
    ids = {name: await _channel_id(store, name) for name in stored}
    return tuple(ids.get(name, f"{_DECLARED}{name}") for name in names)


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
    secret = issued.secret.reveal()
    if as_json:
        show_json({"secret": secret, "key": issued.key})
        return
    typer.echo(f"{issued.key.name} ({issued.key.id}); the key is shown this once:", err=True)
    typer.echo(secret)


def _show(key: ApiKey, as_json: bool) -> None:
    show(key, f"{key.name}: {key.status.value}, {key.id}", as_json=as_json)


def _row(listed: Listed) -> tuple[str, ...]:
    key, budgets = listed.key, listed.key.grant.budgets
    today, month = listed.spent
    return (
        key.name,
        f"{key.prefix}…",
        listed.project,
        listed.user,
        key.status.value,
        time_text(key.expires_at),
        time_text(key.last_used_at),
        limits_text(key.grant.rates, budgets),
        spent_text(today, budgets.cost_per_day, budgets.tokens_per_day),
        spent_text(month, budgets.cost_per_month, budgets.tokens_per_month),
        "file" if key.is_declared else key.id,
    )
