"""Webhooks, as a receiver in another process and an independent library see them."""

import base64
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook as Independent
from standardwebhooks import WebhookVerificationError

from longwire.core.nouns.alert import AlertEvent
from longwire.core.nouns.delivery import Delivery, Message
from longwire.core.nouns.destination import (
    AlertDestination,
    DestinationKind,
    Webhook,
    WebhookFormat,
)
from longwire.core.nouns.secret import Secret
from longwire.upstream.notices.send import send
from tests.doubles.receivers import receiving

pytestmark = pytest.mark.process

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
MESSAGE = Message("[Longwire] Alert: it rests", "It rests.\nSince noon.", "alert.fired", {"a": "é"})
DELIVERY = Delivery("msg_1", "alt_1", "ald_1", "ops", AlertEvent.FIRED, MESSAGE, created_at=1_000)
OK = [[200, {}]]


def now():
    """The receiver's library accepts no old message."""
    return datetime.now(tz=UTC).timestamp()


def to(url, **fields):
    """A destination at a URL."""
    webhook = Webhook(Secret(url), **{"secret": Secret(SECRET), **fields})
    return AlertDestination("ald_1", "ops", DestinationKind.WEBHOOK, webhook)


async def test_a_signature_is_good_to_an_independent_library():
    """It verifies with the secret, and with no other body and no other secret."""
    async with receiving("webhook", answers=OK) as receiver:
        sent = await send(to(receiver.url), DELIVERY, now())
        arrived = await receiver.message()
    assert (True, "200 OK: as you wish") == (sent.is_delivered, sent.answer)
    body, headers = arrived["body"], arrived["headers"]
    verified = Independent(SECRET).verify(body, headers)
    assert {"a": "é"} == verified["data"]
    assert ("alert.fired", "1970-01-01T00:00:01.000Z") == (verified["type"], verified["timestamp"])
    assert "msg_1" == headers["webhook-id"]
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    for secret, text in ((SECRET, body + " "), (other, body)):
        with pytest.raises(WebhookVerificationError):
            Independent(secret).verify(text, headers)


@pytest.mark.parametrize(("format_", "member"), [("slack", "text"), ("discord", "content")])
async def test_chats_get_their_text(format_, member):
    """One member, which has the title and what is said; without a secret nothing is signed."""
    async with receiving("webhook", answers=OK) as receiver:
        destination = to(receiver.url, format=WebhookFormat(format_), secret=Secret(""))
        await send(destination, DELIVERY, now())
        arrived = await receiver.message()
    expected = {member: f"{MESSAGE.title}\n{MESSAGE.text}"}
    assert (expected, False) == (
        json.loads(arrived["body"]),
        "webhook-signature" in arrived["headers"],
    )


@pytest.mark.parametrize(
    ("status", "may_succeed_later"),
    [*((each, False) for each in (400, 401, 404, 410)), *((n, True) for n in (408, 429, 500, 503))],
)
async def test_what_may_pass_is_tried_again(status, may_succeed_later):
    """What the receiver will refuse again is not; what came back is shown."""
    async with receiving("webhook", answers=[[status, {}]]) as receiver:
        sent = await send(to(receiver.url), DELIVERY, now())
    assert (False, may_succeed_later) == (sent.is_delivered, sent.may_succeed_later)
    assert sent.answer.startswith(f"{status} ")


async def test_a_receiver_says_when_to_come_again():
    """In seconds, or by a date."""
    at = now()
    date = format_datetime(datetime.fromtimestamp(int(at) + 90, UTC), usegmt=True)
    answers = [[503, {"retry-after": "7"}], [503, {"retry-after": date}], [503, {}]]
    async with receiving("webhook", answers=answers) as receiver:
        found = [(await send(to(receiver.url), DELIVERY, int(at))).retry_after for _ in answers]
    assert [7.0, 90.0, None] == found


async def test_a_redirect_is_not_followed():
    """Nothing goes where the operator did not say; the mend is told."""
    async with receiving("webhook", answers=[[302, {"location": "/elsewhere"}], *OK]) as receiver:
        sent = await send(to(receiver.url), DELIVERY, now())
        arrived = await receiver.message()
        is_quiet = await receiver.is_quiet(0.3)
    assert ("/hook", True) == (arrived["path"], is_quiet)
    assert (False, False) == (sent.is_delivered, sent.may_succeed_later)
    assert "302: redirects are not followed; write the final address" == sent.answer


async def test_nobody_there_is_tried_again_and_no_url_is_shown():
    """The address of a webhook is a secret."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sent = await send(to(f"http://127.0.0.1:{port}/planted"), DELIVERY, now())
    assert (False, True) == (sent.is_delivered, sent.may_succeed_later)
    assert "planted" not in sent.answer
    assert "Cannot connect" in sent.answer


async def test_it_goes_through_the_proxy_that_the_environment_names(monkeypatch):
    """As what calls upstream does."""
    async with receiving("webhook", answers=OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        sent = await send(to("http://hooks.invalid/in"), DELIVERY, now())
        arrived = await proxy.message()
    assert (True, "hooks.invalid") == (sent.is_delivered, arrived["headers"]["host"])


async def test_each_attempt_has_the_same_id_and_a_new_time():
    """So that a receiver knows what it has already, and refuses what is old."""
    async with receiving("webhook", answers=OK) as receiver:
        for delivery, at in ((DELIVERY, now()), (replace(DELIVERY, attempts=1), now() + 60)):
            await send(to(receiver.url), delivery, at)
        one, other = [await receiver.message() for _ in range(2)]
    assert one["body"] == other["body"]
    ids, times = zip(
        *((a["headers"]["webhook-id"], a["headers"]["webhook-timestamp"]) for a in (one, other)),
        strict=True,
    )
    assert (("msg_1", "msg_1"), 60) == (ids, int(times[1]) - int(times[0]))
