"""Where alerts are sent: a webhook, or people by mail."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from longwire.core.errors import FieldProblem
from longwire.core.nouns.names import check_name
from longwire.core.nouns.secret import Secret

SIGNING_PREFIX: Final = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f<>,;]+@[^@\s\x00-\x1f\x7f<>,;]+")
_LONGEST_ADDRESS: Final = 254
_LONGEST_URL: Final = 2048
_MOST_RECIPIENTS: Final = 50
_GREATEST_PORT: Final = 65_535


class DestinationKind(StrEnum):
    """How a destination is reached."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class WebhookFormat(StrEnum):
    """What is posted: the alert as JSON with a signature, or a line of text for a chat."""

    GENERIC = "generic"
    SLACK = "slack"
    DISCORD = "discord"


class MailSecurity(StrEnum):
    """How the way to a mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is posted to; what is sent there is signed with the `secret`, if any."""

    url: Secret = Secret("")
    secret: Secret = Secret("")
    format: WebhookFormat = WebhookFormat.GENERIC


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, who signs in there, and from whom to whom alerts go."""

    host: str = ""
    port: int = 587
    security: MailSecurity = MailSecurity.STARTTLS
    user: str = ""
    password: Secret = Secret("")
    sender: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertDestination:
    """A destination as it is kept; of `webhook` and `mail` the one of its kind counts."""

    id: str
    name: str
    kind: DestinationKind
    webhook: Webhook = Webhook()
    mail: Mail = Mail()
    enabled: bool = True
    created_at: int = 0
    revision: int = 0
    is_declared: bool = False

    @property
    def address(self) -> str:
        """Where it goes, without what is secret of it."""
        if self.kind is DestinationKind.MAIL:
            return ", ".join(self.mail.recipients)
        return f"{urlsplit(self.webhook.url.reveal()).netloc.rpartition('@')[2]}/…"


def check_destination(destination: AlertDestination) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    yield from check_name(destination.name)
    if destination.kind is DestinationKind.WEBHOOK:
        yield from _check_webhook(destination.webhook)
    else:
        yield from _check_mail(destination.mail)


def signing_key(secret: str) -> bytes:
    """Return the key of a signing secret. Raises `ValueError` with the mend."""
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST_SECRET <= len(key) <= _LONGEST_SECRET:
        raise ValueError(
            f"must be {SIGNING_PREFIX} and the base64 of {_SHORTEST_SECRET} to {_LONGEST_SECRET} "
            "random bytes; leave it empty to get one"
        )
    return key


def _check_webhook(webhook: Webhook) -> Iterator[FieldProblem]:
    if not _is_url(webhook.url.reveal()):
        yield FieldProblem("url", "write an address as https://host/path")
    try:
        if webhook.secret:
            signing_key(webhook.secret.reveal())
    except ValueError as error:
        yield FieldProblem("secret", str(error))


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = len(url) <= _LONGEST_URL and re.fullmatch(r"[!-~]+", url) is not None
    return is_plain and has_port and parts.scheme in ("http", "https") and bool(parts.hostname)


def _check_mail(mail: Mail) -> Iterator[FieldProblem]:
    if not _HOST.fullmatch(mail.host):
        yield FieldProblem("host", "write the name or address of the mail server alone")
    if not 1 <= mail.port <= _GREATEST_PORT:
        yield FieldProblem("port", f"must be 1 to {_GREATEST_PORT}")
    if not _is_address(mail.sender):
        yield FieldProblem("sender", "write one address as alerts@example.org")
    if not 1 <= len(mail.recipients) <= _MOST_RECIPIENTS or not all(
        map(_is_address, mail.recipients)
    ):
        yield FieldProblem(
            "recipients", f"write 1 to {_MOST_RECIPIENTS} addresses as ada@example.org"
        )
    if mail.password and not mail.user:
        yield FieldProblem("user", "is missing; a password needs a user")
    if mail.password and mail.security is MailSecurity.NONE:
        yield FieldProblem("security", "a password is not sent unencrypted; take starttls or tls")


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None
