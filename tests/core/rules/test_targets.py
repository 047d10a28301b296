"""Who serves a public model, in which order, and why each other one does not."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.core.nouns.access import Grant
from longwire.core.nouns.model import Condition, Model, Target
from longwire.core.rules.routing import Refusal, Route, Standing, ranked, standing
from longwire.core.rules.targets import TurnFacts, choose_target, first_target, resolve, unmet_by

ROUTES = [Route(f"ch_{name}", name=name, tags=("all", name)) for name in "abcd"]
TARGETS = st.builds(
    Target,
    channel=st.sampled_from("abcd"),
    model=st.sampled_from(["", "gpt-5", "gpt-5-mini"]),
    weight=st.sampled_from([0.5, 1.0, 4.0]),
    order=st.integers(0, 3),
)
MODELS = st.builds(
    Model,
    st.just("mdl"),
    st.just("smart"),
    targets=st.lists(TARGETS, min_size=1, max_size=6).map(tuple),
    fallbacks=st.sampled_from([(), ("spare",), ("spare", "other")]),
)
SPARE = Model("mdl2", "spare", targets=(Target(tag="all", model="cheap"),))


def facts(grant: Grant = Grant(), tokens: int = 0, **changes) -> TurnFacts:
    turn = TurnFacts("responses", streams=True, has_tools=False, grant=grant, input_tokens=int)
    return replace(turn, input_tokens=lambda: tokens, **changes)


def chosen(model: Model, turn: TurnFacts | None = None, routes=ROUTES):
    found = resolve([model, SPARE], routes)[model.name]
    return choose_target(found, turn or facts())


def ordered(routes, session="s", distrusted=()) -> tuple[str, ...]:
    found = ranked(
        routes,
        session,
        belongs=lambda _: False,
        is_trusted=lambda name: name not in distrusted,
    )
    return tuple(route.id for _, route in found)


@given(MODELS, st.text(max_size=8), st.sets(st.sampled_from("abcd")))
@settings(deadline=None)
def test_order_and_fallbacks_are_kept(model, session, resting):
    """Of those that are trusted a lower order comes first, and a fallback behind every target."""
    candidates = chosen(model).candidates
    by_id = {route.id: route for route in candidates}
    distrusted = {route.id for route in candidates if route.label in resting}
    ids = ordered(candidates, session, distrusted)
    assert by_id.keys() == {*ids}
    trusted = [by_id[each] for each in ids if each not in distrusted]
    assert [by_id[each] for each in ids][: len(trusted)] == trusted
    assert all(one.order <= two.order for one, two in pairwise(trusted))
    is_fallback = [bool(route.fallback) for route in trusted]
    assert sorted(is_fallback) == is_fallback


@given(MODELS, st.data())
@settings(deadline=None)
def test_every_target_is_accepted_or_refused_once(model, data):
    """Nothing is lost between the configuration and the explanation."""
    disabled = data.draw(st.sets(st.sampled_from("abcd")))
    allowed = data.draw(st.sets(st.sampled_from(["ch_a", "ch_b", "ch_c"]), max_size=2))
    routes = [replace(route, is_enabled=route.name not in disabled) for route in ROUTES]
    found = resolve([model, SPARE], routes)[model.name]
    choice = choose_target(found, facts(Grant(channels=(*allowed,))))
    assert len(found.options) == len(choice.candidates) + len(choice.refusals)
    assert {r.channel for r in choice.candidates} <= (allowed or {r.channel for r in routes})
    assert not {r.name for r in choice.candidates} & disabled


def test_sessions_are_shared_out_by_weight_among_equals_alone():
    """Three times the weight, three times the sessions; a later order gets none of them."""
    model = Model(
        "m",
        "smart",
        targets=(
            Target("a", model="gpt-5", weight=3),
            Target("a", model="gpt-5-mini"),
            Target("b", weight=100, order=1),
        ),
    )
    candidates = chosen(model).candidates
    firsts = Counter(ordered(candidates, str(number))[0] for number in range(4000))
    assert {"ch_a=gpt-5", "ch_a=gpt-5-mini"} == firsts.keys()
    assert 2800 < firsts["ch_a=gpt-5"] < 3200


def test_a_weight_moves_only_the_sessions_that_it_must():
    """A target that is added takes sessions from the others, and shuffles none among these."""
    before = Model("m", "smart", targets=(Target("a"), Target("b")))
    after = replace(before, targets=(*before.targets, Target("c")))
    for number in range(200):
        first, now = (ordered(chosen(each).candidates, str(number))[0] for each in (before, after))
        assert now in (first, "ch_c=smart")


def test_every_condition_is_kept():
    """Each member, by turns that meet it and turns that do not, all combinations of two."""
    grant = Grant(key_id="key_1", project_id="prj_1")
    members = {
        "apis": (("responses", "messages"), ("messages",)),
        "streams": (True, False),
        "has_tools": (False, True),
        "keys": (("key_1",), ("key_2",)),
        "projects": (("prj_1",), ("prj_2",)),
        "min_tokens": (50, 51),
        "max_tokens": (50, 49),
    }
    turn = facts(grant, tokens=50)
    for (one, ones), (two, twos) in product(members.items(), members.items()):
        for which, other in product((0, 1), (0, 1)):
            condition = Condition(**{one: ones[which], two: twos[other]})
            unmet = {name for name, bad in ((one, which), (two, other)) if bad}
            if one == two:
                unmet = {two} if other else set()
            found = unmet_by(condition, turn)
            assert (found in unmet) if unmet else found == ""


def test_sizes_are_estimated_only_where_they_count():
    """An estimate reads the whole input: a model without such a condition asks for none."""
    counted = []
    turn = replace(facts(), input_tokens=lambda: counted.append(1) or 9)
    chosen(Model("m", "smart", targets=(Target("a", condition=Condition(streams=True)),)), turn)
    assert [] == counted
    chosen(Model("m", "smart", targets=(Target("a", condition=Condition(min_tokens=5)),)), turn)
    assert [1] == counted


def test_each_refusal_says_why():
    """What an operator reads of every target that does not serve a turn."""
    routes = [
        Route("ch_a", ("gpt-5",), name="a", tags=("all",)),
        Route("ch_b", name="b", is_enabled=False, tags=("all",)),
        Route("ch_c", name="c", tags=("all",)),
        Route("ch_d", name="d", tags=("all",)),
    ]
    model = Model(
        "m",
        "smart",
        targets=(
            Target("a", model="o9"),
            Target("b"),
            Target("c", condition=Condition(has_tools=True)),
            Target("d"),
            Target("gone"),
            Target("c", model="x"),
            Target("ch_c", model="x", order=1),
        ),
        fallbacks=("spare",),
    )
    grant = Grant(models=("smart",), channels=("ch_a", "ch_b", "ch_c", "gone"))
    choice = chosen(model, facts(grant), routes)
    assert ["ch_c=x"] == [route.id for route in choice.candidates]
    assert [
        ("a", Refusal.NOT_SERVED, "o9"),
        ("b", Refusal.DISABLED, ""),
        ("c", Refusal.CONDITION, "has_tools"),
        ("d", Refusal.KEY, ""),
        ("gone", Refusal.MISSING, ""),
        ("c", Refusal.TWICE, ""),
        *((name, Refusal.KEY, "spare" if name != "d" else "") for name in "abcd"),
    ] == [(route.label, cause, detail) for route, cause, detail in choice.refusals]


def test_a_name_that_is_no_model_falls_back_to_who_lists_it():
    """As a turn that asks for it by itself would go."""
    routes = [Route("a", ("gpt-5",)), Route("b", ("o9",))]
    model = Model("m", "smart", targets=(Target("a", model="gpt-5"),), fallbacks=("o9",))
    assert ["a=gpt-5", "b=o9"] == [each.id for each in chosen(model, routes=routes).candidates]


def test_a_fallback_s_own_fallbacks_do_not_count():
    """So that two models may be each other's."""
    one = Model("1", "one", targets=(Target("a"),), fallbacks=("two",))
    two = Model("2", "two", targets=(Target("b"),), fallbacks=("one",))
    found = resolve([one, two], ROUTES)["one"]
    assert ["ch_a=one", "ch_b=two"] == [each.route.id for each in found.options]


