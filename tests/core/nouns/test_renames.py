"""Under which name a model is sent: exact names, patterns, and which of them counts."""

import pytest

from longwire.core.nouns.renames import check_renames, renamer

RENAMES = (
    ("*", "any"),
    ("claude-*", "large"),
    ("claude-haiku-*", "small"),
    ("claude-haiku-4", "exact"),
    ("claude-[0-9]*", "digit"),
    ("????????-[a-z]", "wild"),
)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-haiku-4", "exact"),
        ("claude-haiku-4-5", "small"),
        ("claude-sonnet-5[1m]", "large"),
        ("claude-3-opus", "large"),
        ("gpt-5.2", "any"),
        ("", ""),
    ],
)
def test_the_most_exact_name_counts(model, expected):
    """An exact name, then the pattern with the most literal characters; "" stays open."""
    assert expected == renamer(RENAMES)(model)


def test_of_equal_patterns_the_first_counts():
    """A class of characters is no literal one, however long it is written."""
    pairs = (("claude-?*", "first"), ("claude-[abcdefgh]*", "second"))
    assert "first" == renamer(pairs)("claude-a")
    assert "second" == renamer(pairs[::-1])("claude-a")


def test_a_model_without_another_name_keeps_its_own():
    """Case counts, and a pattern has to match the whole name."""
    sent_name = renamer((("claude-*", "gpt-5.2"),))
    assert ["Claude-x", "my-claude-x"] == [sent_name("Claude-x"), sent_name("my-claude-x")]


def test_a_name_that_looks_like_a_pattern_is_found_as_it_stands():
    """Some clients write what they want in brackets behind the name."""
    assert "gpt-5.2" == renamer((("claude-5[1m]", "gpt-5.2"),))("claude-5[1m]")


@pytest.mark.parametrize(
    ("pair", "mend"),
    [
        (("", "gpt"), "name both models"),
        (("claude-*", ""), "name both models"),
        (("claude-[0-9", "gpt"), "write [[] for the character itself"),
        (("claude-[]", "gpt"), "write [[] for the character itself"),
        (("claude-*", "gpt-*"), "write the one name that the upstream knows"),
        (("claude", "gpt-?"), "write the one name that the upstream knows"),
        (("same", "other"), "keep one"),
    ],
)
def test_a_bad_pair_is_refused_with_the_mend(pair, mend):
    """Each fault of a pair is said with what to write instead."""
    assert mend in str(check_renames((("same", "gpt"), pair)))


@pytest.mark.parametrize("requested", ["*", "claude-?", "claude-[!]]", "claude-[[]x", "a]b"])
def test_good_patterns_have_no_problem(requested):
    """All that `fnmatch` understands may be written."""
    assert check_renames(((requested, "gpt-5.2[fast]"),)) is None
