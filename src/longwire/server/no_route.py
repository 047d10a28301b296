"""What clients are told who ask for what is not served: which, and where to go instead.

An API that comes to be spoken here gets its routes, and its row of `OTHER_APIS` goes.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from longwire.core.nouns.passed_api import PASSED_APIS
from longwire.dialects.generate_content.targets import ACTIONS
from longwire.server.problems import headers_of, request_id, response_to

_LONGEST_PATH = 200
_OF_CONVERSATIONS: Final = ("responses", "chat/completions", "messages")
_PATHS: Final = (
    *_OF_CONVERSATIONS,
    *(each.path.removeprefix("/") for each in PASSED_APIS.values()),
)
_SERVED: Final = (
    f"{', '.join(f'/v1/{path}' for path in _PATHS)} and /v1beta/models/…:generateContent"
)


_OTHER_ACTIONS: Final = re.compile(
    rf"(?!.*:({'|'.join(ACTIONS)})$)(/v1beta/|/v1/models/.+:[A-Za-z]+$)"
)


@dataclass(frozen=True, slots=True)
class OtherApi:
    """An API that clients may take this gateway to speak, by its paths."""

    name: str
    paths: re.Pattern[str]


OTHER_APIS: Final = (
    OtherApi("this of Gemini's API", _OTHER_ACTIONS),
    OtherApi(
        "the API of this path",
        re.compile(
            rf"(?!/v1({'|'.join(each.path for each in PASSED_APIS.values())})$)"
            "/v1/(images|audio|realtime|assistants|threads|files|batches)(/|$)"
        ),
    ),
)


async def refuse(request: Request, error: Exception) -> Response:
    """Answer a request that was refused, by the router in words that name the mend."""
    own, path = headers_of(request.scope), request.scope["path"]
    own_id = request_id(own)
    if not isinstance(error, HTTPException) or not _is_of_the_router(error):
        return response_to(error, own_id, path, own)
    allow = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
    if allow and request.method == "OPTIONS":
        return Response(status_code=204, headers={"allow": f"{allow}, OPTIONS"})
    shown = f"{request.method} {path[:_LONGEST_PATH]}"
    for api in OTHER_APIS:
        if api.paths.match(path):
            words = f"This gateway serves POST {_SERVED}, and not {api.name} ({shown})."
            return response_to(HTTPException(404, words), own_id, path, own)
    words = f"There is no {shown}; {f'use {allow}' if allow else _mend(path)}."
    headers = {"allow": allow} if allow else None
    return response_to(HTTPException(error.status_code, words, headers), own_id, path, own)


def _is_of_the_router(error: HTTPException) -> bool:
    """Whether nobody had more to say than the name of the status."""
    is_known = error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    return is_known and error.detail == HTTPStatus(error.status_code).phrase


def _mend(path: str) -> str:
    """Say where a path was meant to lead."""
    at = max(map(path.find, ("/responses", "/models", "/messages", "/chat")))
    meant = f"/v1{path[at:][:_LONGEST_PATH]}" if at > 0 else "/v1/responses"
    return f"the base URL ends in /v1, as in {meant}"
