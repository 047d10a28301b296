"""The other names of models: under which name a channel sends what a caller asks for.

Law: an exact name wins over patterns, of patterns the one with the most literal characters, then
the one that stands first.
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

_WILD = re.compile(r"[*?]|\[!?+]?+[^]]*]")


def is_pattern(name: str) -> bool:
    """Whether a name stands for several, with `*`, `?` or `[…]`."""
    return not {"*", "?", "["}.isdisjoint(name)


def renamer(renames: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """Return what tells the name that a model is sent by: its own, unless a pair renames it.

    A model that a request leaves open ("") has no other name.
    """
    exact = dict(renames)
    patterns = [pair for pair in renames if is_pattern(pair[0])]
    patterns.sort(key=lambda pair: len(_WILD.sub("", pair[0])), reverse=True)

    def sent_name(model: str) -> str:
        if model in exact or not model:
            return exact.get(model, model)
        matching = (sent for pattern, sent in patterns if fnmatchcase(model, pattern))
        return next(matching, model)

    return sent_name


def check_renames(renames: Sequence[tuple[str, str]]) -> str | None:
    """Return what is wrong with pairs of a requested name and the one sent, None if nothing is."""
    for requested, sent in renames:
        if not requested or not sent:
            return "name both models of each pair"
        if "[" in _WILD.sub("", requested):
            return f"{requested!r} has a '[' without its ']'; write [[] for the character itself"
        if "*" in sent or "?" in sent:
            return f"{sent!r} is sent as it stands; write the one name that the upstream knows"
    if len({requested for requested, _ in renames}) < len(renames):
        return "a model is renamed twice; keep one"
    return None
