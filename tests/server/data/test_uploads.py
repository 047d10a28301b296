"""A form is kept while it arrives: read as often as wanted, checked before it is let go."""

import asyncio

import pytest

from longwire.core.errors import BodyTooLarge, InvalidRequest, Overloaded
from longwire.dialects.passed_apis.form import Form
from longwire.server.data import uploads
from longwire.server.data.uploads import IN_MEMORY, Spool, SpooledForm

HEAD = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\npublic\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
END = b"\r\n--b--\r\n"


@pytest.fixture
def spool():
    """A spool of at most a megabyte, closed at the end."""
    made = Spool(Form(b"b"), 1 << 20)
    yield made
    made.close()


async def read(form):
    """All of a form."""
    return b"".join([chunk async for chunk in form.chunks()])


@pytest.mark.parametrize("size", [0, 100, IN_MEMORY - 200, IN_MEMORY + 1, 3 * IN_MEMORY])
async def test_each_attempt_reads_it_from_its_start(spool, size):
    """In memory or in a file, by its own name of the model or by another one."""
    whole = HEAD + FILE + bytes(range(256)) * (size // 256) + END
    for start in range(0, len(whole), 10_000):
        spool.append(whole[start : start + 10_000])
    spool.end()
    form = SpooledForm(spool, spool._form, len(whole))
    assert [whole, whole] == [await read(form), await read(form)]
    renamed = form.naming("a-longer-name")
    expected = whole.replace(b"public", b"a-longer-name")
    assert (expected, len(expected)) == (await read(renamed), len(renamed))


async def test_it_is_read_while_it_arrives(spool):
    """What has come is there at once; who reads on waits for more."""
    parts = [HEAD + FILE, b"x" * 300_000, b"y" * 300_000, END]
    form = SpooledForm(spool, spool._form, sum(map(len, parts)))
    spool.append(parts[0])
    seen = bytearray()

    async def follow():
        async for chunk in form.chunks():
            seen.extend(chunk)

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        for number, part in enumerate(parts[1:], start=2):
            for _ in range(50):
                await asyncio.sleep(0)
            assert sum(map(len, parts[: number - 1])) == len(seen)
            spool.append(part)
        spool.end()
    assert b"".join(parts) == seen


async def test_a_bad_form_never_goes_out_whole(spool):
    """What is wrong is raised where it is sent, in place of its last bytes."""
    spool.append(HEAD + FILE)
    form = SpooledForm(spool, spool._form, 10_000)
    with pytest.raises(InvalidRequest) as twice:
        spool.append(END.removesuffix(b"--\r\n") + b"\r\n" + HEAD[5:] + END)
    spool.fail(twice.value)
    with pytest.raises(InvalidRequest, match="stands twice"):
        await read(form)
    assert twice.value is form.failure


async def test_a_form_that_is_cut(spool):
    """Its end is missed, though its size is right."""
    spool.append(HEAD + FILE)
    with pytest.raises(InvalidRequest):
        spool.end()


async def test_a_form_too_large(spool):
    """It is refused with the part that is too much."""
    spool.append(HEAD + FILE)
    with pytest.raises(BodyTooLarge):
        spool.append(b"x" * (1 << 20))


async def test_a_full_disk(spool, monkeypatch):
    """It is said, and no answer of the upstream's pretended."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "_write", full)
    spool.append(HEAD + FILE)
    with pytest.raises(Overloaded, match="TMPDIR"):
        spool.append(b"x" * IN_MEMORY)
