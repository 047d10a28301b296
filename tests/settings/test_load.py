"""Which file is read, what the environment overrides, and what the values become."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from longwire.app import opening
from longwire.core.errors import ConfigurationError
from longwire.core.nouns.price import ModelPrice
from longwire.settings import Settings, load
from longwire.settings.channels import Channel, Endpoint
from longwire.settings.declared import channel_of, key_of
from longwire.store.database import PoolSize

WHOLE = """
[server]
host = "0.0.0.0"
port = 80
max_body = "1MiB"
head_timeout = "2s"
body_timeout = "3s"
shutdown_grace = "1m"
allow_anonymous = true
trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "unix"]
cors_origins = ["http://localhost:5173", "app://Notes.example"]
keep_alive_comment = "5s"
commit_after = "50s"

[database]
url = "postgresql://gateway:${PASSWORD}@db/longwire"
pool_size = 8
max_overflow = 0
log_interval = "5s"

[sessions]
idle_ttl = "10m"
max_lifetime = "60m"
max_connections = 4
max_connections_per_session = 2
queue_timeout = "1s"
ping_interval = "2s"
pong_timeout = "3s"
handshake_timeout = "4s"
first_event_timeout = "5s"
idle_event_timeout = "6s"
replay_after_created = true
omitted_reasoning = "fresh"
on_client_gone = "drain"
drain_timeout = "7s"
session_headers = ["X-My-Session"]

[[channels]]
name = "openai"
api_key = "${OPENAI_API_KEY}"
models = ["gpt-5.2", "gpt-5-*"]
renames = { "claude-*" = "gpt-5.2" }
transport = "http"
enabled = false
weight = 3
native_items = []
organization = "org-1"
project = "proj-1"
proxy = "socks5://user:${PASSWORD}@proxy:1080"
tls_verify = false

[[channels.endpoints]]
api = "responses"
transport = "websocket"
base_url = "https://other.example/v2#"
path = "/answers"

[[channels]]
name = "plan"
type = "codex"

