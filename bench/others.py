"""What the upstream says in the APIs other than Responses: the texts and the call of a `Speech`.

Streams as their vendors write them, made beforehand. An id has zeros where each answer has its
number.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache

from bench.speech import CALL_ID, SEALED, Speech, speech
from bench.wire import Plan, plan_of

_ZEROS = b"0" * 12
_CHUNK = (
    b'{"id":"chatcmpl-000000000000","object":"chat.completion.chunk","created":1790000000,'
    b'"model":"bench","system_fingerprint":"fp_bench","choices":[%b],"usage":%b}'
)
_CHOICE = b'{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}'
_CHAT_USAGE = b'{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}'
_MESSAGES_USAGE = (
    b'{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
    b'"output_tokens":%d}'
)
_GENERATED = (
    b'{"candidates":[{"content":{"parts":[%b],"role":"model"}%b,"index":0}],"usageMetadata":'
    b'{"promptTokenCount":9,"candidatesTokenCount":9,"totalTokenCount":18},'
    b'"modelVersion":"bench","responseId":"000000000000"}'
)


def _chat(said: Speech) -> list[bytes]:
    call = b'{"tool_calls":[{"index":0,%b}]}'
    begin = b'"id":"%b","type":"function","function":{"name":"edit_file","arguments":""}' % CALL_ID
    deltas = [
        b'{"role":"assistant","content":""}',
        *(b'{"content":"%b"}' % text for text in said.text),
        call % begin,
        *(call % (b'"function":{"arguments":"%b"}' % text) for text in said.arguments),
    ]
    choices = [_CHOICE % (delta, b"null") for delta in deltas]
    choices.append(_CHOICE % (b"{}", b'"tool_calls"'))
    chunks = [_CHUNK % (choice, b"null") for choice in choices]
    chunks.append(_CHUNK % (b"", _CHAT_USAGE))
    return [b"data: %b\n\n" % data for data in (*chunks, b"[DONE]")]


def _messages(said: Speech) -> list[bytes]:
    thought = b'{"type":"thinking","thinking":"","signature":""}'
    sealed = b'{"type":"signature_delta","signature":"%b"}' % SEALED
    texts = [b'{"type":"text_delta","text":"%b"}' % text for text in said.text]
    inputs = [b'{"type":"input_json_delta","partial_json":"%b"}' % text for text in said.arguments]
    call = b'{"type":"tool_use","id":"%b","name":"edit_file","input":{}}' % CALL_ID
    message = (
        b'{"id":"msg_000000000000","type":"message","role":"assistant","model":"bench",'
        b'"content":[],"stop_reason":null,"stop_sequence":null,"usage":%b}' % (_MESSAGES_USAGE % 1)
    )
    ending = b'"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":%b' % (
        _MESSAGES_USAGE % 9
    )
    return [
        _named(b"message_start", b',"message":%b' % message),
        *_block(0, thought, [sealed]),
        *_block(1, b'{"type":"text","text":""}', texts),
        *_block(2, call, inputs),
        _named(b"message_delta", b"," + ending),
        _named(b"message_stop", b""),
    ]


def _block(index: int, begin: bytes, deltas: list[bytes]) -> list[bytes]:
    place = b',"index":%d' % index
    return [
        _named(b"content_block_start", b'%b,"content_block":%b' % (place, begin)),
        *(_named(b"content_block_delta", b'%b,"delta":%b' % (place, delta)) for delta in deltas),
        _named(b"content_block_stop", place),
    ]


def _named(name: bytes, members: bytes) -> bytes:
    return b'event: %b\ndata: {"type":"%b"%b}\n\n' % (name, name, members)


def _generated(said: Speech) -> list[bytes]:
    """Return Gemini's stream, in which a call comes whole."""
    arguments = json.loads(b'"%b"' % b"".join(said.arguments)).encode()
    call = b'{"functionCall":{"name":"edit_file","args":%b},"thoughtSignature":"%b"}'
    chunks = [_GENERATED % (b'{"text":"%b"}' % text, b"") for text in said.text]
    chunks.append(_GENERATED % (call % (arguments, SEALED), b',"finishReason":"STOP"'))
    return [b"data: %b\r\n\r\n" % chunk for chunk in chunks]


_STREAMS: Mapping[bytes, Callable[[Speech], list[bytes]]] = {
    b"/chat/completions": _chat,
    b"/messages": _messages,
    b":streamGenerateContent": _generated,
}
"""By what the path of a request ends with."""


def api_of(path: bytes) -> bytes:
    """Return which other API a path belongs to, b"" for that of Responses."""
    bare = path.partition(b"?")[0]
    return next((end for end in _STREAMS if bare.endswith(end)), b"")


def pieces(api: bytes, request: bytes, number: int) -> list[bytes]:
    """Return what is written in answer to a request, piece by piece."""
    own = b"%012d" % number
    return [piece.replace(_ZEROS, own) for piece in _pieces(api, plan_of(request))]


def events(api: bytes, plan: Plan) -> int:
    """Count the events of an answer."""
    return len(_blocks(api, plan.deltas))


@lru_cache
def _blocks(api: bytes, deltas: int) -> tuple[bytes, ...]:
    return (*_STREAMS[api](speech(deltas)),)


@lru_cache
def _pieces(api: bytes, plan: Plan) -> tuple[bytes, ...]:
    blocks, size = _blocks(api, plan.deltas), plan.per_write
    return tuple(b"".join(blocks[at : at + size]) for at in range(0, len(blocks), size))
