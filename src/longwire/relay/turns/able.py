"""Who of a model's channels can serve a turn at all, and what its caller reads where none can."""

from collections.abc import Iterable
from typing import NamedTuple

from longwire.core.errors import (
    AccountUnavailable,
    CallerError,
    InvalidRequest,
    Unsayable,
    UpstreamError,
    UpstreamRejected,
)
from longwire.core.nouns.passed_api import PASSED_APIS
from longwire.core.rules.turn import SessionKey, Source
from longwire.dialects.responses.errors import usage_limit
from longwire.dialects.wishes import refusal_of
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import ChannelState


class Candidate(NamedTuple):
    """A channel that may serve a turn, how it fares, and what its connections are shared by."""

    channel: Channel
    state: ChannelState
    session_key: SessionKey | None


def unsayable(channels: list[Channel], source: Source) -> CallerError:
    """Return why no channel can be told a request, with the mend."""
    spoken = {api for each in channels for api in each.apis if api not in PASSED_APIS}
    offered = ", ".join(sorted(spoken)) or "other APIs"
    refusal = source.refusal or refusal_of(source)
    if refusal is None:
        return Unsayable(
            f"No channel of this model can be told this request: they speak {offered} alone. What "
            "is named by an id, runs in the background or is compacted needs the Responses API; "
            "send the whole history."
        )
    if source.is_unread:
        return refusal
    msg = (
        f"{refusal} The channels of this model speak {offered} alone; leave it out, or set a "
        'channel\'s unsupported = "drop".'
    )
    return InvalidRequest(msg, code=refusal.code, param=refusal.param)


def in_background(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return those that take a turn whose answer comes before it is done."""
    able = [
        each
        for each in candidates
        if each.channel.http is not None and each.channel.vendor.takes_background
    ]
    if not able:
        msg = "No channel of this model answers in the background; leave 'background' out."
        raise InvalidRequest(msg, param="background")
    return able


def first_back(candidates: Iterable[Candidate], now: float) -> UpstreamRejected | None:
    """Return the refusal that says when the first of some used up accounts serves again."""
    blocked = [
        (until, each.state.quota.quota.plan)
        for each in candidates
        if not each.channel.is_signed_out()
        and (until := each.state.quota.quota.blocked_until(now)) is not None
    ]
    return usage_limit(*min(blocked), now) if blocked else None


def none_left(candidates: Iterable[Candidate], now: float) -> UpstreamError:
    """Return why no account can serve: until the first of them can again, or for ever."""
    msg = "Every account of this model's channels is disabled or must sign in again."
    return first_back(candidates, now) or AccountUnavailable(msg, needs_sign_in=True)