[[api_keys]]
name = "dev"
key = "${LONGWIRE_KEY}"
shows_reasoning = true
"""
SECRETS = {"PASSWORD": "pw-12345", "OPENAI_API_KEY": "sk-12345", "LONGWIRE_KEY": "lw-12345"}
CHANNEL = '[[channels]]\nname = "a"\napi_key = "k"\n'


def test_defaults_need_no_file(tmp_path, monkeypatch):
    """Without any file the gateway listens locally, with its database in the data directory."""
    monkeypatch.chdir(tmp_path)
    settings = load(environ={"XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": str(tmp_path)})
    assert settings.source is None
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8090)
    assert settings.server.max_body == 64 * 1024 * 1024
    assert settings.database.url.get_secret_value() == "sqlite:////data/longwire/longwire.db"
    assert (settings.sessions.idle_ttl, settings.sessions.max_connections) == (3000, 128)
    assert (settings.channels, settings.api_keys) == ((), ())


def test_database_default_is_below_home(tmp_path, monkeypatch):
    """Where no data directory is named it is the usual one."""
    monkeypatch.chdir(tmp_path)
    url = load(environ={"HOME": "/people/me"}).database.url.get_secret_value()
    assert url == "sqlite:////people/me/.local/share/longwire/longwire.db"


def test_whole_file(read, file):
    """Every key of the interface is read."""
    settings = read(WHOLE, **SECRETS)
    assert settings.source == file
    assert settings.server.model_dump() == {
        "host": "0.0.0.0",
        "port": 80,
        "max_body": 1_048_576,
        "lame_duck": 5,
        "head_timeout": 2,
        "body_timeout": 3,
        "shutdown_grace": 60,
        "allow_anonymous": True,
        "insecure_cookies": False,
        "trusted_proxies": ("127.0.0.1/32", "10.0.0.0/8", "unix"),
        "base_path": "",
        "public_url": "",
        "cors_origins": ("http://localhost:5173", "app://notes.example"),
        "keep_alive_comment": 5,
        "commit_after": 50,
        "websocket": True,
        "websocket_idle": 86_400,
        "websocket_history": 33_554_432,
    }
    assert settings.sessions.model_dump() == {
        "idle_ttl": 600,
        "max_lifetime": 3600,
        "max_connections": 4,
        "max_connections_per_session": 2,
        "queue_timeout": 1,
        "ping_interval": 2,
        "pong_timeout": 3,
        "handshake_timeout": 4,
        "first_event_timeout": 5,
        "idle_event_timeout": 6,
        "replay_after_created": True,
        "omitted_reasoning": "fresh",
        "on_client_gone": "drain",
        "drain_timeout": 7,
        "session_headers": ("x-my-session",),
        "trace_headers": (),
    }
    database = settings.database
    assert database.url.get_secret_value() == "postgresql://gateway:pw-12345@db/longwire"
    assert (8, 0, 5) == (database.pool_size, database.max_overflow, database.log_interval)
    assert PoolSize(8, 0) == opening(settings).keywords["pool"]
    (key,) = settings.api_keys
    assert ("dev", "lw-12345", True) == (
        key.name,
        key.key.get_secret_value(),
        key_of(key).key.grant.shows_reasoning,
    )


def test_channels_of_a_file(read):
    """A channel has all its keys, and the public address of its type as default."""
    openai, plan = read(WHOLE, **SECRETS).channels
    assert openai.base_url == "https://api.openai.com/v1"
    assert openai.api_key.get_secret_value() == "sk-12345"
    assert openai.models == ("gpt-5.2", "gpt-5-*")
    assert (openai.transport, openai.enabled, openai.weight) == ("http", False, 3)
    assert ((), None) == (openai.native_items, plan.native_items)
    assert (openai.organization, openai.project) == ("org-1", "proj-1")
    assert openai.proxy.get_secret_value() == "socks5://user:pw-12345@proxy:1080"
    assert (openai.tls_verify, openai.tls_ca) == (False, None)
    assert openai.endpoints == (
        Endpoint(
            api="responses",
            transport="websocket",
            base_url="https://other.example/v2#",
            path="/answers",
        ),
    )
    assert plan.base_url == "https://chatgpt.com/backend-api/codex"
    assert (plan.api_key, plan.models, plan.transport) == (None, ("*",), "auto")


def test_a_channel_of_another_api(read):
    """What the upstream offers, its vendor's profile and what differs from it, all as said."""
    text = """
[[channels]]
name = "claude"
type = "anthropic"
api_key = "k"
apis = ["messages", "chat_completions"]
profile = "deepseek"
unsupported = "drop"
threads = true

[channels.quirks]
takes_strict = false
extra_members = ["seed", "user"]

[[channels.prices]]
model = "claude-*"
input = 3
cached = 0.3
cache_write = "3.75"
output = 15.000000001

[[channels.endpoints]]
api = "chat_completions"
"""
    spec = channel_of(read(text).channels[0])
    assert ("anthropic", "https://api.anthropic.com/v1") == (spec.type, spec.base_url)
    assert ("messages", "chat_completions") == spec.offered
    assert ("deepseek", "drop", True) == (spec.profile, spec.unsupported, spec.threads)
    assert (("takes_strict", "false"), ("extra_members", '["seed", "user"]')) == spec.quirks
    assert ("chat_completions",) == tuple(each.api for each in spec.endpoints)
    price = ModelPrice("claude-*", 3 * 10**9, 15 * 10**9 + 1, 3 * 10**8, 375 * 10**7)
    assert (price,) == spec.prices


def test_secrets_are_never_shown(read):
    """No secret is in what is printed of the settings."""
    shown = repr(read(WHOLE, **SECRETS))
    assert [secret for secret in SECRETS.values() if secret in shown] == []


def test_settings_never_change(read):
    """Settings are read once."""
    settings = read("")
    with pytest.raises(ValidationError):
        settings.server.port = 1
    with pytest.raises(ValidationError):
        settings.server = settings.server


def test_settings_do_not_read_the_process(monkeypatch):
    """Only `load` looks at an environment, and at the one it is given."""
    monkeypatch.setenv("LONGWIRE_SERVER__PORT", "1")
    assert Settings().server.port == 8090


def test_environment_wins(read):
    """Each key can be set by a variable, over the file and key by key."""
    text = '[server]\nport = 1\nhost = "h"\n'
    server = read(text, LONGWIRE_SERVER__PORT="2", LONGWIRE_SERVER__ALLOW_ANONYMOUS="true").server
    assert (server.port, server.host, server.allow_anonymous) == (2, "h", True)


def test_environment_reaches_into_lists(read):
    """A number in a variable's name is an entry of a list, existing or new."""
    variables = {
        "LONGWIRE_CHANNELS__0__WEIGHT": "2",
        "LONGWIRE_CHANNELS__0__MODELS": "m1, m2",
        "LONGWIRE_CHANNELS__1__NAME": "b",
        "LONGWIRE_CHANNELS__1__API_KEY": "k",
        "LONGWIRE_CHANNELS__1__ENDPOINTS__0__API": "responses",
    }
    first, second = read(CHANNEL, **variables).channels
    assert (first.name, first.weight, first.models) == ("a", 2, ("m1", "m2"))
    assert (second.name, second.endpoints[0].api) == ("b", "responses")


