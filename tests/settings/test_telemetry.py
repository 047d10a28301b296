import pytest

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


def test_the_headers_are_never_shown(monkeypatch):
    """They may be a key."""
    table = telemetry(monkeypatch, {"headers": {"x-api-key": "collectors-own"}})
    assert "collectors-own" not in repr(table)
