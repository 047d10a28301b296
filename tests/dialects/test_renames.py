"""A model that a channel sends by another name, in each API that an upstream may have."""

import json

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.core.nouns.renames import renamer
from longwire.core.rules.turn import Turn
from longwire.dialects.ports import Terms
from longwire.dialects.profiles.known import profile_of
from longwire.dialects.responses.call import renamed
from longwire.dialects.responses.request import decode_request
from longwire.dialects.upstreams import UPSTREAMS

MODELS = {
    "chat_completions": "deepseek-chat",
    "messages": "claude-sonnet-4-5",
    "generate_content": "gemini-2.5-pro",
}
TERMS = Terms(profile_of("deepseek", ""), may_drop=True)


def turn(model: str) -> Turn:
    members = {"reasoning": {"effort": "high"}, "max_output_tokens": 500_000, "temperature": 0.5}
    body = {"model": model, "input": "hi", **members}
    return decode_request(json.dumps(body).encode(), {}, EVERYTHING)


@pytest.mark.parametrize("api", MODELS)
def test_a_renamed_model_is_asked_as_if_by_its_own_name(api):
    """The name that is sent says what the model takes, too: tokens, efforts, samplings."""
    own = MODELS[api]
    sent = renamed(turn("alias"), renamer([("alias", own)]))
    by_alias, by_name, unknown = (
        UPSTREAMS[api].translate(each, {}, TERMS) for each in (sent, turn(own), turn("alias"))
    )
    assert (by_name.body, by_name.suffix) == (by_alias.body, by_alias.suffix)
    assert b"alias" not in by_alias.body
    # The model is one of which something is known.
    assert by_name.body != unknown.body.replace(b"alias", own.encode())
