"""Whom a channel trusts."""

import ssl

import pytest

from longwire.core.errors import ConfigurationError
from longwire.upstream.net.tls import context


def test_trusts_the_system_by_default():
    """Certificates and host names are verified."""
    trusting = context(None, verify=True)
    assert (trusting.verify_mode, trusting.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_trusts_a_file_besides_the_system(authority):
    """The authorities of `tls_ca` are added to the system's."""
    added = context(authority.file, verify=True)
    before = context(None, verify=True).cert_store_stats()["x509"]
    assert added.cert_store_stats()["x509"] == before + 1


def test_is_not_negotiated_again():
    """No upstream may begin a second handshake in the middle of a stream."""
    assert context(None, verify=True).options & ssl.OP_NO_RENEGOTIATION


def test_verifies_nothing_when_told_so():
    """`tls_verify = false` switches off both checks."""
    trusting = context(None, verify=False)
    assert (trusting.verify_mode, trusting.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    """A missing, empty or wrong file is the operator's error, with its path."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"tls_ca: {path} cannot be used"):
        context(str(path), verify=True)
