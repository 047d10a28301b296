"""What a channel's overrides make of one request: what its upstream would get, without and with.

Nothing is sent. A logged turn is said anew, from its kept body, as the channel would say it now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from longwire.core.errors import CallerError, FieldProblem, InvalidFields
from longwire.core.nouns.access import EVERYTHING
from longwire.core.nouns.channel import APIS, ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lease import PoolLimits
from longwire.core.rules.routing import IN_SESSION
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import decoder_of
from longwire.dialects.ports import NO_HEADERS
from longwire.dialects.raw_json import split_members
from longwire.dialects.responses.call import encode_body
from longwire.dialects.responses.request import decode_request
from longwire.relay.channels.channel import Channel
from longwire.relay.channels.provision import ProvisionContext, provision
from longwire.upstream.ports import Call, Timeouts
from longwire.upstream.websocket.keepalive import Heartbeat
from longwire.upstream.websocket.pool import Pool

_ANY_MODEL: Final = "gpt-5.2"
_SAMPLE: Final = {
    "input": [{"role": "user", "content": "Hello."}],
    "reasoning": {"effort": "medium"},
    "max_output_tokens": 1024,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One member by its path, or one header, without and with overrides; "" is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What overrides change of a request for a model in an API of the upstream."""

    api: str
    model: str
    members: tuple[Difference, ...]
    headers: tuple[Difference, ...]


def sample_turn(spec: ChannelSpec) -> Turn:
    """Return a short turn of the first model that a channel names."""
    model = next(iter(spec.named_models), _ANY_MODEL)
    return decode_request(msgspec.json.encode({"model": model, **_SAMPLE}), NO_HEADERS, EVERYTHING)


def kept_turn(api: str, model: str, body: bytes) -> Turn:
    """Return a logged turn by the API of its client and its body. Raises `InvalidFields`."""
    own = api.partition("/")[0]
    if own not in APIS:
        raise _wrong(f"is a turn of {api}, which is passed on; choose one of a conversation")
    try:
        return decoder_of(own, model)(body, NO_HEADERS, EVERYTHING)
    except CallerError as error:
        raise _wrong(f"cannot be read any more ({error}); choose another one") from None


def preview(spec: ChannelSpec, turn: Turn) -> Preview:
    """Return what a channel's overrides make of a turn.

    Raises `InvalidFields` for a turn that its upstream cannot be told, and `ConfigurationError`.
    """
    pool = Pool(PoolLimits())
    context = ProvisionContext(pool, Timeouts(), Heartbeat(), lambda *_: None)
    with_them = _serving(provision(replace(spec, keys=()), context), turn)
    without = replace(with_them, spec=replace(spec, keys=(), overrides=()))
    pool.close()
    (before, _), (after, headers) = (_said(each, turn) for each in (without, with_them))
    return Preview(
        with_them.way.api,
        with_them.sent_name(turn.model),
        (*_differences(before, after),),
        (*_header_differences(with_them, turn, headers),),
    )


def _serving(channel: Channel, turn: Turn) -> Channel:
    way = channel.way_of(turn)
    if way is None:
        raise _wrong("cannot be told to this channel's upstream; choose another turn")
    return channel if way is IN_SESSION else channel.serving(way)


def _said(channel: Channel, turn: Turn) -> tuple[bytes, Mapping[str, str]]:
    """Return the body and the headers of a turn as they would be sent."""
    try:
        call = channel.said(Call(channel.adapt(turn), None), NO_HEADERS)
    except CallerError as error:
        raise _wrong(f"cannot be told to this channel's upstream: {error}") from None
    if call.said is None:
        return encode_body(call.turn, streams=turn.streams), call.headers
    body = call.said.body
    return (body if isinstance(body, bytes) else b"{}"), call.said.headers


def _header_differences(
    channel: Channel, turn: Turn, headers: Mapping[str, str]
) -> Iterator[Difference]:
    """Yield the headers that are set, without their values, which may be secrets.

    Those of clients, which may be removed, are in no log.
    """
    names = {each.header.lower() for each in channel.overrides_of(turn) if each.header}
    for name in sorted(names & headers.keys()):
        yield Difference(name, "", str(Secret(headers[name])))


def _differences(before: bytes, after: bytes, path: str = "") -> Iterator[Difference]:
    """Yield the members that differ, by the longest paths."""
    old, new = split_members(before), split_members(after)
    for name in dict.fromkeys((*old, *new)):
        one, other = bytes(old.get(name, b"")), bytes(new.get(name, b""))
        if one == other:
            continue
        if one[:1] == other[:1] == b"{":
            yield from _differences(one, other, f"{path}{name}.")
        else:
            yield Difference(f"{path}{name}", _text(one), _text(other))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _wrong(message: str) -> InvalidFields:
    return InvalidFields([FieldProblem("turnID", message)])
