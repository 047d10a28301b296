"""Turns arrive at a collector as traces and metrics, and a collector that is away slows nobody."""

import asyncio
import time
from base64 import b64decode
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from httpx2 import AsyncClient
from structlog.testing import capture_logs

from longwire.app import opening
from longwire.core.errors import ConfigurationError
from longwire.core.rules.trace_context import parse_traceparent
from tests.conftest import KEY
from tests.doubles.collector import collecting, plain
from tests.journeys.conftest import settings_of, websocket_channel

pytestmark = pytest.mark.process

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLERS = f"00-{TRACE}-{PARENT}-01"
HIDDEN = "nobody else is to read this"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    """Batches leave soon."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


@asynccontextmanager
async def traced(serve, tmp_path, upstream: str, endpoint: str, **tables):
    """A gateway that sends what it does to a collector, and a client of it."""
    telemetry = {"endpoint": endpoint, "interval": "200ms", **tables.pop("telemetry", {})}
    database = {"url": f"sqlite:///{tmp_path}/longwire.db"}
    settings = settings_of(upstream, telemetry=telemetry, database=database, **tables)
    gateway = await serve(settings, opening(settings))
    headers = {"authorization": f"Bearer {KEY}"}
    async with AsyncClient(
        base_url=gateway.url, headers=headers, timeout=30, trust_env=False
    ) as client:
        yield gateway, client


async def ask(client: AsyncClient, **headers: str):
    """Send one turn."""
    body = {"model": "gpt-5.2", "input": HIDDEN, "store": False}
    return await client.post("/v1/responses", json=body, headers=headers)


@asynccontextmanager
async def refusing():
    """An upstream that refuses each request; the headers of those that arrived."""
    arrived = []

    async def refuse(request: web.Request) -> web.Response:
        arrived.append(request.headers)
        return web.json_response({"error": {"message": "no", "code": "no"}}, status=400)

    app = web.Application()
    app.router.add_post("/v1/responses", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", arrived
    finally:
        await runner.cleanup()


async def test_a_turn_is_a_span_with_one_below_for_its_attempt(serve, emulator, tmp_path):
    """The caller's trace gets the turn, by the conventions, and no word of the prompt."""
    async with (
        collecting() as collector,
        traced(serve, tmp_path, emulator.url, collector.url) as (_, client),
    ):
        answer = await ask(client, traceparent=CALLERS, tracestate="vendor=1", session_id="s-1")
        attempt, turn = await collector.spans(2)
    assert 200 == answer.status_code
    assert ("chat gpt-5.2", "SPAN_KIND_SERVER") == (turn["name"], turn["kind"])
    assert ("chat gpt-5.2", "SPAN_KIND_CLIENT") == (attempt["name"], attempt["kind"])
    assert turn["traceId"] == attempt["traceId"]
    assert turn["spanId"] == attempt["parentSpanId"]
    assert "vendor=1" == turn["traceState"]
    said = answer.json()
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.2",
        "gen_ai.response.model": said["model"],
        "gen_ai.response.id": said["id"],
        "gen_ai.usage.input_tokens": said["usage"]["input_tokens"],
        "gen_ai.usage.output_tokens": said["usage"]["output_tokens"],
        "server.address": "127.0.0.1",
        "longwire.channel": "main",
        "longwire.transport": "websocket",
    }.items() <= attempt["attributes"].items()
    assert {
        "http.response.status_code": 200,
        "longwire.continuity": answer.headers["x-longwire-continuity"],
        "gen_ai.conversation.id": "s-1",
        "longwire.key": "dev",
        "longwire.outcome": "completed",
    }.items() <= turn["attributes"].items()
    assert HIDDEN not in str((attempt, turn))


async def test_the_ids_of_the_caller_are_taken(serve, emulator, tmp_path):
    """The trace and the span above are the caller's own, byte by byte."""
    async with (
        collecting() as collector,
        traced(serve, tmp_path, emulator.url, collector.url) as (_, client),
    ):
        await ask(client, traceparent=CALLERS)
        message = (await collector.request("/v1/traces"))["message"]
    spans = message["resourceSpans"][0]["scopeSpans"][0]["spans"]
    turn = next(each for each in spans if each["kind"] == "SPAN_KIND_SERVER")
    ids = b64decode(turn["traceId"]).hex(), b64decode(turn["parentSpanId"]).hex()
    assert (TRACE, PARENT) == ids


async def test_over_http_the_trace_goes_on_upstream(serve, tmp_path):
    """An upstream over HTTP gets the trace, with the span of its attempt as the parent."""
    async with refusing() as (upstream, arrived), collecting() as collector:
        channels = (websocket_channel(upstream, transport="http"),)
        async with traced(serve, tmp_path, upstream, collector.url, channels=channels) as (
            _,
            client,
        ):
            await ask(client, traceparent=CALLERS, tracestate="vendor=1")
            attempt, _turn = await collector.spans(2)
    (headers,) = arrived
    onward = parse_traceparent(headers["traceparent"])
    assert (TRACE, b64decode(attempt["spanId"]).hex(), True) == onward
    assert "vendor=1" == headers["tracestate"]


