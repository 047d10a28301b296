"""The other names of models: under which name a channel sends what a caller asks for.

Law: an exact name wins over patterns, of patterns the one with the most literal characters, then
the one that stands first.
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

T = TypeVar("T")
_WILD = re.compile(r"[*?]|\[!?+]?+[^]]*]")


def is_pattern(name: str) -> bool:
    """Whether a name stands for several, with `*`, `?` or `[…]`."""
    return not {"*", "?", "["}.isdisjoint(name)


def finder(pairs: Sequence[tuple[str, T]]) -> Callable[[str], T | None]:
    """Return what tells which pair is about a model, by its second half; None for none.

    No pattern is about a model that a request leaves open ("").
    """
    exact = dict(pairs)
    patterns = [pair for pair in pairs if is_pattern(pair[0])]
    patterns.sort(key=lambda pair: len(_WILD.sub("", pair[0])), reverse=True)

    def find(model: str) -> T | None:
        if model in exact or not model:
            return exact.get(model)
        matching = (found for pattern, found in patterns if fnmatchcase(model, pattern))
        return next(matching, None)

    return find


def renamer(renames: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """Return what tells the name that a model is sent by: its own, unless a pair renames it."""
    find = finder(renames)
    return lambda model: find(model) or model


def check_pattern(name: str) -> str | None:
    """Return what is wrong with the name of a model or a pattern of names, None if nothing is."""
    if not name:
        return "name a model, or a pattern of names"
    if "[" in _WILD.sub("", name):
        return f"{name!r} has a '[' without its ']'; write [[] for the character itself"
    return None


def check_renames(renames: Sequence[tuple[str, str]]) -> str | None:
    """Return what is wrong with pairs of a requested name and the one sent, None if nothing is."""
    for requested, sent in renames:
        if not requested or not sent:
            return "name both models of each pair"
        if (problem := check_pattern(requested)) is not None:
            return problem
        if "*" in sent or "?" in sent:
            return f"{sent!r} is sent as it stands; write the one name that the upstream knows"
    if len({requested for requested, _ in renames}) < len(renames):
        return "a model is renamed twice; keep one"
    return None
