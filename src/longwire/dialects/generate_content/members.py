"""Every member of a request, with what becomes of it: one table, printed into the docs.

What changes the answer and has no equivalent is refused by its name, unless a channel speaks this
API; a hint without one is left out and named to the caller. Null and what is empty is nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid
from longwire.dialects.members import LIMITED, PENALTY, SEEDED, Fate, Member

_NOTHING: Final = frozenset({b"null", b"[]", b"{}", b'""', b"false"})
_CONFIG: Final = "generationConfig"
_DONE, _NO, _OUT = Fate.TRANSLATED, Fate.REFUSED, Fate.DROPPED

MEMBERS: Final[Mapping[str, Member]] = {
    "contents": Member(_DONE, "Items of `input`; texts of the model that follow are one message."),
    "systemInstruction": Member(_DONE, "A leading `developer` message."),
    "tools": Member(_DONE, "`functionDeclarations` are functions, `googleSearch` is `web_search`."),
    "toolConfig": Member(
        _DONE, "`tool_choice`: AUTO, ANY, NONE, VALIDATED as AUTO, and the functions allowed."
    ),
    "generationConfig": Member(_DONE, "Member by member, as below."),
    "serviceTier": Member(_DONE, "`service_tier`; `standard` is `default`."),
    "generateContentRequest": Member(_DONE, "What `:countTokens` counts."),
    "model": Member(Fate.IGNORED, "The path names it."),
    "store": Member(Fate.IGNORED, "Nothing is stored upstream."),
    "safetySettings": Member(_OUT, "Left out: the upstream has filters of its own."),
    "labels": Member(_OUT, "Left out: they are of Google's own billing."),
    "cachedContent": Member(_NO, "What Google has cached is out of reach; send its contents."),
}
"""All members that are known; one that is not here is left out, and named."""

CONFIG: Final[Mapping[str, Member]] = {
    "maxOutputTokens": Member(_DONE, LIMITED),
    "temperature": Member(_DONE, "As it is; left out beside reasoning, which refuses it."),
    "topP": Member(_DONE, "`top_p`; left out beside reasoning, which refuses it."),
    "thinkingConfig": Member(
        _DONE,
        "`reasoning`: its level or budget as an effort; a summary where it says `includeThoughts`.",
    ),
    "responseMimeType": Member(
        _DONE,
        "`application/json` is a format of JSON, of no schema. OpenAI wants the word JSON in a "
        "message: where neither the instruction nor the first content does, one is added.",
    ),
    "responseSchema": Member(
        _DONE, "`text.format`, as a JSON schema; strict where that can be, its objects closed."
    ),
    "responseJsonSchema": Member(_DONE, "`text.format`, likewise, as it is."),
    "stopSequences": Member(
        Fate.EMULATED,
        "Sent where the upstream's API has it; the gateway cuts the text there, and ends the turn.",
    ),
    "candidateCount": Member(_NO, "One candidate; ask again for another.", (1, 0)),
    "responseModalities": Member(_NO, "Text alone; nothing else can be made.", (["TEXT"],)),
    "presencePenalty": Member(_DONE, PENALTY, (0,)),
    "frequencyPenalty": Member(_DONE, PENALTY, (0,)),
    "responseLogprobs": Member(_NO, "Probabilities of tokens are not translated."),
    "logprobs": Member(_NO, "Likewise.", (0,)),
    "speechConfig": Member(_NO, "There is no speech."),
    "imageConfig": Member(_NO, "There are no images."),
    "audioTranscriptionConfig": Member(_NO, "There is no audio."),
    "translationConfig": Member(_NO, "There is no such translation."),
    "responseFormat": Member(_NO, "Say it by `responseMimeType` and `responseJsonSchema`."),
    "continuationToken": Member(_NO, "What an answer was cut at is known to Google alone."),
    "topK": Member(_OUT, "Left out: the Responses API knows no such sampling."),
    "seed": Member(_DONE, SEEDED),
    "mediaResolution": Member(_OUT, "Left out: images are looked at as closely as is useful."),
    "enableEnhancedCivicAnswers": Member(_OUT, "Left out: Google's own."),
}
"""Members of `generationConfig`, likewise."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Members that say something: those `kept`, names of those left out, and why one is refused."""

    kept: dict[str, bytes]
    dropped: frozenset[str]
    refusal: InvalidRequest | None


def checked(members: Mapping[str, bytes]) -> Checked:
    """Return the members of a request by what becomes of them."""
    return _checked(members, MEMBERS, "")


def checked_config(members: Mapping[str, bytes]) -> Checked:
    """Return the members of a request's `generationConfig`, likewise."""
    return _checked(members, CONFIG, f"{_CONFIG}.")


def _checked(members: Mapping[str, bytes], table: Mapping[str, Member], prefix: str) -> Checked:
    kept: dict[str, bytes] = {}
    dropped: set[str] = set()
    refusal: InvalidRequest | None = None
    for name, raw in members.items():
        row = table.get(name)
        fate = Fate.DROPPED if row is None else row.fate
        if raw in _NOTHING or fate is Fate.IGNORED or (row is not None and row.is_neutral(raw)):
            continue
        if fate not in (Fate.REFUSED, Fate.DROPPED):
            kept[name] = raw
            continue
        dropped.add(prefix + name)
        if row is not None and fate is Fate.REFUSED and refusal is None:
            fault = f"has no equivalent in other APIs. {row.sentence[:-1]}"
            refusal = invalid(prefix + name, fault)
    return Checked(kept, frozenset(dropped), refusal)
