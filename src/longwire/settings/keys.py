"""Every key that an operator can set: its type, default, range and meaning.

The reference page is generated from here, so a description is a sentence for operators.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from longwire.core.rules.session import CREDENTIAL_HEADERS
from longwire.settings.alerts import Alerts, Destination, Rule
from longwire.settings.budgets import Budget, Calendar
from longwire.settings.channels import ApiKey, Channel
from longwire.settings.checks import (
    ANY_ORIGIN,
    UNIX,
    FromText,
    HeaderName,
    Networks,
    Origins,
    Section,
    unique,
)
from longwire.settings.models import Model
from longwire.settings.oidc import Oidc, web_url
from longwire.settings.quantities import (
    Duration,
    Size,
    Wait,
    parse_duration,
    parse_size,
    parse_wait,
)
from longwire.settings.sources import default_database, storage_directory
from longwire.settings.telemetry import Telemetry

_UPSTREAM_LIFETIME = parse_duration("60m")


def _lasting(default: str, description: str) -> float:
    return Field(parse_duration(default), description=description)


class Server(Section):
    """Where the gateway listens and what it accepts."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address or name to listen on: `localhost` is the loopback address of IPv4 and "
        "IPv6, `0.0.0.0` every address of IPv4, `::` every address of both.",
    )
    port: int = Field(8090, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    max_body: Size = Field(
        parse_size("64MiB"), description="Largest request body, as sent and as unpacked."
    )
    head_timeout: Duration = _lasting(
        "30s", "Longest time for the head of a request to arrive, or for a new connection's first."
    )
    body_timeout: Duration = _lasting(
        "30s",
        "Longest time for a request's body to arrive; each 4 KiB that came give a second more.",
    )
    shutdown_grace: Duration = _lasting("30s", "Time that running turns get to end at shutdown.")
    lame_duck: Wait = Field(
        parse_wait("5s"),
        description="After SIGTERM `/ready` says 503 for this long while turns are still served, "
        "so that balancers leave first; `0s`: not at all.",
    )
    insecure_cookies: bool = Field(
        default=False,
        description="Let the cookie of who signs in travel without TLS: only for a gateway that "
        "browsers reach over plain HTTP at another name than `localhost`.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses and networks of the proxies before the gateway, as "
        '`["127.0.0.1", "10.0.0.0/8"]`: their `X-Forwarded-For`, else `Forwarded` or `X-Real-IP`, '
        "says whose wrong passwords count, and who is in the audit log. `unix`, the balancer "
        "before workers, always is one.",
    )
    base_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path below which browsers reach the gateway, where a proxy strips it: "
        "`/longwire`. The web interface needs to know it.",
    )
    public_url: Annotated[str, AfterValidator(web_url)] = Field(
        "",
        description="URL at which browsers reach the gateway, with the `base_path`: "
        "`https://gateway.example.org`. Default: the one that a browser says.",
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Ask no key on the data plane. Anonymous callers never share connections.",
    )
    cors_origins: Origins = Field(
        (),
        description="Pages that may call the data plane from a browser, by their exact origins: "
        '`["http://localhost:5173"]`; `"*"` is any page, and goes only with keys.',
    )
    keep_alive_comment: Duration = _lasting(
        "15s", "Silence on a stream after which a keep-alive comment is sent."
    )
    commit_after: Wait = Field(
        0.0,
        description="For proxies that cut silent requests: after this long without an event a "
        "stream begins with status 200 and comments, and a failure is a `response.failed`; `0s`: "
        "never.",
    )
    websocket: bool = Field(
        default=True, description="Speak the WebSocket mode with clients; else they get 426."
    )
    websocket_idle: Duration = _lasting(
        "1d", "A client's WebSocket without a turn for longer is closed."
    )
    websocket_history: Size = Field(
        parse_size("32MiB"),
        description="Most that is kept of the conversations on one client's WebSocket, so "
        "that they can go on over another upstream connection.",
    )

    @property
    def proxy_networks(self) -> tuple[str, ...]:
        """The proxies that have addresses."""
        return tuple(each for each in self.trusted_proxies if each != UNIX)

    @model_validator(mode="after")
    def _pages_have_names(self) -> Self:
        if self.allow_anonymous and ANY_ORIGIN in self.cors_origins:
            raise ValueError(
                'cors_origins is "*" while allow_anonymous asks for no key: any page that is open '
                "in a browser near this gateway could use it; name the origins"
            )
        return self


