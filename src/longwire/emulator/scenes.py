"""What a user's text makes the model do, for clients that cannot send a script of their own.

`scene:tool Bash {"command": "ls"}` in a message of the user asks for one call of that tool. Law: a
scene is a preset of script fields; it holds until a message of the user names another.
"""

import re
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from longwire.emulator.errors import Rejected
from longwire.emulator.options import Json, Script

MARK = re.compile(r"\bscene:([a-z]+)(?:[ \t]+([^\r\n]*))?")
LONG = "".join(f"Line {number} of a long answer.\n" for number in range(1, 201))
SCENES: Mapping[str, Mapping[str, Json]] = {
    "text": {"tool_rounds": 0},
    "say": {"tool_rounds": 0},
    "long": {"tool_rounds": 0, "text": LONG},
    "phases": {"tool_rounds": 0, "phases": True},
    "tool": {"tool_rounds": 1, "parallel_calls": 1},
    "tools": {"tool_rounds": 1, "parallel_calls": 3},
    "rounds": {"tool_rounds": 3, "parallel_calls": 1},
    "custom": {"tool_rounds": 1, "custom_tools": True},
    "search": {"tool_rounds": 0, "searches": True},
    "reasoning": {"tool_rounds": 0, "reasoning": True, "summaries": 2},
    "refusal": {"tool_rounds": 0, "refusal": "I cannot help with that."},
    "ends": {"tool_rounds": 0},
    "incomplete": {"tool_rounds": 0, "finish": "incomplete"},
    "failed": {"finish": "failed:server_error", "output": False},
}
NAMING = {"say": "text", "ends": "finish_reason"}
CALLING = ("tool", "tools", "rounds", "custom")


def scene_of(content: Json) -> str:
    """The last mark in the texts of a message, "" where there is none."""
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    marks = [mark[0] for text in texts if isinstance(text, str) for mark in MARK.finditer(text)]
    return marks[-1] if marks else ""


def staged(script: Script, scene: str) -> Script:
    """A script as a scene has it; behind the name of one that calls stand a tool and arguments."""
    mark = MARK.match(scene)
    if mark is None:
        return script
    name, rest = mark[1], mark[2] or ""
    if name not in SCENES:
        message = f"There is no scene '{name}'; there are {', '.join(SCENES)}."
        raise Rejected(message, code="invalid_value", param="input")
    script = replace(script, **SCENES[name])
    if name in NAMING:
        return replace(script, **{NAMING[name]: rest})
    if name not in CALLING or not rest:
        return script
    tool, _, arguments = rest.partition(" ")
    return replace(script, tool=tool, arguments=checked(arguments.strip()))


def checked(arguments: str) -> str:
    """Arguments of a call as they were written; what is no JSON is more of the user's text."""
    try:
        msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return ""
    return arguments
