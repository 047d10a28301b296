"""Messages posted to webhooks, signed as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from longwire.core.nouns.delivery import Delivery, Sent
from longwire.core.nouns.destination import Webhook, WebhookFormat, signing_key
from longwire.core.nouns.secret import concealed
from longwire.upstream.net.proxies import environment_proxy
from longwire.upstream.net.session import FAILURES, session

_CONNECT, _TOTAL = 10.0, 20.0
_SHOWN: Final = 300
_MILLISECONDS: Final = 1_000
_TEXT_MEMBERS: Final[Mapping[WebhookFormat, str]] = {
    WebhookFormat.SLACK: "text",
    WebhookFormat.DISCORD: "content",
}
"""What chats call the text that they show; Teams, Mattermost and Rocket.Chat have Slack's."""

_PASSING: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses below 500 that another attempt may not get."""


async def post(webhook: Webhook, delivery: Delivery, now: float) -> Sent:
    """Post a message, `now` in seconds since 1970 UTC; a redirect is not followed."""
    url, body = webhook.url.reveal(), body_of(webhook.format, delivery)
    headers = {"content-type": "application/json", "user-agent": "longwire"}
    headers |= signed_headers(webhook, delivery.id, int(now), body)
    try:
        async with (
            session(environment_proxy(url), connect=_CONNECT) as client,
            client.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=_TOTAL, connect=_CONNECT),
            ) as response,
        ):
            return await _read(response, now)
    except FAILURES as error:
        reason = str(error).replace(url, "the address") or "no answer in time"
        return Sent(concealed(reason)[:_SHOWN], may_succeed_later=True)


def body_of(format_: WebhookFormat, delivery: Delivery) -> bytes:
    """Return what is posted: of each attempt the same, so that its signature's id says so."""
    message = delivery.message
    if (member := _TEXT_MEMBERS.get(format_)) is not None:
        return _json({member: f"{message.title}\n{message.text}"})
    at = datetime.fromtimestamp(delivery.created_at / _MILLISECONDS, UTC)
    return _json(
        {
            "type": message.type,
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "text": message.title,
            "data": message.members,
        }
    )


def signed_headers(
    webhook: Webhook, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return id, time and signature; without a secret there is no signature."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if webhook.secret:
        signed = f"{message_id}.{timestamp}.".encode() + body
        digest = hmac.digest(signing_key(webhook.secret.reveal()), signed, "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


async def _read(response: aiohttp.ClientResponse, now: float) -> Sent:
    status = response.status
    beginning = (await response.content.read(4 * _SHOWN)).decode("utf-8", "replace")
    answer = concealed(f"{status} {response.reason or ''}: {beginning}".strip(" :"))[:_SHOWN]
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent(answer, is_delivered=True)
    if status < HTTPStatus.BAD_REQUEST:
        return Sent(f"{status}: redirects are not followed; write the final address")
    is_passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
    wait = _seconds(response.headers.get("retry-after", ""), now)
    return Sent(answer, may_succeed_later=is_passing, retry_after=wait)


def _seconds(retry_after: str, now: float) -> float | None:
    """Return the seconds of `Retry-After`, which has seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp() - now)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
