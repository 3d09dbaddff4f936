"""Fetching: patient with servers, careful with keys. The servers are on this machine."""

import gzip
import json
from collections.abc import Callable, Iterator

import pytest

from goal_ledger.adapters.ingest.feeds import fetch as fetching
from goal_ledger.adapters.ingest.feeds.fetch import Waiting, after_of, fetch, name_of, pages, request, with_after
from goal_ledger.ledger import LedgerError
from tests.serving import Answer, Server
from tests.tools import PATIENCE_S

KEY = "phx_secret"


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


@pytest.fixture
def other() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


class Naps(list[float]):
    """How long was slept, without sleeping."""

    @property
    def waiting(self) -> Waiting:
        return Waiting(sleep=self.append, largest=1000, timeout_s=PATIENCE_S)


def refusal(ask: Callable[[], object]) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask()
    assert KEY not in f"{refused.value.message}{refused.value.hint}"
    return refused.value


def test_a_document_is_fetched_packed_or_not(server):
    server.answers = [(200, {}, b"[1]"), (200, {}, gzip.compress(b"[2]"))]
    assert [fetch(f"{server.url}/stats?week=10") for _ in range(2)] == [b"[1]", b"[2]"]
    assert [path for path, _ in server.asked] == ["/stats?week=10"] * 2


# --- Patience


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_or_fails_is_asked_again(server, status):
    naps = Naps()
    server.answers = [(status, {}, b"busy")] * 3 + [(200, {}, b"[]")]
    assert fetch(server.url, waiting=naps.waiting) == b"[]"
    assert naps == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("said", "slept"), [("7", 7.0), ("100000", 60.0), ("Wed, 21 Oct 2099 07:28:00 GMT", 60.0), ("soon", 1.0)]
)
def test_it_waits_as_long_as_the_server_asks_for_a_minute_at_most(server, said, slept):
    naps = Naps()
    server.answers = [(429, {"Retry-After": said}, b""), (200, {}, b"[]")]
    assert fetch(server.url, waiting=naps.waiting) == b"[]"
    assert naps == [slept]


def test_a_server_that_stays_busy_is_given_up(server):
    naps = Naps()
    server.answers = [(503, {}, b"")]
    error = refusal(lambda: fetch(f"{server.url}/stats?key={KEY}", token=KEY, waiting=naps.waiting))
    assert (error.code, len(server.asked), len(naps)) == ("cannot_fetch", 4, 3)
    assert "503, 4 times" in error.message


def test_an_answer_that_breaks_off_is_asked_for_again(server):
    naps = Naps()
    server.answers = [(200, {"Content-Length": "20"}, b"[1"), (200, {}, b"[1]")]
    assert fetch(server.url, waiting=naps.waiting) == b"[1]"
    assert len(naps) == 1


def test_a_server_that_is_not_there_is_told_of(server):
    naps = Naps()
    server.close()
    error = refusal(lambda: fetch(server.url, waiting=naps.waiting))
    assert (error.code, len(naps)) == ("cannot_fetch", 3)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "not_authorised"), (403, "not_authorised"), (404, "cannot_fetch"), (400, "cannot_fetch")]
)
def test_what_will_not_pass_is_not_asked_again(server, status, code):
    naps = Naps()
    server.answers = [(status, {}, KEY.encode())]
    error = refusal(lambda: fetch(f"{server.url}/stats?key={KEY}", token=KEY, waiting=naps.waiting))
    assert (error.code, len(server.asked), naps) == (code, 1, [])


# --- Care


@pytest.mark.parametrize("body", [b"x" * 1001, gzip.compress(b"x" * 100_000)])
def test_an_answer_has_a_largest_size(server, body, monkeypatch):
    monkeypatch.setattr("goal_ledger.adapters.ingest.feeds.documents.LARGEST", 1000)
    server.answers = [(200, {}, body)]
    assert refusal(lambda: fetch(server.url, waiting=Naps().waiting)).code == "too_large"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/stats",
        "http://crm.example/stats",
        "http://127.0.0.1.crm.example/stats",
        f"https://ana:{KEY}@crm.example/stats",
        "https:///stats",
        "https://crm.example:port/",
        "https://crm.example/a b",
        "https://crm.example/a\nHost: other",
    ],
)
def test_only_https_is_asked_and_http_on_this_machine(url):
    assert refusal(lambda: fetch(url, waiting=Naps().waiting)).code == "bad_url"


