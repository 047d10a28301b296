"""Keys at the door."""

from dataclasses import replace

import pytest

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.access import ApiKey, Grant, IssuedKey, KeyStatus, digest_with
from longwire.core.nouns.secret import Secret
from longwire.core.rules.turn import Principal
from longwire.server.auth import Keys

DIGEST = digest_with(b"p" * 32)
STORED = ApiKey("key_1", "stored", "lw_", DIGEST("lw-stored"), Grant("key_1"))


def declared(name):
    key = ApiKey(f"file:{name}", name, "lw-k", b"", Grant(f"file:{name}"), is_declared=True)
    return IssuedKey(key, Secret(f"lw-key-{name}"))


def handed_out(*stored, now=0, **options):
    """The keys `one` and `two` of a file, and stored ones; the clock stands at `now`."""
    keys = Keys(DIGEST, clock=lambda: now, **options)
    keys.hand_out([declared("one"), declared("two")], stored)
    return keys


def bearer(key):
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        ("Bearer lw-key-one", "one"),
        ("bearer lw-key-two", "two"),
        ("BEARER   lw-key-two  ", "two"),
    ],
)
def test_a_known_key_is_its_owner(authorization, name):
    """The scope comes from the key's entry, never from anything the caller says."""
    caller = handed_out().authenticate({"authorization": authorization, "x-api-key": "lw-key-one"})
    assert caller == Principal(name, f"api_key:file:{name}", Grant(f"file:{name}"))


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
        handed_out().authenticate(headers)


def test_anonymous_callers_have_no_scope():
    """Where no key is due, none is needed, and nothing is ever shared."""
    keys = handed_out(admits_anonymous=True)
    assert keys.authenticate({}) == Principal("anonymous", None)
    assert keys.authenticate({"authorization": "Bearer lw-key-one"}).name == "one"


def test_a_wrong_key_is_refused_even_so():
    """A typing error never turns a caller into an anonymous one."""
    with pytest.raises(Unauthenticated):
        handed_out(admits_anonymous=True).authenticate({"authorization": "Bearer wrong"})


def test_secrets_are_not_kept():
    """Only digests stay in memory."""
    assert "lw-key-one" not in repr(handed_out()._known)


def test_a_stored_key_is_known_by_its_id():
    """Renaming a key moves no wall: the scope is its id, the grant its own."""
    caller = handed_out(STORED).authenticate(bearer("lw-stored"))
    assert caller == Principal("stored", "api_key:key_1", Grant("key_1"))


@pytest.mark.parametrize(
    ("changes", "now", "is_let_in"),
    [
        ({"expires_at": 10}, 9, True),
        ({"expires_at": 10}, 10, False),
        ({"status": KeyStatus.DISABLED}, 0, False),
        ({"status": KeyStatus.REVOKED}, 0, False),
    ],
)
def test_a_key_is_good_while_it_is_meant_to_be(changes, now, is_let_in):
    """An expired or disabled key lets nobody in, and says so to who has it."""
    keys = handed_out(replace(STORED, **changes), now=now)
    if is_let_in:
        assert "stored" == keys.authenticate(bearer("lw-stored")).name
        return
    with pytest.raises(Unauthenticated, match="'stored' is disabled or has expired"):
        keys.authenticate(bearer("lw-stored"))


@pytest.mark.parametrize(("now", "is_let_in"), [(9, True), (10, False)])
def test_a_rotated_key_is_good_until_the_overlap_ends(now, is_let_in):
    """The secret before it opens the same as the new one for a while, then nothing."""
    rotated = replace(
        STORED,
        digest=DIGEST("lw-new"),
        previous_digest=STORED.digest,
        previous_until=10,
    )
    keys = handed_out(rotated, now=now)
    expected = keys.authenticate(bearer("lw-new"))
    if is_let_in:
        assert expected == keys.authenticate(bearer("lw-stored"))
        return
    with pytest.raises(Unauthenticated, match="'stored' was rotated; use the new one"):
        keys.authenticate(bearer("lw-stored"))


def test_what_is_handed_out_is_all_there_is():
    """A key that is missing from the next list is refused from then on."""
    keys = handed_out(STORED)
    keys.hand_out([declared("one")])
    assert "one" == keys.authenticate(bearer("lw-key-one")).name
    for gone in ("lw-key-two", "lw-stored"):
        with pytest.raises(Unauthenticated):
            keys.authenticate(bearer(gone))
