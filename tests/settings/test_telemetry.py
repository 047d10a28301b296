import re

import pytest
from pydantic import ValidationError

from longwire.settings import Settings
from longwire.settings.telemetry import ratio_of


def telemetry(monkeypatch, table=None, **variables):
    """The table, with variables of OpenTelemetry."""
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_{name}", value)
    return Settings(telemetry=table or {}).telemetry


@pytest.mark.parametrize(
    ("table", "variables", "expected"),
    [
        ({}, {}, False),
        ({"endpoint": "http://c:4318"}, {}, True),
        ({}, {"EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({}, {"EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"endpoint": "http://c:4318"}, {"SDK_DISABLED": "true"}, False),
        ({"endpoint": "http://c", "traces": False, "metrics": False}, {}, False),
        ({"endpoint": "http://c"}, {"TRACES_EXPORTER": "none", "METRICS_EXPORTER": "none"}, False),
    ],
)
def test_it_is_on_where_somebody_says_where_to(monkeypatch, table, variables, expected):
    """In the file or in OpenTelemetry's own variables."""
    assert expected == telemetry(monkeypatch, table, **variables).is_on


@pytest.mark.parametrize(
    ("sampler", "argument", "expected"),
    [
        ("always_on", "", 1),
        ("parentbased_always_off", "", 0),
        ("traceidratio", "0.25", 0.25),
        ("parentbased_traceidratio", "7", 1),
        ("traceidratio", "a half", 1),
        ("", "", 1),
    ],
)
def test_the_sampler_of_the_environment_is_a_share(sampler, argument, expected):
    """As the specification has its names; what it cannot mean is all."""
    variables = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    assert expected == ratio_of(variables)


def test_what_the_file_says_wins(monkeypatch):
    """Over the variables of OpenTelemetry."""
    variables = {"TRACES_SAMPLER": "always_off", "METRIC_EXPORT_INTERVAL": "5000"}
    assert 5.0 == telemetry(monkeypatch, **variables).interval
    assert (1.0, 60.0) == (
        (table := telemetry(monkeypatch, {"sample_ratio": 1.0, "interval": "60s"})).sample_ratio,
        table.interval,
    )


@pytest.mark.parametrize(
    ("table", "mend"),
    [
        ({"headers": {"a b": "planted"}}, "the name of 'a b': no header name"),
        ({"headers": {"": "planted"}}, "no header name"),
        ({"headers": {"x-key": "plant\ned"}}, "the value of 'x-key': must be printable ASCII"),
        ({"headers": {"x-key": "schlüssel"}}, "the value of 'x-key': must be printable ASCII"),
        ({"headers": {"x-key": " planted"}}, "the value of 'x-key': must not begin or end"),
        ({"headers": {"X-Key": "a", "x-key": "planted"}}, "x-key stands twice"),
        ({"headers": {"Content-Type": "planted"}}, "is set by the gateway"),
        ({"endpoint": "http://["}, "must be a URL of a host"),
        ({"endpoint": "http://collector:99999"}, "must be a URL of a host"),
        ({"endpoint": "http://collector?key=planted"}, "must be a URL of a host"),
    ],
)
def test_what_could_never_be_sent_is_refused(monkeypatch, table, mend):
    """Rather than said by nobody while nothing arrives; the value is not shown."""
    with pytest.raises(ValidationError, match=re.escape(mend)) as caught:
        telemetry(monkeypatch, table)
    said = str(caught.value.errors(include_input=False))
    assert "planted" not in said


def test_a_collector_may_ask_for_credentials(monkeypatch):
    """As a header, or in the URL."""
    table = {
        "endpoint": "https://user:own@collector/otlp",
        "headers": {"Authorization": "Bearer x"},
    }
    assert telemetry(monkeypatch, table).is_on


def test_the_headers_are_never_shown(monkeypatch):
    """They may be a key."""
    table = telemetry(monkeypatch, {"headers": {"x-api-key": "collectors-own"}})
    assert "collectors-own" not in repr(table)
