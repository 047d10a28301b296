"""Which pages may call: the headers that a browser looks for, and who gets none."""

import pytest

from longwire.server.cors import Cors

PAGE = "http://localhost:5173"
PREFLIGHT = {"origin": PAGE, "access-control-request-method": "POST"}


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost:5173",
        f"{PAGE}/",
        f"{PAGE}.evil.example",
        "null",
        "",
    ],
)
def test_other_origins_get_nothing(origin):
    """A name is exact: neither scheme, port, a longer name nor no name at all will do."""
    cors = Cors([PAGE])
    assert {} == cors.headers(origin)
    assert {} == cors.preflight({**PREFLIGHT, "origin": origin})


def test_a_named_origin_may_read_everything():
    """Its answers name it, and tell caches that others get another one."""
    expected = {"access-control-allow-origin": PAGE, "access-control-expose-headers": "*"}
    assert expected | {"vary": "origin"} == Cors([PAGE, "app://other"]).headers(PAGE)


def test_any_origin_may_without_being_named():
    """With `*` all get the same answer; credentials are allowed to nobody."""
    headers = Cors(["*"]).preflight({**PREFLIGHT, "origin": "http://evil.example"})
    assert "*" == headers["access-control-allow-origin"]
    assert {"vary", "access-control-allow-credentials"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        ("authorization,content-type", "authorization,content-type"),
        ("X-Stainless-Lang, x-api-key", "X-Stainless-Lang, x-api-key"),
        ("a\r\nset-cookie: b=c", None),
        ("", None),
    ],
)
def test_the_headers_of_a_request_are_allowed_as_they_are_announced(asked_for, expected):
    """Clients send many of their own; what is no list of names is not repeated."""
    headers = Cors([PAGE]).preflight({**PREFLIGHT, "access-control-request-headers": asked_for})
    assert expected == headers.get("access-control-allow-headers")


def test_a_page_from_elsewhere_may_come_into_a_private_network():
    """Browsers ask for it apart, where the gateway has an address of the machine or the house."""
    asked = {**PREFLIGHT, "access-control-request-private-network": "true"}
    assert "true" == Cors([PAGE]).preflight(asked)["access-control-allow-private-network"]
    assert "access-control-allow-private-network" not in Cors([PAGE]).preflight(PREFLIGHT)


def test_what_announces_no_method_is_no_preflight():
    """It is an `OPTIONS` like any other."""
    assert {} == Cors([PAGE]).preflight({"origin": PAGE})
