"""The contents of a request: what is refused of them, and the items they stand for.

Law: contents of one role in a row are one; a conversation said in Responses has the same digest
once its messages are `merged` and its calls `numbered`, since an id of a call means little here.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from longwire.emulator.gemini.errors import invalid
from longwire.emulator.items import Item
from longwire.emulator.options import Json

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
DUMMIES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
"""What stands in place of a signature of a call that was not made here."""
BARE = ("output", "result", "content", "return_value")
"""What an object with a single text calls it."""
ROLES = ("user", "model")
UNMATCHED = (
    "Please ensure that the number of function response parts is equal to the number of function"
    " call parts of the function call turn."
)
NOT_BEHIND_CALLS = (
    "Please ensure that function response turn comes immediately after a function call turn."
)


@dataclass(slots=True)
class Contents:
    """The items of contents, read one after the other.

    `is_minted` says whether a signature is one of this account; None: none are looked at.
    """

    is_minted: Callable[[str], bool] | None
    items: list[Item] = field(default_factory=list)
    waiting: list[tuple[str, Item]] = field(default_factory=list)
    """Id of the item and `functionCall` of each call that has no response yet."""
    count: int = 0

    def read(self, system: Json, contents: Sequence[Json]) -> list[Item]:
        """The items; raises Rejected for what no correct client sends."""
        if not contents:
            raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
        if system is not None:
            texts = [text_of(part, "system_instruction") for part in system.get("parts") or ()]
            self.items.append({"type": "message", "role": "system", "content": texts})
        for role, parts in merged_contents(contents):
            if role == "user":
                self._user(parts)
            else:
                self._model(parts)
        if self.waiting:
            raise invalid(UNMATCHED)
        return self.items

    def _user(self, parts: Sequence[Item]) -> None:
        responses = [part for part in parts if "functionResponse" in part]
        if responses and not self.waiting:
            raise invalid(NOT_BEHIND_CALLS)
        if len(responses) != len(self.waiting):
            raise invalid(UNMATCHED)
        for (call_id, call), part in zip(self.waiting, responses, strict=True):
            self._response(call_id, call, part["functionResponse"])
        self.waiting.clear()
        shown = [input_part(part) for part in parts if "functionResponse" not in part]
        if shown:
            self.items.append({"type": "message", "role": "user", "content": shown})

    def _response(self, call_id: str, call: Item, response: Item) -> None:
        name, identity = response.get("name"), response.get("id")
        if name != call.get("name"):
            message = (
                f"The function response '{name}' does not match the function call"
                f" '{call.get('name')}' in its place."
            )
            raise invalid(message)
        if identity is not None and identity != call.get("id"):
            raise invalid(f"No function call has the id '{identity}' of the function response.")
        if not isinstance(response.get("response"), dict):
            raise invalid("function_response.response: must be specified, and be an object.")
        output = output_of(response)
        self.items.append({"type": "function_call_output", "call_id": call_id, "output": output})

    def _model(self, parts: Sequence[Item]) -> None:
        if any("functionCall" in part for part in parts) and not self.items:
            message = (
                "Please ensure that function call turn comes immediately after a user turn or after"
                " a function response turn."
            )
            raise invalid(message)
        for part in parts:
            if part.get("thought"):
                continue
            if "functionCall" in part:
                self._call(part)
            elif part.get("text"):
                self._say(part["text"])
            elif "text" not in part:
                raise invalid(f"The role model has no parts of the kind {', '.join(part)}.")

    def _say(self, text: str) -> None:
        last = self.items[-1] if self.items else {}
        if last.get("role") == "assistant":
            last["content"][0]["text"] += text
        else:
            said = [{"type": "output_text", "text": text}]
            self.items.append({"type": "message", "role": "assistant", "content": said})

    def _call(self, part: Item) -> None:
        call = part["functionCall"]
        name, arguments = call.get("name"), call.get("args")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise invalid("function_call.name: Name cannot be empty, and begins with a letter.")
        if not isinstance(arguments, (dict, type(None))):
            raise invalid("function_call.args: must be an object.")
        if not self.waiting:
            self._check_signature(part.get("thoughtSignature"), name)
        call_id, self.count = f"call_{self.count}", self.count + 1
        self.waiting.append((call_id, call))
        encoded = msgspec.json.encode(arguments or {}).decode()
        members = {"call_id": call_id, "name": name, "arguments": encoded}
        self.items.append({"type": "function_call", **members})

    def _check_signature(self, signature: Json, name: str) -> None:
        if self.is_minted is None:
            return
        if not signature:
            message = (
                "Function call is missing a thought_signature in functionCall parts. This is"
                " required for tools to work correctly. Additional data, function call"
                f" `default_api:{name}`, position {len(self.items)}."
            )
            raise invalid(message)
        if not self.is_minted(str(signature)):
            raise invalid("Corrupted thought signature.")


def merged_contents(contents: Sequence[Json]) -> Iterator[tuple[str, list[Item]]]:
    """Role and parts of contents, those of one role in a row together."""
    role, parts = "", list[Item]()
    for index, content in enumerate(contents):
        own = content.get("role") or "user"
        if own not in ROLES:
            raise invalid("Please use a valid role: user, model.")
        if not content.get("parts"):
            message = (
                f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be"
                " empty.\n"
            )
            raise invalid(message)
        if own != role and parts:
            yield role, parts
            parts = []
        role, parts = own, [*parts, *content["parts"]]
    yield role, parts


def text_of(part: Item, where: str) -> Item:
    """A part that has to be a text."""
    if not isinstance(part.get("text"), str):
        raise invalid(f"{where}: only text is supported.")
    return {"type": "input_text", "text": part["text"]}


def input_part(part: Item) -> Item:
    """What a user shows."""
    if "inlineData" in part or "fileData" in part:
        return shown(part)
    return text_of(part, "contents.parts.data: required oneof field 'data' must be set")


def shown(part: Item) -> Item:
    """A picture, or another file, in the part itself or by its address."""
    source = part["inlineData"] if "inlineData" in part else part["fileData"]
    kind = source.get("mimeType")
    if kind is None and "inlineData" in part:
        raise invalid("inline_data.mime_type: must be set.")
    url = source.get("fileUri") or f"data:{kind};base64,{source.get('data', '')}"
    if str(kind).startswith("image/"):
        return {"type": "input_image", "image_url": url}
    return {"type": "input_file", "file_data" if url.startswith("data:") else "file_url": url}


def output_of(response: Item) -> Json:
    """What a function gave: a bare text where it is an object with nothing else."""
    members = response["response"]
    text = msgspec.json.encode(members).decode()
    if len(members) == 1 and members.keys() <= set(BARE):
        (value,) = members.values()
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    pictures = [shown(part) for part in response.get("parts") or ()]
    return [{"type": "input_text", "text": text}, *pictures] if pictures else text


def opened_signature(signature: str) -> str | None:
    """What is inside a signature, None where it is a dummy; "" where it is neither."""
    if signature in DUMMIES:
        return None
    try:
        content = base64.b64decode(signature.replace("-", "+").replace("_", "/")).decode()
    except ValueError:
        return ""
    return None if content in DUMMIES else content
