from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.dialects.profiles.channels import check_channel, profile_for
from longwire.relay.channels.presets import presets
from longwire.relay.channels.provision import terms_of


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_a_channel_of_a_preset_is_a_good_one(preset):
    """Completed, it keeps every rule, and its profile is not another one than its host's."""
    fields = {**preset.fields, "base_url": preset.base_url.replace("YOUR-RESOURCE", "mine")}
    spec = ChannelSpec("", preset.name, credential=Secret("sk"), **fields)
    assert () == check_channel(spec)
    if "chat_completions" in preset.apis:
        by_host = profile_for(replace(spec, profile="")).name
        assert by_host in {preset.profile, "generic"}
        assert preset.profile == profile_for(spec).name
    assert {each.api for each in preset.endpoints} <= {*preset.apis}
    assert all(
        urlsplit(url).scheme == "https" and urlsplit(url).hostname
        for url in (preset.source, preset.key_url or preset.source)
    )


def test_each_vendor_stands_once():
    """No two presets have one name, or the name of one vendor."""
    names, vendors = ([getattr(each, by) for each in presets()] for by in ("name", "vendor"))
    assert len(set(names)) == len(names)
    assert len(set(vendors)) == len(vendors)


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_a_vendor_of_chat_completions_has_its_profile(preset):
    """By its name or its host: nobody is asked as if nothing were known of it."""
    spec = ChannelSpec("", preset.name, credential=Secret("sk"), **preset.fields)
    if "chat_completions" in preset.apis:
        assert preset.name.replace("-", "") == terms_of(spec).profile.name
