"""How one can sign in, before anybody is: by a password, by a provider, and leaving that again."""

from typing import Annotated

import strawberry
from starlette.responses import Response

from longwire.core.errors import Conflict, Forbidden
from longwire.core.nouns.sign_on import SignOnProblem, SignOnRefused
from longwire.server.admin.context import Info
from longwire.server.admin.gate import Cookie, cookie_name, sign_on_cookie_name
from longwire.server.admin.sign_on import CALLBACK, LIFETIME, SignOn

strawberry.enum(SignOnProblem, description="Why nobody comes in by the provider.")


@strawberry.type(description="A provider of OpenID Connect by which people sign in.")
class SingleSignOnOption:
    label: str = strawberry.field(description="What stands on its button.")
    redirect_uri: str = strawberry.field(
        name="redirectURI", description="What the provider must know, for who asks from here."
    )


@strawberry.type(description="How one can sign in.")
class SignInOptions:
    password: bool = strawberry.field(
        description="Whether everybody may by a password; owners always may."
    )
    single_sign_on: SingleSignOnOption | None


@strawberry.type(description="Where to send the browser, or why it has nowhere to go.")
class BegunSingleSignOn:
    url: str | None
    problem: SignOnProblem | None


To = Annotated[str, strawberry.argument(description="The page that is wanted then, as `/turns`.")]


def _options(info: Info) -> SignInOptions:
    sign_on = info.context.administration.sign_on
    if sign_on is None:
        return SignInOptions(password=True, single_sign_on=None)
    redirect_uri = sign_on.public_url.of(info.context.origin) + CALLBACK
    option = SingleSignOnOption(label=sign_on.config.label, redirect_uri=redirect_uri)
    return SignInOptions(password=not sign_on.config.is_only, single_sign_on=option)


async def _begin(info: Info, to: To = "/") -> BegunSingleSignOn:
    context, sign_on = info.context, _configured(info)
    try:
        begun = await sign_on.begin(context.origin, to)
    except SignOnRefused as error:
        return BegunSingleSignOn(url=None, problem=error.problem)
    if not isinstance(context.response, Response):
        msg = "A WebSocket cannot sign anybody in; use POST."
        raise Forbidden(msg)
    cookie = Cookie(sign_on_cookie_name(context.administration), context.administration)
    cookie.give(context.response, begun.cookie, LIFETIME)
    return BegunSingleSignOn(url=begun.url, problem=None)


async def _sign_out_url(info: Info) -> str | None:
    context, sign_on = info.context, info.context.administration.sign_on
    token = context.request.cookies.get(cookie_name(context.administration), "")
    sign_ins = context.administration.store.sign_ins
    if sign_on is None or not token or not await sign_ins.is_by_provider(token):
        return None
    return await sign_on.sign_out_url(context.origin)


def _configured(info: Info) -> SignOn:
    sign_on = info.context.administration.sign_on
    if sign_on is None:
        raise Conflict("No provider is configured; set oidc.issuer in the configuration file.")
    return sign_on


@strawberry.type
class SignInQueries:
    sign_in_options: SignInOptions = strawberry.field(resolver=_options)
    sign_out_url: str | None = strawberry.field(
        name="signOutURL",
        resolver=_sign_out_url,
        description="Where to sign out at the provider, for who came by one that offers it.",
    )


@strawberry.type
class SignInMutations:
    begin_single_sign_on: BegunSingleSignOn = strawberry.field(
        resolver=_begin,
        description="Begin to sign in by the provider; this browser has ten minutes for it.",
    )
