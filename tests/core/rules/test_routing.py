"""Which channels may serve a model, in which order, and why each other one may not."""

from collections import Counter
from itertools import product

from longwire.core.rules.routing import Choice, Refusal, Refused, Route, choose, ranked


def ordered(*routes: Route, session: str = "s", held: str = "", distrusted: str = "") -> list[str]:
    found = ranked(
        routes,
        session,
        belongs=lambda name: name in held,
        is_trusted=lambda name: name not in distrusted,
    )
    return [route.id for _, route in found]


def test_a_refusal_says_why() -> None:
    """For the error that the caller reads."""
    routes = [Route("a", is_enabled=False), Route("b", ("gpt-5-*", "o9")), Route("c", ("gpt-5",))]
    choice = choose(routes, "gpt-5")
    assert (routes[2],) == choice.candidates
    assert "a: disabled; b: does not serve it" == choice.explanation


def test_a_channel_that_is_not_for_a_key_is_not_named() -> None:
    """Whatever its state is: the key learns that there are others, and nothing of them."""
    routes = [
        Route("a", ("o9",)),
        Route("hidden-1", is_enabled=False),
        Route("hidden-2", ("o9",)),
        Route("hidden-3"),
    ]
    choice = choose(routes, "gpt-5", lambda channel: channel == "a")
    assert () == choice.candidates
    assert "a: does not serve it; others: not for this key" == choice.explanation


def test_what_is_gone_is_not_named_to_callers() -> None:
    """Neither by its id nor by its tag: the explanation of the route has them."""
    gone = (Route("ch_0123"), Route("tag internal"))
    choice = Choice((), tuple(Refused(route, Refusal.MISSING) for route in gone))
    assert "a target of it: there is no such channel" == choice.explanation


def test_patterns_match_whole_names_and_case() -> None:
    """`gpt-5-*` is not `gpt-5`, and not `GPT-5-mini`."""
    route = Route("a", ("gpt-5-*",))
    assert [True, False, False] == [route.serves(m) for m in ("gpt-5-mini", "gpt-5", "GPT-5-mini")]


def test_without_channels_the_reason_is_said() -> None:
    """A fresh installation has none."""
    assert "no channel is configured" == choose([], "m").explanation


def test_a_session_keeps_its_home() -> None:
    """Whatever else is configured around it, in whatever order."""
    a, b, c = Route("a"), Route("b"), Route("c")
    homes = {tuple(ordered(*routes)) for routes in ((a, b, c), (c, b, a), (b, a, c))}
    assert 1 == len(homes)


def test_losing_another_channel_moves_no_session() -> None:
    """Only the sessions of a removed channel find a new home."""
    routes = [Route("a"), Route("b"), Route("c")]
    for number in range(200):
        full = ordered(*routes, session=str(number))
        fewer = ordered(
            *(route for route in routes if route.channel != full[2]), session=str(number)
        )
        assert full[:2] == fewer


def test_homes_are_shared_out_by_weight() -> None:
    """Three times the weight, three times the sessions."""
    routes = [Route("a", weight=3.0), Route("b", weight=1.0)]
    homes = Counter(ordered(*routes, session=str(number))[0] for number in range(4000))
    assert 2800 < homes["a"] < 3200


def test_trust_comes_before_the_chain_and_the_chain_before_the_home() -> None:
    """A channel that cools down is the last resort; a turn goes where its history is."""
    routes = [Route(name) for name in "abcd"]
    for number, (held, distrusted) in enumerate(product("abcd", "abcd")):
        names = ordered(*routes, session=str(number), held=held, distrusted=distrusted)
        assert distrusted == names[-1]
        if held != distrusted:
            assert held == names[0]


ACCOUNTS = [Route("ch", account=name) for name in ("one", "two", "three")]


def chosen(session: str, home: str = "", **headroom: float) -> list[str]:
    """The accounts of a channel in their order for a session."""
    found = ranked(
        [*ACCOUNTS, Route("other")],
        session,
        belongs=lambda _: False,
        is_trusted=lambda _: True,
        is_home=lambda name: name == home,
        headroom=lambda name: headroom.get(name.partition("/")[2], 0.5),
    )
    return [route.account for _, route in found if route.account]


def test_a_new_session_goes_where_the_most_is_left() -> None:
    """And then on to where the next most is."""
    for number in range(100):
        assert ["two", "three", "one"] == chosen(str(number), one=0.1, two=0.9, three=0.4)


def test_a_session_stays_whatever_is_left_elsewhere() -> None:
    """Its history is warm there; only what cannot serve moves it."""
    for number in range(100):
        assert "one" == chosen(str(number), home="ch/one", one=0.1, two=0.9)[0]


def test_accounts_with_about_as_much_left_share_sessions_evenly() -> None:
    """A burst of new sessions does not all fall upon the one that is ahead by a hair."""
    left = {"one": 0.52, "two": 0.5, "three": 0.48}
    homes = Counter(chosen(str(number), **left)[0] for number in range(3000))
    assert all(900 < homes[name] < 1100 for name in left)


def test_a_channel_weighs_the_same_however_many_accounts_it_has() -> None:
    """Accounts stand together: the other channel gets its share."""
    routes = (*ACCOUNTS, Route("other"))
    names = [ordered(*routes, session=str(number)) for number in range(2000)]
    assert 900 < sum(each[0] == "other" for each in names) < 1100
    assert all(each.index("other") in (0, 3) for each in names)
