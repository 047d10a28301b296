"""Whatever somebody pastes, found in the admin API: turns, runs, keys, channels, models, people.

Law: nobody finds what they may not see; an API key that is pasted whole is looked up by its digest
and by nothing else.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Final

import strawberry

from longwire.core.nouns.access import PERMISSIONS, ApiKey, Permission, Role
from longwire.core.nouns.turn_row import TurnRow
from longwire.server.admin.administration import Administration
from longwire.server.admin.channels import Channel
from longwire.server.admin.channels import shown as shown_channel
from longwire.server.admin.context import Info, Viewer, admitted
from longwire.server.admin.keys import Key
from longwire.server.admin.keys import shown as shown_key
from longwire.server.admin.sight import Sight, sight_of
from longwire.server.admin.turns import Turn
from longwire.server.admin.turns import shown as shown_turn
from longwire.server.admin.users import UserView
from longwire.server.admin.users import shown as shown_user
from longwire.store.quoted import QuotedTurn, Seen

_MOST: Final = 8
"""So many of each kind."""

_KEY: Final = "lw_"
_SHORTEST_KEY: Final = 20
"""A key's shown beginning is shorter."""

_LONGEST: Final = 4_000


@strawberry.type(description="A turn, and which id named it.")
class FoundTurn:
    by: str = strawberry.field(description="`id`, `request_id` or `response_id`.")
    turn: Turn


@strawberry.type(description="A session or a trace, and the last turn of it.")
class FoundRun:
    name: str
    turn: Turn


@strawberry.type(description="What a text names or begins, a few of each kind.")
class Found:
    """Each list is empty for who may not read such a thing."""

    turns: list[FoundTurn] = strawberry.field(default_factory=list)
    sessions: list[FoundRun] = strawberry.field(default_factory=list)
    traces: list[FoundRun] = strawberry.field(default_factory=list)
    keys: list[Key] = strawberry.field(default_factory=list)
    channels: list[Channel] = strawberry.field(default_factory=list)
    models: list[str] = strawberry.field(default_factory=list)
    users: list[UserView] = strawberry.field(default_factory=list)


async def _find(info: Info, text: str) -> Found:
    viewer, administration = admitted(info, Permission.TURNS_READ)
    sight = await sight_of(administration, viewer)
    emails = await administration.store.users.emails()
    wanted, may = text[:_LONGEST].strip(), PERMISSIONS[viewer.role]
    owners = await _owners(administration, wanted)
    if owners is not None:
        seen = [key for key in owners if sight.shows(key.grant.project_id, key.id)]
        return Found(keys=[shown_key(key, emails) for key in seen if Permission.KEYS_READ in may])
    if not wanted:
        return Found()
    found = _of_the_log(await administration.store.turns.find(wanted, Seen(*sight)))
    if Permission.KEYS_READ in may:
        keys = await _keys(administration, wanted, viewer, sight)
        found.keys = [shown_key(key, emails) for key in keys]
    if Permission.CHANNELS_READ in may:
        await _add_channels(found, administration, wanted)
    if Permission.USERS_READ in may:
        users = await administration.store.users.search(wanted, _MOST)
        found.users = [shown_user(user) for user in users]
    return found


def _of_the_log(quoted: Sequence[QuotedTurn]) -> Found:
    turns = [
        FoundTurn(by=by, turn=shown_turn(row))
        for by, row in quoted
        if by not in {"session", "trace"}
    ]
    return Found(
        turns=turns[:_MOST], sessions=_runs("session", quoted), traces=_runs("trace", quoted)
    )


async def _add_channels(found: Found, administration: Administration, text: str) -> None:
    """Add channels by their names, and models by the names that channels have for them."""
    specs = (*administration.declared_channels(), *await administration.store.channels.all())
    found.channels = [shown_channel(each) for each in specs if _is_in(text, each.name)][:_MOST]
    models = {model for each in specs for model in each.named_models if _is_in(text, model)}
    found.models = sorted(models)[:_MOST]


def _is_in(text: str, name: str) -> bool:
    return text.lower() in name.lower()


def _runs(by: str, quoted: Sequence[QuotedTurn]) -> list[FoundRun]:
    """Return each run once: the newest turn comes first."""
    newest: dict[str, TurnRow] = {}
    for found in quoted:
        if found.by == by:
            newest.setdefault(str(getattr(found.row, by)), found.row)
    runs = [FoundRun(name=name, turn=shown_turn(row)) for name, row in newest.items()]
    return runs[:_MOST]


async def _owners(administration: Administration, text: str) -> Sequence[ApiKey] | None:
    """Return the keys whose secret a text is; None where it looks like no secret of a key."""
    for issued in administration.reconciler.declared.keys:
        if compare_digest(issued.secret.reveal().encode(), text.encode()):
            return (issued.key,)
    if text.startswith(_KEY) and len(text) >= _SHORTEST_KEY:
        return await administration.store.keys.of_secret(text)
    return None


async def _keys(
    administration: Administration, text: str, viewer: Viewer, sight: Sight
) -> list[ApiKey]:
    declared = [
        key
        for key in administration.declared_keys()
        if _is_in(text, key.name) and sight.shows(key.grant.project_id, key.id)
    ]
    stored = await administration.store.keys.page(
        first=_MOST,
        projects=sight.project_ids,
        user_id=viewer.user.id if viewer.role is Role.MEMBER else "",
        search=text,
    )
    return [*declared, *stored.items][:_MOST]


@strawberry.type
class FindQueries:
    find: Found = strawberry.field(
        resolver=_find,
        description="What a text names: any id of a turn, an API key, a name or its part. Ids are "
        "found whole, or by six letters of their beginning.",
    )
