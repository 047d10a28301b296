"""Values put into YAML that people wrote: what is said stays, or the file is left alone."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from longwire.cli.yaml_text import check, merged, rendered

VALUES = {"openai-api-base": "http://127.0.0.1:8090/v1", "model": "openai/gpt-5.2"}
ENTRY = {"name": "Longwire", "model": "gpt-5.2", "apiKey": "${{ secrets.KEY }}"}
ENTRIES = {"models": [ENTRY]}
ITEM = "- name: Longwire\n    model: gpt-5.2\n    apiKey: ${{ secrets.KEY }}\n"


def test_a_new_file_says_what_was_meant():
    """Names that YAML would read as something else are quoted."""
    odd = {"a": "true", "b": "1.5", "c": "x: y", "d": "#", "e": "é", "f": "No", "g": "{a}"}
    for values in (VALUES, {"version": "1.0.0", **ENTRIES}, odd, {"models": [odd]}):
        assert values == yaml.safe_load(rendered(values))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "# mine\nmodel: gpt-4   # the old one\n\nread:\n  - a\n",
            (
                "# mine\nmodel: openai/gpt-5.2  # the old one\n\nread:\n  - a\n"
                "openai-api-base: http://127.0.0.1:8090/v1\n"
            ),
        ),
        (
            "model: 'a # b'",
            "model: openai/gpt-5.2\nopenai-api-base: http://127.0.0.1:8090/v1\n",
        ),
    ],
)
def test_values_are_put_in_and_all_else_stays(before, expected):
    """Comments and blank lines too."""
    after = "".join(sorted(merged(before, VALUES).splitlines(keepends=True)))
    assert "".join(sorted(expected.splitlines(keepends=True))) == after
    assert merged(before, VALUES) == merged(merged(before, VALUES), VALUES)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("name: x\n", f"name: x\nmodels:\n  {ITEM}"),
        ("models: []\nrules: []\n", f"models:\n  {ITEM}rules: []\n"),
        (
            "models:\n- uses: a/b\n# end\nrules:\n- c\n",
            (
                "models:\n- uses: a/b\n- name: Longwire\n  model: gpt-5.2\n"
                "  apiKey: ${{ secrets.KEY }}\n# end\nrules:\n- c\n"
            ),
        ),
        (
            'models:\n  - model: old  # why\n    roles: [x]\n    name: "Longwire"\n\n  - name: B\n',
            (
                "models:\n  - model: gpt-5.2  # why\n    roles: [x]\n    name: Longwire\n"
                "    apiKey: ${{ secrets.KEY }}\n\n  - name: B\n"
            ),
        ),
    ],
)
def test_an_entry_is_put_into_a_list(before, expected):
    """At its end, or into the one of its name, whose other keys stay."""
    assert expected == merged(before, ENTRIES)
    assert expected == merged(expected, ENTRIES)


@pytest.mark.parametrize(
    "text",
    [
        "model: |\n  x\n",
        "model:\n- x\n",
        "model: &a x\n",
        "model: {a: b}\n",
        "model: x\nmodel: y\n",
        'model: "x\n  y"\n',
        "model: x\n  y\n",
    ],
)
def test_a_value_in_another_form_is_refused(text):
    """Nothing is written over what is not surely understood."""
    with pytest.raises(ValueError, match="model is written in another form"):
        merged(text, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "models: [{name: a}]\n",
        "models: &all\n  - name: a\n",
        "models:\n  a: b\n",
        "models: []\nmodels: []\n",
        "models:\n  - name: Longwire\n    model: >-\n      x\n",
    ],
)
def test_a_list_in_another_form_is_refused(text):
    """Likewise for entries."""
    with pytest.raises(ValueError, match="is written in another form"):
        merged(text, ENTRIES)


@pytest.mark.parametrize(
    "text", ["{model: x}", "just words", "\tmodel: x", "a: 1\n}", '"model": x']
)
def test_a_file_of_another_form_is_refused(text):
    """The line that is not understood is named."""
    with pytest.raises(ValueError, match=r"line \d"):
        check(text)


LINES = st.sampled_from(
    [
        "# c",
        "",
        "model: a",
        "openai-api-base: 'b' # d",
        "read:",
        "  - x",
        "- y",
        "  k: v",
        "models:",
        "  - name: A",
        "    name: Longwire",
        "  - name: Longwire",
        "    apiKey: z",
        "    roles:",
        "      - chat",
        "    # e",
        "note: |",
        "  model: text",
        "---",
    ]
)


@given(
    st.lists(LINES.map("{}\n".format), max_size=9).map("".join), st.sampled_from([VALUES, ENTRIES])
)
def test_any_file_that_was_good_stays_good(text, values):
    """All that it said is still said, and the values with it; or it is refused."""
    try:
        before = yaml.safe_load(text)
        check(text)
        after = yaml.safe_load(merged(text, values))
    except (yaml.YAMLError, ValueError):
        return
    if values is VALUES or before is None:
        assert {**(before or {}), **values} == after
        return
    others = [each for each in before.get("models") or [] if each not in after["models"]]
    changed = [each for each in after["models"] if each not in (before.get("models") or [])]
    assert {**before, "models": None} == {**after, "models": None}
    assert len(others) <= 1
    assert [ENTRY] == [{name: each.get(name) for name in ENTRY} for each in changed] or not changed
    assert not others or {**others[0], **ENTRY} == changed[0]
