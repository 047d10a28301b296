"""What is sent of an alert to one destination, and the alert as history keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from longwire.core.nouns.alert import AlertEvent, Watched

_WAITS: Final = (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600)
"""Seconds between two attempts; after the last of them a delivery has failed."""

LONGEST_WAIT: Final = 4 * 3600


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Message:
    """What is said of an alert: a line, a few lines, and its members for programs."""

    title: str
    text: str
    type: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one destination; times in ms since 1970 UTC.

    `answer` is what came back last, or why nothing did. It is tried again at `next_at`.
    """

    id: str
    alert_id: str | None
    destination_id: str
    destination_name: str
    event: AlertEvent
    message: Message
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    created_at: int = 0
    next_at: int | None = None
    ended_at: int | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an attempt; one that `may_succeed_later` is made again.

    `retry_after` in seconds is what the other side asked for.
    """

    answer: str
    is_delivered: bool = False
    may_succeed_later: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is kept; without `until` it lasts. Times in ms since 1970 UTC."""

    id: str
    rule_id: str
    rule_name: str
    watched: Watched
    threshold: float
    subject: str
    label: str
    since: int
    fired_at: int
    until: int | None
    value: float
    note: str
    deliveries: tuple[Delivery, ...] = ()


def wait_before_next(attempts: int, sent: Sent, spread: float) -> float | None:
    """Return the seconds until the next attempt, None where there is none.

    `attempts` were made; `spread`, from 0 to 1, keeps those of one outage apart.
    """
    if not sent.may_succeed_later or attempts > len(_WAITS):
        return None
    usual = _WAITS[attempts - 1] * (1 + 0.2 * spread)
    return min(max(usual, sent.retry_after or 0.0), LONGEST_WAIT)
