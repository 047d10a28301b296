"""The dashboard and the alert rules ask for what a gateway really shows."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import serving, settings_for

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "longwire.json").read_text("utf-8"))
RULES = DEPLOY / "prometheus" / "rules.yaml"
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that the scrape adds, or the histogram."""

_METRIC = re.compile(r"\b(longwire_\w+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_MATCHED = re.compile(r"(\w+)(?:=~|!~|!=|=)")
_SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")


def of_dashboard() -> list[str]:
    """The expressions of all panels, with what Grafana puts into them."""
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    return [
        re.sub(r"\$(channel|job|instance)", ".*", expr).replace("$__rate_interval", "5m")
        for expr in found
    ]


def of_rules() -> list[str]:
    """The expressions of all rules."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


async def test_what_is_asked_for_is_there():
    """Each metric is one that a gateway shows, each label one that it has."""
    async with serving(settings_for("http://127.0.0.1:9")) as gateway:
        shown = {each.name: {*each._labelnames} for each in gateway.app.metrics.families()}
    for expression in (*of_dashboard(), *of_rules()):
        asked = {
            _SUFFIXES.sub("", name): {*_MATCHED.findall(labels)}
            for name, labels in _METRIC.findall(expression)
        }
        assert asked.keys() <= shown.keys()
        for name, labels in asked.items():
            assert labels <= shown[name] | OF_PROMETHEUS
        grouped = {label.strip() for by in _GROUPED.findall(expression) for label in by.split(",")}
        assert grouped <= OF_PROMETHEUS.union(*(shown[name] for name in asked))


def test_the_dashboard_is_one_that_grafana_takes():
    """Panels have ids of their own, a place that no other has, and a data source to choose."""
    panels = DASHBOARD["panels"]
    assert len(panels) == len({panel["id"] for panel in panels})
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells
        taken |= cells
    sources = {json.dumps(panel["datasource"]) for panel in panels if panel["type"] != "row"}
    assert {'{"type": "prometheus", "uid": "${datasource}"}'} == sources
    names = [each["name"] for each in DASHBOARD["templating"]["list"]]
    assert ["datasource", "job", "instance", "channel"] == names


@pytest.fixture(name="promtool", scope="session")
def promtool_fixture(tmp_path_factory) -> str:
    """Prometheus' own judge: the one that is installed, else Debian's."""
    if found := shutil.which("promtool"):
        return found
    folder = tmp_path_factory.mktemp("prometheus")
    fetch = ["sh", "-c", "apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb ."]
    fetched = subprocess.run(fetch, cwd=folder, capture_output=True, check=False)
    if fetched.returncode:
        pytest.skip("neither installed nor to be had from Debian")
    return str(folder / "usr" / "bin" / "promtool")


@pytest.mark.process
def test_prometheus_understands_every_expression(promtool, tmp_path):
    """The rules as they are, and the dashboard's expressions as rules."""
    asked = tmp_path / "dashboard.yaml"
    rules = [{"record": f"asked:{n}", "expr": expr} for n, expr in enumerate(of_dashboard())]
    asked.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), "utf-8")
    checked = subprocess.run(
        [promtool, "check", "rules", str(RULES), str(asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (checked.returncode, checked.stderr)


SERIES = {
    'longwire_turns_total{channel="main",outcome="completed",continuity="fresh"}': "0+8x60",
    'longwire_turns_total{channel="main",outcome="upstream_error",continuity="fresh"}': "0+4x60",
    'longwire_turns_total{channel="well",outcome="completed",continuity="continued"}': "0+8x60",
    'longwire_turn_log_waiting{instance="a:8090"}': "20000x60",
}
FIRING = {
    "LongwireTurnsFail": {"severity": "critical", "channel": "main"},
    "LongwireTurnLogWaits": {"severity": "warning", "instance": "a:8090"},
}


@pytest.mark.process
def test_the_rules_fire_for_what_they_name_and_nothing_else(promtool, tmp_path):
    """A channel that fails fires, the one beside it does not; a log that waits fires."""
    series = [{"series": name, "values": values} for name, values in SERIES.items()]
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    annotations = {rule["alert"]: rule["annotations"] for rule in groups[0]["rules"]}
    expected = [
        {
            "eval_time": "20m",
            "alertname": name,
            "exp_alerts": [
                {
                    "exp_labels": labels,
                    "exp_annotations": {
                        key: _filled(text, labels) for key, text in annotations[name].items()
                    },
                }
            ],
        }
        for name, labels in FIRING.items()
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}), "utf-8")
    tested = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert 0 == tested.returncode, tested.stdout + tested.stderr


def _filled(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    return text
