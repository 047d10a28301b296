from dataclasses import replace

import pytest

from longwire.core.nouns.access import Rates
from longwire.core.nouns.channel import ChannelSpec, EndpointSpec, check, check_base_url
from longwire.core.nouns.price import ModelPrice, PriceTier
from longwire.core.nouns.secret import Secret

GOOD = ChannelSpec(id="", name="openai", credential=Secret("sk-planted"))


def _tiered(*tiers):
    return ModelPrice("a", 1, 1, tiers=tiers)


def _fields(**changes):
    return [problem.field for problem in check(replace(GOOD, **changes))]


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.openai.com/v1",
        "http://127.0.0.1:8080",
        "ws://upstream/v1",
        "wss://upstream/v1#",
        "https://upstream/custom/path##",
        "https://[::1]:8443/v1",
    ],
)
def test_a_good_channel_has_no_problems(base_url):
    """Every way to write a base URL, with its marks, is accepted."""
    assert () == check(replace(GOOD, base_url=base_url))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "two words"}),
        ("name", {"name": "n" * 101}),
        ("models", {"models": ("gpt\0",)}),
        ("tags", {"tags": ("",)}),
        ("tags", {"tags": ("t" * 257,)}),
        ("tlsCa", {"tls_ca": "/ca\n.pem"}),
        ("baseURL", {"base_url": "https://upstream/ä"}),
        ("baseURL", {"base_url": ""}),
        ("baseURL", {"base_url": "https://user:planted@upstream"}),
        ("type", {"type": "azure"}),
        ("transport", {"transport": "ws"}),
        ("models", {"models": ()}),
        ("models", {"models": ("gpt", "")}),
        ("renames", {"renames": (("a", ""),)}),
        ("renames", {"renames": (("a", "b"), ("a", "c"))}),
        ("renames", {"renames": (("a-[", "b"),)}),
        ("renames", {"renames": (("a-*", "b-*"),)}),
        ("renames", {"renames": (("a-*", "b\n"),)}),
        ("weight", {"weight": 0}),
        ("weight", {"weight": 1e308}),
        ("weight", {"weight": 1e-300}),
        ("weight", {"weight": float("nan")}),
        ("weight", {"weight": float("inf")}),
        ("handshakeRate", {"handshake_rate": -1}),
        ("handshakeBurst", {"handshake_burst": 0}),
        ("threads", {"threads": True}),
        ("transport", {"transport": "websocket", "apis": ("messages",)}),
        ("apis", {"type": "codex", "apis": ("messages",)}),
        ("prices.0.model", {"prices": (ModelPrice("", 1, 1),)}),
        ("prices.0.model", {"prices": (ModelPrice("a-[", 1, 1),)}),
        ("prices.1.model", {"prices": (ModelPrice("a", 1, 1), ModelPrice("a", 2, 2))}),
        ("prices.0.input", {"prices": (ModelPrice("a", -1, 1),)}),
        ("prices.0.cached", {"prices": (ModelPrice("a", 1, 1, cached=10**16),)}),
        ("prices.0.tiers.0.above", {"prices": (_tiered(PriceTier(0, 1, 1)),)}),
        (
            "prices.0.tiers.1.above",
            {"prices": (_tiered(PriceTier(5, 1, 1), PriceTier(5, 1, 1)),)},
        ),
        ("prices.0.tiers.0.output", {"prices": (_tiered(PriceTier(5, 1, -1)),)}),
        ("nativeItems", {"native_items": ("novelty",)}),
        ("nativeItems", {"native_items": ("additional_tools", "additional_tools")}),
        ("organization", {"organization": "a b"}),
        ("project", {"project": "a\nb"}),
        ("apiKey", {"credential": Secret("")}),
        ("apiKey", {"credential": Secret("sk planted")}),
        ("baseURL", {"base_url": "ftp://upstream"}),
        ("baseURL", {"base_url": "https:///v1"}),
        ("baseURL", {"base_url": "https://upstream/#/v1"}),
        ("baseURL", {"base_url": "https://upstream###"}),
        ("baseURL", {"base_url": "https://upstream:0"}),
        ("baseURL", {"base_url": "https://upstream:99999"}),
        ("baseURL", {"base_url": "https://[::1"}),
        ("proxy", {"proxy": Secret("gopher://proxy")}),
        ("proxy", {"proxy": Secret("http://[::1")}),
        ("proxy", {"proxy": Secret("http://proxy:99999")}),
        ("proxy", {"proxy": Secret("http://proxy:0")}),
        ("proxy", {"proxy": Secret("http://two words:3128")}),
        ("headers.0.name", {"headers": (("x y", Secret("1")),)}),
        ("headers.0.name", {"headers": (("Authorization", Secret("1")),)}),
        ("headers.1.name", {"headers": (("x-a", Secret("1")), ("X-A", Secret("2")))}),
        ("headers.1.value", {"headers": (("x-a", Secret("1")), ("x-b", Secret("a\r\nb")))}),
        ("rates.tokensPerMinute", {"rates": Rates(tokens_per_minute=0)}),
        ("endpoints.0.apiFormat", {"endpoints": (EndpointSpec("chat"),)}),
        (
            "endpoints.1.apiFormat",
            {"endpoints": (EndpointSpec("responses"), EndpointSpec("responses"))},
        ),
        ("endpoints.0.path", {"endpoints": (EndpointSpec("responses", path="v1"),)}),
        ("endpoints.0.path", {"endpoints": (EndpointSpec("responses", path="/r#x"),)}),
        ("endpoints.0.baseURL", {"endpoints": (EndpointSpec("responses", base_url="x"),)}),
        ("endpoints.0.transport", {"endpoints": (EndpointSpec("responses", transport="ws"),)}),
        (
            "endpoints.0.transport",
            {"endpoints": (EndpointSpec("chat_completions", transport="websocket"),)},
        ),
        (
            "endpoints.0.transport",
            {"endpoints": (EndpointSpec("chat_completions", base_url="wss://other"),)},
        ),
        ("endpoints.0.apiFormat", {"endpoints": (EndpointSpec("messages", path="/m"),)}),
        ("baseURL", {"base_url": "https://YOUR-RESOURCE.openai.azure.com/openai/v1"}),
        (
            "endpoints.0.baseURL",
            {"endpoints": (EndpointSpec("responses", base_url="https://YOUR.x"),)},
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_field(field, changes):
    """Each bad value is one problem with the field's name, and no other field is blamed."""
    assert [field] == _fields(**changes)


def test_every_problem_is_told_at_once():
    """Somebody who mends a channel sees all of it, not one field after the other."""
    assert ["name", "weight", "baseURL"] == _fields(name="", weight=0, base_url="x")


def test_problems_show_no_secret():
    """What is wrong with a credential, a proxy or a header is said without its value."""
    bad = replace(
        GOOD,
        credential=Secret("sk planted"),
        proxy=Secret("gopher://user:planted@proxy"),
        headers=(("x-a", Secret("planted\n")),),
    )
    messages = " ".join(problem.message for problem in check(bad))
    assert "planted" not in messages + repr(bad)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (
            EndpointSpec("responses"),
            EndpointSpec("responses", "/responses", "https://up/v1", "auto"),
        ),
        (
            EndpointSpec("responses", path="/r", transport="http"),
            EndpointSpec("responses", "/r", "https://up/v1", "http"),
        ),
        (
            EndpointSpec("responses", base_url="wss://other"),
            EndpointSpec("responses", "/responses", "wss://other", "websocket"),
        ),
        (
            EndpointSpec("messages"),
            EndpointSpec("messages", "/messages", "https://up/v1", "http"),
        ),
        (
            EndpointSpec("messages", base_url="wss://other", transport="auto"),
            EndpointSpec("messages", "/messages", "wss://other", "http"),
        ),
    ],
)
def test_an_endpoint_inherits_what_it_does_not_set(own, expected):
    """An empty base URL or transport is the channel's; only responses ever use a WebSocket."""
    spec = replace(GOOD, base_url="https://up/v1", endpoints=(own,))
    assert expected == spec.endpoint(own.api)


@pytest.mark.parametrize(
    ("url", "is_whole"),
    [
        ("http://h/v1/responses", True),
        ("http://h/v1/responses/", True),
        ("http://h/v1/responses?api-version=1", True),
        ("http://h/v1/responses#", True),
        ("ws://h/responses", True),
        ("http://h/v1/chat/completions", True),
        ("http://h/v1/messages", True),
        ("http://h/v1/models", True),
        ("http://h/v1/responses/compact", True),
        ("http://h/v1beta/models/gemini-3-pro:generateContent", True),
        ("http://h/v1/responses##", False),
        ("http://h/v1beta/models/gemini-3-pro:generateContent##", False),
        ("http://YOURS/v1", False),
        ("http://h/v1", False),
        ("http://h/responses/v1", False),
        ("http://responses", False),
        ("http://h/my-responses", False),
    ],
)
def test_a_base_url_is_no_whole_url(url, is_whole):
    """Who pastes all of it is told to leave the API's path out, or to mean it."""
    problem = check_base_url(url)
    assert is_whole == (problem is not None)
    assert problem is None or "write ## behind it" in problem
