"""The Helm chart, rendered by Helm: each object goes by its schema, and bad values are refused.

What is not tried: a cluster. Envoy Gateway's policy has no schema in a registry; its members are
those of `api/v1alpha1/loadbalancer_types.go` and its neighbours in envoyproxy/gateway.
"""

import json
import subprocess

import pytest
import yaml

from longwire.core.rules.session import KEY_HEADER, OTHER_KEY_HEADERS, SESSION_HEADERS
from longwire.settings import load
from tests.deploy.image import ROOT, stages
from tests.deploy.programs import checker, helm, models
from tests.journeys.clients.installing import program

CHART = ROOT / "deploy" / "helm" / "longwire"
SECRET = {"secretKey": "a-key", "databaseUrl": "postgresql://longwire:pw@db/longwire"}
PARENT = {"name": "public", "namespace": "envoy-gateway-system", "sectionName": "https"}
FULL = {
    "secret": {**SECRET, "valkeyUrl": "valkey://:pw@valkey:6379/0"},
    "gateway": {"enabled": True, "parentRefs": [PARENT], "hostnames": ["longwire.example"]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}]},
    "env": [{"name": "OPENAI_API_KEY", "value": "sk-x"}],
    "envFrom": [{"secretRef": {"name": "channels"}}],
    "imagePullSecrets": [{"name": "registry"}],
    "podLabels": {"team": "agents"},
    "podAnnotations": {"note": "none"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "agents", "operator": "Exists"}],
    "priorityClassName": "high",
    "service": {"annotations": {"a": "b"}},
    "serviceAccount": {"annotations": {"a": "b"}},
    "affinity": {"podAntiAffinity": {}},
}
OTHERS = {
    "another secret": {"secret": {"existingSecret": "mine"}, "replicaCount": 1},
    "everything": FULL,
    "the least": {"secret": SECRET, "networkPolicy": {"enabled": False}},
}
VERSIONS = ("1.30", "1.37")
FOREIGN = {"BackendTrafficPolicy", "HTTPRoute", "ServiceMonitor"}
PATIENCE = 60

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]


