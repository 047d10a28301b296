"""What each of the other APIs takes: its members, and forms, which are read part by part.

Law: a file is never held: it is counted and digested as it comes (OpenAI reference).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from blake3 import blake3

from longwire.emulator.errors import Rejected, unknown_parameter
from longwire.emulator.items import missing, wrong_type
from longwire.emulator.requests import Body, decode

NUMBER = (int, float, msgspec.Raw)
LONGEST_FIELD: Final = 1024 * 1024
FORM: Final = "multipart/form-data"


def _members(**types: str) -> Mapping[str, tuple[type, ...]]:
    known: dict[str, tuple[type, ...]] = {
        "text": (str,),
        "texts": (str, list),
        "flag": (bool,),
        "count": (int,),
        "number": NUMBER,
        "list": (list,),
        "object": (dict,),
    }
    return {name: known[kind] for kind, names in types.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class Shape:
    """The members of an API's request, those that must be there, and the fields that are files."""

    members: Mapping[str, tuple[type, ...]]
    required: tuple[str, ...]
    files: tuple[str, ...] = ()


_IMAGE = "model prompt size quality background output_format response_format moderation style user"
SHAPES: Final[Mapping[str, Shape]] = {
    "embeddings": Shape(
        _members(text="model encoding_format user", texts="input", count="dimensions"),
        ("model", "input"),
    ),
    "images/generations": Shape(
        _members(text=_IMAGE, count="n output_compression partial_images", flag="stream"),
        ("prompt",),
    ),
    "images/edits": Shape(
        _members(
            text=f"{_IMAGE} input_fidelity",
            count="n output_compression partial_images",
            flag="stream",
            list="images",
        ),
        ("prompt",),
        ("image", "image[]", "mask"),
    ),
    "audio/speech": Shape(
        _members(
            text="model input instructions response_format stream_format",
            texts="voice",
            number="speed",
        ),
        ("model", "input", "voice"),
    ),
    "audio/transcriptions": Shape(
        _members(
            text="model language prompt response_format chunking_strategy",
            texts="include[] timestamp_granularities[]",
            number="temperature",
            flag="stream",
        ),
        ("model", "file"),
        ("file",),
    ),
    "audio/translations": Shape(
        _members(text="model prompt response_format", number="temperature"),
        ("model", "file"),
        ("file",),
    ),
    "moderations": Shape(_members(text="model", texts="input"), ("input",)),
    "completions": Shape(
        _members(
            text="model suffix user",
            texts="prompt stop",
            flag="stream echo",
            count="max_tokens n best_of seed logprobs",
            number="temperature top_p frequency_penalty presence_penalty",
            object="stream_options logit_bias",
        ),
        ("model", "prompt"),
    ),
    "rerank": Shape(
        _members(
            text="model query",
            list="documents",
            count="top_n max_tokens_per_doc",
            flag="return_documents",
        ),
        ("model", "query", "documents"),
    ),
}


@dataclass(slots=True)
class Files:
    """What was seen of the files of a form: their sizes, and a digest over all of them."""

    sizes: dict[str, int] = field(default_factory=dict)
    digest: Any = field(default_factory=blake3)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request of one API that was read: its members, and its files."""

    api: str
    body: Body
    files: Files
    size: int

    @property
    def streams(self) -> bool:
        """Whether its answer is wanted as events."""
        return self.body.get("stream") is True or self.body.get("stream_format") == "sse"


async def read(api: str, request: web.Request, most: int) -> Parsed:
    """Read a request of at most so many bytes; raises Rejected for what the API refuses."""
    shape, files = SHAPES[api], Files()
    if request.content_type == FORM and shape.files:
        body, size = await _form(request, shape, files, most)
    elif request.content_type == "application/json":
        content = await request.read()
        body, size = decode(content), len(content)
    else:
        message = f"Unsupported content type: '{request.content_type}'."
        raise Rejected(message, code="unsupported_content_type", status=415)
    for name, value in body.items():
        if name not in shape.members:
            raise unknown_parameter(name, "public")
        types = shape.members[name]
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if value is not None and not fits:
            raise wrong_type(name)
    for name in shape.required:
        if body.get(name) in (None, "") and not files.sizes.get(name):
            raise missing(name)
    if request.content_length is not None and request.content_length != size:
        raise Rejected("The body is shorter than its content-length.")
    return Parsed(api, body, files, size)


async def _form(request: web.Request, shape: Shape, files: Files, most: int) -> tuple[Body, int]:
    """Read a form; a field that stands twice is refused, but for files and lists."""
    if hdrs.CONTENT_LENGTH not in request.headers:
        raise Rejected("A form needs a content-length.", status=411)
    size = request.content_length or 0
    if size > most:
        raise Rejected("Maximum content size limit exceeded.", status=413)
    body: Body = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise Rejected("A part of the form has no name.")
            if part.name in shape.files:
                await _file(part, files)
                continue
            if part.name in body and not part.name.endswith("[]"):
                raise Rejected(f"'{part.name}' stands twice.", param=part.name)
            body[part.name] = _value(shape, part.name, await _text(part))
    except (ValueError, HttpProcessingError) as error:
        raise Rejected(f"Could not parse multipart form: {error}") from error
    return body, size


async def _file(part: BodyPartReader, files: Files) -> None:
    if part.filename is None:
        raise Rejected(f"'{part.name}' is no file.", param=part.name)
    name = (part.name or "").removesuffix("[]")
    while chunk := await part.read_chunk(64 * 1024):
        files.sizes[name] = files.sizes.get(name, 0) + len(chunk)
        files.digest.update(chunk)


async def _text(part: BodyPartReader) -> str:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > LONGEST_FIELD:
            raise Rejected(f"'{part.name}' is too long.", param=part.name)
    return content.decode()


def _value(shape: Shape, name: str, text: str) -> object:
    """The value that a field of a form says, by what its member is."""
    types = shape.members.get(name, (str,))
    if types == (bool,):
        if text not in ("true", "false"):
            raise wrong_type(name)
        return text == "true"
    if str in types:
        return text
    try:
        return int(text) if types == (int,) else float(text)
    except ValueError as error:
        raise wrong_type(name) from error
