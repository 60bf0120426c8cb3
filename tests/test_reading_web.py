"""Pages and feeds from a server: what is fetched, what is refused and why; no address but a public one by itself."""

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpcore
import pytest

from index.articles import Article, Skipped
from index.errors import ArticleError
from index.reading.addresses import CheckedBackend, check_address, is_public
from index.reading.fetching import Fetcher
from index.reading.places import find_place
from index.reading.robots import read_rules
from index.reading.web import read_address
from index.settings import Settings
from tests.news_files import make_pdf
from tests.news_pages import PARAGRAPHS, TITLE
from tests.news_server import Answer, NewsServer, news_server

BODY = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)
PAGE = f"<html><head><title>{TITLE}</title></head><body><article>{BODY}</article></body></html>"


@pytest.fixture(scope="module")
def running() -> Iterator[NewsServer]:
    with news_server() as server:
        yield server


@pytest.fixture
def server(running: NewsServer) -> NewsServer:
    running.answers.clear()
    running.asked.clear()
    return running


def fetcher(**bounds: float) -> Fetcher:
    return Fetcher(allow_private=True, pause_seconds=0, **bounds)  # type: ignore[arg-type]  # bytes are whole here


def read(address: str, fetch: Fetcher | None = None, before: set[str] | None = None) -> list[Article | Skipped]:
    return list(read_address(address, fetch or fetcher(), fields={}, read_before=before))


def reason(address: str, fetch: Fetcher | None = None) -> str:
    (one,) = read(address, fetch)
    assert isinstance(one, Skipped), one
    assert one.path == address
    return one.reason


# --- pages and files --------------------------------------------------------------------------------------------------


def test_page_is_fetched_with_a_plain_name_and_known_by_its_address(server: NewsServer) -> None:
    server.page("/news/bridge.html?id=3", PAGE)
    (article,) = read(f"{server.url}/news/bridge.html?id=3&utm_source=x#top".replace("&utm_source=x", ""))
    assert isinstance(article, Article)
    assert (article.title, article.text) == (TITLE, "\n".join(PARAGRAPHS))
    assert article.id == f"{server.url.removeprefix('http://')}/news/bridge?id=3"
    assert article.url == f"{server.url}/news/bridge.html?id=3"
    assert server.asked == ["/robots.txt", "/news/bridge.html?id=3"]
    assert all(agent.startswith("Byline") for agent in server.agents)


def test_redirect_is_followed_and_the_article_keeps_the_id_of_what_was_asked(server: NewsServer) -> None:
    server.redirect("/old", "/new")
    server.page("/new", PAGE)
    (article,) = read(f"{server.url}/old")
    assert isinstance(article, Article)
    assert article.id.endswith("/old")
    assert article.url == f"{server.url}/new"


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (make_pdf([["The council met on Monday."]]), "application/pdf", "The council met on Monday."),
        ("The council met on Monday.", "text/plain; charset=utf-8", "The council met on Monday."),
        ("Café im Rathaus, sagt er.".encode("cp1252"), "text/plain; charset=iso-8859-1", "Café im Rathaus, sagt er."),
        ('{"text": "The council met on Monday."}', "application/json", "The council met on Monday."),
        (PAGE.encode("utf-16"), "text/html", PARAGRAPHS[0]),
        (PAGE, "", PARAGRAPHS[0]),
    ],
)
def test_what_a_server_sends_is_read_by_its_kind(server: NewsServer, data: bytes, kind: str, words: str) -> None:
    server.answers["/x"] = Answer(data, kind=kind)
    (article,) = read(f"{server.url}/x")
    assert isinstance(article, Article)
    assert words in article.text


def test_packed_page_is_unpacked(server: NewsServer) -> None:
    server.answers["/x"] = Answer(gzip.compress(PAGE.encode()), headers={"Content-Encoding": "gzip"})
    assert isinstance(read(f"{server.url}/x")[0], Article)


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_told_in_a_few_words(server: NewsServer) -> None:
    server.answers |= {
        "/broken": Answer(status=500),
        "/picture": Answer(b"\x89PNG", kind="image/png"),
        "/nothing": Answer(b"", kind="text/html"),
        "/list": Answer("<html><body><a href=/a>A</a></body></html>"),
        "/bin": Answer(bytes(500), kind="application/octet-stream"),
        "/packed": Answer(b"xx", headers={"Content-Encoding": "br"}),
        "/damaged": Answer(b"not gzip", headers={"Content-Encoding": "gzip"}),
        "/nowhere": Answer(status=301),
    }
    said = {path: reason(server.url + path) for path in [*server.answers, "/missing"]}
    assert said == {
        "/broken": "the server answers 500 Internal Server Error",
        "/picture": "is of a kind that is not read (image/png)",
        "/nothing": "is empty",
        "/list": "holds no article (a list of links, a notice or a page built by scripts?)",
        "/bin": "is neither a page nor a feed",
        "/packed": "comes packed in a way that was not asked for (br)",
        "/damaged": "comes damaged from its server",
        "/nowhere": "the server answers 301 Moved Permanently and does not say where to",
        "/missing": "the server answers 404 Not Found",
    }


