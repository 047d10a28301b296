"""What upstreams in the field do beside every specification, each as a switch with a name.

Law: an oddity is a preset of settings, script and faults; it does nothing that these cannot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from msgspec.structs import replace

from longwire.emulator.faults import Fault
from longwire.emulator.options import Json, Options, Script


@dataclass(frozen=True, slots=True)
class Oddity:
    """What an upstream does, and what of settings and script is changed and armed for it."""

    sentence: str
    faults: tuple[Fault, ...] = ()
    options: dict[str, Json] = field(default_factory=dict)
    script: dict[str, Json] = field(default_factory=dict)


def fault(at: str, act: str, **members: Json) -> tuple[Fault, ...]:
    """A fault that strikes for ever."""
    return (Fault(**{"at": at, "act": act, "times": 0, **members}),)


def no_upgrade(status: int, body: str = "") -> tuple[Fault, ...]:
    """A refusal of WebSockets by what knows nothing of the API."""
    return fault("handshake", "refuse", route="websocket", status=status, body=body)


def failure(error: Json, *, output: bool = False) -> dict[str, Json]:
    """The script of a response that fails."""
    return {"finish": "failed:server_error", "error": error, "output": output}


BUSY = {"message": "Provider is busy, slow down", "code": 429}
CAPACITY = {"code": "rate_limit_exceeded", "message": "Selected model is at capacity"}
OVERLOAD = {"code": "server_is_overloaded", "type": "service_unavailable_error", "message": "busy"}
OVERLOADED = {"code": "overloaded_error", "message": "Overloaded"}
LIMIT = {"code": "rate_limit_exceeded", "message": "Slow down", "headers": {"retry-after": "7"}}
KEY = {"code": "invalid_api_key", "type": "invalid_request_error", "message": "Bad key: sk-op**z."}
MISSING = {"loc": ["body", "input"], "msg": "field required", "type": "missing"}
HALF = r'data: {"type":"response.output_text.delta","output_index":0,"delta":"cut \ud83d"}' + "\n\n"
DONE = "data: [DONE] \n\n"
PAGE = "<html><head><title>Forbidden</title></head><body>nginx</body></html>"

ODDITIES: dict[str, Oddity] = {
    "bare_error": Oddity(
        "The whole stream is an error envelope without a type.",
        fault("after_create", "error", event={"error": BUSY}),
    ),
    "bare_error_late": Oddity(
        "The same envelope comes behind the first delta.",
        fault("mid_delta", "error", event={"error": BUSY}),
    ),
    "numeric_frame": Oddity(
        "The only event is an error whose code is a number.",
        fault("after_create", "error", event={"type": "error", "error": BUSY}),
    ),
    "numeric_code": Oddity(
        "A response fails before its output; the code is a number.", script=failure(BUSY)
    ),
    "error_text": Oddity(
        "A response fails behind its output; the error is a text.",
        script=failure("boom", output=True),
    ),
    "detail_object": Oddity(
        "A turn is refused with 400 and an object as `detail`, without `error`.",
        fault("after_create", "error", status=400, body={"detail": {"code": "no_workspace"}}),
    ),
    "detail_list": Oddity(
        "A turn is refused with 422 and a list as `detail`, as web frameworks do.",
        fault("after_create", "error", status=422, body={"detail": [MISSING]}),
    ),
    "empty_data": Oddity(
        "Keep-alives in a stream are events with empty data.",
        fault("mid_delta", "raw", body="event: keepalive\ndata: \n\n"),
    ),
    "comments": Oddity(
        "Keep-alives in a stream are comments, each with a blank line.",
        fault("mid_delta", "raw", body=": keep-alive\n\n"),
    ),
    "done_with_blank": Oddity(
        "`[DONE]` has a blank behind it, and comes in the middle, too.",
        fault("after_created", "raw", body=DONE) + fault("after_terminal", "raw", body=DONE),
    ),
    "half_emoji": Oddity(
        "Behind each delta comes one that ends between the halves of an emoji.",
        fault("mid_delta", "raw", body=HALF),
    ),
    "capacity": Oddity(
        "A response is begun and fails before any output: the model is at capacity.",
        script=failure(CAPACITY),
    ),
    "capacity_late": Oddity("The same behind the output.", script=failure(CAPACITY, output=True)),
    "overload": Oddity(
        "A response is begun, and an error event says that the server is overloaded.",
        fault("after_created", "error", event={"type": "error", "error": OVERLOAD}),
    ),
    "limited": Oddity(
        "Each turn is refused with 429 and `retry-after: 7`.",
        fault("after_create", "error", status=429, **LIMIT),
    ),
    "dead_key": Oddity(
        "Each request is refused with 401: the key was revoked.",
        fault("handshake", "refuse", status=401, body={"error": KEY}),
    ),
    "upgrade_400": Oddity("A WebSocket is refused with 400 and no body.", no_upgrade(400)),
    "upgrade_403": Oddity("A WebSocket is refused with 403 and no body.", no_upgrade(403)),
    "upgrade_502": Oddity("A WebSocket is refused with 502 and a page.", no_upgrade(502, PAGE)),
    "silent_websocket": Oddity(
        "A WebSocket is opened, answers pings, and says nothing else.",
        fault("after_create", "hang", route="websocket"),
    ),
    "small_messages": Oddity(
        "A WebSocket is closed with 1009 above 1 MiB.", options={"max_message": 1024 * 1024}
    ),
    "models_hang": Oddity("The list of models never comes.", fault("models", "hang")),
    "models_missing": Oddity(
        "There is no list of models: 404.",
        fault("models", "refuse", status=404, body={"detail": "Not Found"}),
    ),
    "count_missing": Oddity(
        "Input tokens are not counted: 404.",
        fault("count", "refuse", status=404, body={"detail": "Not Found"}),
    ),
    "checks_ids": Oddity(
        "Ids of items that other vendors made are refused.", options={"check_ids": True}
    ),
    "needs_instructions": Oddity(
        "The Codex route refuses a turn without `instructions`.",
        options={"needs_instructions": True},
    ),
    "no_output_at_the_end": Oddity(
        "The terminal event has no `output`.", options={"terminal_output": "missing"}
    ),
    "overloaded": Oddity(
        "Messages: each turn is refused with 529 and `overloaded_error`.",
        fault("after_create", "error", status=529, **OVERLOADED),
    ),
    "overloaded_late": Oddity(
        "Messages: an `overloaded_error` comes behind the first delta.",
        fault("mid_delta", "error", **OVERLOADED),
    ),
    "start_twice": Oddity(
        "Messages: `message_start` comes twice.", options={"message_start": "duplicate"}
    ),
    "start_anew": Oddity(
        "Messages: an answer begins anew in the middle of its first block.",
        options={"message_start": "spliced"},
    ),
    "start_whole": Oddity(
        "Messages: `message_start` holds all blocks and the reason of the end.",
        options={"message_start": "whole"},
    ),
    "usage_at_the_end": Oddity(
        "Messages: the usage is told at the end alone.", options={"message_usage": "at_end"}
    ),
    "pings": Oddity("Messages: a ping comes behind each event.", options={"message_pings": True}),
    "no_threads": Oddity("Messages: threads are refused.", options={"threads": "unsupported"}),
}


def chosen(names: Iterable[str]) -> list[Oddity]:
    """The oddities of these names; raises ValueError with the nearest one for an unknown name."""
    for name in names:
        if name not in ODDITIES:
            near = get_close_matches(name, ODDITIES, n=1, cutoff=0.4) or ODDITIES
            raise ValueError(f"oddity {name!r} is unknown; did you mean {', '.join(near)}?")
    return [ODDITIES[name] for name in names]


def applied(options: Options, script: Script) -> tuple[Options, Script, list[Fault]]:
    """Settings and script with the oddities that the settings name, and the faults to arm."""
    oddities = chosen(options.oddities)
    for oddity in oddities:
        options = replace(options, **oddity.options)
        script = replace(script, **oddity.script)
    return options, script, [each for oddity in oddities for each in oddity.faults]
