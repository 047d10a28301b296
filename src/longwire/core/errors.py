"""The error tree: whose fault a failure is comes first, what happened second.

Everything that is not a `LongwireError` is a bug and answers 500 with a logged trace.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from longwire.core.events import Event


class ReplaySafety(Enum):
    """What sending the same request again would risk."""

    SAFE = "the upstream never began"
    AMBIGUOUS = "the upstream may have begun and may bill twice"
    UNSAFE = "the upstream works and bills"


class LongwireError(Exception):
    """Anything the gateway reports on purpose; `str(error)` is the sentence a person reads."""


class ConfigurationError(LongwireError):
    """The operator's configuration cannot be used; the message names the mend, a line a problem."""


class NothingKept(ConfigurationError):
    """There is no database where what one has was to be read or changed."""


class StoreUnavailable(LongwireError):
    """The database cannot be read or written now (503).

    `reason` is in the driver's words, for the operator: callers learn nothing of it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database cannot be used now ({reason}); try again in a moment")
        self.reason = reason


class FleetUnavailable(LongwireError):
    """What the nodes of a fleet share cannot be asked now: one does as if it were alone."""


class CallerError(LongwireError):
    """The request cannot be served as it stands, whoever the upstream is.

    `code` is machine readable, its class's own unless another one is named; `param` names the
    offending field of the request, if there is one.
    """

    code = ""

    def __init__(self, message: str, *, code: str = "", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.param = param


class InvalidRequest(CallerError):
    """The body or a header does not say what the API needs (400)."""

    code = "invalid_request_error"


class Unsayable(InvalidRequest):
    """What an upstream's API has no words for, and what changes the answer (400)."""


class ThreadUnsupported(InvalidRequest):
    """A thread where nothing remembers a response (400); its client then sends all messages."""

    code = "thread_unsupported_request"

    def __init__(self) -> None:
        super().__init__(
            "No thread can go on here, for no connection to the upstream is kept for it (it is "
            "asked over HTTP, or the caller has no key); send all messages, without 'thread'.",
            param="thread",
        )


class BodyTooLarge(CallerError):
    """The body, as received or unpacked, passes the limit in bytes (413)."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The request body is larger than this gateway accepts ({limit:,} bytes); "
            "shorten the context or raise server.max_body.",
            code="request_too_large",
        )


class BodyTooSlow(CallerError):
    """The body did not arrive in time (408)."""

    def __init__(self) -> None:
        super().__init__(
            "The request body did not arrive in time; send it faster, or raise "
            "server.body_timeout.",
            code="request_timeout",
        )


class FrameTooLarge(CallerError):
    """The request of `size` bytes passes what the upstream takes in one WebSocket message (413)."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The request ({size:,} bytes) is larger than the upstream takes in one message; "
            'shorten the context or set transport = "http" for this channel.',
            code="request_too_large",
        )


class Unauthenticated(CallerError):
    """No key, or a key nobody handed out (401)."""

    code = "invalid_api_key"


class Forbidden(CallerError):
    """The caller is known and may not do this (403)."""

    code = "permission_denied"


class OtherOrigin(Forbidden):
    """A page of another origin asked; or a proxy has changed the `Host` of the gateway's own."""

    def __init__(self, origin: str, host: str) -> None:
        super().__init__(
            f"This page is of {origin}, and the gateway was asked as {host}: open it by its own "
            "address, and let a proxy pass on the header Host as it came, with its port "
            "(nginx: proxy_set_header Host $http_host)."
        )


class NotFound(CallerError):
    """There is no such thing, or none that this caller may see (404)."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"There is no {noun} '{name}'.", code="not_found")


class Conflict(CallerError):
    """What was to be changed has changed meanwhile, or its name is taken (409).

    `revision` is the one that holds now, where that is the matter.
    """

    def __init__(self, message: str, *, param: str | None = None, revision: int = 0) -> None:
        super().__init__(message, code="conflict", param=param)
        self.revision = revision


def managed_by_file(noun: str, name: str, place: str, param: str | None = None) -> Conflict:
    """Return why what the file at a `place` declares, "" for the environment, is changed there."""
    place = place or "the environment"
    return Conflict(f"The {noun} '{name}' is managed by {place}; change it there.", param=param)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, as a path such as `endpoints.0.path`, and the mend."""

    field: str
    message: str


