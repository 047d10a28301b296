"""One failure for each trouble, as the transports raise them, and channels to blame for them."""

import json

from longwire.core.errors import (
    AccountUnavailable,
    FrameTooLarge,
    LongwireError,
    Overloaded,
    ReplaySafety,
    Unsayable,
    UpstreamDisconnected,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from longwire.core.nouns.account import Account, Tokens
from longwire.core.nouns.secret import Secret
from longwire.core.rules.recovery import Trouble
from longwire.core.rules.routing import Route
from longwire.relay.accounts.accounts import LiveAccount
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.state import ChannelState
from longwire.relay.turns.able import Candidate
from tests.doubles.scripted import Scripted


def risky(failure: UpstreamError, safety: ReplaySafety = ReplaySafety.AMBIGUOUS) -> UpstreamError:
    """The failure with what a second send would risk."""
    failure.safety = safety
    return failure


def rejected(status: int, code: str = "", message: str = "No.", **headers: str) -> UpstreamRejected:
    """What an upstream answers instead of a response."""
    body = json.dumps({"error": {"message": message, "code": code or None}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return UpstreamRejected(status, body, named, code)


def example(trouble: Trouble) -> LongwireError:
    """A new failure that is this trouble."""
    duplicate = "Duplicate item found with id rs_1. Remove it."
    foreign = "Invalid 'input[1].id': 'item_1'. Expected an ID that begins with 'msg'."
    return {
        Trouble.UNSENT: UpstreamDisconnected("m"),
        Trouble.LOST: risky(UpstreamDisconnected("m")),
        Trouble.SILENT: risky(UpstreamTimeout("first event", 1)),
        Trouble.FORGOT: rejected(400, "previous_response_not_found"),
        Trouble.EXPIRED: rejected(400, "websocket_connection_limit_reached"),
        Trouble.SEALED_ELSEWHERE: rejected(400, "invalid_encrypted_content"),
        Trouble.DUPLICATE: rejected(400, "", duplicate),
        Trouble.FOREIGN_ID: rejected(400, "invalid_value", foreign),
        Trouble.MALFORMED: rejected(502, "malformed_answer"),
        Trouble.UNREACHABLE: UpstreamUnavailable("m"),
        Trouble.NO_WEBSOCKET: UpstreamUnavailable("m", refuses_websocket=True),
        Trouble.NO_FRAMES: risky(UpstreamTimeout("first frame", 1)),
        Trouble.TOO_LARGE: FrameTooLarge(1),
        Trouble.BUSY: Overloaded("m", 1),
        Trouble.UNSAYABLE: Unsayable("m"),
        Trouble.LIMITED: rejected(429, "rate_limit_exceeded"),
        Trouble.FAILING: rejected(503, "server_is_overloaded"),
        Trouble.UNAUTHORIZED: rejected(401, "token_expired"),
        Trouble.BARRED: AccountUnavailable("m"),
        Trouble.REFUSED: rejected(400, "invalid_prompt"),
        Trouble.WORKING: risky(UpstreamDisconnected("m"), ReplaySafety.UNSAFE),
    }[trouble]


def candidate(made: Channel) -> Candidate:
    """A channel as it fares at first, for a turn that shares no connections."""
    return Candidate(made, ChannelState(), None)


def channel(name: str = "a", kind: str = "auto", **given) -> Channel:
    """A channel of a kind, for an account; `websocket` and `http` are its transports."""
    websocket = given.pop("websocket", None) or Scripted()
    http = given.pop("http", None) or Scripted(transport="http")
    return Channel(
        Route(name, **given),
        f"endpoint of {name}",
        websocket if kind != "http" else None,
        http if kind != "websocket" else None,
        account=LiveAccount(Account("acc_1", name, Tokens(Secret("at-1"))), None),
    )