def test_redirects_end_somewhere(server: NewsServer) -> None:
    server.redirect("/a", "/b")
    server.redirect("/b", "/a")
    for step in range(20):
        server.redirect(f"/chain/{step}", f"/chain/{step + 1}")
    assert reason(f"{server.url}/a") == "leads in a circle of redirects"
    assert reason(f"{server.url}/chain/0") == "leads through more than 5 redirects"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:11211/_x"])
def test_redirect_leads_to_no_other_protocol(server: NewsServer, target: str) -> None:
    server.redirect("/a", target)
    assert reason(f"{server.url}/a") == "is no http:// or https:// address"


@pytest.mark.parametrize("slow", ["headers", "body", "silent"])
def test_slow_server_is_left_in_time(slow: str) -> None:
    """A server that sends a byte now and then never falls silent for long; the time of the whole is bounded."""

    def drip(connection: socket.socket) -> None:
        try:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + (b"\r\n" if slow == "body" else b""))
            while not done.wait(0.05) and slow != "silent":
                connection.sendall(b"a")
            done.wait(10)
        except OSError:
            pass
        finally:
            connection.close()

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/x"

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        began = time.monotonic()
        told = reason(address, fetcher(total_seconds=0.6))
        done.set()
    assert told == "the server is too slow; nothing was read"
    assert time.monotonic() - began < 5


def test_size_is_bounded_told_or_not_and_unpacked_too(server: NewsServer) -> None:
    def endless(write: Callable[[bytes], object], stop: threading.Event) -> None:
        while not stop.is_set():
            write(b"a" * 65536)

    server.answers |= {
        "/told": Answer("a" * 3_000_000),
        "/endless": Answer(endless),
        "/bomb": Answer(gzip.compress(bytes(200_000_000)), headers={"Content-Encoding": "gzip"}),
    }
    for path in server.answers:
        assert reason(server.url + path, fetcher(max_bytes=2_000_000)).startswith("is larger than 2 MB")


# --- robots.txt -------------------------------------------------------------------------------------------------------


def test_robots_are_respected_and_asked_once(server: NewsServer) -> None:
    server.answers["/robots.txt"] = Answer("User-agent: *\nDisallow: /private\n", kind="text/plain")
    server.page("/private/a", PAGE)
    server.page("/open", PAGE)
    fetch = fetcher()
    assert reason(f"{server.url}/private/a", fetch) == "the site's robots.txt does not allow it"
    assert isinstance(read(f"{server.url}/open", fetch)[0], Article)
    assert server.asked == ["/robots.txt", "/open"]


def test_redirect_into_what_robots_forbid_is_not_followed(server: NewsServer) -> None:
    server.answers["/robots.txt"] = Answer("User-agent: Byline\nDisallow: /private\n", kind="text/plain")
    server.redirect("/a", "/private/a")
    assert reason(f"{server.url}/a") == "the site's robots.txt does not allow it"


def test_site_whose_robots_are_broken_is_left_alone(server: NewsServer) -> None:
    server.answers["/robots.txt"] = Answer(status=503)
    assert "when asked for its robots.txt" in reason(f"{server.url}/a")
    assert server.asked == ["/robots.txt"]