def test_other_names_of_models(read):
    """A table in the file, in its order; or JSON in a variable, which replaces it."""
    text = f'{CHANNEL}renames = {{ "claude-*" = "gpt-5.2", fast = "gpt-5.2-mini" }}\n'
    pairs = (("claude-*", "gpt-5.2"), ("fast", "gpt-5.2-mini"))
    assert channel_of(read(text).channels[0]).renames == pairs
    (channel,) = read(text, LONGWIRE_CHANNELS__0__RENAMES='{"a": "b"}').channels
    assert channel_of(channel).renames == (("a", "b"),)


def test_environment_gives_whole_lists(read):
    """A list may be one variable: JSON, or words between commas."""
    environ = {
        "LONGWIRE_API_KEYS": '[{"name": "dev", "key": "lw-12345"}]',
        "LONGWIRE_SESSIONS__SESSION_HEADERS": "X-A, x-b",
    }
    settings = read("", **environ)
    assert [key.name for key in settings.api_keys] == ["dev"]
    assert settings.sessions.session_headers == ("x-a", "x-b")


def test_references_in_any_value(read):
    """A reference works in numbers, in the midst of a text, and more than once."""
    settings = read('[server]\nport = "${P}"\nhost = "${A}.${A}"\n', P="9", A="x")
    assert (settings.server.port, settings.server.host) == (9, "x.x")


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_websocket_address_means_websocket(read, scheme):
    """A `ws(s)` address with no transport set means `websocket`, on channels and endpoints."""
    text = f'{CHANNEL}base_url = "{scheme}://h/v1"\n'
    assert read(text).channels[0].transport == "websocket"
    assert read(f'{text}transport = "http"\n').channels[0].transport == "http"
    endpoint = f'[[channels.endpoints]]\napi = "responses"\nbase_url = "{scheme}://h"\n'
    assert read(CHANNEL + endpoint).channels[0].endpoints[0].transport == "websocket"


@pytest.mark.parametrize("marks", ["", "#", "##"])
def test_marks_of_an_address_are_kept(read, marks):
    """What `#` and `##` mean is the dialer's to act on."""
    url = f"https://h:8443/api{marks}"
    assert read(f'{CHANNEL}base_url = "{url}"\n').channels[0].base_url == url


def test_certificate_authority_is_a_file(read, tmp_path):
    """A CA that exists is taken as path."""
    (tmp_path / "ca.pem").write_text("pem", encoding="utf-8")
    assert read(f'{CHANNEL}tls_ca = "ca.pem"\n').channels[0].tls_ca == Path("ca.pem")


def test_files_are_tried_in_order(tmp_path, monkeypatch):
    """The option, the variable, the working directory, the user's: the first that exists."""
    monkeypatch.chdir(tmp_path)
    named, variable, here = tmp_path / "named.toml", tmp_path / "env.toml", Path("longwire.toml")
    own = tmp_path / "config" / "longwire" / "longwire.toml"
    own.parent.mkdir(parents=True)
    environ = {"LONGWIRE_CONFIG": str(variable), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    without = {"XDG_CONFIG_HOME": environ["XDG_CONFIG_HOME"]}
    for port, path in enumerate((named, variable, here, own), 1):
        path.write_text(f"[server]\nport = {port}\n", encoding="utf-8")
    assert load(named, environ).server.port == 1
    assert load(None, environ).server.port == 2
    assert load(None, without).source == here
    here.unlink()
    assert load(None, without).source == own


def test_user_directory_defaults_to_home(tmp_path, monkeypatch):
    """Without XDG_CONFIG_HOME the user's file is below .config."""
    own = tmp_path / ".config" / "longwire" / "longwire.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.chdir(own.parent.parent)
    assert load(environ={"HOME": str(tmp_path)}).source == own


def test_named_file_must_exist(tmp_path):
    """A file that somebody named is never passed over in silence."""
    gone = tmp_path / "gone.toml"
    for config, environ in ((gone, {}), (None, {"LONGWIRE_CONFIG": str(gone)})):
        with pytest.raises(ConfigurationError) as error:
            load(config, environ)
        assert str(error.value) == (
            f"{gone}: cannot be read (No such file or directory); check the path"
        )


def test_load_reads_the_process_by_default(file, monkeypatch):
    """Called as the commands call it, `load` reads the process's environment."""
    file.touch()
    monkeypatch.setitem(os.environ, "LONGWIRE_SERVER__PORT", "77")
    assert load(file).server.port == 77


def test_channel_can_be_built_in_code():
    """The demo declares its channel without a file."""
    channel = Channel(name="demo", api_key="demo-key", base_url="http://127.0.0.1:1/v1")
    assert channel.transport == "auto"
