"""People sign in by a certified provider of OpenID Connect: who comes in, and as what."""

import asyncio
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from longwire.app import opening
from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.people import User, UserStatus
from longwire.core.nouns.secret import Secret
from tests.doubles.oidc_provider import CLIENT_ID, CLIENT_SECRET, PLAIN, Browser, OidcProvider
from tests.doubles.reverse_proxies import free_port
from tests.journeys.conftest import settings_of

pytestmark = [pytest.mark.clients, pytest.mark.process, pytest.mark.timeout(180)]

BEGIN = "mutation($to: String!) { beginSingleSignOn(to: $to) { url problem } }"
ME = "{ me { user { email role hasPassword identities { subject } } projectIDs } }"
PASSWORD = "a long password"
TEST = Actor("", "test")


class Stage:
    """Gateways with one database, the provider, and who visits them."""

    def __init__(self, urls, provider, store):
        self.urls, self.provider, self.store = urls, provider, store

    def ask(self, browser, query, node=0, **variables):
        """Ask the admin API as a page of the gateway does; returns its data."""
        url, jar = self.urls[node], browser.cookies.setdefault("127.0.0.1", {})
        headers = {
            "x-longwire-csrf": "1",
            "origin": url,
            "cookie": "; ".join(f"{name}={value}" for name, value in jar.items()),
        }
        body = {"query": query, "variables": variables}
        answer = httpx2.post(
            f"{url}/admin/graphql", json=body, headers=headers, timeout=30, verify=PLAIN
        )
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            jar[name] = rest.partition(";")[0]
        found = answer.json()
        assert "data" in found, found
        assert "errors" not in found, found
        return found["data"]

    def begin(self, browser, to="/"):
        """Begin a sign-in; returns where the browser is sent."""
        return self.ask(browser, BEGIN, to=to)["beginSingleSignOn"]["url"]

    def back(self, browser, subject, to="/"):
        """Sign in at the provider; returns where the browser is sent back to."""
        return browser.sign_in(self.begin(browser, to), subject, self.urls[0])

    def comes(self, subject, to="/"):
        """Somebody comes in by the provider; returns the browser, and the page it ends at."""
        browser = Browser()
        answer = browser.visit(self.back(browser, subject, to))
        assert 303 == answer.status_code
        return browser, answer.headers["location"]

    def me(self, browser):
        """Return who is signed in."""
        return self.ask(browser, ME)["me"]


@pytest.fixture
def rules():
    """What the section `oidc` has beside the client."""
    return {"roles": {"staff": "viewer", "ops": "admin", "chiefs": "owner"}}


@pytest.fixture
async def stage(emulator, serve, tmp_path, rules):
    """Two gateways with one database and an owner, and a provider that knows both."""
    port = free_port()
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    settings = settings_of(
        emulator.url,
        server={"insecure_cookies": True},
        database={"url": f"sqlite:///{tmp_path / 'longwire.db'}"},
        oidc={"issuer": f"http://127.0.0.1:{port}", **client, **rules},
    )
    store = await opening(settings)()
    await store.users.create(User("", "o@example.org", "", Role.OWNER), Secret(PASSWORD), TEST)
    urls = [(await serve(settings, opening(settings))).url for _ in range(2)]
    provider = await asyncio.to_thread(OidcProvider, tmp_path, port, urls)
    for name, groups in (("ada", ["ops", "staff"]), ("bob", ["staff"]), ("eve", ["others"])):
        known = {"email": f"{name}@example.org", "email_verified": True, "name": name.title()}
        await asyncio.to_thread(provider.person, name, **known, groups=groups)
    try:
        yield Stage(urls, provider, store)
    finally:
        provider.stop()
        await store.close()


async def test_somebody_comes_in_with_the_role_of_their_groups(stage):
    """With the one that may most, no password, an audit of it, and to the page they wanted."""
    browser, page = await asyncio.to_thread(stage.comes, "ada", "/turns?reason=x")
    assert "/turns?reason=x" == page
    me = await asyncio.to_thread(stage.me, browser)
    expected = {"email": "ada@example.org", "role": "ADMIN", "hasPassword": False}
    assert {**expected, "identities": [{"subject": "ada"}]} == me["user"]
    rows = (await stage.store.audit.page(kind="user")).items
    own = [(row.action, row.actor.address) for row in rows if row.noun.name == "ada@example.org"]
    assert [(each, "127.0.0.1") for each in ("sign-in", "link-identity", "create")] == own
    for guess in ("", "!", "nobody has this password"):
        assert await stage.store.users.verify("ada@example.org", Secret(guess)) is None


