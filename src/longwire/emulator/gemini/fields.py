"""The fields of a generateContent request: which there are, and what is said of others.

Law: fields are known in both spellings, as protocol buffers read JSON, and come out in camelCase;
what is free JSON (`args`, `response`, JSON schemas) is left as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

from longwire.emulator.gemini.errors import bad_payload
from longwire.emulator.items import Item
from longwire.emulator.options import Json

Inside = Json
"""What is inside a field: fields by their names (`*` is any name), a list of one, or `ANY`."""
Fields = Mapping[str, Inside]
ANY = "any"
NO_LIST = "Proto field is not repeating, cannot start list."


def scalars(names: str) -> Fields:
    """Fields of which the value is looked at elsewhere, if at all."""
    return dict.fromkeys(names.split(), ANY)


SCHEMA: dict[str, Any] = {
    **scalars("type format title description nullable enum maxItems minItems required example"),
    **scalars("minProperties maxProperties minLength maxLength pattern propertyOrdering default"),
    **scalars("minimum maximum"),
}
SCHEMA |= {"items": SCHEMA, "anyOf": [SCHEMA], "properties": {"*": SCHEMA}}
BLOB = scalars("mimeType data displayName")
FILE = scalars("mimeType fileUri displayName")
PART: Fields = {
    **scalars("text thought thoughtSignature executableCode codeExecutionResult videoMetadata"),
    **scalars("mediaResolution partMetadata toolCall toolResponse"),
    "inlineData": BLOB,
    "fileData": FILE,
    "functionCall": scalars("id name args partialArgs willContinue"),
    "functionResponse": {
        **scalars("id name response scheduling willContinue"),
        "parts": [{"inlineData": BLOB, "fileData": FILE}],
    },
}
CONTENT: Fields = {"role": ANY, "parts": [PART]}
DECLARATION: Fields = {
    **scalars("name description behavior parametersJsonSchema responseJsonSchema"),
    "parameters": SCHEMA,
    "response": SCHEMA,
}
TOOL: Fields = {
    **scalars("googleSearch googleSearchRetrieval codeExecution urlContext computerUse fileSearch"),
    **scalars("googleMaps mcpServers"),
    "functionDeclarations": [DECLARATION],
}
CALLING = scalars("mode allowedFunctionNames streamFunctionCallArguments")
GENERATION: Fields = {
    **scalars("candidateCount stopSequences maxOutputTokens temperature topP topK seed"),
    **scalars("responseMimeType responseJsonSchema presencePenalty frequencyPenalty logprobs"),
    **scalars("responseLogprobs enableEnhancedCivicAnswers speechConfig imageConfig"),
    **scalars("mediaResolution responseModalities"),
    "responseSchema": SCHEMA,
    "thinkingConfig": scalars("includeThoughts thinkingBudget thinkingLevel"),
}
REQUEST: dict[str, Any] = {
    **scalars("model cachedContent store serviceTier labels"),
    "contents": [CONTENT],
    "systemInstruction": CONTENT,
    "tools": [TOOL],
    "toolConfig": {
        **scalars("retrievalConfig includeServerSideToolInvocations"),
        "functionCallingConfig": CALLING,
    },
    "safetySettings": [scalars("category threshold method")],
    "generationConfig": GENERATION,
}
COUNTED: Fields = {
    "contents": [CONTENT],
    "generateContentRequest": REQUEST,
}


def read_fields(body: Json, fields: Fields) -> Item:
    """The body with its fields in camelCase; raises Rejected where there are others."""
    violations: list[tuple[str, str]] = []
    found = walk(body, fields, "", violations)
    if violations:
        raise bad_payload(violations)
    return dict(found)


def walk(value: Json, inside: Inside, place: str, violations: list[tuple[str, str]]) -> Json:
    """A value with its fields checked, wherever it stands."""
    if inside is ANY or value is None:
        return value
    if isinstance(inside, list):
        return walk_list(value, inside[0], place, violations)
    if not isinstance(value, dict):
        text = NO_LIST if isinstance(value, list) else f"Invalid value at '{place}'."
        violations.append((place, text))
        return {}
    if "*" in inside:
        pairs = enumerate(value.items())
        return {
            name: walk(inner, inside["*"], f"{place}[{at}].value", violations)
            for at, (name, inner) in pairs
        }
    return walk_object(value, inside, place, violations)


def walk_list(value: Json, inside: Inside, place: str, violations: list[tuple[str, str]]) -> Json:
    """The entries of a list; one entry may stand without its list."""
    entries = value if isinstance(value, list) else [value]
    return [walk(each, inside, f"{place}[{at}]", violations) for at, each in enumerate(entries)]


def walk_object(value: Item, fields: Fields, place: str, violations: list[tuple[str, str]]) -> Item:
    """The members of an object, each under its name in camelCase."""
    found: Item = {}
    for name, inner in value.items():
        known = camel(name)
        if known not in fields:
            where = f" at '{place}'" if place else ""
            violations.append((place, f'Unknown name "{name}"{where}: Cannot find field.'))
            continue
        if fields is SCHEMA and known == "type" and not isinstance(inner, str):
            text = f"Unknown name \"type\" at '{place}': {NO_LIST}"
            violations.append((place, text))
        below = f"{place}.{snake(known)}" if place else snake(known)
        found[known] = walk(inner, fields[known], below, violations)
    return found


def camel(name: str) -> str:
    """`max_output_tokens` and `maxOutputTokens` as the latter."""
    return re.sub(r"(?<=[a-z0-9])_([a-z])", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """The spelling that places in messages have."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)