def test_a_key_goes_to_the_host_that_was_asked_over_https_and_nowhere_else():
    asked = "https://us.posthog.com/api/insights/7"

    def sent(url: str, origin: str = asked) -> str | None:
        return request(url, origin=origin, token=KEY).get_header("Authorization")

    assert sent(asked) == sent("https://us.posthog.com:443/else") == f"Bearer {KEY}"
    for elsewhere in (
        "https://eu.posthog.com/api",
        "https://us.posthog.com:8443/api",
        "https://us.posthog.com.evil.example/",
        "http://us.posthog.com/api",
    ):
        assert sent(elsewhere) is None
    assert sent("http://127.0.0.1/api", origin="http://127.0.0.1/api") is None
    assert request(asked, origin=asked, token=None).get_header("Authorization") is None


def test_a_key_does_not_travel_without_tls_nor_with_a_redirect(server, other):
    server.answers = [(302, {"Location": f"{other.url}/moved"}, b"")]
    other.answers = [(200, {}, b"[3]")]
    assert fetch(f"{server.url}/stats", token=KEY) == b"[3]"
    assert [path for path, _ in other.asked] == ["/moved"]
    assert KEY not in str(server.asked) + str(other.asked)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://crm.example/", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_not_followed(server, target):
    server.answers = [(302, {"Location": target}, b"")]
    assert refusal(lambda: fetch(server.url, token=KEY, waiting=Naps().waiting)).code == "bad_redirect"


@pytest.mark.parametrize("target", ["http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/admin", "/ok"])
def test_nobody_outside_leads_to_this_machine(target):
    from urllib.parse import urljoin, urlsplit

    origin = "https://crm.example/stats"
    check = lambda: fetching._check_redirect(urlsplit(origin), urljoin(origin, target))  # noqa: E731
    if target == "/ok":
        check()
    else:
        assert refusal(check).code == "bad_redirect"


def test_redirects_in_a_circle_end(server):
    server.answers = [(301, {"Location": "/again"}, b"")]
    assert refusal(lambda: fetch(server.url, waiting=Naps().waiting)).code == "bad_redirect"
    assert len(server.asked) == 6


# --- Pages


def page(following: str | None) -> Answer:
    return 200, {}, json.dumps({"results": [], "next": following}).encode()


def test_pages_are_fetched_until_none_follows(server):
    server.answers = [page(f"{server.url}/stats?page=2"), page("/stats?page=3"), page(None)]
    assert len(list(pages(f"{server.url}/stats"))) == 3
    assert [path for path, _ in server.asked] == ["/stats", "/stats?page=2", "/stats?page=3"]
    server.answers = [(200, {}, b"id,metric\n")]
    assert list(pages(server.url)) == [b"id,metric\n"]


def test_a_page_at_another_host_is_not_fetched(server, other):
    server.answers = [page(f"{other.url}/stats?page=2")]
    assert refusal(lambda: list(pages(server.url))).code == "bad_redirect"
    assert other.asked == []


def test_pages_that_never_end_are_given_up(server, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_PAGES", 3)
    server.answers = [page("/more")]
    assert refusal(lambda: list(pages(server.url))).code == "too_large"
    assert len(server.asked) == 3


# --- URLs


def test_a_source_is_named_by_host_and_path_without_what_is_secret():
    assert name_of(f"https://us.posthog.com/api/projects/7/events/?token={KEY}#top") == (
        "us.posthog.com/api/projects/7/events"
    )


def test_what_is_newer_is_asked_for_beside_what_is_asked_already():
    url = with_after("https://crm.example/stats?kind=a%20b&flag=", "2026-03-02T00:00:00Z")
    assert url == "https://crm.example/stats?kind=a+b&flag=&after=2026-03-02T00%3A00%3A00Z"
    assert (after_of(url), after_of("https://crm.example/stats")) == ("2026-03-02T00:00:00Z", None)
