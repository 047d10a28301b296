import base64
from dataclasses import replace

import pytest

from longwire.core.errors import Conflict, InvalidFields
from longwire.core.nouns.retention import Retention
from longwire.store.audit import Audit
from longwire.store.settings import StoredSettings


@pytest.fixture
def settings(database, clock):
    return StoredSettings(database, clock)


async def test_retention_is_on_from_the_start(settings):
    """Nobody has to switch it on: turns stay 30 days, bodies 3."""
    assert Retention(30, 3, 0) == await settings.retention()


async def test_retention_changes_by_revision(settings, actor, database):
    """Each change is kept, recorded, and refused to who saw an older one."""
    first = await settings.keep(Retention(10, 2), actor)
    second = await settings.keep(replace(first, turn_days=20), actor)
    assert Retention(20, 2, 2) == second == await settings.retention()
    with pytest.raises(Conflict, match="changed meanwhile"):
        await settings.keep(replace(first, turn_days=5), actor)
    assert second == await settings.retention()
    latest, _ = (await Audit(database, int).page()).items
    assert {"turn_days": [10, 20]} == latest.changes


@pytest.mark.parametrize(
    ("field", "retention"),
    [
        ("turnDays", Retention(0, 0)),
        ("turnDays", Retention(3651, 1)),
        ("bodyDays", Retention(30, 0)),
        ("bodyDays", Retention(2, 3)),
    ],
)
async def test_what_cannot_be_kept_is_refused(settings, actor, field, retention):
    """Days that make no sense are told by their field, and nothing changes."""
    with pytest.raises(InvalidFields, match=field):
        await settings.keep(retention, actor)
    assert Retention() == await settings.retention()


async def test_the_audit_log_has_pages(settings, actor, database):
    """The newest change comes first; pages follow each other, and a kind can be asked for."""
    held = Retention()
    for days in (10, 11, 12):
        held = await settings.keep(replace(held, turn_days=days), actor)
    audit = Audit(database, int)
    page = await audit.page(first=2)
    assert [12, 11] == [row.changes["turn_days"][1] for row in page.items]
    rest = await audit.page(first=2, after=page.edges[-1][0], kind="settings")
    assert [10] == [row.changes["turn_days"][1] for row in rest.items]
    assert not rest.has_more
    assert () == (await audit.page(kind="channel")).items


@pytest.mark.parametrize("number", ["9223372036854775808", "-1", "1.5", "true"])
async def test_a_number_that_no_column_holds_is_no_cursor(database, number):
    """A forged cursor is refused before the database sees it."""
    cursor = base64.urlsafe_b64encode(f"[{number}]".encode()).decode()
    with pytest.raises(InvalidFields, match="after"):
        await Audit(database, int).page(after=cursor)
