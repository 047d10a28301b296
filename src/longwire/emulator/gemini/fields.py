"""The fields of a generateContent request: which there are, and what is said of others.

Law: fields are known in both spellings, as protocol buffers read JSON, and come out in camelCase;
what is free JSON (`args`, `response`, JSON schemas) is left as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.emulator.gemini.errors import bad_payload
from longwire.emulator.items import Item
from longwire.emulator.options import Json
from longwire.emulator.oracle import encode

Inside = Json
"""What is inside a field: fields by their names (`*` is any name), a list of one, or a kind."""
Fields = Mapping[str, Inside]
ANY, TEXT, NUMBER, WHOLE, FLAG = "any", "string", "number", "int32", "bool"
NO_LIST = "Proto field is not repeating, cannot start list."


def of(kind: Inside, names: str) -> dict[str, Inside]:
    """Fields of one kind."""
    return dict.fromkeys(names.split(), kind)


SCHEMA: dict[str, Any] = {
    **of(TEXT, "type format title description pattern"),
    **of(NUMBER, "maxItems minItems minProperties maxProperties minLength maxLength"),
    **of(NUMBER, "minimum maximum"),
    **of([TEXT], "enum required propertyOrdering"),
    **of(ANY, "nullable example default"),
}
SCHEMA |= {"items": SCHEMA, "anyOf": [SCHEMA], "properties": {"*": SCHEMA}}
BLOB = of(TEXT, "mimeType data displayName")
FILE = of(TEXT, "mimeType fileUri displayName")
PART: Fields = {
    **of(TEXT, "text thoughtSignature"),
    **of(FLAG, "thought"),
    **of(ANY, "executableCode codeExecutionResult videoMetadata mediaResolution partMetadata"),
    **of(ANY, "toolCall toolResponse"),
    "inlineData": BLOB,
    "fileData": FILE,
    "functionCall": of(TEXT, "id name") | of(ANY, "args partialArgs willContinue"),
    "functionResponse": {
        **of(TEXT, "id name scheduling"),
        **of(ANY, "response willContinue"),
        "parts": [{"inlineData": BLOB, "fileData": FILE}],
    },
}
CONTENT: Fields = {"role": TEXT, "parts": [PART]}
DECLARATION: Fields = {
    **of(TEXT, "name description behavior"),
    **of(ANY, "parametersJsonSchema responseJsonSchema"),
    "parameters": SCHEMA,
    "response": SCHEMA,
}
TOOL: Fields = {
    **of(ANY, "googleSearch googleSearchRetrieval codeExecution urlContext computerUse fileSearch"),
    **of(ANY, "googleMaps mcpServers"),
    "functionDeclarations": [DECLARATION],
}
CALLING: Fields = {
    "mode": TEXT,
    "allowedFunctionNames": [TEXT],
    "streamFunctionCallArguments": FLAG,
}
GENERATION: Fields = {
    **of(WHOLE, "candidateCount maxOutputTokens seed logprobs"),
    **of(NUMBER, "temperature topP topK presencePenalty frequencyPenalty"),
    **of(TEXT, "responseMimeType mediaResolution"),
    **of([TEXT], "stopSequences responseModalities"),
    **of(FLAG, "responseLogprobs enableEnhancedCivicAnswers"),
    **of(ANY, "responseJsonSchema speechConfig imageConfig"),
    "responseSchema": SCHEMA,
    "thinkingConfig": {"includeThoughts": FLAG, "thinkingBudget": WHOLE, "thinkingLevel": TEXT},
}
REQUEST: dict[str, Any] = {
    **of(ANY, "model cachedContent store serviceTier labels"),
    "contents": [CONTENT],
    "systemInstruction": CONTENT,
    "tools": [TOOL],
    "toolConfig": {
        **of(ANY, "retrievalConfig includeServerSideToolInvocations"),
        "functionCallingConfig": CALLING,
    },
    "safetySettings": [of(TEXT, "category threshold method")],
    "generationConfig": GENERATION,
}
COUNTED: Fields = {
    "contents": [CONTENT],
    "generateContentRequest": REQUEST,
}


def read_fields(body: Json, fields: Fields) -> Item:
    """The body with its fields in camelCase; raises Rejected where there are others."""
    reader = Reader()
    found = reader.read(body, fields, "")
    if reader.violations:
        raise bad_payload(reader.violations)
    return dict(found)


@dataclass(slots=True)
class Reader:
    """Reads a body and gathers what is wrong in it, each with its place."""

    violations: list[tuple[str, str]] = field(default_factory=list)

    def read(self, value: Json, inside: Inside, place: str) -> Json:
        """A value with its fields checked, wherever it stands."""
        if isinstance(inside, str):
            return self._leaf(value, inside, place)
        if isinstance(inside, list):
            entries = value if isinstance(value, list) else [value]
            return [self.read(each, inside[0], f"{place}[{at}]") for at, each in enumerate(entries)]
        if not isinstance(value, dict):
            self._wrong(value, "object", place)
            return {}
        if "*" in inside:
            entries = [*enumerate(value.items())]
            return {
                name: self.read(inner, inside["*"], f"{place}[{at}].value")
                for at, (name, inner) in entries
            }
        return self._members(value, inside, place)

    def _members(self, value: Item, fields: Fields, place: str) -> Item:
        """The members of an object, each under its name in camelCase; null is not there."""
        found: Item = {}
        for name, inner in value.items():
            known = camel(name)
            if known not in fields:
                where = f" at '{place}'" if place else ""
                text = f'Unknown name "{name}"{where}: Cannot find field.'
                self.violations.append((place, text))
            elif inner is not None:
                below = f"{place}.{snake(known)}" if place else snake(known)
                found[known] = self.read(inner, fields[known], below)
        return found

    def _leaf(self, value: Json, kind: str, place: str) -> Json:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        fits = {
            ANY: True,
            TEXT: isinstance(value, str),
            FLAG: isinstance(value, bool),
            WHOLE: is_whole,
            NUMBER: is_whole or isinstance(value, msgspec.Raw),
        }
        if not fits[kind]:
            self._wrong(value, kind, place)
        return value

    def _wrong(self, value: Json, kind: str, place: str) -> None:
        holder, _, name = place.rpartition(".")
        text = f"Invalid value at '{place}' ({kind}), {encode(value).decode()}"
        if isinstance(value, list):
            text = f"Unknown name \"{name}\" at '{holder}': {NO_LIST}"
        self.violations.append((place, text))


def camel(name: str) -> str:
    """`max_output_tokens` and `maxOutputTokens` as the latter."""
    return re.sub(r"(?<=[a-z0-9])_([a-z])", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """The spelling that places in messages have."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)
