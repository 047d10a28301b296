"""The page behind a proxy that does not pass the `Host` on as the browser sent it."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import expect

from tests.ui.stage import OWNER, PASSWORD


def _pass_on(source, target, change=bytes):
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(change(data))
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    source.close()


def _serve(listener, port, host):
    own = listener.getsockname()[1]
    before, after = f"host: 127.0.0.1:{own}\r\n".encode(), f"Host: {host}\r\n".encode()

    def change(data):
        at = data.lower().find(before)
        return data if at < 0 else data[:at] + after + data[at + len(before) :]

    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for ends in ((client, server, change), (server, client)):
                threading.Thread(target=_pass_on, args=ends, daemon=True).start()


@pytest.fixture
def proxied(stage):
    """A function from a `Host` to the URL of a proxy that says it, whatever it was asked as."""

    @contextmanager
    def start(host):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            arguments = (listener, stage.port, host)
            threading.Thread(target=_serve, args=arguments, daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            listener.shutdown(socket.SHUT_RDWR)

    return start


def test_a_host_without_its_port_is_no_hindrance(opened, owner, proxied):
    """Who comes through `Host $host` signs in and works."""
    with proxied("127.0.0.1") as url:
        page = opened(None, f"{url}/")
        page.wait_for_url("**/sign-in**")
        page.get_by_label("Email").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_who_is_refused_reads_the_cause_and_the_mend(browser, owner, proxied):
    """No word of a role to somebody who has not even signed in."""
    with proxied("gateway.internal") as url, browser.new_context(locale="en-US") as context:
        page = context.new_page()
        page.goto(f"{url}/")
        alert = page.get_by_role("alert").first
        expect(alert).to_contain_text("takes this page for one of another site")
        expect(alert).to_contain_text("proxy_set_header Host $http_host")
        expect(alert).not_to_contain_text("role")
