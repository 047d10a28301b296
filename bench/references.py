"""What Longwire is compared with: each before the same upstream, and named where it is missing.

LiteLLM lives in an environment of its own in a cache folder, made once; nginx is the machine's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from bench.processes import ROOT, Server, free_port, gateway, listening, serving

DIRECT, DELTA = "direct HTTP", "direct WebSocket"
NGINX, FLOOR, LITELLM, LONGWIRE = "nginx", "floor", "LiteLLM", "Longwire"
LITELLM_WANTED = "litellm[proxy]>=1.80"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longwire-bench"

_NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  keepalive_requests 1000000000;
  upstream model {{ server {upstream}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
  }}
}}
"""
_LITELLM = """
general_settings:
  master_key: {key}
model_list:
"""
_LITELLM_MODEL = """
  - model_name: "{name}"
    litellm_params:
      model: "{model}"
      api_base: {upstream}/v1
      api_key: any-key-will-do
    model_info:
      supports_reasoning: true
"""
_LITELLM_MODELS = {"bench": "openai/bench"}


@dataclass(frozen=True, slots=True)
class Stage:
    """The servers of one run, by name; `missing` says what could not be started, and why."""

    servers: Mapping[str, Server]
    missing: Mapping[str, str]
    upstreams: Mapping[str, Server]


class Missing(Exception):
    """A reference cannot be started here; the text says what it needs."""


@contextmanager
def staged(*, with_litellm: bool) -> Iterator[Stage]:
    """Run upstreams, gateway and references."""
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        sockets = stack.enter_context(serving("bench.upstream", "ws"))
        plain = stack.enter_context(serving("bench.upstream", "http"))
        servers = {DIRECT: plain, DELTA: sockets}
        servers[LONGWIRE] = stack.enter_context(gateway(sockets.url))
        servers[FLOOR] = stack.enter_context(serving("bench.floor", sockets.url))
        others = {NGINX: nginx} | ({LITELLM: litellm} if with_litellm else {})
        for name, start in others.items():
            try:
                servers[name] = stack.enter_context(start(plain.url))
            except (Missing, RuntimeError) as error:
                missing[name] = str(error)[-300:]
        missing |= {} if with_litellm else {LITELLM: "left out of a quick look"}
        missing["Envoy"] = "not started here; nginx stands for proxies that pass everything on"
        missing["Go relay"] = "none in this repository; its figure of another run is in the page"
        yield Stage(servers, missing, {"ws": sockets, "http": plain})


@contextmanager
def nginx(upstream: str) -> Iterator[Server]:
    """Run nginx, passing everything on. Raises `Missing`."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise Missing("no nginx on PATH; on Debian: apt install nginx-light")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        port, config = free_port(), Path(folder) / "nginx.conf"
        filled = {"folder": folder, "port": port, "upstream": upstream.removeprefix("http://")}
        config.write_text(_NGINX.format(**filled), encoding="utf-8")
        arguments = [program, "-c", str(config), "-p", folder, "-e", "stderr"]
        with listening(arguments, port) as server:
            yield server


@contextmanager
def litellm(upstream: str, models: Mapping[str, str] = _LITELLM_MODELS) -> Iterator[Server]:
    """Run LiteLLM's proxy with one worker, which names models its own way. Raises `Missing`."""
    program = _installed()
    with tempfile.TemporaryDirectory() as folder:
        port, config = free_port(), Path(folder) / "litellm.yaml"
        key = f"sk-{token_hex(24)}"
        text = _LITELLM.format(key=key) + "".join(
            _LITELLM_MODEL.format(name=name, model=model, upstream=upstream)
            for name, model in models.items()
        )
        config.write_text(text, encoding="utf-8")
        arguments = [str(program), "--config", str(config), "--host", "127.0.0.1"]
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        with listening([*arguments, "--port", str(port)], port, quiet) as server:
            yield replace(server, key=key)


def _installed() -> Path:
    """Return LiteLLM's program, after installing it where it is not yet."""
    home = CACHE / "litellm"
    program = home / "bin" / "litellm"
    if program.is_file():
        return program
    uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    python = str(home / "bin" / "python")
    steps = (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "--quiet", "--python", python, LITELLM_WANTED],
    )
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", "") or error
        raise Missing(f"{LITELLM_WANTED} could not be installed: {told}") from None
    return program
