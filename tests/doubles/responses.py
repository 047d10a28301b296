"""The events of one short response as an upstream writes them, one bytes object each."""

import json


def created(response_id: str = "resp_1") -> bytes:
    """The event that names the response."""
    return _event("response.created", response={"id": response_id, "status": "in_progress"})


def delta(text: str = "x") -> bytes:
    """A piece of output, which names no response."""
    return _event("response.output_text.delta", delta=text)


def item(text: str = "Hi.") -> bytes:
    """A finished output item: a message."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": content}
    return _event("response.output_item.done", output_index=0, item=message)


def completed(response_id: str = "resp_1") -> bytes:
    """The terminal."""
    return _event("response.completed", response={"id": response_id, "status": "completed"})


def failed(response_id: str = "resp_1", code: str = "server_error") -> bytes:
    """The terminal of a response that came to nothing."""
    error = {"code": code, "message": "No."}
    return _event("response.failed", response={"id": response_id, "error": error})


def error(status: int = 429, code: str = "slow") -> bytes:
    """An error frame."""
    return _event("error", status=status, error={"code": code, "message": "No."})


def _event(name: str, **members) -> bytes:
    return json.dumps({"type": name, **members}).encode()
