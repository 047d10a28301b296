"""What the other APIs answer: made from a digest of its request, so always the same.

Law: an answer comes in parts, so that a fault can strike between any two of them.
"""

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from blake3 import blake3

from longwire.emulator.options import Script
from longwire.emulator.oracle import encode
from longwire.emulator.passed.requests import Parsed

DIMENSIONS: Final = 16
CREATED: Final = 1_750_000_000
JSON, EVENTS, TEXT = "application/json", "text/event-stream", "text/plain; charset=utf-8"
SOUNDS: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
SECONDS_A_BYTE: Final = 1 / 16_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A media type, and the parts that are written one after the other."""

    media_type: str
    parts: Iterator[bytes]


def tokens(text: object) -> int:
    """How many tokens a text is taken for: four bytes each."""
    return max(1, len(encode(text)) // 4)


def answer(parsed: Parsed, script: Script) -> Answer:
    """The answer to a request."""
    tell = {
        "embeddings": embeddings,
        "images/generations": images,
        "images/edits": images,
        "audio/speech": speech,
        "audio/transcriptions": transcript,
        "audio/translations": transcript,
        "moderations": moderation,
        "completions": completion,
        "rerank": ranking,
    }
    return tell[parsed.api](parsed, script)


def bytes_of(parsed: Parsed, size: int, salt: object = "") -> bytes:
    """So many bytes that are always the same for one request."""
    content = encode([parsed.api, parsed.body, parsed.files.digest.hexdigest(), salt])
    return bytes(blake3(content).digest(length=size))


def whole(body: dict[str, Any]) -> Answer:
    """One JSON value, in two parts."""
    content = encode(body)
    middle = len(content) // 2
    return Answer(JSON, iter((content[:middle], content[middle:])))


def events(*bodies: dict[str, Any], ends: bytes = b"") -> Answer:
    """Server-sent events; one that has a type is named by it."""
    named = ((f"event: {each['type']}\n" if "type" in each else "").encode() for each in bodies)
    pairs = zip(named, map(encode, bodies), strict=True)
    parts = [b"%bdata: %b\n\n" % pair for pair in pairs]
    return Answer(EVENTS, iter([*parts, *([ends] if ends else [])]))


def embeddings(parsed: Parsed, _script: Script) -> Answer:
    """One vector for each input."""
    value = parsed.body["input"]
    inputs = value if isinstance(value, list) and not _is_tokens(value) else [value]
    count = parsed.body.get("dimensions") or DIMENSIONS
    data = []
    for index, each in enumerate(inputs):
        raw = blake3(encode(each)).digest(length=2 * count)
        vector = [value / 32_768 for value in struct.unpack(f"<{count}h", raw)]
        packed = base64.b64encode(struct.pack(f"<{count}f", *vector)).decode()
        is_packed = parsed.body.get("encoding_format") == "base64"
        embedding = packed if is_packed else vector
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    used = sum(map(tokens, inputs))
    usage = {"prompt_tokens": used, "total_tokens": used}
    return whole({"object": "list", "data": data, "model": parsed.body["model"], "usage": usage})


def _is_tokens(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], int)


def images(parsed: Parsed, script: Script) -> Answer:
    """As many pictures as are wanted, of `item_bytes` at most."""
    size = min(script.item_bytes, 4096)
    pictures = [
        base64.b64encode(bytes_of(parsed, size, number)).decode()
        for number in range(parsed.body.get("n") or 1)
    ]
    text, seen = tokens(parsed.body["prompt"]), sum(parsed.files.sizes.values()) // 1024
    usage = {
        "input_tokens": text + seen,
        "input_tokens_details": {"text_tokens": text, "image_tokens": seen},
        "output_tokens": 100 * len(pictures),
        "total_tokens": text + seen + 100 * len(pictures),
    }
    if not parsed.streams:
        data = [{"b64_json": each} for each in pictures]
        return whole({"created": CREATED, "data": data, "usage": usage})
    kind = "image_generation" if parsed.api == "images/generations" else "image_edit"
    partial = {"type": f"{kind}.partial_image", "partial_image_index": 0, "b64_json": pictures[0]}
    done = {"type": f"{kind}.completed", "b64_json": pictures[0], "usage": usage}
    return events(partial, done)


def speech(parsed: Parsed, script: Script) -> Answer:
    """Sound in `deltas` parts of `delta_bytes` each."""
    size = script.delta_bytes or 4096
    sounds = (bytes_of(parsed, size, number) for number in range(script.deltas))
    if not parsed.streams:
        media_type = SOUNDS.get(parsed.body.get("response_format") or "mp3", "audio/mpeg")
        return Answer(media_type, sounds)
    deltas = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(each).decode()} for each in sounds
    ]
    used = tokens(parsed.body["input"])
    usage = {"input_tokens": used, "output_tokens": 50, "total_tokens": used + 50}
    return events(*deltas, {"type": "speech.audio.done", "usage": usage})


def transcript(parsed: Parsed, script: Script) -> Answer:
    """What is heard: the digest of the file, so that a test knows that it came whole."""
    size = parsed.files.sizes.get("file", 0)
    said = script.text or f"{size} bytes, {parsed.files.digest.hexdigest()[:16]}"
    usage: dict[str, Any] = {"type": "duration", "seconds": round(size * SECONDS_A_BYTE)}
    if not str(parsed.body["model"]).startswith("whisper"):
        heard = max(1, size // 1024)
        usage = {
            "type": "tokens",
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": tokens(said),
            "total_tokens": heard + tokens(said),
        }
    if parsed.streams:
        words = [{"type": "transcript.text.delta", "delta": f"{word} "} for word in said.split()]
        return events(*words, {"type": "transcript.text.done", "text": said, "usage": usage})
    if parsed.body.get("response_format") in ("text", "srt", "vtt"):
        return Answer(TEXT, iter((said.encode(), b"\n")))
    return whole({"text": said, "usage": usage})


def moderation(parsed: Parsed, _script: Script) -> Answer:
    """Nothing is flagged, unless a text speaks of violence."""
    value = parsed.body["input"]
    texts = value if isinstance(value, list) else [value]
    results = []
    for each in texts:
        is_violent = "violence" in str(each)
        results.append(
            {
                "flagged": is_violent,
                "categories": {"violence": is_violent},
                "category_scores": {"violence": 0.99 if is_violent else 0.01},
                "category_applied_input_types": {"violence": ["text"]},
            }
        )
    model = parsed.body.get("model") or "omni-moderation-latest"
    return whole({"id": f"modr-{bytes_of(parsed, 8).hex()}", "model": model, "results": results})


def completion(parsed: Parsed, script: Script) -> Answer:
    """A text that goes on from the prompt, in `deltas` chunks."""
    head = {
        "id": f"cmpl-{bytes_of(parsed, 8).hex()}",
        "object": "text_completion",
        "created": CREATED,
        "model": parsed.body["model"],
    }
    words = (script.text or " ".join(f"word-{number}" for number in range(script.deltas))).split()
    used = tokens(parsed.body["prompt"])
    usage = {
        "prompt_tokens": used,
        "completion_tokens": len(words),
        "total_tokens": used + len(words),
    }
    end = {"index": 0, "logprobs": None, "finish_reason": "stop"}
    if not parsed.streams:
        return whole({**head, "choices": [{**end, "text": " ".join(words)}], "usage": usage})
    going = {**end, "finish_reason": None}
    chunks = [{**head, "choices": [{**going, "text": f"{each} "}]} for each in words]
    chunks.append({**head, "choices": [{**end, "text": ""}]})
    if (parsed.body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": usage})
    return events(*chunks, ends=b"data: [DONE]\n\n")


def ranking(parsed: Parsed, _script: Script) -> Answer:
    """The documents by how many words of the query they have, the best first."""
    wanted = set(str(parsed.body["query"]).lower().split())
    documents = parsed.body["documents"]
    scores = [
        len(wanted & set(str(each).lower().split())) / max(1, len(wanted)) for each in documents
    ]
    best = sorted(range(len(documents)), key=lambda index: (-scores[index], index))
    results = [
        {"index": index, "relevance_score": scores[index]}
        for index in best[: parsed.body.get("top_n") or len(best)]
    ]
    usage = {"total_tokens": tokens(parsed.body["query"]) + sum(map(tokens, documents))}
    return whole({"model": parsed.body["model"], "results": results, "usage": usage})
