"""The headers of a request, of those who have a say in them."""

from longwire.upstream.http.address import joined


def test_the_later_headers_stand():
    """A channel's own come before its caller's."""
    assert {"a": "2", "b": "1", "c": "3"} == joined({"a": "1", "b": "1"}, {"a": "2"}, {"c": "3"})


def test_betas_add_up():
    """Whoever wants one says so in the same header; each is named once."""
    headers = joined({"anthropic-beta": "x,y"}, {"anthropic-beta": "z, y"}, {"anthropic-beta": ""})
    assert {"anthropic-beta": "x,y,z"} == headers
