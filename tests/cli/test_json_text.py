"""Values put into JSON that people wrote: what is said stays, and how it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.cli.json_text import check, merged

VALUES = {"env": {"URL": "http://x", "KEY": "k"}}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", '{\n  "env": {\n    "URL": "http://x",\n    "KEY": "k"\n  }\n}\n'),
        ('{"a":1}', '{"a":1, "env": {"URL": "http://x", "KEY": "k"}}'),
        ('{ "a": 1 }\n', '{ "a": 1, "env": {"URL": "http://x", "KEY": "k"} }\n'),
        (
            '{\n\t"a": 1, // mine\n}',
            '{\n\t"a": 1, // mine\n\t"env": {\n\t\t"URL": "http://x",\n\t\t"KEY": "k"\n\t}\n}',
        ),
        (
            '{\n  "env": {\n    "URL": "old", /* why */\n    "Z": [1 ]\n  },\n  "a": 1\n}\n',
            (
                '{\n  "env": {\n    "URL": "http://x", /* why */\n    "Z": [1 ],\n    "KEY": "k"\n'
                '  },\n  "a": 1\n}\n'
            ),
        ),
        (
            '{"a": 1 // c\n}',
            '{"a": 1, // c\n  "env": {\n    "URL": "http://x",\n    "KEY": "k"\n  }\n}',
        ),
        (
            '{\r\n "a": 1\r\n}',
            '{\r\n "a": 1,\r\n "env": {\r\n  "URL": "http://x",\r\n  "KEY": "k"\r\n }\r\n}',
        ),
    ],
)
def test_all_else_keeps_its_bytes(before, expected):
    """Comments, tabs and line ends stay, and new lines look like their neighbours."""
    assert expected == merged(before, VALUES)
    assert expected == merged(expected, VALUES)


def test_an_empty_table_keeps_what_stands_there():
    """What a user says of a model is not taken away."""
    before = '{"models": {"gpt": {"limit": 1}}}'
    assert before == merged(before, {"models": {"gpt": {}}})
    assert {"models": {"gpt": {}}} == json.loads(merged("{}", {"models": {"gpt": {}}}))


@pytest.mark.parametrize("text", ['{"env": []}', "[1]", "1", '{"env": "x"}'])
def test_another_form_is_refused(text):
    """A value of the user's own is never replaced by a table."""
    with pytest.raises(ValueError, match="remove it first"):
        merged(text, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":',
        '{"a" 1}',
        '{"a": 1}}',
        "{'a': 1}",
        '{"a": "\n"}',
        "{a: 1}",
        "/",
        "{,}",
        '{"a": 1 2}',
    ],
)
def test_what_is_no_json_is_refused(text):
    """Comments and trailing commas are understood, and nothing else that JSON has not."""
    with pytest.raises(ValueError, match=r"."):
        check(text)


NAMES = st.sampled_from(["env", "URL", "a", 'q"//', "é"])
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.sampled_from([None, 1.5, "x // y", "/*", True]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@given(TREES, st.sampled_from([None, 1, 3, "\t"]), st.sampled_from(["", "// c\n", "/* d */"]))
def test_any_good_file_stays_good(tree, indent, comment):
    """All that it said is still said, and the values with it; or it is refused."""
    text = comment + json.dumps(tree, indent=indent)
    env = tree.get("env", {})
    if not isinstance(env, dict):
        with pytest.raises(ValueError, match="remove it first"):
            merged(text, VALUES)
        return
    after = merged(text, VALUES)
    assert {**tree, "env": {**env, **VALUES["env"]}} == check(after)
    assert after.startswith(comment)
