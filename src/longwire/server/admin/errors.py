"""What a failure is to who asks the admin API: every error carries `extensions.code`.

Law: what nobody foresaw is answered INTERNAL with the id of the request, and logged with its trace;
what a caller sent is never repeated to them, for it may hold a secret.
"""

import re
from typing import Any, Final

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext

from longwire.core.errors import (
    CallerError,
    ConfigurationError,
    Conflict,
    FleetUnavailable,
    Forbidden,
    InvalidFields,
    LimitReached,
    LongwireError,
    NotFound,
    OtherOrigin,
    StoreUnavailable,
    Unauthenticated,
)
from longwire.logger import structlog
from longwire.server.admin.names import with_initials
from longwire.server.problems import clean, problem_of, report

_log = structlog.get_logger()
_FOUND = re.compile(r"[,;] found: .*", re.DOTALL)
_VALUE = re.compile(r"(cannot represent (?:[^:]*value|an? \w+)): .*", re.DOTALL)
_MEMBER = re.compile(r"Value '.*' does not exist", re.DOTALL)
_TOO_LONG: Final = "Parsing aborted."
"""What the parser says of a query with too many tokens; it has no code for that."""

_BY_CALLER: Final = {
    Forbidden: "FORBIDDEN",
    OtherOrigin: "FORBIDDEN",
    Unauthenticated: "UNAUTHENTICATED",
    NotFound: "NOT_FOUND",
    Conflict: "CONFLICT",
    LimitReached: "LIMIT",
}


class AdminSchema(strawberry.Schema):
    """A schema that shows errors as this module says."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Replace errors by what the caller may see; all of them pass here."""
        context = execution_context.context if execution_context else None
        request_id = str(getattr(context, "request_id", ""))
        if context is not None and context.viewer is None:
            errors[:] = [_without_a_name(error) for error in errors]
        errors[:] = [public_error(error, request_id) for error in errors]


def _without_a_name(error: GraphQLError) -> GraphQLError:
    """Ask to sign in for what is too long for nobody: whose sign-in has ended may send it then."""
    if _TOO_LONG not in error.message:
        return error
    return GraphQLError(error.message, original_error=Unauthenticated("Sign in first."))


def public_error(error: GraphQLError, request_id: str) -> GraphQLError:
    """Return an error as the caller sees it."""
    cause = error.original_error
    if isinstance(cause, LongwireError):
        return _placed(error, *failure_of(cause, request_id))
    if error.path is None and (cause is None or error.nodes):
        return _placed(error, _without_values(error.message), {"code": "INVALID_QUERY"})
    if cause is None and "code" in (error.extensions or {}):
        return error
    _log.error("internal_error", request_id=request_id, exc_info=cause or error)
    extensions = {"code": "INTERNAL", "requestID": request_id}
    return _placed(error, "The gateway failed; its log has the reason.", extensions)


def failure_of(error: LongwireError, request_id: str) -> tuple[str, dict[str, Any]]:
    """Return the message of an expected failure and its extensions; the database's is logged."""
    if isinstance(error, FleetUnavailable):
        return clean(str(error)), {"code": "UNAVAILABLE", "requestID": request_id}
    if isinstance(error, StoreUnavailable):
        problem = problem_of(error)
        report(problem, error, request_id)
        return problem.message, {"code": "UNAVAILABLE", "requestID": request_id}
    return clean(str(error)), _extensions_of(error)


def _extensions_of(error: LongwireError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": _code(error)}
    match error:
        case Conflict() if error.revision:
            extensions["revision"] = error.revision
        case InvalidFields():
            extensions["fields"] = [
                {"field": with_initials(problem.field), "message": clean(problem.message)}
                for problem in error.problems
            ]
        case OtherOrigin():
            extensions["reason"] = "origin"
        case LimitReached():
            extensions["retryAfter"] = error.retry_after
        case _:
            pass
    if isinstance(error, CallerError) and error.param:
        extensions["field"] = with_initials(clean(error.param))
    return extensions


def _code(error: LongwireError) -> str:
    match error:
        case CallerError():
            return _BY_CALLER.get(type(error), "INVALID")
        case ConfigurationError():
            return "CONFIGURATION"
        case _:
            return "UPSTREAM"


def _placed(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    """Return an error at the same place of the query, without what caused it."""
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _without_values(message: str) -> str:
    message = _MEMBER.sub("The value does not exist", message)
    return clean(_VALUE.sub(r"\1", _FOUND.sub("", message)))
