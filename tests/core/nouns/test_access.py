"""Who may do what, spelled out, and what a key opens."""

import pytest

from longwire.core.nouns.access import PERMISSIONS, Grant, Permission, Role

ALL = {
    "channels:read": "owner admin viewer",
    "channels:write": "owner admin",
    "keys:read": "owner admin viewer member",
    "keys:write": "owner admin",
    "keys:own": "owner admin member",
    "projects:read": "owner admin viewer member",
    "projects:write": "owner admin",
    "users:read": "owner admin",
    "users:write": "owner admin",
    "owners:write": "owner",
    "turns:read": "owner admin viewer member",
    "bodies:read": "owner admin",
    "sessions:read": "owner admin viewer member",
    "sessions:close": "owner admin",
    "usage:read": "owner admin viewer member",
    "budgets:write": "owner admin",
    "settings:read": "owner admin viewer",
    "settings:write": "owner admin",
    "audit:read": "owner admin",
    "alerts:read": "owner admin",
    "alerts:write": "owner admin",
}


def test_every_permission_of_every_role():
    """A change of who may do what is a change of this table."""
    roles = {
        permission.value: " ".join(r.value for r in Role if permission in PERMISSIONS[r])
        for permission in Permission
    }
    assert ALL == roles


@pytest.mark.parametrize(
    ("models", "model", "expected"),
    [
        ((), "gpt-5", True),
        (("gpt-5",), "gpt-5", True),
        (("gpt-5",), "gpt-5-mini", False),
        (("gpt-5*", "o?"), "gpt-5-mini", True),
        (("gpt-5*", "o?"), "o3", True),
        (("gpt-5*", "o?"), "O3", False),
    ],
)
def test_models_are_granted_by_name_or_pattern(models, model, expected):
    """None of them is all of them; names are what they are, in their own case."""
    assert expected == Grant(models=models).allows_model(model)


@pytest.mark.parametrize(
    ("channels", "expected"), [((), True), (("ch_1",), True), (("ch_2", "file:ch_1"), False)]
)
def test_channels_are_granted_by_id(channels, expected):
    """None of them is all of them; an id is matched whole."""
    assert expected == Grant(channels=channels).allows_channel("ch_1")