class Database(Section):
    """What the gateway remembers, and where."""

    url: SecretStr = Field(
        default_factory=lambda: SecretStr(default_database(os.environ)),
        description=(
            "`sqlite:///file.db` or `postgresql://user:password@host/name`, with libpq's "
            "parameters behind it, as `?sslmode=require`. "
            "Default: `longwire.db` under `$XDG_DATA_HOME/longwire`."
        ),
    )

    secret_key: SecretStr = Field(
        SecretStr(""),
        description="What credentials are encrypted with: base64 of 32 bytes, a new one before old "
        "ones. Default: the file `secret.key` beside the SQLite file, or under "
        "`$XDG_DATA_HOME/longwire`, made at the first start.",
    )

    pool_size: int = Field(
        5,
        ge=1,
        description="Connections to PostgreSQL that one process keeps open; SQLite has one "
        "for each reader.",
    )
    max_overflow: int = Field(
        10,
        ge=0,
        description="So many more it opens while all are in use. Both, times the processes, "
        "must fit into the server's `max_connections`, or into PgBouncer's.",
    )
    log_interval: Duration = _lasting(
        "1s",
        "So long rows of the turn log gather before they are written; a crash loses them. Longer "
        "is cheaper where many nodes share the sums: 5s from about 20 on.",
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    @property
    def secret_file(self) -> Path:
        """The file of the secret key, where none is set."""
        url = self.url.get_secret_value()
        if url.startswith("sqlite:///") and (path := url.removeprefix("sqlite:///").split("?")[0]):
            return Path(path).with_name("secret.key")
        return storage_directory(os.environ) / "secret.key"


class Sessions(Section):
    """How long upstream connections live, how many there are, and how long to wait."""

    idle_ttl: Duration = _lasting("50m", "A connection idle for longer is closed.")
    max_lifetime: Duration = _lasting(
        "50m", "An older connection is not lent again. At most 60m: the upstream closes then."
    )
    max_connections: int = Field(
        128, ge=1, description="Most upstream connections of one process, all channels together."
    )
    max_connections_per_session: int = Field(
        8, ge=1, description="Most upstream connections of one session."
    )
    queue_timeout: Duration = _lasting("30s", "Longest wait for a connection when all are busy.")
    ping_interval: Duration = _lasting("20s", "Time between pings on an upstream connection.")
    pong_timeout: Duration = _lasting("20s", "No pong within this time closes the connection.")
    handshake_timeout: Duration = _lasting(
        "15s", "Longest wait for connect, TLS and WebSocket handshake."
    )
    first_event_timeout: Duration = _lasting("600s", "Longest wait for the first event of a turn.")
    idle_event_timeout: Duration = _lasting("600s", "Longest silence between two events of a turn.")
    replay_after_created: bool = Field(
        default=False,
        description="Send a turn again even after the upstream has begun it; it may bill twice.",
    )
    omitted_reasoning: Literal["continue", "fresh"] = Field(
        "continue",
        description="What becomes of a turn whose client sends back all of the last reply but its "
        "reasoning: `continue` where the upstream still has that, or begin `fresh` without.",
    )
    on_client_gone: Literal["close", "drain"] = Field(
        "close",
        description="What becomes of a response whose client has gone: `close` its connection, or "
        "`drain` the rest to keep the connection's history; the upstream bills it either way.",
    )
    drain_timeout: Duration = _lasting("30s", "Longest time to drain a response.")
    session_headers: Annotated[tuple[HeaderName, ...], FromText] = Field(
        (),
        description="More request headers that carry a session id, looked at after the usual ones.",
    )
    trace_headers: Annotated[tuple[HeaderName, ...], FromText] = Field(
        (),
        description="More request headers that name the run of a turn, looked at after "
        "`AH-Trace-Id` and `AH-Thread-Id`.",
    )

    @field_validator("session_headers", "trace_headers")
    @classmethod
    def _no_secrets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name in CREDENTIAL_HEADERS:
                raise ValueError(f"{name} carries a key, and what it says is logged; remove it")
        return names

    @field_validator("max_lifetime")
    @classmethod
    def _below_upstream_limit(cls, seconds: float) -> float:
        if seconds > _UPSTREAM_LIFETIME:
            raise ValueError('the upstream closes at 60 minutes; write "60m" or less')
        return seconds

    @model_validator(mode="after")
    def _session_below_total(self) -> Self:
        if self.max_connections_per_session > self.max_connections:
            raise ValueError(
                "max_connections_per_session is more than max_connections; lower it to "
                f"{self.max_connections} or raise max_connections"
            )
        return self


class Codex(Section):
    """How ChatGPT accounts sign in; the defaults are those of the Codex CLI."""

    issuer: str = Field(
        "https://auth.openai.com",
        pattern=r"^https?://[!-~]+$",
        description="Base URL of the issuer of the tokens.",
    )
    client_id: str = Field(
        "app_EMoamEEZ73f0CkXaXp7hrann",
        pattern=r"^[!-~]+$",
        description="The client that the issuer knows.",
    )
    scope: str = Field(
        "openid profile email offline_access",
        description="What is asked for; without `offline_access` there is nothing to renew with.",
    )
    redirect_port: int = Field(
        1455,
        ge=1,
        le=65_535,
        description="Port on 127.0.0.1 that a browser comes back to; the issuer knows 1455.",
    )


class Fleet(Section):
    """What several gateways share; without `url` one keeps all for itself."""

    url: SecretStr = Field(
        SecretStr(""),
        description="`valkey://user:password@host:6379/0`, `valkeys://` with TLS "
        "(`?ssl_ca_certs=`), `valkey+sentinel://a:26379,b:26379/mymaster`, "
        "`valkey+cluster://a:6379,b:6379` or `unix:///path`; `redis` for `valkey` alike: where "
        "limits, homes, pace and cool-downs are shared. Needs `longwire[fleet]`.",
    )
    node: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,63}$",
        description="Name of this node, which no other one has. Default: the host's name.",
    )


