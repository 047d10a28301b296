"""Who may do what: every field of the schema × every role × nobody."""

import asyncio

import pytest

from longwire.core.nouns.access import PERMISSIONS, Actor, ApiKey, Grant, Permission, Role
from tests.server.admin.asking import query, root_fields
from tests.server.admin.conftest import SQLITE
from tests.store.turn_rows import row

OPEN = None
"""Anybody may ask, signed in or not."""

SIGNED_IN = "signed in"
"""Any role may ask."""

QUERIES = {
    "signInOptions": OPEN,
    "signOutURL": OPEN,
    "channels": Permission.CHANNELS_READ,
    "channel": Permission.CHANNELS_READ,
    "accounts": Permission.CHANNELS_READ,
    "codexSignIn": Permission.CHANNELS_WRITE,
    "apiKeys": Permission.KEYS_READ,
    "apiKey": Permission.KEYS_READ,
    "projects": Permission.PROJECTS_READ,
    "project": Permission.PROJECTS_READ,
    "turns": Permission.TURNS_READ,
    "turn": Permission.TURNS_READ,
    "find": Permission.TURNS_READ,
    "usage": Permission.USAGE_READ,
    "budgets": Permission.USAGE_READ,
    "budgetCalendar": Permission.USAGE_READ,
    "sessions": Permission.SESSIONS_READ,
    "agentSessions": Permission.TURNS_READ,
    "agentSession": Permission.TURNS_READ,
    "traces": Permission.TURNS_READ,
    "trace": Permission.TURNS_READ,
    "nodes": Permission.CHANNELS_READ,
    "settings": Permission.SETTINGS_READ,
    "version": Permission.SETTINGS_READ,
    "audit": Permission.AUDIT_READ,
    "alerts": Permission.ALERTS_READ,
    "openAlerts": Permission.ALERTS_READ,
    "alertRules": Permission.ALERTS_READ,
    "alertKinds": Permission.ALERTS_READ,
    "alertDestinations": Permission.ALERTS_READ,
    "models": Permission.CHANNELS_READ,
    "model": Permission.CHANNELS_READ,
    "modelNames": Permission.CHANNELS_READ,
    "modelDraft": Permission.CHANNELS_WRITE,
    "explainRoute": Permission.CHANNELS_READ,
    "channelDraft": Permission.CHANNELS_WRITE,
    "previewOverrides": Permission.CHANNELS_WRITE,
    "channelPresets": Permission.CHANNELS_READ,
    "channelProfiles": Permission.CHANNELS_READ,
    "profileSettings": Permission.CHANNELS_READ,
    "setupIsNeeded": OPEN,
    "me": OPEN,
    "users": Permission.USERS_READ,
    "user": Permission.USERS_READ,
    "invitations": Permission.USERS_READ,
}
MUTATIONS = {
    "createChannel": Permission.CHANNELS_WRITE,
    "updateChannel": Permission.CHANNELS_WRITE,
    "updateChannelStatus": Permission.CHANNELS_WRITE,
    "saveChannelEndpoints": Permission.CHANNELS_WRITE,
    "deleteChannel": Permission.CHANNELS_WRITE,
    "createModel": Permission.CHANNELS_WRITE,
    "updateModel": Permission.CHANNELS_WRITE,
    "deleteModel": Permission.CHANNELS_WRITE,
    "addChannelKey": Permission.CHANNELS_WRITE,
    "updateChannelKey": Permission.CHANNELS_WRITE,
    "removeChannelKey": Permission.CHANNELS_WRITE,
    "startCodexSignIn": Permission.CHANNELS_WRITE,
    "finishCodexSignIn": Permission.CHANNELS_WRITE,
    "cancelCodexSignIn": Permission.CHANNELS_WRITE,
    "importCodexAuth": Permission.CHANNELS_WRITE,
    "updateAccountStatus": Permission.CHANNELS_WRITE,
    "refreshAccount": Permission.CHANNELS_WRITE,
    "removeAccount": Permission.CHANNELS_WRITE,
    "testChannel": Permission.CHANNELS_WRITE,
    "createAPIKey": Permission.KEYS_OWN,
    "updateAPIKey": Permission.KEYS_OWN,
    "updateAPIKeyStatus": Permission.KEYS_OWN,
    "rotateAPIKey": Permission.KEYS_OWN,
    "revokeAPIKey": Permission.KEYS_OWN,
    "deleteAPIKey": Permission.KEYS_WRITE,
    "createProject": Permission.PROJECTS_WRITE,
    "updateProject": Permission.PROJECTS_WRITE,
    "deleteProject": Permission.PROJECTS_WRITE,
    "addUserToProject": Permission.PROJECTS_WRITE,
    "removeUserFromProject": Permission.PROJECTS_WRITE,
    "createBudget": Permission.BUDGETS_WRITE,
    "updateBudget": Permission.BUDGETS_WRITE,
    "deleteBudget": Permission.BUDGETS_WRITE,
    "setBudgetTimeZone": Permission.BUDGETS_WRITE,
    "closeSession": Permission.SESSIONS_CLOSE,
    "updateSettings": Permission.SETTINGS_WRITE,
    "reloadFile": Permission.SETTINGS_WRITE,
    "createAlertRule": Permission.ALERTS_WRITE,
    "updateAlertRule": Permission.ALERTS_WRITE,
    "deleteAlertRule": Permission.ALERTS_WRITE,
    "createAlertDestination": Permission.ALERTS_WRITE,
    "updateAlertDestination": Permission.ALERTS_WRITE,
    "deleteAlertDestination": Permission.ALERTS_WRITE,
    "testAlertDestination": Permission.ALERTS_WRITE,
    "signIn": OPEN,
    "beginSingleSignOn": OPEN,
    "signOut": OPEN,
    "join": OPEN,
    "changePassword": SIGNED_IN,
    "createUser": Permission.USERS_WRITE,
    "updateUser": Permission.USERS_WRITE,
    "setUserPassword": Permission.USERS_WRITE,
    "deleteUser": Permission.USERS_WRITE,
    "inviteUser": Permission.USERS_WRITE,
    "revokeInvitation": Permission.USERS_WRITE,
}
SUBSCRIPTIONS = {
    "turnAdded": Permission.TURNS_READ,
    "sessionChanges": Permission.SESSIONS_READ,
}
TABLE = {"Query": QUERIES, "Mutation": MUTATIONS, "Subscription": SUBSCRIPTIONS}
ROLES = [*Role, None]
REFUSALS = {"FORBIDDEN", "UNAUTHENTICATED"}


