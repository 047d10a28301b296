"""`longwire projects`: what keys, their turns and people belong to."""

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli import fields
from longwire.cli.fields import Sets
from longwire.cli.key_page import choices_text
from longwire.cli.keys import channel_ids
from longwire.cli.store import AsJson, Config, every, operator, with_store
from longwire.cli.tables import say, show, show_json, show_table, time_text
from longwire.core.nouns.access import ApiKey, KeyStatus
from longwire.core.nouns.people import User
from longwire.core.nouns.project import Project, ProjectStatus

if TYPE_CHECKING:
    from longwire.store.store import Store

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the project is called.")]
Which = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's name or id.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="What the user signs in with.")]
_TITLES = ("project", "status", "members", "their keys at most", "made", "id")


def build() -> typer.Typer:
    """The commands below `longwire projects`."""
    commands = typer.Typer(help="Part keys, turns and people.", no_args_is_help=True)
    for command in (list_, show_, create, edit, archive, delete):
        commands.command(command.__name__.rstrip("_"))(command)
    commands.command("add-user")(add_user)
    commands.command("remove-user")(remove_user)
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all projects, archived ones, too."""

    async def work(store: "Store") -> list[tuple[Project, tuple[str, ...]]]:
        return [
            (each, await store.projects.members(each.id)) for each in await store.projects.all()
        ]

    found = with_store(config, work)
    if as_json:
        show_json([each for each, _ in found])
        return
    show_table(_TITLES, (_row(each, len(members)) for each, members in found), "no projects")


def show_(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Show a project: its members, and what keys that they make may have at most."""

    async def work(store: "Store") -> tuple[Project, list[str]]:
        project = await store.projects.find(which)
        emails = await store.users.emails()
        return project, [emails[each] for each in await store.projects.members(project.id)]

    project, members = with_store(config, work)
    if as_json:
        show_json({**asdict(project), "members": members})
        return
    facts = {
        "project": f"{project.name}  ({project.id})",
        "about": project.description,
        "status": project.status.value,
        "made": time_text(project.created_at),
        "members": ", ".join(members) or "none",
        "their keys": _bounds(project) or "may have what they like",
    }
    typer.echo("\n".join(f"{name:<10}  {fact}" for name, fact in facts.items() if fact))


def create(name: Name, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Make a project.

    Fields: description, status; and what a key that a member makes may have at most: models,
    channels, requests_per_minute, tokens_per_minute, concurrent_turns, tokens_per_day,
    tokens_per_month, cost_per_day, cost_per_month (in US dollars). Nothing is no bound.
    """
    values = fields.read(sets or (), fields.PROJECT)

    async def work(store: "Store") -> Project:
        draft = await _changed(store, Project("", name), values, config)
        return await store.projects.create(draft, operator())

    _show(with_store(config, work, creates=True), as_json)


def edit(which: Which, sets: Sets = None, config: Config = None, as_json: AsJson = False) -> None:
    """Change fields of a project; see `create` for them, and name. What is not named stays."""
    _change(which, fields.read(sets or (), fields.PROJECT), config, as_json=as_json)


def archive(which: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Accept its keys no longer; `edit PROJECT --set status=active` brings it back."""
    _change(which, {"status": ProjectStatus.ARCHIVED}, config, as_json=as_json)


def delete(which: Which, config: Config = None) -> None:
    """Delete a project without keys for good; its turns stay in the log."""

    async def work(store: "Store") -> str:
        project = await store.projects.find(which)
        await store.projects.delete(project.id, project.revision, operator())
        return project.name

    typer.echo(f"{with_store(config, work)}: deleted")


def add_user(which: Which, email: Email, config: Config = None, as_json: AsJson = False) -> None:
    """Let a user belong to a project: viewers see what is its, members make their keys in it."""

    async def work(store: "Store") -> tuple[Project, User]:
        project, user = await store.projects.find(which), await store.users.find(email)
        await store.projects.add_member(project.id, user.id, operator())
        return project, user

    project, user = with_store(config, work)
    show(project, f"{user.email}: belongs to {project.name}", as_json=as_json)


def remove_user(which: Which, email: Email, config: Config = None, as_json: AsJson = False) -> None:
    """Let a user belong to a project no longer; their keys there are accepted until revoked."""

    async def work(store: "Store") -> tuple[Project, User, list[ApiKey]]:
        project, user = await store.projects.find(which), await store.users.find(email)
        await store.projects.remove_member(project.id, user.id, operator())
        theirs = await every(partial(store.keys.page, projects=(project.id,), user_id=user.id))
        return project, user, [key for key in theirs if key.status is not KeyStatus.REVOKED]

    project, user, keys = with_store(config, work)
    show(project, f"{user.email}: belongs to {project.name} no longer", as_json=as_json)
    if keys:
        named = choices_text(tuple(keys))
        say(f"their keys there go on until `longwire keys revoke`: {named}", err=True)


def _change(which: str, values: dict[str, Any], config: Config, *, as_json: bool) -> None:
    async def work(store: "Store") -> Project:
        held = await store.projects.find(which)
        changed = await _changed(store, held, values, config)
        return await store.projects.update(changed, operator())

    _show(with_store(config, work), as_json)


async def _changed(
    store: "Store", project: Project, changes: dict[str, Any], config: Config
) -> Project:
    values = dict(changes)
    bounds = replace(
        project.member_bounds,
        rates=replace(project.member_bounds.rates, **fields.taken_out(values, fields.RATES)),
        budgets=replace(project.member_bounds.budgets, **fields.taken_out(values, fields.BUDGETS)),
        **fields.taken_out(values, ("models",)),
    )
    if "channels" in values:
        bounds = replace(bounds, channels=await channel_ids(store, values.pop("channels"), config))
    return replace(project, member_bounds=bounds, **values)


def _bounds(project: Project) -> str:
    from longwire.cli.key_page import limits_text

    bounds = project.member_bounds
    lists = (("models", bounds.models), ("channels", bounds.channels))
    named = [f"{name} {', '.join(values)}" for name, values in lists if values]
    limits = limits_text(bounds.rates, bounds.budgets)
    return "; ".join([*named, limits] if limits else named)


def _show(project: Project, as_json: bool) -> None:
    show(project, f"{project.name}: {project.status.value}, {project.id}", as_json=as_json)


def _row(project: Project, members: int) -> tuple[str, ...]:
    return (
        project.name,
        project.status.value,
        f"{members:,}",
        _bounds(project) or "-",
        time_text(project.created_at),
        project.id,
    )
