"""Reading a generateContent request: the request that a turn is run with."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from longwire.emulator.gemini.contents import NAME, Contents, opened_signature
from longwire.emulator.gemini.errors import invalid
from longwire.emulator.gemini.fields import REQUEST, read_fields
from longwire.emulator.items import Item
from longwire.emulator.options import Json, Options, Script
from longwire.emulator.rendering import opened
from longwire.emulator.requests import Body, Request
from longwire.emulator.values import number

NEWEST = ("gemini-3", "gemini-4")
"""How names of models that sign their calls begin."""
BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "topP": (0, 1),
    "candidateCount": (1, 8),
    "maxOutputTokens": (1, 65_536),
    "logprobs": (0, 20),
}
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
MODES = ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED")
MOST_STOPS = 5
JSON = "application/json"


def signs(model: str) -> bool:
    """Whether a model signs the calls it makes."""
    return model.startswith(NEWEST)


def read(body: Body, model: str, account: str, options: Options, script: Script) -> Request:
    """The request in `body`; raises Rejected for what Google refuses."""
    known = read_fields(body, REQUEST)
    generation = known.get("generationConfig") or {}
    tools = [*flat_tools(known.get("tools") or ())]
    check_generation(generation, model, has_functions=bool(tools))
    choice, tools = chosen(known.get("toolConfig") or {}, tools)

    def is_minted(signature: str) -> bool:
        content = opened_signature(signature)
        return content is None or opened(account, content) is not None

    checks = options.gemini_signatures and signs(model)
    contents = Contents(is_minted if checks else None)
    return Request(
        body=responses_body(generation, tools, choice),
        items=contents.read(known.get("systemInstruction"), known.get("contents") or ()),
        model=model,
        store=False,
        previous=None,
        lane=None,
        generates=True,
        script=script,
    )


def responses_body(generation: Item, tools: list[Item], choice: Json) -> Body:
    """What the pretended model looks at, as a request of Responses says it."""
    members: dict[str, Any] = {
        "tools": tools,
        "tool_choice": choice,
        "text": {"format": format_of(generation)},
        "max_output_tokens": generation.get("maxOutputTokens"),
        "stop_sequences": generation.get("stopSequences") or [],
        "include": ["reasoning.encrypted_content"],
    }
    thinking = generation.get("thinkingConfig") or {}
    members["thoughts"] = thinking.get("includeThoughts") is True
    if effort := thinking.get("thinkingLevel"):
        members["reasoning"] = {"effort": effort}
    return members


def format_of(generation: Item) -> Item | None:
    """The format of an answer as Responses has it."""
    if generation.get("responseMimeType") != JSON:
        return None
    schema = generation.get("responseJsonSchema") or json_schema(generation.get("responseSchema"))
    return {"type": "json_schema", "schema": schema} if schema else {"type": "json_object"}


def flat_tools(tools: Json) -> Iterator[Item]:
    """The tools as Responses has them."""
    names: set[str] = set()
    for tool in tools:
        if "googleSearch" in tool:
            yield {"type": "web_search"}
        for declared in tool.get("functionDeclarations") or ():
            name = declared.get("name")
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise invalid(f"Invalid function name {name!r}: must start with a letter.")
            if name in names:
                raise invalid(f"Duplicate function declaration found: {name}")
            if "parameters" in declared and "parametersJsonSchema" in declared:
                raise invalid("parameters and parameters_json_schema cannot both be set.")
            names.add(name)
            schema = declared.get("parametersJsonSchema") or json_schema(declared.get("parameters"))
            yield {"type": "function", "name": name, "parameters": schema}


def json_schema(schema: Json) -> Json:
    """A schema of Google's with its types in the spelling of JSON Schema."""
    schema = copy.copy(schema)
    if isinstance(schema, dict):
        for name, value in schema.items():
            lowers = name == "type" and isinstance(value, str)
            schema[name] = value.lower() if lowers else json_schema(value)
    return [json_schema(each) for each in schema] if isinstance(schema, list) else schema


def chosen(settings: Item, tools: list[Item]) -> tuple[Json, list[Item]]:
    """The choice as Responses has it, and the tools that are left to choose from."""
    calling = settings.get("functionCallingConfig") or {}
    mode, names = str(calling.get("mode") or "AUTO").upper(), calling.get("allowedFunctionNames")
    if mode not in MODES:
        raise invalid(f"Invalid value at 'tool_config.function_calling_config.mode': {mode}")
    functions = {tool.get("name") for tool in tools}
    if names and mode not in ("ANY", "VALIDATED"):
        raise invalid("allowed_function_names is only allowed with the modes ANY and VALIDATED.")
    if mode == "ANY" and not functions:
        raise invalid("Function calling config is set without function_declarations.")
    if unknown := set(names or ()) - functions:
        message = f"allowed_function_names: {', '.join(sorted(unknown))} is not declared."
        raise invalid(message)
    left = [tool for tool in tools if not names or tool.get("name") in names]
    return {"ANY": "required", "NONE": "none"}.get(mode, "auto"), left


def check_generation(generation: Item, model: str, *, has_functions: bool) -> None:
    """Settings within their bounds, and those that exclude each other."""
    for name, (least, most) in BOUNDS.items():
        value = number(generation.get(name))
        if value is not None and not least <= value <= most:
            message = (
                f"* GenerateContentRequest.generation_config.{name}: must be in the range"
                f" [{least:g}, {most:g}].\n"
            )
            raise invalid(message)
    if len(generation.get("stopSequences") or ()) > MOST_STOPS:
        raise invalid(f"stop_sequences: at most {MOST_STOPS} are allowed.")
    formats = [name for name in ("responseSchema", "responseJsonSchema") if generation.get(name)]
    if formats and generation.get("responseMimeType") != JSON:
        raise invalid(f"{formats[0]} is only allowed with the response mime type {JSON}.")
    if len(formats) > 1:
        raise invalid("response_schema and response_json_schema cannot both be set.")
    if generation.get("responseMimeType") == JSON and has_functions and not signs(model):
        message = f"Function calling with a response mime type: '{JSON}' is unsupported"
        raise invalid(message)
    check_thinking(generation.get("thinkingConfig") or {}, model)


def check_thinking(thinking: Item, model: str) -> None:
    """A level for the newest models, a budget for those before them."""
    level = thinking.get("thinkingLevel")
    if level is None:
        return
    if str(level).upper() not in LEVELS:
        place = "generation_config.thinking_config.thinking_level"
        raise invalid(f"Invalid value at '{place}': \"{level}\"")
    if "thinkingBudget" in thinking:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if model.startswith("gemini-2"):
        raise invalid("Thinking level is not supported for this model.")