class Bodies(Section):
    """Bodies of turns, which API keys with `keeps_bodies` keep."""

    index: bool = Field(
        default=False,
        description="Let kept bodies be searched. Their words then stand in the database in clear "
        "text, although the bodies are sealed; they go with the bodies, or once this is off.",
    )


class Settings(Section):
    """All settings of one gateway, checked; `source` is the file they came from, if any."""

    server: Server = Server()
    database: Database = Field(default_factory=Database)
    sessions: Sessions = Sessions()
    codex: Codex = Codex()
    fleet: Fleet = Fleet()
    alerts: Alerts = Alerts()
    calendar: Calendar = Calendar()
    oidc: Oidc = Oidc()
    telemetry: Telemetry = Field(default_factory=Telemetry)
    bodies: Bodies = Bodies()
    channels: Annotated[tuple[Channel, ...], FromText, unique("name")] = ()
    api_keys: Annotated[tuple[ApiKey, ...], FromText, unique("name"), unique("key")] = ()
    alert_destinations: Annotated[tuple[Destination, ...], FromText, unique("name")] = ()
    alert_rules: Annotated[tuple[Rule, ...], FromText, unique("name")] = ()
    models: Annotated[tuple[Model, ...], FromText, unique("name")] = ()

    budgets: Annotated[tuple[Budget, ...], FromText] = ()

    _source: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _informs_declared(self) -> Self:
        known = {each.name for each in self.alert_destinations}
        for number, rule in enumerate(self.alert_rules):
            for name in rule.destinations:
                if name not in known:
                    raise ValueError(
                        f"alert_rules[{number}].destinations: no [[alert_destinations]] is named "
                        f'"{name}"; known here: {", ".join(sorted(known)) or "none"}; '
                        "declare it, or leave the list out to inform all"
                    )
        return self

    @property
    def source(self) -> Path | None:
        """The file that was read; None when there was none."""
        return self._source

    def read_from(self, source: Path | None) -> Self:
        """These settings, knowing the file they came from."""
        self._source = source
        return self
