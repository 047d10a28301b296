"""The web interface as files: what may be kept, what may run, where it finds itself."""

import httpx2
import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from longwire.server.ui import Pages
from tests.conftest import serving, settings_for

INDEX = '<!doctype html><base href="/" /><script src="./assets/a-1.js"></script>'


@pytest.fixture
def built(tmp_path):
    """A built interface: a page, a script with its packed copies, an icon."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX, encoding="utf-8")
    (tmp_path / "assets" / "a-1.js").write_text("plain", encoding="utf-8")
    (tmp_path / "assets" / "a-1.js.gz").write_bytes(b"zipped")
    (tmp_path / "assets" / "a-1.js.br").write_bytes(b"brotli")
    (tmp_path / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path.parent / "secret.txt").write_text("no", encoding="utf-8")
    return tmp_path


def client(folder, base_path="", root_path=""):
    """A client of nothing but the pages, which sees the headers as they are."""
    headers = {"accept-encoding": "identity"}
    return TestClient(Pages(folder, base_path), root_path=root_path, headers=headers)


@pytest.mark.parametrize("path", ["/", "/channels/ch_1", "/turns?failed=1"])
def test_every_place_is_the_page(built, path):
    """A place within the interface is its page, asked for anew each time, with nothing inline."""
    answer = client(built).get(path, headers={"accept": "text/html"})
    assert answer.text == INDEX
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "expected", "coding"),
    [("gzip, br", b"brotli", "br"), ("gzip", b"zipped", "gzip"), ("identity", b"plain", None)],
)
def test_files_are_kept_for_good(built, accepted, expected, coding):
    """A file with a digest in its name is kept, and sent as packed as the browser takes it."""
    with client(built).stream(
        "GET", "/assets/a-1.js", headers={"accept-encoding": accepted}
    ) as answer:
        assert b"".join(answer.iter_raw()) == expected
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "accept-encoding"


def test_other_files_are_asked_for_anew(built):
    """A file whose name stays may change."""
    answer = client(built).get("/icon.svg")
    assert (answer.headers["cache-control"], answer.text) == ("no-cache", "<svg/>")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assets/gone.js"),
        ("GET", "/v1/nothing"),
        ("GET", "/admin/nothing"),
        ("GET", "/../secret.txt"),
        ("GET", "/%2e%2e/secret.txt"),
        ("POST", "/channels"),
    ],
)
def test_what_is_no_place(built, method, path):
    """What is neither a file nor a place is not found, and nothing outside the folder is."""
    with pytest.raises(HTTPException) as caught:
        client(built).request(method, path, headers={"accept": "text/html" if "v1" in path else ""})
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("base_path", "root_path", "expected"),
    [("", "", "/"), ("/longwire", "", "/longwire/"), ("", "/mounted", "/mounted/")],
)
def test_the_page_knows_where_it_stands(built, base_path, root_path, expected):
    """Behind a proxy that strips a path, or mounted below one, the page finds its files."""
    path = f"{root_path}/sessions"
    answer = client(built, base_path, root_path).get(path, headers={"accept": "text/html"})
    assert f'<base href="{expected}"' in answer.text


def test_without_a_build_a_plain_page_serves(tmp_path):
    """Where nothing was built the root says what this is and where to point a client."""
    answer = client(tmp_path / "none").get("/")
    assert "http://testserver/v1" in answer.text
    assert "web interface was not built" in answer.text


async def test_the_gateway_serves_it(emulator):
    """The page stands at the root of the gateway; wrong methods elsewhere stay wrong methods."""
    async with (
        serving(settings_for(emulator.url)) as gateway,
        httpx2.AsyncClient(base_url=gateway.url) as http,
    ):
        page = await http.get("/", headers={"accept": "text/html"})
        assert (page.status_code, "Longwire" in page.text) == (200, True)
        assert "content-security-policy" in page.headers
        assert (await http.post("/health")).status_code == 405
