"""`longwire channels show`: one channel for people, with all that it inherits filled in."""

from collections.abc import Iterator

from longwire.cli.tables import table
from longwire.core.nouns.channel import ChannelSpec


def page_of(spec: ChannelSpec) -> str:
    """Return what there is to say about a channel, in lines."""
    return "\n".join((*_head(spec), "", *_apis(spec)))


def _head(spec: ChannelSpec) -> Iterator[str]:
    place = "of the configuration file" if spec.is_declared else spec.id
    yield f"{spec.name}: {spec.type}, {spec.status.value}, {place}"
    yield f"models: {', '.join(spec.models)}"
    if spec.renames:
        yield f"renames: {', '.join(f'{model} → {sent}' for model, sent in spec.renames)}"
    has = "is set" if spec.credential else "none"
    yield f"key: {has}; members without equivalent: {spec.unsupported}"
    if "messages" in spec.offered:
        yield f"threads: {'on' if spec.threads else 'off'}"


def _apis(spec: ChannelSpec) -> Iterator[str]:
    """Return each API on offer with its transport and the URL that is called first."""
    from longwire.relay.channels.provision import url_of

    rows = []
    for api in spec.offered:
        transport = spec.endpoint(api).transport
        url = url_of(spec, "http" if transport == "http" else "ws", api)
        rows.append((api, transport, url))
    yield from table(("API", "transport", "URL"), rows)
