"""Bodies as they arrive: packed, too large, cut, or never."""

import gzip
import random
import zlib
from functools import reduce

import pytest
import zstandard

from longwire.core.errors import BodyTooLarge, InvalidRequest
from longwire.server.http.bodies import codings_of, unpack, unpacked

LIMIT = 1_000_000
TEXT = b'{"model":"m","input":"' + b"ab\xc3\xa9" * 9000 + b'"}'


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def zstd_stream(body):
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(body) + packer.flush()


PACKERS = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("gzip", lambda body: gzip.compress(body[:99]) + gzip.compress(body[99:])),
    ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body, 0)),
    ("deflate", raw_deflate),
    ("zstd", zstandard.compress),
    ("zstd", zstd_stream),
    ("zstd", lambda body: zstandard.compress(body[:99]) + zstd_stream(body[99:])),
    ("identity", bytes),
    ("", bytes),
]


async def undone(body, headers, limit=LIMIT):
    """What a body with these headers becomes."""
    return await unpacked(body, codings_of(headers["content-encoding"]), limit)


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
@pytest.mark.parametrize("body", [TEXT, b"", random.Random(1).randbytes(200_000)])
async def test_every_coding_is_undone(coding, pack, body):
    """What was packed arrives as it was, small or large enough for a thread."""
    packed = pack(body)
    headers = {"content-encoding": coding, "content-length": str(len(packed))}
    assert await undone(packed, headers) == body


@pytest.mark.parametrize(
    ("codings", "packers"),
    [
        ("gzip, zstd", [gzip.compress, zstandard.compress]),
        ("deflate,identity, GZIP", [zlib.compress, gzip.compress]),
        ("zstd, zstd, zstd, zstd", [zstandard.compress] * 4),
    ],
)
async def test_codings_are_undone_in_reverse(codings, packers):
    """Several codings come off in the opposite order."""
    packed = reduce(lambda body, pack: pack(body), packers, TEXT)
    assert await undone(packed, {"content-encoding": codings}) == TEXT


@pytest.mark.parametrize("coding", ["br", "gzip, br", "compress", "gzip;q=1", "gzip," * 5])
def test_unknown_codings_are_refused_unread(coding):
    """A coding nobody can undo is named, and so are too many."""
    with pytest.raises(InvalidRequest) as refused:
        codings_of(coding)
    assert refused.value.code == "unsupported_content_encoding"


@pytest.mark.parametrize(("coding", "pack"), PACKERS[:9])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-5],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:3],
        lambda packed: b"",
        lambda packed: b"no such thing",
        lambda packed: packed + b"\0rest",
    ],
)
def test_spoilt_bodies_are_refused(coding, pack, spoil):
    """What is cut, wrong or followed by rubbish is never taken for a body."""
    with pytest.raises(InvalidRequest) as refused:
        unpack(spoil(pack(TEXT)), [coding.removeprefix("x-")], LIMIT)
    assert refused.value.code == "invalid_content_encoding"


@pytest.mark.parametrize(("coding", "pack"), PACKERS[:9])
def test_the_limit_is_exact(coding, pack):
    """The limit's last byte is let in, one more is not."""
    codings = [coding.removeprefix("x-")]
    packed = pack(bytes(LIMIT))
    assert len(unpack(packed, codings, LIMIT)) == LIMIT
    with pytest.raises(BodyTooLarge):
        unpack(packed, codings, LIMIT - 1)


@pytest.mark.parametrize(
    ("codings", "bomb"),
    [
        (["gzip"], gzip.compress(bytes(300_000_000), 1)),
        (["zstd"], zstandard.compress(bytes(2_000_000_000))),
        (["gzip", "gzip"], gzip.compress(gzip.compress(bytes(300_000_000), 1))),
        (["zstd", "zstd"], zstandard.compress(zstandard.compress(bytes(2_000_000_000)))),
    ],
    ids=["gzip", "zstd", "gzip twice", "zstd twice"],
)
def test_bombs_stop_at_the_limit(codings, bomb):
    """A few bytes that want to become gigabytes are given up at the limit."""
    assert len(bomb) < 2_000_000
    with pytest.raises(BodyTooLarge):
        unpack(bomb, codings, 2_000_000)


@pytest.mark.parametrize(
    ("coding", "piece"),
    [("gzip", gzip.compress(b"")), ("zstd", zstandard.compress(b""))],
    ids=["gzip", "zstd"],
)
def test_a_body_of_countless_parts_is_refused(coding, piece):
    """Empty parts cost time for each; a body of a million is given up soon."""
    with pytest.raises(InvalidRequest, match="more than 64 parts"):
        unpack(piece * 1_000_000, [coding], LIMIT)


def test_a_zstd_window_is_bounded():
    """A frame cannot ask for more memory than the standard for HTTP allows."""
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    frame = packed.compress(TEXT) + packed.flush()
    with pytest.raises(InvalidRequest):
        unpack(frame, ["zstd"], LIMIT)
