"""The table of the file that sends turns to an OpenTelemetry collector.

What it leaves open OpenTelemetry's own variables say, as its specification has them.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sent_headers import OF_THE_CONNECTION, check_headers
from longwire.settings.checks import Section, attributes_from_text
from longwire.settings.quantities import Duration

_ENDPOINTS: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
_ALL, _NONE = 1.0, 0.0
_QUEUE: Final = 8_192
_SAMPLERS: Final = {"always_on": _ALL, "always_off": _NONE}
_Attributes = Annotated[dict[str, str], BeforeValidator(attributes_from_text)]


def _headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    sent = [(name, Secret(value.get_secret_value())) for name, value in headers.items()]
    for problem in check_headers(sent, OF_THE_CONNECTION):
        _, number, part = problem.field.split(".")
        raise ValueError(f"the {part} of {sent[int(number)][0]!r}: {problem.message}")
    for name, value in sent:
        if value.reveal() != value.reveal().strip():
            raise ValueError(f"the value of {name!r}: must not begin or end with a blank")
    return headers


def _endpoint(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_base = bool(parts.hostname) and parts.port != 0 and not parts.query + parts.fragment
    except ValueError:
        is_base = False
    if url and not is_base:
        raise ValueError("must be a URL of a host, and maybe a path, as http://localhost:4318")
    return url


_Endpoint = Annotated[str, AfterValidator(_endpoint)]
_Headers = Annotated[
    dict[str, SecretStr], BeforeValidator(attributes_from_text), AfterValidator(_headers)
]


def _sends(variable: str) -> bool:
    return os.environ.get(variable, "otlp").strip().lower() != "none"


def ratio_of(environ: Mapping[str, str]) -> float:
    """Return the share of traces that `OTEL_TRACES_SAMPLER` wants; what it cannot mean is all."""
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower().removeprefix("parentbased_")
    if sampler != "traceidratio":
        return _SAMPLERS.get(sampler, _ALL)
    try:
        return min(_ALL, max(_NONE, float(environ.get("OTEL_TRACES_SAMPLER_ARG", "1"))))
    except ValueError:
        return _ALL


def _whole(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    return int(text) if text.isdecimal() and int(text) else default


class Telemetry(Section):
    """Turns as traces and metrics, sent over OTLP; without an endpoint nothing is sent."""

    endpoint: _Endpoint = Field(
        "",
        pattern=r"^(https?://[!-~]+)?$",
        description="Base URL of a collector that takes OTLP over HTTP, as "
        "`http://localhost:4318`. Default: what `OTEL_EXPORTER_OTLP_ENDPOINT` says. Needs "
        "`longwire[otel]`.",
    )
    headers: _Headers = Field(
        default_factory=dict,
        description="Headers that are sent with it, as a key that the collector asks for. "
        "Default: `OTEL_EXPORTER_OTLP_HEADERS`.",
    )
    traces: bool = Field(
        default_factory=lambda: _sends("OTEL_TRACES_EXPORTER"),
        description="Send a trace of each turn. Default: unless `OTEL_TRACES_EXPORTER` is `none`.",
    )
    metrics: bool = Field(
        default_factory=lambda: _sends("OTEL_METRICS_EXPORTER"),
        description="Send metrics. Default: unless `OTEL_METRICS_EXPORTER` is `none`.",
    )
    sample_ratio: float = Field(
        default_factory=lambda: ratio_of(os.environ),
        ge=0,
        le=1,
        description="Share of the traces that begin here which are sent; a caller's own "
        "`traceparent` says for its turns. Default: what `OTEL_TRACES_SAMPLER` says, else 1.",
    )
    interval: Duration = Field(
        default_factory=lambda: _whole("OTEL_METRIC_EXPORT_INTERVAL", 60_000) / 1000,
        description="Time between two sendings of metrics. Default: "
        "`OTEL_METRIC_EXPORT_INTERVAL`, else 60s.",
    )
    queue: int = Field(
        default_factory=lambda: _whole("OTEL_BSP_MAX_QUEUE_SIZE", _QUEUE),
        ge=1,
        description="Most turns that wait to be sent; further ones are dropped and counted. "
        "Default: `OTEL_BSP_MAX_QUEUE_SIZE`, else 8192.",
    )
    service_name: str = Field(
        "", description="Name of the service. Default: `OTEL_SERVICE_NAME`, else `longwire`."
    )
    attributes: _Attributes = Field(
        default_factory=dict,
        description="More attributes of the resource, beside `OTEL_RESOURCE_ATTRIBUTES`: "
        '`{ "deployment.environment.name" = "production" }`.',
    )

    @property
    def is_on(self) -> bool:
        """Whether anything is sent."""
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return False
        has_endpoint = bool(self.endpoint) or any(map(os.environ.get, _ENDPOINTS))
        return has_endpoint and (self.traces or self.metrics)