class InvalidFields(CallerError):
    """Values that cannot be accepted, each with its field (400)."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        message = "; ".join(f"{problem.field}: {problem.message}" for problem in self.problems)
        param = self.problems[0].field if self.problems else None
        super().__init__(message, code="invalid_fields", param=param)


def refuse(problems: Iterable[FieldProblem]) -> None:
    """Raise `InvalidFields` if anything is wrong."""
    if found := tuple(problems):
        raise InvalidFields(found)


class LimitReached(CallerError):
    """A rate or a budget is used up (429); `retry_after` in whole seconds says until when.

    `headers` tell the limits and what is left of them.
    """

    def __init__(self, message: str, *, code: str, retry_after: int) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        self.headers: Mapping[str, str] = {}


class UnknownModel(CallerError):
    """No channel that this caller may use serves the model (404)."""

    def __init__(self, model: str, refusals: str) -> None:
        wanted = f"the model '{model}'" if model else "a turn without a model"
        super().__init__(
            f"No channel serves {wanted} for this key ({refusals}).",
            code="model_not_found",
            param="model",
        )


class UnknownResponse(CallerError):
    """No upstream is known to have this response for this caller (404)."""

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"Response with id '{response_id}' not found.",
            code="response_not_found",
            param="response_id",
        )


class UpstreamError(LongwireError):
    """The provider or the way to it failed; `safety` says what sending again would risk.

    `bytes_sent` is the size of the request that came to nothing, where no answer to it began.
    """

    safety = ReplaySafety.SAFE
    bytes_sent = 0


class UpstreamRejected(UpstreamError):
    """The upstream answered with an error of its own: `status`, JSON `body`, `headers`, `code`.

    `tokens_revision` is that of the tokens which the request carried, 0 where they never change.
    `refuses_websocket`: an upgrade was refused, and not by an API: a proxy or a firewall may have.
    `original` is the error as the upstream wrote it, where that is for a client of its own API.
    """

    tokens_revision = 0
    refuses_websocket = False
    original: Event | None = None

    def __init__(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, code: str = ""
    ) -> None:
        super().__init__(f"The upstream refused the request with status {status}.")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.code = code


class UpstreamUnavailable(UpstreamError):
    """No connection to the upstream could be had.

    `refuses_websocket`: it can be reached, and answered that it speaks no WebSocket there.
    """

    def __init__(self, message: str, *, refuses_websocket: bool = False) -> None:
        super().__init__(message)
        self.refuses_websocket = refuses_websocket


class ChannelRefused(UpstreamError):
    """The upstream refuses a channel's own credentials: no affair of the caller's (502).

    What it said of them stays with the operator, in the turn log.
    """

    def __init__(self, channel: str, credentials: str) -> None:
        super().__init__(
            f"The upstream refuses the {credentials} of channel '{channel}': invalid, out of "
            "credit or not allowed this. The gateway's turn log has its words for the operator."
        )


class AccountUnavailable(UpstreamError):
    """No token of an account can be had; `needs_sign_in`: not before somebody signs in again.

    `retry_after`: its issuer is busy, and wants to be left alone for so many seconds, at least;
    None where it is not.
    """

    def __init__(
        self, message: str, *, needs_sign_in: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.needs_sign_in = needs_sign_in
        self.retry_after = retry_after


class UpstreamDisconnected(UpstreamError):
    """The connection ended before the response did."""


class UpstreamTimeout(UpstreamError):
    """Nothing came in time; `phase` is connect, handshake, send, first frame, first or next event.

    A first frame is missed where no WebSocket of the endpoint ever brought one.
    """

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(f"The upstream sent nothing for {seconds:g} s ({phase}).")
        self.phase = phase


class ClientGone(LongwireError):
    """The client closed its connection while somebody still worked for it."""


class Overloaded(LongwireError):
    """Every connection is in use; `retry_after` in seconds is when to try again (503)."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def sole(failure: BaseException) -> BaseException:
    """Return what a task group wraps around the one failure of its body."""
    while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
        (failure,) = failure.exceptions
    return failure