def helm_says(*words, values, folder):
    """What Helm did with the chart and these values."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return subprocess.run(
        [helm(), *words, str(CHART), "--values", str(file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )


def objects(values, folder):
    """The objects that the chart makes of values, by kind."""
    ran = helm_says("template", "lw", values=values, folder=folder)
    assert ran.returncode == 0, ran.stderr
    found = {}
    for each in filter(None, yaml.safe_load_all(ran.stdout)):
        found.setdefault(each["kind"], []).append(each)
    return found


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The objects of a chart with all that can be turned on."""
    return objects(FULL, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def pod(everything):
    """What a node's pod is to be."""
    return everything["StatefulSet"][0]["spec"]["template"]["spec"]


@pytest.mark.parametrize("values", OTHERS.values(), ids=OTHERS)
def test_helm_finds_no_fault(values, tmp_path):
    """Helm's linter warns of nothing."""
    ran = helm_says("lint", "--strict", values=values, folder=tmp_path)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", OTHERS.values(), ids=OTHERS)
def test_kubernetes_knows_each_member(version, values, tmp_path):
    """Objects of Kubernetes' own kinds have no member that its schemas do not know."""
    own = [
        each
        for kind, found in objects(values, tmp_path).items()
        if kind not in FOREIGN
        for each in found
    ]
    assert len(own) >= 6
    files = [tmp_path / f"{number}.yaml" for number in range(len(own))]
    for file, each in zip(files, own, strict=True):
        file.write_text(yaml.safe_dump(each), encoding="utf-8")
    ran = subprocess.run(
        [checker("kubernetes-validate"), "--strict", "-k", version, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_kinds_of_others_go_by_their_schemas(everything):
    """Gateway API and Prometheus' operator accept what is theirs."""
    ours = [everything[kind][0] for kind in ("HTTPRoute", "ServiceMonitor")]
    broken = {**ours[0], "spec": {"rules": [{"backendRefs": [{"port": 80}]}]}}
    ran = subprocess.run(
        [program("node"), str(models())],
        input=json.dumps([*ours, broken]),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    *fine, wrong = ran.stdout.splitlines()
    assert ["HTTPRoute: ok", "ServiceMonitor: ok"] == fine, ran.stderr
    assert "must have required property name" in wrong


REFUSED = {
    "a grace too short": (
        {"secret": SECRET, "shutdown": {"graceSeconds": 60}},
        "preStopSeconds + lameDuckSeconds + graceSeconds + 5 are 75; raise it to that",
    ),
    "no secret key": (
        {"secret": {**SECRET, "secretKey": ""}},
        "secret.secretKey is empty: each node would make one of its own",
    ),
    "no database": ({}, "secret.databaseUrl is empty: nodes share a PostgreSQL"),
    "a file as a database": (
        {"secret": {**SECRET, "databaseUrl": "sqlite:///longwire.db"}},
        "write postgresql://user:password@host/name",
    ),
    "a route to nowhere": (
        {"secret": SECRET, "gateway": {"enabled": True}},
        "gateway.parentRefs is empty: name the Gateway",
    ),
    "an unknown value": (
        {"secret": SECRET, "replicas": 3},
        "additional properties 'replicas' not allowed",
    ),
    "no node at all": ({"secret": SECRET, "replicaCount": 0}, "replicaCount"),
}


@pytest.mark.parametrize(("values", "mend"), REFUSED.values(), ids=REFUSED)
def test_bad_values_are_refused(values, mend, tmp_path):
    """What would lose turns or data is refused before it reaches a cluster, with its mend."""
    ran = helm_says("template", "lw", values=values, folder=tmp_path)
    assert ran.returncode == 1
    assert mend in ran.stderr


@pytest.mark.parametrize("valkey", ["", "valkey://:pw@valkey:6379/0"])
def test_who_installs_it_reads_what_counts_where(valkey, tmp_path):
    """Without Valkey the notes say what that costs; they name each node for a balancer."""
    values = {"secret": {**SECRET, "valkeyUrl": valkey}}
    ran = helm_says("install", "--dry-run=client", "lw", values=values, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    notes = ran.stdout.partition("NOTES:")[2]
    assert ("3 times as much" in notes) == (not valkey)
    address = "lw-longwire-2=lw-longwire-2.lw-longwire-nodes.default.svc:8090"
    assert f"--node {address}" in notes


def test_the_least_grace_is_enough(tmp_path):
    """Exactly the sum is accepted, one second less is not."""
    shutdown = {"preStopSeconds": 7, "lameDuckSeconds": 3, "graceSeconds": 20}
    for seconds, code in ((35, 0), (34, 1)):
        values = {
            "secret": SECRET,
            "shutdown": {**shutdown, "terminationGracePeriodSeconds": seconds},
        }
        assert code == helm_says("template", "lw", values=values, folder=tmp_path).returncode


def test_a_node_understands_its_environment(pod, tmp_path, monkeypatch):
    """The settings read each variable that the chart sets, and each key of the Secret is used."""
    monkeypatch.chdir(tmp_path)
    variables = {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}
    taken = {
        each["name"]: each["valueFrom"]["secretKeyRef"]["key"]
        for each in pod["containers"][0]["env"]
        if "secretKeyRef" in each.get("valueFrom", {})
    }
    assert {"database-url", "secret-key", "valkey-url"} == set(taken.values())
    keys = {"database-url": SECRET["databaseUrl"], "secret-key": "k", "valkey-url": "valkey://v"}
    of_secret = {name: keys[key] for name, key in taken.items()}
    own = {"HOME": str(tmp_path), "LONGWIRE_FLEET__NODE": "lw-longwire-0"}
    settings = load(None, {**variables, **of_secret, **own})
    assert settings.server.lame_duck == 5
    assert settings.server.shutdown_grace == 30
    assert settings.fleet.node == "lw-longwire-0"
    assert settings.fleet.url.get_secret_value() == "valkey://v"


def test_a_node_has_a_name_that_stays(everything, pod):
    """A pod of a StatefulSet is the node of its own name, and the headless Service knows it."""
    (node,) = [
        each for each in pod["containers"][0]["env"] if each["name"] == "LONGWIRE_FLEET__NODE"
    ]
    assert node["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    headless = [each for each in everything["Service"] if each["spec"].get("clusterIP") == "None"]
    names = [each["metadata"]["name"] for each in headless]
    assert names == [everything["StatefulSet"][0]["spec"]["serviceName"]]


def test_a_pod_may_do_nothing_that_it_need_not(pod):
    """It meets Kubernetes' restricted standard, as the user of the image."""
    *_, last = stages((ROOT / "deploy" / "image" / "Dockerfile").read_text(encoding="utf-8"))
    (user,) = [rest for name, rest in last if name == "USER"]
    context = pod["securityContext"]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod["automountServiceAccountToken"]


def test_probes_ask_what_they_are_for(pod):
    """A node that stops is not killed for it: only readiness asks `/ready`, and often."""
    container = pod["containers"][0]
    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    readiness = container["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= 5


def test_envoy_hashes_what_the_gateway_groups_by(everything):
    """Its headers are those that name a session, then those that hold the caller's key."""
    (policy,) = everything["BackendTrafficPolicy"]
    hashing = policy["spec"]["loadBalancer"]["consistentHash"]
    wanted = (*SESSION_HEADERS, KEY_HEADER, "authorization", *OTHER_KEY_HEADERS)
    assert [{"name": name} for name in wanted] == hashing["headers"]
    (route,) = everything["HTTPRoute"]
    assert [route["metadata"]["name"]] == [each["name"] for each in policy["spec"]["targetRefs"]]
    assert policy["spec"]["retry"]["retryOn"]["triggers"] == ["connect-failure"]


def test_selectors_find_the_pods(everything):
    """Services, budget, policy and monitor select labels that pods and Services have."""
    labels = everything["StatefulSet"][0]["spec"]["template"]["metadata"]["labels"]
    selectors = [each["spec"]["selector"] for each in everything["Service"]]
    selectors.append(everything["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"])
    selectors.append(everything["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"])
    assert [] == [each for each in selectors if not each.items() <= labels.items()]
    wanted = everything["ServiceMonitor"][0]["spec"]["selector"]["matchLabels"]
    found = [
        each["metadata"]["name"]
        for each in everything["Service"]
        if wanted.items() <= each["metadata"]["labels"].items()
    ]
    assert found == [everything["StatefulSet"][0]["spec"]["serviceName"]]
