from dataclasses import replace

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.model import Condition, Model, Target
from longwire.store.audit import Audit
from longwire.store.models import Models

_TARGETS = (
    Target("ch_1", model="gpt-5", weight=2.5, condition=Condition(("responses",), has_tools=True)),
    Target(tag="cheap", order=1, condition=Condition(min_tokens=10, keys=("key_1",))),
)


@pytest.fixture
def models(database, clock):
    return Models(database, clock)


async def test_the_life_of_a_model(models, actor, clock):
    """Made, changed and deleted, a model is at each time what was last said, targets in order."""
    draft = Model("", "smart", "for agents", projects=("prj_default",), targets=_TARGETS)
    created = await models.create(draft, actor)
    expected = replace(draft, id=created.id, created_at=clock.now, updated_at=clock.now, revision=1)
    assert expected == created == await models.get(created.id) == await models.find("smart")
    changed = await models.update(
        replace(created, name="wise", targets=_TARGETS[::-1], fallbacks=("spare",)), actor
    )
    assert (changed,) == await models.all()
    assert (2, _TARGETS[::-1], ("spare",)) == (changed.revision, changed.targets, changed.fallbacks)
    await models.delete(created.id, 2, actor)
    with pytest.raises(NotFound):
        await models.get(created.id)


async def test_who_was_slower_reads_the_revision(models, actor):
    """Two people change the same model: the second one is refused, and nothing is lost."""
    created = await models.create(Model("", "smart", targets=_TARGETS), actor)
    await models.update(replace(created, description="first"), actor)
    with pytest.raises(Conflict, match="was changed meanwhile") as refused:
        await models.update(replace(created, description="second"), actor)
    assert (2, "first") == (refused.value.revision, (await models.get(created.id)).description)


async def test_a_name_is_given_once(models, actor):
    """Callers ask for it, so it must be one model's alone."""
    await models.create(Model("", "smart", targets=_TARGETS), actor)
    with pytest.raises(Conflict, match="There is a model with the name 'smart' already"):
        await models.create(Model("", "smart", targets=_TARGETS), actor)


async def test_a_bad_model_is_refused_by_field(models, actor):
    """Each problem names its field, and nothing is written."""
    bad = Model("", "two words", targets=(Target("a", tag="b", weight=0),), fallbacks=("x", "x"))
    with pytest.raises(InvalidFields) as refused:
        await models.create(bad, actor)
    fields = [problem.field for problem in refused.value.problems]
    assert ["name", "targets.0.channel", "targets.0.weight", "fallbacks.1"] == fields
    assert () == await models.all()


async def test_every_change_is_audited_and_taken_over(models, actor, database, clock):
    """With the fields that changed, and a new revision that running gateways look for."""
    created = await models.create(Model("", "smart", targets=_TARGETS), actor)
    await models.update(replace(created, is_enabled=False), actor)
    page = await Audit(database, clock).page(first=2)
    assert [("update", "smart"), ("create", "smart")] == [
        (entry.action, entry.noun.name) for entry in page.items
    ]
    assert {"is_enabled": [True, False]} == page.items[0].changes
