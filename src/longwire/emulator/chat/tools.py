"""Tools, choices and formats: Chat Completions nests what Responses has flat."""

from typing import Any

from longwire.emulator.chat.messages import unknown
from longwire.emulator.errors import Rejected
from longwire.emulator.items import Item, check_name, missing, wrong_type, wrong_value
from longwire.emulator.options import Json

CHOICES = ("none", "auto", "required")
MOST = 128
FUNCTION = frozenset(("name", "description", "parameters", "strict"))
CUSTOM = frozenset(("name", "description", "format"))


def flat_tools(tools: Json) -> list[Item]:
    """The tools as Responses has them; raises Rejected for those that are no tools of Chat."""
    if tools is not None and len(tools) > MOST:
        message = f"Invalid 'tools': array too long. Expected an array with maximum length {MOST}."
        raise Rejected(message, code="array_above_max_length", param="tools")
    return [flat_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools or ())]


def flat_tool(tool: Json, where: str) -> Item:
    """One tool; what it is stands inside a member called as its type."""
    if not isinstance(tool, dict):
        raise wrong_type(where)
    kind = tool.get("type")
    if kind not in ("function", "custom"):
        raise wrong_value(kind, f"{where}.type")
    inner = tool.get(kind)
    if not isinstance(inner, dict):
        raise missing(f"{where}.{kind}")
    for name in tool:
        if name not in ("type", kind):
            raise unknown(f"{where}.{name}")
    for name in inner:
        if name not in (FUNCTION if kind == "function" else CUSTOM):
            raise unknown(f"{where}.{kind}.{name}")
    check_name(inner.get("name"), f"{where}.{kind}.name")
    parameters = inner.get("parameters")
    if not isinstance(parameters, (dict, type(None))):
        raise wrong_type(f"{where}.{kind}.parameters")
    if parameters and parameters.get("type") != "object":
        message = (
            f"Invalid schema for function '{inner['name']}': schema must be a JSON Schema of"
            f" 'type: \"object\"', got 'type: {parameters.get('type')}'."
        )
        place = f"{where}.function.parameters"
        raise Rejected(message, code="invalid_function_parameters", param=place)
    return {"type": kind, **inner}


def chosen_tool(choice: Json) -> Json:
    """A choice as Responses has it."""
    if isinstance(choice, str) and choice not in CHOICES:
        raise wrong_value(choice, "tool_choice")
    if not isinstance(choice, dict):
        return choice
    kind = choice.get("type")
    if kind not in ("function", "custom", "allowed_tools"):
        raise wrong_value(kind, "tool_choice.type")
    inner = choice.get(kind)
    if not isinstance(inner, dict):
        raise missing(f"tool_choice.{kind}")
    if kind == "allowed_tools":
        return inner.get("mode")
    check_name(inner.get("name"), f"tool_choice.{kind}.name")
    return {"type": kind, "name": inner["name"]}


def flat_format(form: Json) -> dict[str, Any] | None:
    """The format of an answer as Responses has it."""
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return form if isinstance(form, dict) else None
    inner = form.get("json_schema")
    where = "response_format.json_schema"
    if not isinstance(inner, dict):
        raise missing(where)
    check_name(inner.get("name"), f"{where}.name")
    if not isinstance(inner.get("schema"), dict):
        raise missing(f"{where}.schema")
    return {"type": "json_schema", **inner}
