"""The section of the file that lets people sign in by a provider of OpenID Connect."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from longwire.core.nouns.access import Role
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sign_on import Admission, Client, SingleSignOn
from longwire.settings.checks import Section, Words, table_from_text

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_ROLES = tuple(role.value for role in Role)


def web_url(text: str) -> str:
    """Return a URL of https, or of http on this machine; "" stays."""
    try:
        found = urlsplit(text)
        is_safe = found.scheme == "https" or (found.scheme == "http" and found.hostname in _HERE)
        is_good = is_safe and bool(found.hostname) and not found.query and not found.fragment
    except ValueError:
        is_good = False
    if text and not (is_good and re.fullmatch(r"[!-~]+", text)):
        raise ValueError('write its URL with https, as "https://login.example.org/realms/staff"')
    return text


def _by_group(example: str) -> BeforeValidator:
    return BeforeValidator(lambda value: table_from_text(value, "engineers", example))


class Oidc(Section):
    """How people sign in to the admin side by one provider; without `issuer` by passwords alone."""

    issuer: Annotated[str, AfterValidator(web_url)] = Field(
        "",
        description="URL of the provider, exactly as its discovery document has it. Its redirect "
        "URI is `/admin/oidc/callback` below the gateway's own URL.",
    )
    client_id: str = Field("", description="The client that the provider knows the gateway as.")
    client_secret: SecretStr = Field(
        SecretStr(""), description="Its secret, as `${OIDC_SECRET}`; none for a public client."
    )
    scopes: Words = Field(
        ("openid", "profile", "email"), description="What the provider is asked for."
    )
    label: str = Field(
        "Single sign-on",
        min_length=1,
        max_length=60,
        description="What stands on the button of the sign-in page.",
    )
    groups_claim: str = Field(
        "groups",
        min_length=1,
        description="Where the ID token, or userinfo, has the groups; `realm_access.roles` is a "
        "path.",
    )
    roles: Annotated[dict[str, Literal[_ROLES]], _by_group('"admin"')] = Field(  # type: ignore[valid-type]
        {},
        description="Group = role; the one that may most counts, at each sign-in. Without any, "
        "roles are given here.",
    )
    default_role: Literal[("none", *_ROLES)] = Field(  # type: ignore[valid-type]
        "none", description="Role of who is in none of these groups; with `none` they stay out."
    )
    projects: Annotated[dict[str, str], _by_group('"Default"')] = Field(
        {},
        description="Group = project, by name or id: who is in the group belongs to it, who is not "
        "does no more.",
    )
    email_domains: Words = Field(
        (), description="Domains of the emails that may come in, verified. Default: any."
    )
    create_users: bool = Field(
        default=True, description="Make a user of who comes for the first time."
    )
    link_by_email: bool = Field(
        default=False,
        description="Who comes with the verified email of a user is that user from then on. Only "
        "for a provider that gives an email to nobody else.",
    )
    only_oidc: bool = Field(
        default=False, description="Let nobody but owners sign in with a password."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.issuer:
            return self
        if not self.client_id:
            raise ValueError("client_id is missing; write the one that the provider shows")
        if "openid" not in self.scopes:
            raise ValueError('scopes lacks "openid"; without it the provider hands out no ID token')
        if not self.roles and self.default_role == "none":
            raise ValueError(
                "nobody could come in; map groups in oidc.roles, or set default_role for "
                "everybody whom the provider knows"
            )
        return self


def single_sign_on_of(oidc: Oidc) -> SingleSignOn | None:
    """Return how people sign in by a provider, None where they do not."""
    if not oidc.issuer:
        return None
    secret = Secret(oidc.client_secret.get_secret_value())
    admission = Admission(
        groups_claim=oidc.groups_claim,
        roles=tuple((group, Role(role)) for group, role in oidc.roles.items()),
        default_role=None if oidc.default_role == "none" else Role(oidc.default_role),
        projects=tuple(oidc.projects.items()),
        email_domains=oidc.email_domains,
        creates_users=oidc.create_users,
        links_by_email=oidc.link_by_email,
    )
    client = Client(oidc.issuer, oidc.client_id, secret, oidc.scopes)
    return SingleSignOn(client, admission, oidc.label, is_only=oidc.only_oidc)