async def test_groups_count_anew_at_each_sign_in(stage):
    """Out of the ops one is no admin any more; out of all, one does not come in; it is one user."""
    first, _ = await asyncio.to_thread(stage.comes, "ada")
    stage.provider.person("ada", email="new@example.org", email_verified=True, groups=["staff"])
    second, _ = await asyncio.to_thread(stage.comes, "ada")
    for browser in (first, second):
        user = (await asyncio.to_thread(stage.me, browser))["user"]
        assert ("ada@example.org", "VIEWER") == (user["email"], user["role"])
    stage.provider.person("ada", email="ada@example.org", email_verified=True, groups=[])
    third, page = await asyncio.to_thread(stage.comes, "ada")
    assert "/sign-in?problem=no_group" == page
    assert await asyncio.to_thread(stage.me, third) is None
    assert 2 == await stage.store.users.count()


async def test_who_is_disabled_stays_out(stage):
    """Though the provider lets them in."""
    await asyncio.to_thread(stage.comes, "bob")
    bob = await stage.store.users.find("bob@example.org")
    await stage.store.users.update(replace(bob, status=UserStatus.DISABLED), TEST)
    browser, page = await asyncio.to_thread(stage.comes, "bob")
    assert "/sign-in?problem=disabled" == page
    assert await asyncio.to_thread(stage.me, browser) is None


async def test_who_is_in_no_group_stays_out(stage):
    """And no user is made."""
    _, page = await asyncio.to_thread(stage.comes, "eve")
    assert "/sign-in?problem=no_group" == page
    assert 1 == await stage.store.users.count()


@pytest.mark.parametrize("rules", [{"roles": {"staff": "viewer"}, "link_by_email": True}])
async def test_the_last_owner_stays_one(stage):
    """By their groups they would be a viewer: nobody would be left who may do everything."""
    known = {"email": "O@example.org", "groups": ["staff"]}
    stage.provider.person("olga", **known, email_verified=False)
    _, page = await asyncio.to_thread(stage.comes, "olga")
    assert "/sign-in?problem=email_unverified" == page
    stage.provider.person("olga", **known, email_verified=True)
    browser, page = await asyncio.to_thread(stage.comes, "olga")
    user = (await asyncio.to_thread(stage.me, browser))["user"]
    assert ("o@example.org", "OWNER", True) == (user["email"], user["role"], user["hasPassword"])


async def test_an_email_alone_makes_nobody_another_user(stage):
    """Who has the owner's email at the provider is not the owner, unless that is allowed."""
    known = {"email": "o@example.org", "email_verified": True, "groups": ["chiefs"]}
    stage.provider.person("mallory", **known)
    _, page = await asyncio.to_thread(stage.comes, "mallory")
    assert "/sign-in?problem=email_taken" == page


PROJECTS = {"default_role": "viewer", "projects": {"staff": "Default"}}


@pytest.mark.parametrize("rules", [PROJECTS])
async def test_groups_open_projects(stage):
    """Who is in the group sees the project, and who has left it does not."""
    browser, _ = await asyncio.to_thread(stage.comes, "bob")
    assert 1 == len((await asyncio.to_thread(stage.me, browser))["projectIDs"])
    stage.provider.person("bob", email="bob@example.org", email_verified=True, groups=[])
    browser, _ = await asyncio.to_thread(stage.comes, "bob")
    assert [] == (await asyncio.to_thread(stage.me, browser))["projectIDs"]


async def test_a_sign_in_begun_at_one_node_ends_at_another(stage):
    """What proves it travels with the browser."""
    browser = Browser()
    url = await asyncio.to_thread(stage.back, browser, "bob")
    there = url.replace(stage.urls[0], stage.urls[1])
    answer = await asyncio.to_thread(browser.visit, there)
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    me = await asyncio.to_thread(stage.ask, browser, ME, 1)
    assert "bob@example.org" == me["me"]["user"]["email"]


async def test_a_new_key_of_the_provider_is_fetched(stage):
    """At once, though the old ones were read a moment ago and are kept for an hour."""
    await asyncio.to_thread(stage.comes, "bob")
    await asyncio.to_thread(stage.provider.rotate)
    await asyncio.sleep(5.1)  # how often keys are fetched at most
    browser, page = await asyncio.to_thread(stage.comes, "bob")
    assert "/" == page
    assert await asyncio.to_thread(stage.me, browser) is not None


