"""What a provider says of a subscription, in frames and in headers."""

import json

import pytest

from longwire.core.nouns.quota import Quota, Window
from longwire.dialects.codex.limits import decode_quota_event, decode_quota_headers

NOW = 1_000.0


def frame(**members):
    """A `codex.rate_limits` frame."""
    return json.dumps({"type": "codex.rate_limits", **members}).encode()


@pytest.mark.parametrize(
    ("raw", "quota"),
    [
        (
            frame(
                plan_type="pro",
                rate_limits={
                    "primary": {"used_percent": 12.5, "window_minutes": 300, "reset_at": 2000},
                    "secondary": {"used_percent": 80, "reset_after_seconds": 60},
                    "allowed": True,
                    "limit_reached": False,
                },
                credits={"has_credits": True, "unlimited": False, "balance": "7.5"},
                promo="x",
            ),
            Quota(
                "pro",
                Window(12.5, 300, 2000.0),
                Window(80, None, 1060.0),
                credits_left="7.5",
                seen_at=NOW,
            ),
        ),
        (frame(rate_limits={"limit_reached": True}), Quota(limit_reached=True, seen_at=NOW)),
        (frame(rate_limits={"allowed": False}), Quota(limit_reached=True, seen_at=NOW)),
        (frame(rate_limits={"primary": None}), Quota(seen_at=NOW)),
        (frame(), None),
        (frame(rate_limits={"primary": {"used_percent": "many"}}), None),
        (b"no JSON", None),
    ],
)
def test_frames(raw, quota):
    """What cannot be read tells nothing."""
    assert quota == decode_quota_event(raw, NOW)


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({}, None),
        ({"x-codex-turn-state": "x"}, None),
        ({"x-codex-primary-used-percent": "nan"}, None),
        (
            {
                "x-codex-primary-used-percent": "12.5",
                "x-codex-primary-window-minutes": "300",
                "x-codex-primary-reset-at": "2000",
                "x-codex-secondary-used-percent": "80",
                "x-codex-secondary-reset-after-seconds": "60",
                "x-codex-plan-type": "pro",
                "x-codex-credits-balance": "7.5",
            },
            Quota(
                "pro",
                Window(12.5, 300, 2000.0),
                Window(80.0, None, 1060.0),
                credits_left="7.5",
                seen_at=NOW,
            ),
        ),
        (
            {"x-codex-rate-limit-reached-type": "primary", "x-codex-credits-unlimited": "True"},
            Quota(limit_reached=True, credits_left="unlimited", seen_at=NOW),
        ),
    ],
)
def test_headers(headers, quota):
    """The same in an HTTP answer, in a 101 and in an error."""
    assert quota == decode_quota_headers(headers, NOW)