@pytest.mark.parametrize(
    ("rules", "target", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /\nAllow: /news", "/news/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /*?print=", "/x?print=1", False),
        ("User-agent: Byline\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: byline/2\nUser-agent: other\nDisallow: /a # here", "/a", False),
        ("User-agent: Other\nDisallow: /", "/a", True),
        ("\xff\x00 nonsense\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /" + "*a" * 5000 + "$", "/" + "a" * 5000 + "b", True),
    ],
)
def test_rules_are_read_as_the_standard_says(rules: str, target: str, allowed: bool) -> None:
    assert read_rules(rules.encode("latin-1")).allow(target) is allowed


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(number: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(number)) is public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"]
)
def test_loopback_is_refused_however_it_is_written(server: NewsServer, host: str) -> None:
    port = server.url.rpartition(":")[2]
    told = reason(f"http://{host}:{port}/x", Fetcher(pause_seconds=0))
    assert "private, local or reserved address" in told or "no server of that name" in told
    assert server.asked == []


def test_redirect_to_a_private_address_is_refused(server: NewsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public site may send its visitors anywhere; the name of this one stands for a number that counts as public."""
    real: Any = socket.getaddrinfo
    port = int(server.url.rpartition(":")[2])

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "public.example" else host, *rest, **more)

    monkeypatch.setattr("index.reading.addresses.socket.getaddrinfo", resolve)
    monkeypatch.setattr("index.reading.addresses.is_public", lambda number: str(number) == "127.0.0.1")
    server.redirect("/a", f"http://[::1]:{port}/secret")
    assert "private, local or reserved" in reason(f"http://public.example:{port}/a", Fetcher(pause_seconds=0))
    assert server.asked == ["/robots.txt", "/a"]


def test_name_is_resolved_once_and_the_judged_number_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer of a name that changes (DNS rebinding) is never asked for."""
    answers = [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]]
    connected = []

    def resolve(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 80)) for number in answers.pop(0)]

    def connect(self: object, host: str, *_: object, **__: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("refused")

    monkeypatch.setattr("index.reading.addresses.socket.getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    backend = CheckedBackend(allow_private=False, until=time.monotonic() + 5)
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("rebinding.example", 80)
    assert connected == ["93.184.216.34"]
    with pytest.raises(ArticleError, match="private, local or reserved"):
        backend.connect_tcp("rebinding.example", 80)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://b.org/x", "is no http:// or https:// address"),
        ("file:///etc/passwd", "is no http:// or https:// address"),
        ("http://", "is no address that can be read"),
        ("http://b.org:99999/", "is no address that can be read"),
        ("http://b.org/a b", "is no address that can be read"),
        ("http://b.org/a\r\nHost: x", "is no address that can be read"),
        ("http://user:hunter2@b.org/", "holds a user name or password"),
    ],
)
def test_wrong_address_is_refused_before_anything_is_asked(address: str, message: str) -> None:
    with pytest.raises(ArticleError, match=message):
        check_address(address)
    with pytest.raises(ArticleError, match=message) as raised:
        find_place(address)
    assert "hunter2" not in str(raised.value)


def test_setting_lets_private_addresses_be_fetched(server: NewsServer) -> None:
    server.page("/a", PAGE)
    for allowed in (True, False):
        place = find_place(f"{server.url}/a", settings=Settings(fetch_private=allowed))
        (one,) = place.items[0].read()
        assert isinstance(one, Article) is allowed
    assert not place.whole


# --- feeds ------------------------------------------------------------------------------------------------------------


def atom(entries: str) -> str:
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>The Bugle</title>{entries}</feed>'


def entry(link: str, *, title: str = TITLE, content: str = "") -> str:
    return (
        f'<entry><title>{title}</title><link href="{link}"/><id>{link}</id><updated>2025-12-15T10:00:00Z</updated>'
        f"<published>2025-12-15T10:00:00Z</published><author><name>Jane Doe</name></author>{content}</entry>"
    )


def test_feed_gives_whole_articles_itself_and_fetches_the_pages_of_others(server: NewsServer) -> None:
    words = "".join(f"&lt;p&gt;{one}&lt;/p&gt;" for one in PARAGRAPHS * 3)
    whole = entry("/whole", title="A whole one", content=f'<content type="html">{words}</content>')
    server.answers["/feed"] = Answer(atom(whole + entry("/page") + entry("/gone")), kind="application/atom+xml")
    server.page("/page", PAGE)
    first, second, third = read(f"{server.url}/feed")
    assert isinstance(first, Article)
    assert isinstance(second, Article)
    assert (first.title, first.published, first.source, first.author) == (
        "A whole one",
        "2025-12-15",
        "The Bugle",
        "Jane Doe",
    )
    assert first.id.endswith("/whole")
    assert (second.text, second.published, second.source) == ("\n".join(PARAGRAPHS), "2025-12-15", "The Bugle")
    assert second.found_in["published"] == "feed"
    assert third == Skipped(f"{server.url}/gone", "the server answers 404 Not Found")
    assert "/whole" not in server.asked


def test_items_read_before_are_not_fetched_again_unless_they_changed(server: NewsServer) -> None:
    server.answers["/feed"] = Answer(atom(entry("/page")), kind="text/xml")
    server.page("/page", PAGE)
    before: set[str] = set()
    assert len(read(f"{server.url}/feed", before=before)) == 1
    assert read(f"{server.url}/feed", before=before) == []
    server.answers["/feed"] = Answer(atom(entry("/page").replace("<updated>2025", "<updated>2026")), kind="text/xml")
    assert len(read(f"{server.url}/feed", before=before)) == 1
    assert server.asked.count("/page") == 2


def test_number_of_pages_fetched_for_a_feed_is_bounded(server: NewsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.reading.web.MAX_FEED_PAGES", 3)
    server.answers["/feed"] = Answer(atom("".join(entry(f"/{at}") for at in range(10))), kind="text/xml")
    assert len(read(f"{server.url}/feed")) == 3


def test_feed_leads_to_no_other_protocol_and_no_private_address(server: NewsServer) -> None:
    server.answers["/feed"] = Answer(atom(entry("file:///etc/passwd") + entry("javascript:x")), kind="text/xml")
    assert [one.reason for one in read(f"{server.url}/feed") if isinstance(one, Skipped)] == [
        "an item has neither its text nor an address"
    ] * 2


def test_requests_to_one_server_pause_between(server: NewsServer) -> None:
    server.page("/a", PAGE)
    fetch = Fetcher(allow_private=True, pause_seconds=0.2)
    began = time.monotonic()
    read(f"{server.url}/a", fetch)
    read(f"{server.url}/a", fetch)
    assert time.monotonic() - began >= 0.2