async def test_the_code_is_worth_nothing_to_another_browser(stage):
    """Neither to one that began nothing, nor to one that began another sign-in, nor twice."""
    browser, other, third = Browser(), Browser(), Browser()
    url = await asyncio.to_thread(stage.back, browser, "bob")
    await asyncio.to_thread(stage.begin, third)
    for thief in (other, third):
        answer = await asyncio.to_thread(thief.visit, url)
        assert "/sign-in?problem=begin_again" == answer.headers["location"]
        assert await asyncio.to_thread(stage.me, thief) is None
    first = await asyncio.to_thread(browser.visit, url)
    assert "/" == first.headers["location"]
    again = await asyncio.to_thread(browser.visit, url)
    assert "/sign-in?problem=begin_again" == again.headers["location"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"state": "other"}, "begin_again"),
        ({"state": ""}, "begin_again"),
        ({"iss": "https://evil.example"}, "bad_token"),
        ({"code": "stolen"}, "provider_refused"),
        ({"code": "", "error": "access_denied"}, "provider_refused"),
    ],
)
async def test_a_changed_answer_is_refused(stage, changed, problem):
    """Before the provider is asked, but for a code, which it knows itself."""
    browser = Browser()
    url = await asyncio.to_thread(stage.back, browser, "bob")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    answer = await asyncio.to_thread(
        browser.visit, f"{url.partition('?')[0]}?{urlencode(query | changed)}"
    )
    assert f"/sign-in?problem={problem}" == answer.headers["location"]
    assert await asyncio.to_thread(stage.me, browser) is None


async def test_the_provider_insists_on_pkce(stage):
    """The challenge is S256; without it the provider refuses, so it is there and is proved."""
    url = await asyncio.to_thread(stage.begin, Browser())
    query = parse_qs(urlsplit(url).query)
    assert ["S256"] == query["code_challenge_method"]
    bare = {
        name: values[0] for name, values in query.items() if not name.startswith("code_challenge")
    }
    browser = Browser()
    answer = await asyncio.to_thread(browser.visit, f"{url.partition('?')[0]}?{urlencode(bare)}")
    assert "error=invalid_request" in answer.headers["location"]
    assert "PKCE" in answer.headers["location"]


async def test_callbacks_are_bounded(stage):
    """Who calls it again and again is slowed down, and the provider is not asked."""
    answers = []
    before = stage.provider.seen()
    async with httpx2.AsyncClient(verify=PLAIN) as client:
        for _ in range(55):
            answer = await client.get(f"{stage.urls[0]}/admin/oidc/callback?code=x&state=y")
            answers.append(answer.headers["location"].rpartition("=")[2])
    assert ["begin_again"] * 50 + ["too_many"] * 5 == answers
    assert before == stage.provider.seen()


@pytest.mark.parametrize("rules", [{"default_role": "viewer", "only_oidc": True}])
async def test_passwords_can_be_left_to_owners(stage):
    """An admin with a password is sent to the provider; the owner comes in, should it be away."""
    await stage.store.users.create(
        User("", "a@example.org", "", Role.ADMIN), Secret(PASSWORD), TEST
    )
    stage.provider.stop()
    browser = Browser()
    assert {"url": None, "problem": "PROVIDER_AWAY"} == (
        await asyncio.to_thread(stage.ask, browser, BEGIN, to="/")
    )["beginSingleSignOn"]
    query = "mutation($e: String!, $p: String!) { signIn(input: {email: $e, password: $p}) { id } }"
    with pytest.raises(AssertionError, match="only_oidc"):
        await asyncio.to_thread(stage.ask, browser, query, e="a@example.org", p=PASSWORD)
    await asyncio.to_thread(stage.ask, browser, query, e="o@example.org", p=PASSWORD)
    options = "{ signInOptions { password singleSignOn { label redirectURI } } }"
    found = (await asyncio.to_thread(stage.ask, browser, options))["signInOptions"]
    redirect_uri = f"{stage.urls[0]}/admin/oidc/callback"
    by_provider = {"label": "Single sign-on", "redirectURI": redirect_uri}
    assert {"password": False, "singleSignOn": by_provider} == found


async def test_signing_out_ends_it_at_the_provider_too(stage):
    """For who came by it; it knows the page that the browser comes back to."""
    browser, _ = await asyncio.to_thread(stage.comes, "bob")
    url = (await asyncio.to_thread(stage.ask, browser, "{ signOutURL }"))["signOutURL"]
    answer = await asyncio.to_thread(browser.visit, url)
    assert (200, True) == (answer.status_code, "logout" in answer.text)
    nobody = await asyncio.to_thread(stage.ask, Browser(), "{ signOutURL }")
    assert {"signOutURL": None} == nobody
