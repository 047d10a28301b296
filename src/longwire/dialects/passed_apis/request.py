"""A request of one of the other APIs, of which only the model is read: as JSON, or as a form."""

from dataclasses import replace
from typing import Final

import msgspec

from longwire.core.errors import InvalidRequest, Unsayable
from longwire.core.nouns.passed_api import PassedApi
from longwire.core.rules.turn import Purpose, Source, Turn
from longwire.dialects.passed_apis.form import Form
from longwire.dialects.ports import Headers, Upload
from longwire.dialects.raw_json import boolean_of, decode_members, text_of
from longwire.dialects.responses.history import InputHistory
from longwire.dialects.unread import unread_turn

FORM: Final = "multipart/form-data"
JSON: Final = "application/json"
_DEFAULT_MODELS: Final = {"moderations": "omni-moderation-latest"}
"""What an API takes for the model where a request names none (OpenAI's reference)."""

_STREAMING: Final = ("audio/speech",)
"""The APIs whose answers are streams in any case."""


def media_type_of(api: PassedApi, headers: Headers) -> str:
    """Return what a request comes as. Raises `InvalidRequest` for what the API does not take."""
    named = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if named == FORM and api.takes_forms:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise InvalidRequest(
                "A form is not taken in a content-encoding; send it without one.",
                code="unsupported_content_encoding",
            )
        return FORM
    if named != JSON:
        taken = f"{JSON} or {FORM}" if api.takes_forms else JSON
        raise InvalidRequest(
            f"{api.path} does not take the content-type '{named[:80]}'; send {taken}.",
            code="unsupported_content_type",
        )
    return JSON


def decode_json(api: PassedApi, body: bytes) -> Turn:
    """Return the turn of a JSON body. Raises `InvalidRequest`, which names the field."""
    members = decode_members(body)
    model = text_of(members, "model") or _DEFAULT_MODELS.get(api.name, "")
    source = Source(api.name, len(body), body=body, refusal=_not_offered(api, model))
    return _turn(source, _checked(model), streams=boolean_of(members, "stream"))


def decode_form(api: PassedApi, form: Form, upload: Upload, size: int) -> Turn:
    """Return the turn of a form of `size` bytes, whose model has come. Raises `InvalidRequest`."""
    field = form.fields.get("model")
    model = field.value.decode("utf-8", "replace").strip() if field else ""
    source = Source(api.name, size, options=upload, refusal=_not_offered(api, model))
    return _turn(source, _checked(model), streams=streams_in(form))


def streams_in(form: Form) -> bool:
    """Whether a form asks for an answer as it is made, as far as it has come."""
    stream = form.fields.get("stream")
    return stream is not None and stream.value.strip().lower() == b"true"


def _checked(model: str) -> str:
    if not model:
        message = "'model' is missing; name the model that shall serve the request."
        raise InvalidRequest(message, param="model", code="missing_required_parameter")
    return model


def _not_offered(api: PassedApi, model: str) -> Unsayable:
    return Unsayable(
        f"No channel of the model '{model[:256]}' offers {api.path}; ask for another model, or add "
        f'"{api.name}" to the apis of a channel whose upstream has it.',
        param="model",
    )


def _turn(source: Source, model: str, *, streams: bool) -> Turn:
    raw_model = msgspec.json.encode(model)
    streams = streams or source.api in _STREAMING
    return replace(unread_turn(source, model, raw_model, streams=streams), purpose=Purpose.PASSED)


def alone(turn: Turn, token: str) -> Turn:
    """Return a turn that belongs to no session: what it begins with is its own `token`.

    So requests without a session are shared out over channels one by one.
    """
    item = {"type": "message", "role": "user", "content": token}
    return replace(turn, history=InputHistory(msgspec.json.encode([item])))
