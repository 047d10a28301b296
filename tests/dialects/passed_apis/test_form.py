"""A form is read the same however it is cut, and refused where readers could differ about it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.dialects.passed_apis.form import Form, boundary_of

END = b"--b--\r\n"


def part(name, value, *lines):
    """A part with its headers."""
    head = [b'Content-Disposition: form-data; name="%b"' % name, *lines]
    return b"--b\r\n%b\r\n\r\n%b\r\n" % (b"\r\n".join(head), value)


FILE = (
    b"--b\r\ncontent-type: audio/wav\r\n"
    b'content-disposition: form-data; filename="a;name=\\"x.wav"; NAME=file\r\n\r\n%b\r\n'
)
WHOLE = b"a preamble\r\n" + part(b"model", b"whisper-1") + FILE % (b"\r\n--x" * 99) + END + b"after"


def read(content, *cuts):
    """Read a form in pieces; return its fields."""
    form = Form(b"b")
    places = [0, *sorted(cuts), len(content)]
    for start, end in pairwise(places):
        form.feed(content[start:end])
    form.end()
    return form.fields


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_wherever_it_is_cut(cuts):
    """Its fields and their places are those of the whole."""
    (field,) = read(WHOLE, *cuts).values()
    assert (b"whisper-1", WHOLE.index(b"whisper-1")) == field


def test_byte_by_byte():
    """One read may be one byte."""
    assert read(WHOLE) == read(WHOLE, *range(len(WHOLE)))


@given(st.binary(max_size=300).filter(lambda value: b"\r\n--b" not in value))
def test_any_file(content):
    """Whatever a file has in it, the field behind it is found where it is."""
    form = FILE % content + part(b"stream", b"true") + part(b"model", b"") + END
    fields = read(form)
    assert (b"true", b"") == (fields["stream"].value, fields["model"].value)
    assert b"true" == form[fields["stream"].start :][:4]


def test_a_part_without_headers_has_no_name():
    """It is passed on, and is no field."""
    assert {} == read(b"--b\r\n\r\nx\r\n" + END)


@pytest.mark.parametrize(
    "content",
    [
        part(b"model", b"a"),
        part(b"model", b"a") + b"--b-",
        part(b"model", b"a") + part(b"model", b"b") + END,
        part(b"model", b"x" * 2_000) + END,
        part(b"model", b"YQ==", b"Content-Transfer-Encoding: base64") + END,
        part(b"x", b"a", b"y: " + b"z" * 20_000) + END,
        b"--b\r\ny: " + b"z" * 20_000,
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        b'--b\r\nContent-Disposition: form-data; name="model"; name="x"\r\n\r\nx\r\n' + END,
        b"--b\r\nContent-Disposition: form-data; name*=utf-8''model\r\n\r\nx\r\n" + END,
        b'--b\r\nContent-Disposition: form-data; name="mo\\del"\r\n\r\nx\r\n' + END,
        part(b"x", b"\r\n--bc") + END,
        part(b"x", b"a").replace(b"\r\n", b"\n") + END,
        b"",
        b"no form at all",
    ],
)
def test_what_can_be_read_in_several_ways(content):
    """It is refused, whole or byte by byte."""
    for cuts in ((), range(len(content))):
        with pytest.raises(InvalidRequest):
            read(content, *cuts)


def test_little_is_held():
    """Of a large file no more stays than may be the beginning of a boundary."""
    form = Form(b"b")
    form.feed(FILE.partition(b"%b")[0])
    for _ in range(50):
        form.feed(b"x" * 65_536)
        assert len(form._rest) < 65_536 // 8


def test_boundaries():
    """Quoted or not, it is what the media type names."""
    assert b"a b" == boundary_of('multipart/form-data; boundary="a b"')
    assert b"---x" == boundary_of("multipart/form-data; charset=utf-8; boundary=---x")
    for wrong in ("multipart/form-data", 'multipart/form-data; boundary=""', "x; boundary=\u00e9"):
        with pytest.raises(InvalidRequest):
            boundary_of(wrong)
