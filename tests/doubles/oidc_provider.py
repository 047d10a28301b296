"""A real provider of OpenID Connect, node-oidc-provider as a process, and a simple browser."""

import json
import re
import shutil
import ssl
import subprocess
import time
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx2

from tests.journeys.clients.installing import FIXTURES, digest, once, program, run

SOURCE = FIXTURES / "oidc-provider"
CLIENT_ID, CLIENT_SECRET = "longwire", "a secret of the client"
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of a client that speaks plain HTTP alone, and needs no certificates."""
_WITHIN = 60


def installed() -> Path:
    """Return the folder with the modules that the lock file pins."""
    pins = [SOURCE / "package.json", SOURCE / "package-lock.json"]

    def install(folder: Path) -> None:
        for pin in pins:
            shutil.copy(pin, folder)
        run(program("npm"), "ci", "--silent", "--no-audit", "--no-fund", at=folder)

    return once(f"oidc-provider-{digest(*pins)}", install)


class OidcProvider:
    """A provider that runs, and lets anybody sign in whose name is typed."""

    def __init__(self, folder: Path, port: int, gateways: list[str]) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.log = folder / "provider.log"
        back = ",".join(f"{each}/admin/oidc/callback" for each in gateways)
        leave = ",".join(f"{each}/sign-in" for each in gateways)
        script = (str(SOURCE / "provider.mjs"), str(installed()), str(port), back, leave)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program("node"), *script], stdout=log, stderr=subprocess.STDOUT
            )
        ends = time.monotonic() + _WITHIN
        while "provider on" not in self.log.read_text(encoding="utf-8"):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < ends, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)

    def person(self, subject: str, **claims: object) -> None:
        """Let the provider know somebody, or know something else of them."""
        self._ask("person", id=subject, claims=json.dumps(claims))

    def rotate(self) -> None:
        """Let it sign with a new key, and publish that alone."""
        self._ask("rotate")

    def seen(self) -> list[str]:
        """Return which requests it got."""
        return json.loads(self._ask("seen"))

    def _ask(self, what: str, **query: str) -> str:
        answer = httpx2.get(f"{self.issuer}/test/{what}", params=query, timeout=20, verify=PLAIN)
        assert answer.status_code == 200, answer.text
        return answer.text

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)


class Browser:
    """What follows redirects and fills in the provider's forms; it keeps cookies by their host."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def visit(self, url: str, form: dict[str, str] | None = None) -> httpx2.Response:
        """Ask for one page, and follow nothing."""
        jar = self.cookies.setdefault(_place(url), {})
        cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
        headers = {"cookie": cookie} if cookie else {}
        method = "GET" if form is None else "POST"
        answer = httpx2.request(method, url, data=form, headers=headers, timeout=30, verify=PLAIN)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if value and value != '""':
                jar[name] = value
            else:
                jar.pop(name, None)
        return answer

    def sign_in(self, url: str, subject: str, until: str) -> str:
        """Sign in at the provider; returns the first URL that begins with `until`."""
        answer = self.visit(url)
        for _ in range(20):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(until):
                    return url
                answer = self.visit(url)
                continue
            (action,) = re.findall(r'<form[^>]* action="([^"]*)"', answer.text)
            fields = dict(re.findall(r'name="(prompt)" value="(\w+)"', answer.text))
            url = urljoin(url, unescape(action))
            answer = self.visit(url, {**fields, "login": subject, "password": "any"})
        raise AssertionError(answer.text)


def _place(url: str) -> str:
    return url.split("/")[2].partition(":")[0]  # ports share cookies
