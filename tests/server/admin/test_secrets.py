"""No secret leaves by the admin API, its errors or the log."""

import pytest
from structlog.testing import capture_logs

from longwire.core.nouns.access import Role
from tests.server.admin.asking import query, root_fields
from tests.server.admin.conftest import PASSWORD, SECRETS

CREATE = "mutation($input: ChannelInput!) { createChannel(input: $input) { id revision } }"
UPDATE = """
  mutation($id: ID!, $input: ChannelInput!) {
    updateChannel(id: $id, revision: 1, input: $input) { id proxy headerNames }
  }
"""
CHANNEL = {
    "name": "up",
    "apiKey": "sk-planted-stored",
    "proxy": "http://someone:pw-planted-stored@127.0.0.1:3128",
    "headers": [{"name": "x-team", "value": "header-planted-stored"}],
}
PLANTED = (*SECRETS, "sk-planted", "pw-planted", "header-planted", PASSWORD.reveal())


@pytest.fixture
def capture(caplog, capfd):
    """Everything that was logged or printed while a test ran."""

    def told():
        out, err = capfd.readouterr()
        return caplog.text + out + err

    return told


async def as_deep_as_may_be(owner, name):
    """The answer to a query of all that a root field has, down to where it is not too large."""
    for levels in (4, 3, 2):
        answer = await owner.post(query("Query", name, levels=levels))
        if "more than 300 fields" not in answer.text:
            break
    return answer


async def test_no_secret_in_any_answer(signed_in, store, capture):
    """Every query of the schema, asked in full by an owner, tells no secret; nor does an error."""
    owner = await signed_in(Role.OWNER)
    with capture_logs() as logs:
        made = await owner.get(CREATE, input=CHANNEL)
        issued = await owner.get('mutation { createAPIKey(input: {name: "k"}) { secret } }')
        answers = [
            await owner.post(CREATE, input=CHANNEL),
            await owner.post(CREATE, input={**CHANNEL, "name": "two words", "weight": 0}),
            await owner.post(UPDATE, id=made["id"], input={**CHANNEL, "weight": 2}),
            *[await as_deep_as_may_be(owner, name) for name in root_fields("Query")],
        ]
        channel = "query($id: ID!) { channel(id: $id) { hasCredential proxy headerNames } }"
        answers += [await owner.post(channel, id=each) for each in (made["id"], "file:main")]
    told = "".join(answer.text for answer in answers)
    token = owner.headers["cookie"].partition("=")[2]
    found = [s for s in (*PLANTED, issued["secret"], token) if s in told + str(logs) + capture()]
    assert found == []
    assert [] == [each.text for each in answers if "INVALID_QUERY" in each.text]
    assert '"hasCredential":true' in told
    assert "127.0.0.1:3128" in told


async def test_no_secret_in_the_file(signed_in, store, tmp_path):
    """Who steals the database finds no key, password or credential in it."""
    if not store.database.is_sqlite:
        pytest.skip("a server keeps its files where it likes")
    owner = await signed_in(Role.OWNER)
    await owner.get(CREATE, input=CHANNEL)
    issued = await owner.get('mutation { createAPIKey(input: {name: "k"}) { secret } }')
    stolen = b"".join(path.read_bytes() for path in tmp_path.glob("longwire.db*"))
    token = owner.headers["cookie"].partition("=")[2]
    assert [s for s in (*PLANTED, issued["secret"], token) if s.encode() in stolen] == []
    assert b"127.0.0.1:3128" not in stolen
