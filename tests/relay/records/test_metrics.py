"""The metrics are the public ones, by name and label, and a parser of Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from longwire.relay.records.metrics import CONTENT_TYPE, Gauges, Metrics, TurnRate

NAMES = {
    "longwire_turns_total": {"channel", "transport", "continuity", "reason", "outcome"},
    "longwire_turn_seconds": {"channel"},
    "longwire_first_event_seconds": {"channel"},
    "longwire_request_bytes_total": set(),
    "longwire_upstream_bytes_total": set(),
    "longwire_tokens_total": {"channel", "kind"},
    "longwire_connections": {"channel", "state"},
    "longwire_dials_total": {"channel", "result"},
    "longwire_evictions_total": {"channel", "reason"},
    "longwire_replays_total": {"channel", "cause"},
    "longwire_queue_seconds": set(),
    "longwire_client_connections": set(),
    "longwire_limits_counted": {"where"},
    "longwire_turn_log_waiting": set(),
    "longwire_turn_log_dropped_total": set(),
    "longwire_node_info": {"node", "version"},
    "longwire_alerts_open": {"rule"},
    "longwire_alert_deliveries_total": {"result"},
}
"""The public interface: what dashboards ask for."""

PARTS = ("_bucket", "_count", "_sum")


def touched() -> Metrics:
    """Metrics of which each has a value."""
    metrics = Metrics(
        Gauges(
            lambda: [("a", "idle"), ("a", "leased"), ("a", "idle"), ("", "idle")],
            lambda: [("a", "connection_lost", 2), ("", "connection_lost", 1)],
            lambda: (3, 4),
            alerts=lambda: ({"error_rate": 1}, {"delivered": 2}),
        )
    )
    metrics.turns["a", "websocket", "fresh", "new_session", "completed"] += 1
    metrics.turn_seconds.observe(3, "a")
    metrics.first_event_seconds.observe(0.2, "a")
    metrics.request_bytes += 10
    metrics.upstream_bytes += 5
    metrics.tokens["a", "input"] += 7
    metrics.dials["a", "opened"] += 1
    metrics.replays["a", "lost"] += 1
    metrics.queue_seconds.observe(0.01)
    return metrics


def samples(metrics: Metrics):
    """Every sample as its name, its labels and its value."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def public(name: str) -> str:
    """The name of a histogram to which a part belongs, else the name itself."""
    whole = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)
    return whole if whole in NAMES else name


def test_names_and_labels():
    """There are these names with these labels, and no other."""
    found = {}
    for name, labels, _ in samples(touched()):
        found.setdefault(public(name), set()).update(labels.keys() - {"le"})
    assert found == NAMES


def test_every_name_has_its_type_and_its_text():
    """An operator reads in the answer itself what a figure is."""
    families = list(text_string_to_metric_families(touched().render().decode()))
    assert len(NAMES) == len(families)
    for family in families:
        assert family.documentation.endswith(".")
        is_total = f"{family.name}_total" in NAMES
        expected = {"counter"} if is_total else {"histogram", "gauge"}
        assert family.type in expected


def test_connections_are_counted_by_state():
    """Live ones are told when asked; ended ones add up, also where nobody knows their channel."""
    found = {(name, *labels.values()): value for name, labels, value in samples(touched())}
    assert found["longwire_connections", "a", "idle"] == 2
    assert found["longwire_connections", "a", "leased"] == 1
    assert found["longwire_evictions_total", "a", "connection_lost"] == 2


def test_the_state_of_the_turn_log_is_told():
    """What waits to be written, and what was lost, is there to alert on."""
    found = {name: value for name, labels, value in samples(touched()) if not labels}
    assert found["longwire_turn_log_waiting"] == 3
    assert found["longwire_turn_log_dropped_total"] == 4


def test_no_series_comes_twice():
    """Two endpoints that nobody knows any more are one series."""
    gone = lambda: [("", "connection_lost", 2), ("", "connection_lost", 1)]  # noqa: E731 - short
    found = [
        (name, value)
        for name, labels, value in samples(Metrics(Gauges(list, gone)))
        if "evictions" in name
    ]
    assert found == [("longwire_evictions_total", 3)]


def test_several_registries_live_in_one_process():
    """Each gateway counts for itself."""
    one, other = touched(), touched()
    one.request_bytes += 100
    assert b"longwire_request_bytes_total 110.0" in one.render()
    assert b"longwire_request_bytes_total 10.0" in other.render()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_the_turns_a_second_are_those_of_lately():
    """Over the last five to ten seconds; nothing before there were two looks."""
    rate = TurnRate()
    looks = [(100, 0.0), (110, 2.0), (125, 5.0), (125, 7.0), (225, 10.0), (225, 30.0), (225, 31.0)]
    found = [rate.per_second(*look) for look in looks]
    assert [0.0, 5.0, 5.0, 3.6, 20.0, 0.0, 0.0] == found
