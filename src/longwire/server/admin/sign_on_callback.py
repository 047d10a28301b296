"""Where browsers come back to from a provider: they are signed in, and sent on to a page.

Law: every answer is a redirect to a page of our own, and takes the cookie of the sign-in away.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from longwire.core.errors import LimitReached, LongwireError, StoreUnavailable
from longwire.core.nouns.sign_on import SignOnProblem, SignOnRefused
from longwire.logger import structlog
from longwire.server.admin.administration import Administration
from longwire.server.admin.gate import Cookie, cookie_name, sign_on_cookie_name
from longwire.server.admin.sign_on import Arrived, SignOn
from longwire.server.problems import request_id
from longwire.store.sign_ins import LIFETIME_MS

_SEE_OTHER: Final = 303
_log = structlog.get_logger()


async def come_back(administration: Administration, sign_on: SignOn, request: Request) -> Response:
    """Answer a browser that the provider has sent back."""
    try:
        arrived = await _arrived(administration, sign_on, request)
    except SignOnRefused as error:
        answer = _refused(sign_on, error.problem, error, request)
    except LimitReached as error:
        answer = _refused(sign_on, SignOnProblem.TOO_MANY, error, request)
    except StoreUnavailable as error:
        answer = _refused(sign_on, SignOnProblem.BEGIN_AGAIN, error, request)
    else:
        answer = _redirect(sign_on.public_url.path + arrived.to)
        await _sign_in(administration, arrived, request, answer)
    Cookie(sign_on_cookie_name(administration), administration).take(answer)
    return answer


async def _arrived(administration: Administration, sign_on: SignOn, request: Request) -> Arrived:
    address = request.client.host if request.client else ""
    attempt = await administration.fleet.throttle.attempt(address)
    cookie = request.cookies.get(sign_on_cookie_name(administration), "")
    arrived = await sign_on.finish(cookie, dict(request.query_params), address)
    attempt.succeeded()
    return arrived


async def _sign_in(
    administration: Administration, arrived: Arrived, request: Request, answer: Response
) -> None:
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    token = await administration.store.sign_ins.begin(
        arrived.user.id, address, agent, arrived.identity.id
    )
    cookie = Cookie(cookie_name(administration), administration)
    cookie.give(answer, token.reveal(), LIFETIME_MS // 1000)


def _refused(
    sign_on: SignOn, problem: SignOnProblem, error: LongwireError, request: Request
) -> Response:
    _log.warning(
        "sign_on_refused",
        problem=problem.value,
        reason=str(error),
        request_id=request_id({k.lower(): v for k, v in request.headers.items()}),
    )
    return _redirect(sign_on.page_of(problem))


def _redirect(to: str) -> Response:
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    return RedirectResponse(to, _SEE_OTHER, headers)
