"""llm-comply, a suite of others for these APIs: each of its tests passes, and none is left out."""

import asyncio
from pathlib import Path

import llm_comply
import pytest
from llm_comply.tests import get_tests

from longwire.emulator import Script
from tests.conftest import KEY

SPECIFICATIONS = Path(llm_comply.__file__).parent / "specs"
MODELS = {"openai-chat": "o3", "anthropic": "claude-opus-5-5", "google-genai": "gemini-3-pro"}
"""By their names it knows that these can reason."""
BASES = {"google-genai": ""}
"""What stands behind the gateway's root; its paths have the version themselves."""
LEFT_OUT = {
    "openai-chat": [],
    "anthropic": [("ResponseTextBlock", "citations"), ("ResponseToolUseBlock", "caller")],
}
"""Schemas with a member that no answer has to say; the AI SDK refuses `citations: null`."""
CASES = [(api, case) for api in MODELS for case in get_tests(api)]

pytestmark = [
    pytest.mark.clients,
    pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning"),
]


@pytest.fixture
def renames():
    """Both names are the upstream's model."""
    return dict.fromkeys(MODELS.values(), "gpt-5.2")


@pytest.mark.parametrize(("api", "case"), CASES, ids=[case.id for _, case in CASES])
async def test_it_complies(api, case, emulator, stage):
    """The answer has the form and the meaning that the API's document gives it."""
    emulator.script = Script(text_bytes=200)
    config = llm_comply.ComplianceConfig(
        base_url=stage.url + BASES.get(api, "/v1"),
        api_key=KEY,
        model=MODELS[api],
        timeout=20,
        extra_headers={"anthropic-version": "2023-06-01"} if api == "anthropic" else None,
    )
    runner = llm_comply.TestRunner(config, [case], specification(api))
    result = await asyncio.to_thread(runner.run_one, case)
    assert "passed" == result.status.value, "\n".join(result.errors)


def specification(api):
    """The API's document, but for two members that it requires and the API itself leaves out.

    None where there is none for it.
    """
    if api not in LEFT_OUT:
        return None
    found = llm_comply.SpecLoader(str(SPECIFICATIONS / f"{api.replace('-', '_')}.json"))
    for schema, member in LEFT_OUT[api]:
        found.get_schema(schema)["required"].remove(member)
    return found
