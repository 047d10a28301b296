"""Overrides put into requests: a law for all of them, and what each does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.override import Override, check_overrides
from longwire.core.nouns.secret import Secret
from longwire.dialects.override_values import check_values, with_kept_values
from longwire.dialects.overrides import changed_headers, changed_members
from longwire.dialects.raw_json import split_members

NAMES = st.sampled_from(["a", "b", "reasoning", "metadata"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(NAMES, VALUES)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
OVERRIDES = st.lists(
    st.builds(
        lambda action, member, value: Override(
            action, member, value="" if action == "remove" else json.dumps(value)
        ),
        st.sampled_from(["set", "default", "remove"]),
        PATHS,
        VALUES,
    ),
    max_size=4,
)


def _raw(body, spaces=""):
    separators = (f",{spaces}", f":{spaces}")
    return {name: json.dumps(value, separators=separators).encode() for name, value in body.items()}


def _read(members):
    return {name: json.loads(raw) for name, raw in members.items()}


@given(BODIES, OVERRIDES)
def test_what_is_put_in_twice_is_as_if_it_were_put_in_once(body, overrides):
    """The law: a request that has been through the overrides is not changed by them."""
    once = changed_members(_raw(body), overrides)
    assert once == changed_members(once, overrides)


@given(BODIES, OVERRIDES)
def test_what_no_override_names_keeps_its_bytes(body, overrides):
    """Members at the top, and those beside a path, are as their client wrote them."""
    before = _raw(body, " ")
    after = changed_members(before, overrides)
    tops = {override.path[0] for override in overrides}
    assert {name: raw for name, raw in before.items() if name not in tops} == {
        name: raw for name, raw in after.items() if name not in tops
    }
    for name in tops & before.keys() & after.keys():
        if before[name][:1] == after[name][:1] == b"{":
            own, changed = split_members(before[name]), split_members(after[name])
            named = {each.path[1] for each in overrides if len(each.path) > 1}
            whole = {each.path[0] for each in overrides if len(each.path) == 1}
            if name not in whole:
                assert {key: bytes(raw) for key, raw in own.items() if key not in named} == {
                    key: bytes(raw) for key, raw in changed.items() if key not in named
                }


@given(BODIES, PATHS, VALUES)
def test_what_is_set_is_there_and_what_is_removed_is_not(body, path, value):
    """Wherever the way to a member is one of objects, it is as the operator says."""
    written = changed_members(_raw(body), [Override("set", path, value=json.dumps(value))])
    removed = changed_members(written, [Override("remove", path)])
    if _found(_read(written), path, default=Ellipsis) is not Ellipsis:
        assert value == _found(_read(written), path)
        assert _found(_read(removed), path, default=Ellipsis) is Ellipsis


def _found(body, path, default=None):
    names = path.split(".")
    for name in names:
        if not isinstance(body, dict) or name not in body:
            return default
        body = body[name]
    return body


@pytest.mark.parametrize(
    ("override", "before", "after"),
    [
        (Override("set", "service_tier", value='"flex"'), {}, {"service_tier": "flex"}),
        (
            Override("set", "reasoning.effort", value='"low"'),
            {"reasoning": {"effort": "high", "summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        (
            Override("default", "reasoning.effort", value='"low"'),
            {"reasoning": {"effort": "high"}},
            {"reasoning": {"effort": "high"}},
        ),
        (
            Override("default", "metadata.team", value='"a"'),
            {"metadata": None},
            {"metadata": {"team": "a"}},
        ),
        (Override("remove", "metadata.team"), {"metadata": {"team": "a"}}, {"metadata": {}}),
        (Override("remove", "metadata.team"), {}, {}),
        (Override("set", "text.verbosity", value='"low"'), {"text": "plain"}, {"text": "plain"}),
    ],
)
def test_each_operation(override, before, after):
    """A null counts as absent, and what is no object has no members."""
    assert after == _read(changed_members(_raw(before), [override]))


def test_headers_are_set_defaulted_and_removed():
    """Names count in lower case; what no override names stays."""
    overrides = [
        Override("set", header="X-Team", header_value=Secret("b")),
        Override("default", header="OpenAI-Beta", header_value=Secret("x")),
        Override("remove", header="originator"),
    ]
    headers = {"openai-beta": "own", "originator": "cli", "other": "1"}
    expected = {"openai-beta": "own", "other": "1", "x-team": "b"}
    assert expected == changed_headers(headers, overrides)


@pytest.mark.parametrize(
    ("override", "field", "words"),
    [
        (Override("set", "input", value="[]"), "member", "sessions go on by"),
        (Override("set", "store", value="true"), "member", "sessions go on by"),
        (Override("remove", "previous_response_id"), "member", "sessions go on by"),
        (Override("set", "stream", value="true"), "member", "set by the gateway"),
        (Override("set", "model", value='"x"'), "member", "renames"),
        (Override("set", "a..b", value="1"), "member", "joined by dots"),
        (Override("set", value="1"), "member", "a member or a header"),
        (Override("set", "a", value="high"), "value", "is no JSON"),
        (Override("set", "a", value="NaN"), "value", "is no JSON"),
        (Override("remove", "a", value="1"), "value", "leave it out"),
        (Override("put", "a", value="1"), "action", "must be one of"),
        (Override("set", "a", value="1", models=("[",)), "models", "without its ']'"),
        (Override("set", "a", value="1", apis=("soap",)), "apis", "must be one of"),
        (
            Override("set", header="Authorization", header_value=Secret("x")),
            "header",
            "credentials",
        ),
        (Override("set", header="Cookie", header_value=Secret("x")), "header", "credentials"),
        (Override("remove", header="Connection"), "header", "belongs to the connection"),
        (
            Override("set", header="Sec-WebSocket-Key", header_value=Secret("x")),
            "header",
            "connection",
        ),
        (
            Override("set", header="user-agent", header_value=Secret("x")),
            "header",
            "channel's headers",
        ),
        (Override("set", header="x-own", header_value=Secret("x")), "header", "come last"),
        (Override("set", header="x-a", header_value=Secret("a\nb")), "value", "printable"),
        (Override("set", header="x-a"), "value", "is missing"),
        (Override("remove", header="x-a", header_value=Secret("1")), "value", "leave it out"),
    ],
)
def test_what_is_not_an_overrides_to_change_is_refused_with_the_reason(override, field, words):
    """Each bad field is one problem, which says what to do instead."""
    found = (*check_overrides([override], ["responses"], {"x-own"}), *check_values([override]))
    (problem,) = found
    assert f"overrides.0.{field}" == problem.field
    assert words in problem.message


def _header(value, name="x-team", **conditions):
    return Override("set", header=name, header_value=Secret(value), **conditions)


@pytest.mark.parametrize(
    ("written", "held", "kept"),
    [
        ([_header("")], [_header("a")], ["a"]),
        ([_header("b")], [_header("a")], ["b"]),
        ([_header("", "X-Team", models=("o3",))], [_header("a")], ["a"]),
        ([_header("", "x-other")], [_header("a")], [""]),
        (
            [_header(""), _header("", models=("o3",))],
            [_header("a", models=("o3",)), _header("b")],
            "ba",
        ),
        ([_header("", models=("o4",))], [_header("a", models=("o3",)), _header("b")], [""]),
        ([_header(""), _header("")], [_header("a"), _header("b")], "ab"),
        ([Override("remove", header="x-team")], [_header("a")], [""]),
    ],
)
def test_a_header_without_a_value_keeps_its_own(written, held, kept):
    """By its conditions, else by its name where that leaves no doubt; never that of another."""
    found = with_kept_values(written, held)
    assert [*kept] == [each.header_value.reveal() for each in found]
    assert [each.action for each in written] == [each.action for each in found]
