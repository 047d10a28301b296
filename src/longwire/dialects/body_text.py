"""The words that a turn's bodies bring: what is new in its request, and the answer.

What was said before stands in the request again, but was brought by the turns before: what follows
the model's last item is new. Names of members, ids, and what is sealed or no text are left out.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

LONGEST: Final = 16_000
"""So many letters of a request are read, and as many of an answer."""

_LISTS: Final = ("input", "messages", "contents")
_INSTRUCTIONS: Final = ("instructions", "system", "systemInstruction")
_MODEL: Final = {"assistant", "model"}
_MODELS_ITEMS: Final = ("reasoning", "_call")
_NO_WORDS: Final = frozenset(
    {
        *("type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "item_id", "status"),
        *("object", "model", "encrypted_content", "signature", "thoughtSignature", "data"),
        *("image_url", "file_data", "b64_json", "url", "media_type", "mimeType", "mime_type"),
        *("finish_reason", "stop_reason", "finishReason", "cache_control", "phase", "logprobs"),
        *("usage", "usageMetadata", "system_fingerprint", "service_tier", "modelVersion"),
    }
)
_ANSWERS: Final = ("output", "choices", "content", "candidates", "error")


def body_text(request: bytes, response: bytes) -> str:
    """Return the words of both, as one text."""
    brought = _joined(_strings(_news(_value(request))))
    return f"{brought}\n{_answer(response)}".strip().replace("\0", "")


def _answer(response: bytes) -> str:
    value = _value(response)
    if value is None:
        return "".join(_strings([_value(line[5:]) for line in _events(response)]))[:LONGEST]
    inner = value.get("response", value) if isinstance(value, dict) else value
    named = [inner[name] for name in _ANSWERS if name in inner] if isinstance(inner, dict) else []
    return _joined(_strings(named or inner))


def _events(response: bytes) -> list[bytes]:
    return [line for line in response[: 64 * LONGEST].splitlines() if line.startswith(b"data:")]


def _news(body: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what is new of a request; of a session's first one its instructions, too."""
    if not isinstance(body, dict):
        return body
    name = next((each for each in _LISTS if isinstance(body.get(each), list)), None)
    if name is None:
        return {key: value for key, value in body.items() if key != "tools"}
    items: list[Any] = body[name]
    last = max((at for at, item in enumerate(items) if _is_models(item)), default=-1)
    if last >= 0:
        return items[last + 1 :]
    return [body[each] for each in _INSTRUCTIONS if each in body] + items


def _is_models(item: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(item, dict):
        return False
    return item.get("role") in _MODEL or str(item.get("type", "")).endswith(_MODELS_ITEMS)


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the texts in a value, in its order; those that are data, not words, are left out."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str) and not each.startswith("data:"):
            yield each
        elif isinstance(each, list):
            pending += reversed(each)
        elif isinstance(each, dict):
            pending += [each[name] for name in reversed(each) if name not in _NO_WORDS]


def _joined(strings: Iterator[str]) -> str:
    found: list[str] = []
    size = 0
    for each in strings:
        found.append(each[: LONGEST - size])
        size += len(found[-1]) + 1
        if size >= LONGEST:
            break
    return "\n".join(found)


def _value(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
