"""What is wrong with the settings, told so that it can be mended: place, fault, remedy.

A value never appears in a problem: it may be a secret.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]
PREFIX = "LONGWIRE_"


def explain(
    error: ValidationError, model: type[BaseModel], source: Path | None, in_environment: object
) -> list[str]:
    """One line per fault, beginning with the file and the dotted key, or with the variable."""
    return [
        f"{_place(fault['loc'], source, in_environment)}: {_fault(fault, model)}"
        for fault in error.errors(include_url=False, include_input=False)
        if fault["type"] != "default_factory_not_called"  # follows from another fault
    ]


def misspelt_variables(model: type[BaseModel], environ: Mapping[str, str]) -> list[str]:
    """Variables like `LONGWIRE_SEVER__PORT`: they look like keys of a section that is none."""
    unknown = {
        name: name.removeprefix(PREFIX).partition("__")[0].lower()
        for name in sorted(environ)
        if name.startswith(PREFIX) and "__" in name
    }
    return [
        f"{name}: unknown section; {_nearest(section, model.model_fields)}"
        for name, section in unknown.items()
        if section not in model.model_fields
    ]


def _place(location: Location, source: Path | None, in_environment: object) -> str:
    depth = _set_by_variable(location, in_environment)
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location[depth:])
    if not depth:
        file = str(source or "settings")
        return f"{file}: {key.removeprefix('.')}" if key else file
    variable = PREFIX + "__".join(str(step).upper() for step in location[:depth])
    return f"{variable}: {key.removeprefix('.')}" if key else variable


def _set_by_variable(location: Location, found: object) -> int:
    """How many steps of the key a variable's name gives; 0 when none set it."""
    for depth, step in enumerate(location):
        if not isinstance(found, Mapping):
            return depth
        found = found.get(str(step))
        if found is None:
            return 0
    return 0 if isinstance(found, Mapping) else len(location)


def _fault(fault: ErrorDetails, model: type[BaseModel]) -> str:
    *above, key = fault["loc"] or ("",)  # a check of the whole file has no place of its own
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown key; {_nearest(str(key), _known_keys(model, above))}"
        case "missing":
            return f"is missing; add {key} = …"
        case "model_type":
            return "is a table, not one value; set one of its keys"
        case "too_short":
            return "is empty; name at least one, or leave it out"
        case "tuple_type":
            return "is no list; write for example [ … ], or a table in [[ ]] for each entry"
        case "decimal_type" | "decimal_parsing":
            return "must be a number, as in 1.25"
        case "path_not_file":
            return "there is no such file; check the path"
        case _:
            message = fault["msg"].removeprefix("Value error, ")
            return re.sub(r"^(Input|String|Value|Tuple) should", "must", message)


def _known_keys(model: type[BaseModel], above: Iterable[int | str]) -> list[str]:
    for step in above:
        if isinstance(step, str):
            annotation: Any = model.model_fields[step].annotation
            model = next(iter(get_args(annotation)), annotation)
    return list(model.model_fields)


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
