"""A certificate authority of a test's own, and a server that it vouches for."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate for 127.0.0.1 that is its own authority, `file`, with its `key`; as PEM files.

    `signed` is another one, which this authority has signed, with its `signed_key`.
    """

    def __init__(self, folder: Path) -> None:
        self.file, self.key = str(folder / "ca.pem"), str(folder / "ca.key")
        self.signed, self.signed_key = str(folder / "server.pem"), str(folder / "server.key")
        own, servers = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        root = _certificate("ours", own).add_extension(x509.BasicConstraints(True, None), True)
        for certificate, key, *paths in (
            (root, own, self.file, self.key),
            (_certificate("upstream", servers), servers, self.signed, self.signed_key),
        ):
            pem = certificate.sign(own, SHA256()).public_bytes(Encoding.PEM)
            secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            for path, content in zip(paths, (pem, secret), strict=True):
                Path(path).write_bytes(content)

    def server(self) -> ssl.SSLContext:
        """TLS of a server whose certificate this authority has signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.signed, self.signed_key)
        return context

    def pem(self) -> bytes:
        """That certificate and its key in one."""
        return Path(self.signed).read_bytes() + Path(self.signed_key).read_bytes()


def _certificate(name: str, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """A certificate from the authority, for two days, not signed yet."""
    now = datetime.now(tz=UTC)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")]),
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    return builder.add_extension(here, critical=False)
