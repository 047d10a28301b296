"""The other APIs as their upstreams take them: what a client sent, by the model's name there."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from longwire.core.rules.turn import Turn
from longwire.dialects.passed_apis.reading import PassedBytes
from longwire.dialects.passing import passed_body
from longwire.dialects.ports import Headers, Media, Terms, Upload, UpstreamCall
from longwire.dialects.responses.call import sent_model


class FormUpload(Protocol):
    """A form on its way, as its turn has it."""

    @property
    def streams(self) -> bool:
        """Whether it asks for an answer as it is made, as far as it has come."""

    def naming(self, model: str) -> Upload:
        """Return the same form with another value in its field for the model."""


@dataclass(frozen=True, slots=True)
class PassedUpstream:
    """An upstream of such an API; stateless."""

    def translate(self, turn: Turn, headers: Headers, terms: Terms) -> UpstreamCall:
        """Pass it on: no other API is translated to this one."""
        return self.pass_on(turn, headers, terms)

    def pass_on(self, turn: Turn, headers: Headers, _terms: Terms) -> UpstreamCall:
        """Pass a request on as it is, but for its model's name."""
        form: FormUpload | None = turn.source.options  # type: ignore[assignment] # `decode_form` sets it
        media = Media(
            "application/json" if form is None else headers["content-type"],
            headers.get("accept", "*/*"),
        )
        body = passed_body(turn, {}) if form is None else form.naming(sent_model(turn))
        return UpstreamCall(body, lambda _: PassedBytes(), is_passed_on=True, media=media)


def asks_for_stream(turn: Turn) -> bool:
    """Whether a turn of these APIs asks for its answer as it is made, as far as is known by now.

    A form may say so behind its files, long after it was sent on.
    """
    form: FormUpload | None = turn.source.options  # type: ignore[assignment] # as above
    return turn.streams or (form is not None and form.streams)


def kept_form(turn: Turn) -> bytes:
    """Return what is kept of a form where bodies are: its model, for files are none."""
    return msgspec.json.encode({"model": turn.model})
