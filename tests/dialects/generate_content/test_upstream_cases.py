"""Translation bugs that were met in the open, each as one test of what is right.

The numbers are those of the collection that this dialect was built by.
"""

import json

from longwire.dialects.gemini_models import DUMMY_SIGNATURE
from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.ports import NO_HEADERS, Terms
from longwire.dialects.responses.request import decode_request
from tests.dialects.generate_content.calls import (
    Json,
    call,
    chunk,
    contents_of,
    output,
    read,
    response,
    user,
)

SIGNATURE = "EpEg+/=="


def signed_call(**members: Json) -> Json:
    said = {"functionCall": {"name": "weather", "args": {}, **members}}
    return {**said, "thoughtSignature": SIGNATURE}


def test_case_22_a_signature_travels_beside_its_call() -> None:
    """A client that writes ids of calls anew keeps the signature: it was never part of the id."""
    reasoning, called = response(read(chunk(signed_call(id="own"), finish="STOP")))["output"]
    assert called["call_id"] == "own"
    renamed = {**called, "call_id": "call_1"}
    contents = contents_of(user("q"), reasoning, renamed, output("call_1", "sun"))
    assert contents[1]["parts"] == [signed_call(id="call_1")]


def test_case_24_calls_made_elsewhere_have_the_signature_that_stands_for_none() -> None:
    """The first call of each step by another model gets the dummy, and no other does."""
    contents = contents_of(
        user("q"),
        call("c1"),
        call("c2"),
        output("c1", "1"),
        output("c2", "2"),
        call("c3"),
        output("c3", "3"),
    )
    signatures = [
        part.get("thoughtSignature")
        for content in contents
        for part in content["parts"]
        if "functionCall" in part
    ]
    dummy = json.loads(DUMMY_SIGNATURE)
    assert signatures == [dummy, None, dummy]


def test_case_57_schemas_reach_gemini_whole() -> None:
    """What `parameters` refuses stands in `parametersJsonSchema`, byte for byte."""
    schema = (
        b'{"$schema":"x","type":"object","patternProperties":{"^a":{"const":1.50}},'
        b'"additionalProperties":false,"$defs":{"y":{"$ref":"#"}}}'
    )
    tools = b'[{"type":"function","name":"f","parameters":%b}]' % schema
    turn = decode_request(b'{"model":"gemini-3-pro","input":"q","tools":%b}' % tools)
    body = GenerateContentUpstream().translate(turn, NO_HEADERS, Terms()).body
    assert b'{"name":"f","parametersJsonSchema":%b}' % schema in body
    assert b'"parameters":' not in body
