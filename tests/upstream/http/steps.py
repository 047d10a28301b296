"""What tests of the HTTP transport send and collect."""

import ssl

from longwire.dialects.responses.request import decode_request
from longwire.upstream.ports import Call
from tests.doubles.canned import CREATED, answer, sse

BODY = b'{"model":"m","stream":true,"input":[{"role":"user","content":"\\u00e9 1e400"}],"n":1E2}'
DELTA = b'{"type":"response.output_text.delta","sequence_number":1,"delta":"x"}'
ITEM = b'{"type":"response.output_item.done","output_index":0,"item":{"type":"message"}}'
OPENING = answer(sse(CREATED), size=10_000)
PLAIN = ssl.create_default_context()


async def events(transport, body=BODY, headers=None):
    """All events of one turn, as wire names."""
    return [event.name for batch in await batches(transport, body, headers) for event in batch]


async def batches(transport, body=BODY, headers=None):
    call = Call(decode_request(body), None, headers or {})
    async with transport.open(call) as stream:
        return [batch async for batch in stream]


async def collect(stream, sizes):
    """Add the size of every batch to `sizes`."""
    async for batch in stream:
        sizes.append(len(batch))
