"""How likely the tokens of a text were, as the Responses API says it."""

from itertools import zip_longest

import msgspec

from longwire.dialects.generate_content.chunks import LogProbabilities, LogProbability


def logprobs_of(result: LogProbabilities | None) -> bytes:
    """Return the tokens of a chunk as raw JSON, without the brackets of their list."""
    if result is None or not result.chosen_candidates:
        return b""
    tops = [each.candidates or [] for each in result.top_candidates or ()]
    pairs = zip_longest(result.chosen_candidates, tops[: len(result.chosen_candidates)])
    said = [
        {**_token(chosen), "top_logprobs": [_token(each) for each in top or ()]}
        for chosen, top in pairs
    ]
    return msgspec.json.encode(said)[1:-1]


def _token(one: LogProbability) -> dict[str, object]:
    written = one.token.encode("utf-8", "replace")
    return {"token": one.token, "bytes": [*written], "logprob": one.log_probability}