async def test_what_a_caller_does_not_sample_is_not_sent(serve, emulator, tmp_path):
    """The flag of the caller counts before the share that is set here."""
    async with (
        collecting() as collector,
        traced(serve, tmp_path, emulator.url, collector.url, telemetry={"sample_ratio": 0.0}) as (
            _,
            client,
        ),
    ):
        await ask(client, traceparent=f"00-{TRACE}-{PARENT}-00")
        await ask(client)
        await ask(client, traceparent=CALLERS)
        spans = await collector.spans(2)
    assert 2 == len(spans)
    assert {1} == {len({each["traceId"] for each in spans})}


async def test_a_turn_that_failed_says_why(serve, emulator, tmp_path):
    """An error is the type of the span, and its status."""
    async with (
        collecting() as collector,
        traced(
            serve,
            tmp_path,
            emulator.url,
            collector.url,
            channels=(websocket_channel("http://127.0.0.1:9"),),
        ) as (_, client),
    ):
        answer = await ask(client)
        *attempts, turn = await collector.spans(2)
    assert answer.json()["error"]["code"] == turn["attributes"]["error.type"]
    assert {"STATUS_CODE_ERROR"} == {each["status"]["code"] for each in (*attempts, turn)}


async def test_metrics_are_those_of_the_conventions_and_our_own(serve, emulator, tmp_path):
    """Durations, tokens and the first token by model and provider; and what /metrics shows."""
    async with (
        collecting() as collector,
        traced(
            serve,
            tmp_path,
            emulator.url,
            collector.url,
            telemetry={"traces": False, "headers": {"x-key": "collectors-own"}},
        ) as (_, client),
    ):
        await ask(client)
        while "gen_ai.client.operation.duration" not in (found := await metrics_of(collector)):
            pass
    duration, tokens = (
        found["gen_ai.client.operation.duration"],
        found["gen_ai.client.token.usage"],
    )
    (point,) = duration["histogram"]["dataPoints"]
    assert "1" == point["count"]
    assert ("chat", "openai") == tuple(
        plain(point)[name] for name in ("gen_ai.operation.name", "gen_ai.provider.name")
    )
    kinds = {plain(each)["gen_ai.token.type"] for each in tokens["histogram"]["dataPoints"]}
    assert {"input", "output"} == kinds
    assert "gen_ai.server.time_to_first_token" in found
    (turns,) = found["longwire.turns"]["sum"]["dataPoints"][:1]
    assert "main" == plain(turns)["channel"]
    assert "histogram" in found["longwire.turn_seconds"]


async def metrics_of(collector) -> dict[str, dict]:
    """The metrics of the next request that have points, by name."""
    arrived = await collector.request("/v1/metrics")
    assert "collectors-own" == arrived["headers"]["x-key"]
    (resource,) = arrived["message"]["resourceMetrics"]
    assert "longwire" == plain(resource["resource"])["service.name"]
    metrics = [each for scope in resource["scopeMetrics"] for each in scope.get("metrics", [])]
    kinds = ("histogram", "sum", "gauge")
    return {
        each["name"]: each
        for each in metrics
        if any(each.get(kind, {}).get("dataPoints") for kind in kinds)
    }


async def test_a_collector_that_is_away_slows_nobody(serve, emulator, tmp_path, monkeypatch):
    """Turns go on, spans beyond the queue are dropped and counted, and one warning says so."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with traced(
        serve, tmp_path, emulator.url, "http://127.0.0.1:9", telemetry={"queue": 4}
    ) as (gateway, client):
        began = time.monotonic()
        answers = [await ask(client) for _ in range(20)]
        took = time.monotonic() - began
        async with asyncio.timeout(20):
            while not gateway.app.telemetry.dropped:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        shown = (await client.get("/metrics")).text
    assert {200} == {each.status_code for each in answers}
    assert took < 10
    (line,) = [
        each for each in shown.splitlines() if each.startswith("longwire_telemetry_dropped_")
    ]
    assert float(line.split()[1]) > 0


async def test_a_collector_that_refuses_who_sends_is_said_so(serve, emulator, tmp_path):
    """Of turns and metrics each once: the headers are wrong, and not where it is sent."""
    with capture_logs() as logged:
        async with (
            collecting(status=401) as collector,
            traced(serve, tmp_path, emulator.url, collector.url) as (_, client),
        ):
            await ask(client)
            async with asyncio.timeout(20):
                while len(told(logged)) < 2:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
    mend = "see telemetry.headers; the collector answers 401"
    assert {("traces", mend), ("metrics", mend)} == set(told(logged))


def told(logged):
    """What was not sent, with the mend."""
    lines = [each for each in logged if each["event"] == "telemetry_not_sent"]
    return [(each["kind"], each["mend"]) for each in lines]


def test_without_the_sdk_a_start_names_the_mend(monkeypatch):
    """Who switches it on without the extra is told what to install."""
    monkeypatch.setattr("longwire.relay.records.tracing.find_spec", lambda _: None)
    from longwire.app import App  # noqa: PLC0415

    settings = settings_of("http://127.0.0.1:9", telemetry={"endpoint": "http://127.0.0.1:4318"})
    with pytest.raises(ConfigurationError, match="pip install 'longwire"):
        App(settings)
