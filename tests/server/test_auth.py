"""Keys at the door."""

import pytest

from longwire.core.errors import Unauthenticated
from longwire.core.turn import Principal
from longwire.server.auth import Keys

KEYS = [("one", "lw-key-one"), ("two", "lw-key-two")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Bearer lw-key-one", "one"),
        ("bearer lw-key-two", "two"),
        ("BEARER   lw-key-two  ", "two"),
    ],
)
def test_a_known_key_is_its_owner(given, name):
    """The scope comes from the key's entry, never from anything the caller says."""
    caller = Keys(KEYS).authenticate({"authorization": given, "x-api-key": "lw-key-one"})
    assert caller == Principal(name, f"api_key:file:{name}")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
        {"authorization": "Bearer lw-key-three"},
        {"authorization": "Bearer lw-key-on"},
        {"authorization": "Bearer lw-key-one lw-key-two"},
        {"authorization": "Basic lw-key-one"},
        {"authorization": "lw-key-one"},
        {"authorization": "Bearer \u00fcml\udcff"},
        {"x-api-key": "lw-key-one"},
    ],
)
def test_anything_else_is_nobody(headers):
    """No key, half a key, another scheme or another header let nobody in."""
    with pytest.raises(Unauthenticated):
        Keys(KEYS).authenticate(headers)


def test_anonymous_callers_have_no_scope():
    """Where no key is asked for, none is needed, and nothing is ever shared."""
    keys = Keys(KEYS, admits_anonymous=True)
    assert keys.authenticate({}) == Principal("anonymous", None)
    assert keys.authenticate({"authorization": "Bearer lw-key-one"}).name == "one"


def test_a_wrong_key_is_refused_even_so():
    """A typing error never turns a caller into an anonymous one."""
    with pytest.raises(Unauthenticated):
        Keys(KEYS, admits_anonymous=True).authenticate({"authorization": "Bearer wrong"})


def test_secrets_are_not_kept():
    """Only digests stay in memory."""
    assert "lw-key-one" not in repr(Keys(KEYS)._known)
