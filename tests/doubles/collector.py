"""A collector of OpenTelemetry as a process: OTLP over HTTP, in protobuf.

`python -m tests.doubles.collector PORT JSON` prints its port, then a line of JSON for each request:
its path, its headers and its message. `status` in the JSON is what it answers.
"""

import asyncio
import gzip
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_STARTS = 30
_MESSAGES = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector:
    """A collector in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def request(self, path: str, within: float = 20.0) -> dict:
        """The next request to a path."""
        async with asyncio.timeout(within):
            while True:
                arrived = json.loads(await self._process.stdout.readline())
                if arrived["path"] == path:
                    return arrived

    async def spans(self, number: int) -> list[dict]:
        """The next spans, so many, the first that began first; attributes as plain values."""
        found: list[dict] = []
        while len(found) < number:
            message = (await self.request("/v1/traces"))["message"]
            for resource in message["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    found += [{**span, "attributes": plain(span)} for span in scope["spans"]]
        return found


def plain(entry: dict) -> dict:
    """The attributes of a span, a point or a resource."""
    return {each["key"]: value_of(each["value"]) for each in entry.get("attributes", [])}


def value_of(value: dict) -> object:
    """A value as OTLP writes it."""
    ((kind, text),) = value.items()
    return int(text) if kind == "intValue" else text


@asynccontextmanager
async def collecting(port: int = 0, **options: object) -> AsyncIterator[Collector]:
    """Run a collector until left."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.collector", str(port), json.dumps(options)),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        limit=2**24,
    )
    try:
        async with asyncio.timeout(_STARTS):
            port = int(await process.stdout.readline())
        yield Collector(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()


async def main(port: int, status: int = 200) -> None:
    """Answer until ended."""

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        message = _MESSAGES[request.path].FromString(body)
        arrived = {
            "path": request.path,
            "headers": dict(request.headers),
            "message": MessageToDict(message),
        }
        print(json.dumps(arrived), flush=True)  # noqa: T201 - how it tells
        return web.Response(status=status)

    app = web.Application(client_max_size=2**26)
    for path in _MESSAGES:
        app.router.add_post(path, take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - how it tells
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), **json.loads(sys.argv[2])))
