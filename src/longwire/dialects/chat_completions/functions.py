"""Tools of the Responses API as functions, which all vendors of Chat Completions know."""

import re
from dataclasses import dataclass, field
from typing import Final

import msgspec
from blake3 import blake3

from longwire.dialects.chat_completions.chunks import decode_text
from longwire.dialects.chat_completions.inlined import inlined
from longwire.dialects.client_tools import FUNCTION, Declared, called
from longwire.dialects.losses import Losses
from longwire.dialects.names import shortened
from longwire.dialects.offered_tools import Offered, leave_out, offered
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.responses.writer import ResponseWriter
from longwire.dialects.schemas import NO_PARAMETERS, with_required

_encode: Final = msgspec.json.Encoder().encode
_ODD: Final = re.compile("[^a-zA-Z0-9_-]")
_PLAIN: Final = re.compile(rb'"[a-zA-Z0-9_-]{1,64}"')
"""A name as vendors take it (OpenAI's `function_definition.py`), as raw JSON."""

_KEPT: Final = 50
_DIGEST_SIZE: Final = 6


@dataclass(slots=True)
class Functions:
    """The functions of a request as raw JSON by their names there.

    `renamed` has those that are something else to the client.
    """

    by_name: dict[str, bytes] = field(default_factory=dict)
    renamed: dict[str, Declared] = field(default_factory=dict)


def sent_name(name: str, namespace: str = "") -> str:
    """Return the name that a function has upstream, which that of its namespace stands before."""
    full = f"{namespace}__{name}" if namespace else name
    safe = _ODD.sub("_", full)
    if safe == full:
        return shortened(full)
    digest = blake3(full.encode("utf-8", "surrogatepass")).hexdigest(length=_DIGEST_SIZE)
    return f"{safe[:_KEPT]}_{digest}"


def wire_name(name: bytes, namespace: bytes) -> bytes:
    """Return such a name for one that is raw JSON, as it is where it can be."""
    is_spaced = namespace[:1] == b'"'
    if not is_spaced and _PLAIN.fullmatch(name):
        return name
    return _encode(sent_name(decode_text(name), decode_text(namespace) if is_spaced else ""))


def add_functions(
    functions: Functions, raw: bytes, at: str, profile: Profile, losses: Losses
) -> None:
    """Add the tools that stand at a path as functions. Raises `InvalidRequest`, naming the field.

    Those that have no equivalent are left out.
    """
    for each in offered(raw, at):
        if not each.tool.is_clients:
            leave_out(each.tool, losses)
            continue
        declared = each.declared
        name = sent_name(declared.name, declared.namespace)
        function = _function(name, each, profile, losses)
        functions.by_name.setdefault(name, function)
        if declared != Declared(FUNCTION, name):
            functions.renamed.setdefault(name, declared)


def _function(name: str, each: Offered, profile: Profile, losses: Losses) -> bytes:
    description, schema = each.description, with_required(each.schema or NO_PARAMETERS)
    said = b',"description":' + description if description else b""
    if profile.inlines_refs:
        schema = inlined(schema, f"{each.path}.parameters")
    said += b',"parameters":' + schema
    if each.tool.strict:
        if profile.takes_strict:
            said += b',"strict":true'
        else:
            losses.drop("tools.strict")
    return b'{"type":"function","function":{"name":%b%b}}' % (_encode(name), said)


def write_call(
    writer: ResponseWriter, tool: Declared, call_id: bytes, arguments: bytes, status: bytes
) -> None:
    """Write a call of a function as what it is to the client; its arguments are a raw JSON text."""
    call = called(tool, call_id, arguments)
    if call.text:
        writer.put_call(call.item, call.said, call.text, status)
    else:
        writer.put_item(call.item, call.said, status)
