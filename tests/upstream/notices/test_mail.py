"""Mail, as a mail server in another process sees it."""

import socket
from email import message_from_string

import pytest

from longwire.core.nouns.destination import AlertDestination, DestinationKind, Mail, MailSecurity
from longwire.core.nouns.secret import Secret
from longwire.upstream.notices.send import send
from tests.doubles.authority import Authority
from tests.doubles.receivers import receiving
from tests.upstream.notices.test_webhook import DELIVERY

pytestmark = pytest.mark.process

NOON = 1_790_000_000
NAMED = {"sender": "alerts@example.org", "recipients": ("ada@example.org", "bob@example.org")}


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def to(port, security="none", **fields):
    """A destination at a mail server here."""
    mail = Mail("127.0.0.1", port, MailSecurity(security), **{**NAMED, **fields})
    return AlertDestination("ald_1", "ops", DestinationKind.MAIL, mail=mail)


async def test_people_get_a_plain_text():
    """Subject, text, sender and all recipients are what was said."""
    async with receiving("mail") as server:
        sent = await send(to(server.port), DELIVERY, NOON)
        arrived = await server.message()
    assert (True, "accepted by 127.0.0.1") == (sent.is_delivered, sent.answer)
    assert ("alerts@example.org", [*NAMED["recipients"]]) == (arrived["from"], arrived["to"])
    message = message_from_string(arrived["content"])
    assert "[Longwire] Alert: it rests" == message["subject"]
    assert "<msg_1@example.org>" == message["message-id"]
    assert "It rests.\nSince noon." == message.get_payload().strip().replace("\r", "")
    assert "text/plain" == message.get_content_type()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_way_is_encrypted_and_the_password_sent_within(security, authority, monkeypatch):
    """Over both kinds of TLS, by a certificate that is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    files = (authority.signed, authority.signed_key)
    who = {"user": "ops", "password": "planted"}
    async with receiving("mail", tls=security, files=files, **who) as server:
        fields = {"user": "ops", "password": Secret("planted")}
        sent = await send(to(server.port, security, **fields), DELIVERY, NOON)
        assert (True, "accepted by 127.0.0.1") == (sent.is_delivered, sent.answer)
        arrived = await server.message()
        wrong = await send(
            to(server.port, security, user="ops", password=Secret("wrong")), DELIVERY, NOON
        )
    assert arrived["tls"] is True
    assert (False, False) == (wrong.is_delivered, wrong.may_succeed_later)
    assert wrong.answer.startswith("535 ")


async def test_a_certificate_that_nobody_trusts_is_refused(authority):
    """Nothing is sent to who may be anybody."""
    files = (authority.signed, authority.signed_key)
    async with receiving("mail", tls="starttls", files=files) as server:
        sent = await send(to(server.port, "starttls"), DELIVERY, NOON)
        is_quiet = await server.is_quiet(0.3)
    assert (False, True) == (sent.is_delivered, is_quiet)
    assert sent.answer.startswith("its certificate is not trusted")


async def test_a_server_without_encryption_is_told_so():
    """It is not sent in the clear where the operator wanted more."""
    async with receiving("mail") as server:
        sent = await send(to(server.port, "starttls"), DELIVERY, NOON)
    assert (False, False) == (sent.is_delivered, sent.may_succeed_later)
    assert "choose another kind of encryption" in sent.answer


async def test_unknown_recipients_are_named():
    """It is not tried again: they will be unknown then, too."""
    async with receiving("mail") as server:
        destination = to(server.port, recipients=("nobody@example.org",))
        sent = await send(destination, DELIVERY, NOON)
    expected = (False, False, "nobody@example.org: 550 no such mailbox")
    assert expected == (sent.is_delivered, sent.may_succeed_later, sent.answer)


async def test_nobody_there_is_tried_again():
    """A mail server may be restarted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sent = await send(to(port), DELIVERY, NOON)
    assert (False, True) == (sent.is_delivered, sent.may_succeed_later)


async def test_an_address_that_the_server_cannot_take_is_told_with_its_mend():
    """Letters beyond ASCII in it are no matter of encryption."""
    async with receiving("mail") as server:
        sent = await send(to(server.port, recipients=("ädä@example.org",)), DELIVERY, NOON)
    assert "write the addresses in ASCII" in sent.answer
    assert not sent.may_succeed_later
