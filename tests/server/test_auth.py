"""Keys at the door."""

from dataclasses import replace

import pytest

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.access import ApiKey, Grant, IssuedKey, KeyStatus, digest_with
from longwire.core.nouns.secret import Secret
from longwire.core.rules import session
from longwire.core.rules.session import CREDENTIAL_HEADERS
from longwire.core.rules.turn import Principal
from longwire.dialects.codex import client
from longwire.server.auth import Keys, chosen_subprotocol

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
        {"x-api-key": "lw-key-three"},
        {"x-api-key": "", "api-key": " "},
        {"cookie": "lw-key-one"},
        {"sec-websocket-protocol": "realtime, lw-key-one"},
        {"sec-websocket-protocol": "openai-insecure-api-key."},
    ],
)
def test_anything_else_is_nobody(headers):
    """No key, half a key, another scheme or a place that is none of keys let nobody in."""
    with pytest.raises(Unauthenticated) as refused:
        handed_out().authenticate(headers)
    assert "lw-key" not in str(refused.value)


IN_A_SUBPROTOCOL = "realtime, openai-insecure-api-key.lw-key-one, other"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-longwire-key": "lw-key-one", "authorization": "Bearer of-another-sign-in"},
        {"authorization": "Bearer lw-key-one", "x-api-key": "lw-key-two"},
        {"authorization": "Bearer", "x-api-key": " lw-key-one ", "api-key": "lw-key-two"},
        {"authorization": "Basic dXNlcjpvZi1hLXByb3h5", "api-key": "lw-key-one"},
        {"x-api-key": "", "api-key": "lw-key-one", "x-goog-api-key": "lw-key-two"},
        {"x-goog-api-key": "lw-key-one", "sec-websocket-protocol": "realtime"},
        {"sec-websocket-protocol": IN_A_SUBPROTOCOL},
    ],
)
def test_the_first_place_with_a_key_counts(headers):
    """Each usual place is looked at in turn; what is empty, or no scheme of keys, is no key."""
    assert "one" == handed_out().authenticate(headers).name


def test_a_wrong_key_is_not_made_good_by_another_place():
    """Who calls never depends on which of two keys happens to be known; the error says where."""
    headers = {"x-api-key": "wrong", "x-goog-api-key": "lw-key-one"}
    with pytest.raises(Unauthenticated, match="sent as 'x-api-key'; check it, or send it as"):
        handed_out().authenticate(headers)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ("realtime", "realtime"),
        (IN_A_SUBPROTOCOL, "realtime"),
        ("openai-insecure-api-key.lw-key-one, other,realtime", "realtime"),
        ("openai-insecure-api-key.lw-key-one, other", "other"),
        ("openai-insecure-api-key.lw-key-one", None),
        (" , ", None),
    ],
)
def test_a_subprotocol_is_chosen_that_is_no_key(offered, expected):
    """`realtime` where it is offered, else the first other one; a key is never sent back."""
    assert expected == chosen_subprotocol({"sec-websocket-protocol": offered})


def test_nothing_that_may_hold_a_key_goes_anywhere():
    """Neither upstream, of whatever client, nor into the turn log, nor into a session's name."""
    headers = dict.fromkeys(CREDENTIAL_HEADERS, "secret") | {"originator": "codex_cli_rs"}
    assert {"originator": "codex_cli_rs"} == session.forwarded(headers)
    assert {"originator": "codex_cli_rs"} == client.forwarded(headers)
    assert "" == session.session_id(headers, ())
    assert not {*session.LOGGED_HEADERS} & {*CREDENTIAL_HEADERS}


@pytest.mark.parametrize(
    "headers",
    [bearer("not-needed"), {"x-api-key": "sk-x"}, {"authorization": "Basic eDp5"}, bearer(""), {}],
)
def test_where_there_are_no_keys_any_is_as_good_as_none(headers):
    """Many programs insist on a key; without any to tell callers apart they are anonymous."""
    keys = Keys(DIGEST, admits_anonymous=True)
    assert Principal("anonymous", None) == keys.authenticate(headers)
    with pytest.raises(Unauthenticated):
        Keys(DIGEST).authenticate(headers)


PAGE = "http://localhost:5173"


@pytest.mark.parametrize("has_keys", [True, False])
@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({"host": "localhost:8090"}, True),
        ({"host": "localhost:8090", "origin": "http://localhost:8090"}, True),
        ({"host": "localhost:8090", "origin": PAGE}, True),
        ({"host": "localhost:8090", "origin": "http://localhost:8091"}, False),
        ({"host": "localhost:8090", "origin": "http://evil.example"}, False),
        ({"host": "localhost:8090", "origin": "null"}, False),
        ({"origin": ""}, True),
        ({"host": "127.0.0.1:8090", "origin": "http://127.0.0.1:8090"}, True),
        ({"host": "[::1]:8090", "origin": "http://[::1]:8090"}, True),
        ({"host": "gateway.localhost", "origin": "http://gateway.localhost"}, True),
        ({"host": "evil.example:8090", "origin": "http://evil.example:8090"}, False),
        ({"host": "127.0.0.1.evil.example", "origin": "http://127.0.0.1.evil.example"}, False),
        ({"host": "[x", "origin": "http://[x"}, False),
    ],
)
def test_an_anonymous_page_is_a_named_one(headers, is_let_in, has_keys):
    """No page that happens to be open near the gateway uses it unseen; it may with a key."""
    keys = Keys(DIGEST, admits_anonymous=True, origins=(PAGE,))
    if has_keys:
        keys.hand_out([declared("one")])
        assert "one" == keys.authenticate(headers | bearer("lw-key-one")).name
    offered = {} if has_keys else {"sec-websocket-protocol": "openai-insecure-api-key.any"}
    if is_let_in:
        assert "anonymous" == keys.authenticate(headers | offered).name
        return
    with pytest.raises(
        Unauthenticated, match=r"needs a key, or its origin in server\.cors_origins"
    ):
        keys.authenticate(headers | offered)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "bearer  "])
def test_an_empty_key_is_none(authorization):
    """Clients send the header although they have nothing to put in."""
    keys = handed_out(admits_anonymous=True)
    assert Principal("anonymous", None) == keys.authenticate({"authorization": authorization})


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
