"""The tables of the file that declare alert rules and where alerts are sent."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from longwire.core.nouns.alert import (
    KINDS,
    AlertRule,
    Watched,
    check_alert_rule,
    settled,
)
from longwire.core.nouns.destination import (
    AlertDestination,
    DestinationKind,
    Mail,
    MailSecurity,
    Webhook,
    WebhookFormat,
    check_destination,
)
from longwire.core.nouns.secret import Secret
from longwire.settings.checks import FromText, Name, Section, Words
from longwire.settings.quantities import Duration, Wait, parse_duration, parse_wait

_EMPTY = SecretStr("")
_Names = Annotated[tuple[Name, ...], FromText]


class Alerts(Section):
    """How alert rules are watched."""

    interval: Duration = Field(
        parse_duration("30s"), description="Time from one look at all rules to the next."
    )


class Destination(Section):
    """Where alerts are sent; shown in the web interface as managed by file."""

    name: Name = Field(description="Unique; rules name it.")
    kind: Literal["webhook", "mail"] = Field(description="How it is reached.")
    url: SecretStr = Field(_EMPTY, description="Of a `webhook`: where alerts are posted.")
    secret: SecretStr = Field(
        _EMPTY,
        description="Of a `webhook`: what they are signed with, `whsec_` and the base64 of 24 to "
        "64 random bytes. Default: they are not signed.",
    )
    format: Literal["generic", "slack", "discord"] = Field(
        "generic", description="Of a `webhook`: the alert as JSON, or a text for a chat."
    )
    host: str = Field("", description="Of `mail`: the mail server.")
    port: int = Field(587, description="Of `mail`: its port; 465 is usual for `tls`.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Of `mail`: how the way to the server is encrypted."
    )
    user: str = Field("", description="Of `mail`: who signs in there.")
    password: SecretStr = Field(_EMPTY, description="Of `mail`: their password.")
    sender: str = Field("", description="Of `mail`: the address that alerts come from.")
    recipients: Words = Field((), description="Of `mail`: the addresses that they go to.")
    enabled: bool = Field(default=True, description="Send alerts there.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        problems = check_destination(destination_of(self))
        if found := [f"{each.field}: {each.message}" for each in problems]:
            raise ValueError("; ".join(found))
        return self


class Rule(Section):
    """What is watched, and who is informed; shown in the web interface as managed by file."""

    name: Name = Field(description="Unique; stands in what is sent.")
    watched: Literal[tuple(each.value for each in Watched)] = Field(  # type: ignore[valid-type]
        description="What is watched."
    )
    threshold: float = Field(
        default_factory=lambda known: KINDS[Watched(known["watched"])].threshold,
        description="From which figure on it alerts: a share as 0.8, or a number. Default: what is "
        "usual for `watched`; one that something is or is not has none.",
    )
    window: Duration = Field(
        parse_duration("15m"), description="The time that shares of turns are counted over."
    )
    lasts: Wait = Field(parse_wait("0s"), description="How long it must be so before it alerts.")
    least_turns: int = Field(
        20, description="With fewer turns in the window a share neither alerts nor ends an alert."
    )
    repeat_after: Wait = Field(
        parse_wait("0s"), description="Tell it again each so often; `0s` for never."
    )
    destinations: _Names = Field(
        (), description="Names of `[[alert_destinations]]`. Default: all there are."
    )
    enabled: bool = Field(default=True, description="Watch it.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        problems = check_alert_rule(rule_of(self))
        names = {"repeatAfter": "repeat_after", "leastTurns": "least_turns"}
        if found := [f"{names.get(each.field, each.field)}: {each.message}" for each in problems]:
            raise ValueError("; ".join(found))
        return self


def rule_of(declared: Rule) -> AlertRule:
    """Return a declared rule; its id is `file:` and its name."""
    return settled(
        AlertRule(
            id=f"file:{declared.name}",
            name=declared.name,
            watched=Watched(declared.watched),
            threshold=declared.threshold,
            window=round(declared.window),
            lasts=round(declared.lasts),
            least_turns=declared.least_turns,
            repeat_after=round(declared.repeat_after),
            destinations=tuple(f"file:{name}" for name in declared.destinations),
            enabled=declared.enabled,
            is_declared=True,
        )
    )


def destination_of(declared: Destination) -> AlertDestination:
    """Return a declared destination; its id is `file:` and its name."""
    return AlertDestination(
        id=f"file:{declared.name}",
        name=declared.name,
        kind=DestinationKind(declared.kind),
        webhook=Webhook(
            Secret(declared.url.get_secret_value()),
            Secret(declared.secret.get_secret_value()),
            WebhookFormat(declared.format),
        ),
        mail=Mail(
            host=declared.host,
            port=declared.port,
            security=MailSecurity(declared.security),
            user=declared.user,
            password=Secret(declared.password.get_secret_value()),
            sender=declared.sender,
            recipients=declared.recipients,
        ),
        enabled=declared.enabled,
        is_declared=True,
    )