def expected(permission, role):
    """The refusal that somebody of a role gets, None for none."""
    if permission is OPEN:
        return None
    if role is None:
        return "UNAUTHENTICATED"
    is_allowed = permission is SIGNED_IN or permission in PERMISSIONS[role]
    return None if is_allowed else "FORBIDDEN"


def refusal(told):
    """The refusal in an answer, None for none."""
    codes = {error["extensions"]["code"] for error in told.get("errors", ())}
    assert "INVALID_QUERY" not in codes, told
    return next(iter(codes & REFUSALS), None)


@pytest.mark.parametrize("kind", TABLE)
def test_every_field_has_its_row(kind):
    """A field without a row here, and a row without a field, is a mistake."""
    assert set(root_fields(kind)) == set(TABLE[kind])


@SQLITE
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["Query", "Mutation"])
async def test_every_field_for_every_role(kind, role, signed_in, nobody, store):
    """What the table of permissions says is what the API does, field by field."""
    caller = nobody if role is None else await signed_in(role)
    found = {}
    for name in TABLE[kind]:
        if role is not None:  # signing out, and a new password, end a sign-in
            user = await store.users.find(f"{role}@example.org")
            caller.sign_in((await store.sign_ins.begin(user.id)).reveal())
        found[name] = refusal(await caller.ask(query(kind, name)))
    assert found == {name: expected(each, role) for name, each in TABLE[kind].items()}


@SQLITE
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_every_subscription_for_every_role(
    name, role, signed_in, nobody, store, administration
):
    """Subscriptions ask for the same permissions as queries."""
    caller = nobody if role is None else await signed_in(role)
    key_id = "key_1"
    if role is Role.VIEWER:
        user = await store.users.find("viewer@example.org")
        await store.projects.add_member("prj_default", user.id, Actor("", "test"))
    if role is Role.MEMBER:
        user = await store.users.find("member@example.org")
        grant = Grant(project_id="prj_default", user_id=user.id)
        own = ApiKey("", "own", "", b"", grant)
        key_id = (await store.keys.create(own, Actor("", "test"))).key.id
    async with caller.subscribed(query("Subscription", name)) as read, asyncio.TaskGroup() as group:
        answer = group.create_task(read())
        while not answer.done():
            administration.feed.write(row(project_id="prj_default", key_id=key_id))
            await asyncio.sleep(0.01)
    assert refusal(answer.result()["payload"]) == expected(SUBSCRIPTIONS[name], role)


CREATE_USER = """
  mutation($role: Role!) {
    createUser(input: {email: "new@example.org", password: "long enough", role: $role}) { id }
  }
"""
UPDATE_USER = """
  mutation($id: ID!, $role: Role) {
    updateUser(id: $id, revision: 1, input: {role: $role}) { role }
  }
"""
INVITE = "mutation($role: Role!) { inviteUser(input: {role: $role}) { token } }"


async def test_owners_are_made_and_changed_by_owners_alone(signed_in, store):
    """An admin makes admins, but no owner, and changes none."""
    owner, admin = await signed_in(Role.OWNER), await signed_in(Role.ADMIN)
    held = (await store.users.find("owner@example.org")).id
    mine = (await store.users.find("admin@example.org")).id
    for query_, given in (
        (CREATE_USER, {"role": "OWNER"}),
        (INVITE, {"role": "OWNER"}),
        (UPDATE_USER, {"id": held, "role": "VIEWER"}),
        (UPDATE_USER, {"id": mine, "role": "OWNER"}),
    ):
        assert (await admin.fail(query_, **given))["code"] == "FORBIDDEN"
    assert await owner.get(UPDATE_USER, id=mine, role="OWNER") == {"role": "OWNER"}
    assert (await owner.get(CREATE_USER, role="ADMIN"))["id"].startswith("usr_")
