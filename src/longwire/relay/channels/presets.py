"""What channels to known vendors are configured with: data, in `vendors/presets.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from longwire.core.nouns.channel import CHANNEL_TYPES, EndpointSpec


@dataclass(frozen=True, slots=True)
class Preset:
    """What is configured for one vendor, called `name`.

    `key_hint` says what its key looks like, `key_url` where one is had, "" for nowhere; `source`
    where the vendor documents the rest. A base URL with YOUR in it needs completing.
    """

    name: str
    vendor: str
    type: str
    base_url: str
    apis: tuple[str, ...]
    key_hint: str
    source: str
    key_url: str = ""
    profile: str = ""
    transport: str = "auto"
    endpoints: tuple[EndpointSpec, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a channel that it sets."""
        names = ("type", "base_url", "apis", "profile", "transport", "endpoints")
        return {name: getattr(self, name) for name in names}


@cache
def presets() -> tuple[Preset, ...]:
    """Return all presets, in the order in which people are shown them."""
    text = files("longwire.relay.channels.vendors").joinpath("presets.toml").read_text("utf-8")
    return tuple(_preset(name, entry) for name, entry in tomllib.loads(text).items())


def _preset(name: str, entry: dict[str, Any]) -> Preset:
    own = entry.pop("endpoints", {})
    endpoints = tuple(EndpointSpec(api, base_url=url) for api, url in own.items())
    apis = tuple(entry.pop("apis", CHANNEL_TYPES[entry["type"]].apis))
    return Preset(name, apis=apis, endpoints=endpoints, **entry)
