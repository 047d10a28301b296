"""Which channels may serve a model, and why each other one may not."""

from longwire.core.routing import Choice, Route, choose


def test_channels_are_ordered_by_weight_then_as_configured() -> None:
    """The first is tried first."""
    routes = [Route("a"), Route("b", weight=5), Route("c")]
    assert Choice(("b", "a", "c"), ()) == choose(routes, "m")


def test_a_refusal_says_why() -> None:
    """For the error that the caller reads."""
    routes = [Route("a", is_enabled=False), Route("b", ("gpt-5-*", "o9")), Route("c", ("gpt-5",))]
    choice = choose(routes, "gpt-5")
    assert ("c",) == choice.candidates
    assert "a: disabled; b: does not serve it" == choice.explanation


def test_patterns_match_whole_names_and_case() -> None:
    """`gpt-5-*` is not `gpt-5`, and not `GPT-5-mini`."""
    route = Route("a", ("gpt-5-*",))
    assert [True, False, False] == [route.serves(m) for m in ("gpt-5-mini", "gpt-5", "GPT-5-mini")]


def test_without_channels_the_reason_is_said() -> None:
    """A fresh installation has none."""
    assert "no channel is configured" == choose([], "m").explanation
