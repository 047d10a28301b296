from dataclasses import replace

import pytest

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.emulator import Emulator, Options
from longwire.relay.channels.probe import probe
from longwire.upstream.ports import Timeouts


@pytest.fixture
def spec(emulator):
    """A channel to the upstream."""
    base_url = f"{emulator.url}/v1"
    return ChannelSpec("ch_1", "up", base_url=base_url, credential=Secret("sk-up"))


@pytest.mark.parametrize(
    ("transport", "expected", "continues"),
    [("auto", "websocket", True), ("websocket", "websocket", True), ("http", "http", False)],
)
async def test_both_turns_go_over_the_real_transport(
    emulator, spec, transport, expected, continues
):
    """The trial tells the transport, its times, whether the second turn continued, its cache."""
    probed = await probe(replace(spec, transport=transport), "gpt-5.2")
    assert ("", expected, continues) == (probed.error, probed.transport, probed.continued)
    assert (probed.handshake_ms is not None) == (expected == "websocket")
    assert probed.first_event_ms > 0
    assert (probed.cached_tokens > 0) == continues
    assert [] == emulator.violations
    assert 2 == len(emulator.turns)


async def test_a_model_is_found_and_renamed(emulator, spec):
    """Without a model the first named one is tried, else the upstream's list; renames count."""
    named = replace(spec, models=("gpt-*", "fast"), renames=(("fast", "gpt-5.2"),))
    assert "gpt-5.2" == (await probe(named, None)).model
    assert {"gpt-5.2"} == {turn.model for turn in emulator.turns}
    listed = await probe(spec, None)
    assert ("", True) == (listed.error, bool(listed.model))
    unknown = await probe(replace(spec, models=("nothing-*",)), None)
    assert "no model is known to try; name one" == unknown.error


async def test_without_a_list_any_model_is_tried():
    """An upstream with one model need not list it, and answers."""
    async with Emulator(Options(oddities=("models_missing",))) as upstream:
        spec = ChannelSpec("ch_1", "up", base_url=f"{upstream.url}/v1", credential=Secret("sk"))
        probed = await probe(spec, None)
    assert ("default", "") == (probed.model, probed.error)


async def test_a_model_that_was_guessed_is_told_when_it_is_refused():
    """The upstream's words, and to name a model."""
    async with Emulator(Options(oddities=("models_missing", "detail_object"))) as upstream:
        spec = ChannelSpec("ch_1", "up", base_url=f"{upstream.url}/v1", credential=Secret("sk"))
        error = (await probe(replace(spec, transport="http"), None)).error
    assert "no_workspace" in error
    assert error.endswith("name a model.")


async def test_what_goes_wrong_is_told(spec, tmp_path):
    """A wrong address, a wrong CA file and the upstream's own refusal each say what it was."""
    away = replace(spec, base_url="http://127.0.0.1:1/v1")
    quick = Timeouts(connect=2.0, first_event=2.0, idle_event=2.0)
    assert "127.0.0.1:1" in (await probe(away, "gpt", quick)).error
    missing = replace(spec, tls_ca=str(tmp_path / "none.pem"))
    assert "none.pem" in (await probe(missing, "gpt")).error
    wrong = await probe(replace(spec, base_url=f"{spec.base_url}/nowhere"), "gpt")
    assert "" != wrong.error
    assert wrong.first_event_ms is None


async def test_a_secret_is_in_no_report():
    """Whatever goes wrong, the credential is not told."""
    async with Emulator(Options()) as upstream:
        spec = ChannelSpec(
            "ch_1", "up", base_url=f"{upstream.url}/wrong", credential=Secret("sk-planted")
        )
        assert "sk-planted" not in repr(await probe(spec, "gpt"))


TYPES = {"messages": "anthropic", "generate_content": "gemini"}


@pytest.mark.parametrize("api", ["chat_completions", "messages", "generate_content"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "by the way of its turns"])
async def test_both_turns_are_said_in_any_api(emulator, spec, api, named):
    """The upstream is asked in the API that is named, or in the one that turns have to take."""
    apis = ("responses", api) if named else (api,)
    version = "v1beta" if api == "generate_content" else "v1"
    other = replace(
        spec,
        type=TYPES.get(api, "openai"),
        base_url=f"{emulator.url}/{version}",
        apis=apis,
    )
    probed = await probe(other, None, api=api if named else "")
    assert ("", api, "http", False) == (
        probed.error,
        probed.api,
        probed.transport,
        probed.continued,
    )
    assert probed.first_event_ms > 0
    assert probed.model != ""
    assert [] == emulator.violations


async def test_an_api_that_is_not_on_offer_is_not_asked(emulator, spec):
    """It says which ones are, and the upstream hears of nothing."""
    probed = await probe(spec, "gpt-5.2", api="messages")
    assert (
        "messages",
        "The channel does not offer messages; it has responses, chat_completions.",
    ) == (
        probed.api,
        probed.error,
    )
    assert [] == list(emulator.turns)
