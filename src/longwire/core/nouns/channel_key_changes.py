"""How a channel's keys are added, changed and removed; the others stay as they are.

The channel's own key may be removed while there are others. A channel that has one key alone is
changed as any field of it is.
"""

from collections.abc import Callable
from dataclasses import replace

from longwire.core.errors import FieldProblem, InvalidFields, NotFound
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.channel_key import OWN_KEY, ChannelKey
from longwire.core.nouns.secret import Secret


def with_key(spec: ChannelSpec, key: ChannelKey) -> ChannelSpec:
    """Return a channel with one more key."""
    return replace(spec, keys=(*spec.keys, key))


def with_changed_key(
    spec: ChannelSpec, key_id: str, change: Callable[[ChannelKey], ChannelKey]
) -> ChannelSpec:
    """Return a channel one of whose keys is changed. Raises `NotFound`, `InvalidFields`."""
    if key_id == OWN_KEY and spec.credential:
        mend = "is the channel's own, which has no fields; remove it and add it as another one"
        raise InvalidFields([FieldProblem("keyID", mend)])
    held = key_of(spec, key_id)
    changed = change(held)
    return replace(spec, keys=tuple(changed if each is held else each for each in spec.keys))


def without_key(spec: ChannelSpec, key_id: str) -> ChannelSpec:
    """Return a channel without one of its keys. Raises `NotFound`."""
    held = key_of(spec, key_id)
    if held.id == OWN_KEY:
        return replace(spec, credential=Secret(""))
    return replace(spec, keys=tuple(each for each in spec.keys if each is not held))


def key_of(spec: ChannelSpec, named: str) -> ChannelKey:
    """Return a key by its id or its label. Raises `NotFound`."""
    for key in spec.keys_in_force:
        if named == key.id or (named and named == key.label):
            return key
    raise NotFound("key", named)
