"""From base URLs to the URLs that are asked."""

from urllib.parse import urlsplit

import pytest

from longwire.upstream.net.urls import (
    Origin,
    below,
    endpoint_url,
    models_url,
    origin_of,
)


@pytest.mark.parametrize(
    ("base_url", "path", "scheme", "expected"),
    [
        ("https://api.openai.com/v1", "/responses", "http", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com/v1/", "/responses", "http", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com", "/responses", "http", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com/", "/responses", "http", "https://api.openai.com/v1/responses"),
        ("https://h/v1beta", "/responses", "http", "https://h/v1beta/responses"),
        ("https://h/v2", "/responses", "http", "https://h/v2/responses"),
        (
            "https://chatgpt.com/backend-api/codex",
            "/responses",
            "http",
            "https://chatgpt.com/backend-api/codex/responses",
        ),
        ("https://h#", "/responses", "http", "https://h/responses"),
        ("https://h/#", "/responses", "http", "https://h/responses"),
        ("https://h/api#", "/responses", "http", "https://h/api/responses"),
        ("https://h/any/thing##", "/responses", "http", "https://h/any/thing"),
        ("https://h/any/thing/##", "/responses", "ws", "wss://h/any/thing/"),
        ("https://h", "/v1/responses", "http", "https://h/v1/responses"),
        ("https://h", "/v2/x", "http", "https://h/v2/x"),
        ("https://h", "/vault/x", "http", "https://h/v1/vault/x"),
        ("https://h/v1", "/responses", "ws", "wss://h/v1/responses"),
        ("http://h:8080/v1", "/responses", "ws", "ws://h:8080/v1/responses"),
        ("wss://h/v1", "/responses", "http", "https://h/v1/responses"),
        ("ws://[::1]:80", "/responses", "ws", "ws://[::1]:80/v1/responses"),
        (
            "https://h/v1?api-version=2",
            "/responses",
            "http",
            "https://h/v1/responses?api-version=2",
        ),
    ],
)
def test_endpoint_url(base_url, path, scheme, expected):
    """The path is appended once, a version only where the base has no path, marks are obeyed."""
    assert endpoint_url(base_url, path, scheme) == expected


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://h", "https://h/v1/models"),
        ("wss://h/v1", "https://h/v1/models"),
        ("https://h/x/responses##", "https://h/x/models"),
        ("https://h/x/turns##", None),
    ],
)
def test_models_url(base_url, expected):
    """The model list stands beside the responses; a raw URL may not tell where that is."""
    assert models_url(base_url) == expected


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("ws://host", Origin("host", 80, is_secure=False)),
        ("wss://Host/x", Origin("host", 443, is_secure=True)),
        ("wss://me:pw@[::1]:9/", Origin("::1", 9, is_secure=True)),
        ("ws://bücher.example/", Origin("xn--bcher-kva.example", 80, is_secure=False)),
    ],
)
def test_places(url, place):
    """A URL leads to a host and a port."""
    assert place == origin_of(urlsplit(url), "ws", "wss")


@pytest.mark.parametrize("url", ["http://host", "ws:///x", "ws://host/#x", "ws://host:x/", "host"])
def test_nowhere(url):
    """A URL that cannot be dialed is refused."""
    with pytest.raises(ValueError, match=r"URL|[Pp]ort"):
        origin_of(urlsplit(url), "ws", "wss")


@pytest.mark.parametrize(
    ("url", "suffix", "found"),
    [
        ("http://a/v1/messages", "", "http://a/v1/messages"),
        ("http://a/v1/responses", "/compact", "http://a/v1/responses/compact"),
        ("http://a/v1/messages?k=1", "?beta=true", "http://a/v1/messages?k=1&beta=true"),
        ("http://a/models?k=1", "/m:stream?alt=sse", "http://a/models/m:stream?k=1&alt=sse"),
        ("http://a/models?k=1", "/m:generate", "http://a/models/m:generate?k=1"),
    ],
)
def test_a_path_below_an_endpoint_keeps_its_query(url, suffix, found):
    """What a channel's URL asks for stays, whatever its API posts where."""
    assert found == below(url, suffix)


def test_a_url_of_a_method_stands_as_it_is():
    """What is written to the very end, with `##`, is called so, whichever model is asked for."""
    whole = "https://h/v1beta/models/mine:generateContent"
    assert whole == below(endpoint_url(f"{whole}##"), "/gemini-3-pro:generateContent")
    assert f"{whole}?key=1" == below(f"{whole}?key=1", "/other:streamGenerateContent?alt=sse")


def test_a_base_without_a_path_gets_the_version_of_its_api():
    """Gemini's is another; a mark at the end leaves it out."""
    assert "https://h/v1beta/models" == endpoint_url("https://h", "/models", version="/v1beta")
    assert "https://h/v1beta/models" == models_url("https://h", "/v1beta")
    assert "https://h/models" == endpoint_url("https://h#", "/models", version="/v1beta")