def test_a_standing_says_what_came_first():
    """Why a target that may serve does not come first, for each reason there is."""
    model = Model(
        "m",
        "smart",
        targets=(Target("a"), Target("b", order=1), Target("c"), Target("d")),
        fallbacks=("spare",),
    )
    candidates = chosen(model).candidates
    found = ranked(
        candidates,
        "s",
        belongs=lambda name: name.startswith("ch_a"),
        is_trusted=lambda name: name != "ch_d=smart",
    )
    said = {route.id: standing(found[0], (rank, route)) for rank, route in found}
    assert {
        "ch_a=smart": Standing.FIRST,
        "ch_b=smart": Standing.ORDER,
        "ch_c=smart": Standing.HISTORY,
        "ch_d=smart": Standing.RESTING,
        **{f"ch_{name}=cheap": Standing.FALLBACK for name in "abcd"},
    } == said


@given(MODELS)
@settings(deadline=None)
def test_what_is_listed_serves_some_turn(model):
    """A key is shown a model if a turn of its own, of any kind, would have a target there."""
    for grant in (Grant(), Grant(models=("smart",)), Grant(channels=("ch_d",))):
        shown = first_target(resolve([model, SPARE], ROUTES)["smart"], grant)
        assert chosen(model, facts(grant)).candidates[:1] == ((shown,) if shown else ())


def test_a_fallback_that_a_key_may_not_use_is_not_listed():
    """Nor what asks something of a turn hidden: some turn meets it."""
    model = Model("m", "smart", targets=(Target("gone"),), fallbacks=("spare",))
    found = resolve([model, SPARE], ROUTES)["smart"]
    assert first_target(found, Grant(models=("smart",))) is None
    assert "ch_a=cheap" == first_target(found, Grant()).id
    asks = Model("m", "smart", targets=(Target("a", condition=Condition(min_tokens=9)),))
    assert "ch_a=smart" == first_target(resolve([asks], ROUTES)["smart"], Grant()).id
