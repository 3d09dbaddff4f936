"""Fetch a document over HTTP: patient with servers, careful with keys.

Only https, and http to this machine. A key is sent as a bearer token over https to the host that was asked, to no other
that it points to; it stands in no message. Neither do the query and the credentials of a URL.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from ipaddress import ip_address
from ssl import SSLCertVerificationError
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import orjson

from goal_ledger.adapters.ingest.feeds.documents import unpacked
from goal_ledger.domain.errors import Invalid, LedgerError, Unavailable

LARGEST = 64 * 1024 * 1024
"""Bytes of one answer."""
MOST_PAGES = 100
_TRIES = 4
_LONGEST_WAIT_S = 60.0
_MOST_REDIRECTS = 5
_TIMEOUT_S = 30.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNAUTHORISED = frozenset({401, 403})


class Waiting(NamedTuple):
    """sleep: waits so many seconds. largest: most bytes of an answer. timeout_s: longest silence of a server."""

    sleep: Callable[[float], object] = time.sleep
    largest: int = LARGEST
    timeout_s: float = _TIMEOUT_S


PATIENT = Waiting()


def is_url(place: str) -> bool:
    """Whether this is meant as a URL rather than a file."""
    return "://" in place


def name_of(url: str) -> str:
    """A URL without what is secret in it or changes from call to call: `host/path`. Invalid: bad_url."""
    parts = _checked(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


def after_of(url: str) -> str | None:
    """From when on the URL asks, when it says so."""
    return dict(parse_qsl(urlsplit(url).query)).get("after")


def with_after(url: str, after: str) -> str:
    """The URL that asks for what is newer than an instant."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode([*query, ("after", after)])))


def fetch(url: str, *, token: str | None = None, waiting: Waiting = PATIENT) -> bytes:
    """The document at a URL, unpacked.

    Tried again when the server is busy, fails or stays silent, after the time that it asks for or a growing one.

    Invalid: bad_url, bad_redirect, too_large, bad_gzip. Unavailable: cannot_fetch, not_authorised.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return unpacked(_followed(url, token, waiting), name_of(url))
        except _Passing as problem:
            if attempt == _TRIES:
                raise Unavailable(
                    "cannot_fetch", f"{name_of(url)}: {problem.words}, {_TRIES} times", hint="try again later"
                ) from None
            waiting.sleep(min(problem.wait_s or 2.0 ** (attempt - 1), _LONGEST_WAIT_S))
    raise AssertionError("unreachable")


def pages(url: str, *, token: str | None = None, waiting: Waiting = PATIENT) -> Iterator[bytes]:
    """The document at a URL, and those that each names as the `next` one. Errors as of `fetch`."""
    origin, here = _checked(url), url
    for _ in range(MOST_PAGES):
        page = fetch(here, token=token, waiting=waiting)
        yield page
        following = _next(page)
        if following is None:
            return
        here = urljoin(here, following)
        if _origin(_checked(here)) != _origin(origin):
            raise Invalid(
                "bad_redirect", f"{name_of(url)} goes on at another host, {name_of(here)}, which is not asked"
            )
    raise Invalid(
        "too_large", f"{name_of(url)} has more than {MOST_PAGES} pages", hint="ask for a shorter time, or larger pages"
    )


class _Passing(Exception):
    """What may be over in a while. wait_s: what the server asks for."""

    def __init__(self, words: str, wait_s: float | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.wait_s = wait_s


class _Stay(HTTPRedirectHandler):
    """Redirects are followed by hand: urllib would take the key along."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _followed(url: str, token: str | None, waiting: Waiting) -> bytes:
    origin, here = _checked(url), url
    for _ in range(_MOST_REDIRECTS + 1):
        asked = request(here, origin=url, token=token)
        try:
            with _opened(asked, waiting.timeout_s) as response:
                return _read(response, waiting.largest, name_of(here))
        except HTTPError as error:
            with error:
                target = error.headers.get("Location") if error.code in _REDIRECTS else None
                if target is None:
                    raise _refused(error, name_of(here), has_key=asked.has_header("Authorization")) from None
            here = urljoin(here, target)
            _check_redirect(origin, here)
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, SSLCertVerificationError):
                raise Unavailable("cannot_fetch", f"{name_of(here)}: its certificate is not trusted") from None
            raise _Passing(f"no answer ({type(reason).__name__})") from None
    raise Invalid("bad_redirect", f"{name_of(url)} redirects more than {_MOST_REDIRECTS} times")


def request(url: str, *, origin: str, token: str | None) -> Request:
    """What is sent to a URL that the origin is or pointed to: the key goes to the origin alone, over https."""
    headers = {"Accept": "application/json, text/csv;q=0.9, */*;q=0.1", "User-Agent": "goal-ledger"}
    parts = urlsplit(url)
    if token is not None and parts.scheme == "https" and _origin(parts) == _origin(urlsplit(origin)):
        headers["Authorization"] = f"Bearer {token}"
    return Request(url, headers=headers)  # noqa: S310  the scheme is checked


def _opened(asked: Request, timeout_s: float) -> HTTPResponse:
    # A proxy of the environment has no business with this machine.
    own = [ProxyHandler({})] if _is_local(urlsplit(asked.full_url)) else []
    opener: OpenerDirector = build_opener(_Stay, *own)
    response: HTTPResponse = opener.open(asked, timeout=timeout_s)
    return response


def _read(response: HTTPResponse, largest: int, where: str) -> bytes:
    found = response.read(largest + 1)
    if len(found) > largest:
        raise Invalid("too_large", f"{where} answers with more than {largest:,} bytes", hint="ask for a shorter time")
    if response.length:  # what is still missing, which reading a part does not complain of
        raise _Passing("the answer broke off")
    return found


def _refused(error: HTTPError, where: str, *, has_key: bool) -> Exception:
    if error.code in _PASSING:
        return _Passing(f"the server answered {error.code}", _asked_to_wait(error.headers.get("Retry-After")))
    if error.code in _UNAUTHORISED:
        told = "does not accept the key" if has_key else "wants a key"
        return Unavailable("not_authorised", f"{where} {told} ({error.code})", hint="set the key in the environment")
    return Unavailable("cannot_fetch", f"{where} answered {error.code}", hint="check the URL")


def _asked_to_wait(said: str | None) -> float | None:
    """Seconds, or until a date."""
    if said is None:
        return None
    if said.strip().isdecimal():
        return min(float(said.strip()), _LONGEST_WAIT_S)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _next(page: bytes) -> str | None:
    try:
        found = orjson.loads(page)
    except orjson.JSONDecodeError:
        return None
    following = found.get("next") if isinstance(found, dict) else None
    return following if isinstance(following, str) and following else None


# --- What may be asked


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid("bad_url", "the URL cannot be read", hint="write it like https://us.posthog.com/api/…") from None
    if parts.username is not None or parts.password is not None:
        raise Invalid("bad_url", "a URL must not hold a password", hint="set the key in the environment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_local(parts)):
        raise Invalid(
            "bad_url", f"{parts.scheme}://{host or ''} is not asked: only https is, and http on this machine",
            hint="write it with https://",
        )  # fmt: skip
    if not host or any(character.isspace() or not character.isprintable() for character in url):
        raise Invalid("bad_url", "the URL names no host", hint="write it like https://us.posthog.com/api/…")
    return parts


def _check_redirect(origin: SplitResult, target: str) -> None:
    """Refuse to be led where nobody asked to go: off TLS, or from elsewhere to this machine."""
    try:
        parts = _checked(target)
    except LedgerError as error:
        raise Invalid("bad_redirect", f"{origin.netloc} redirects to where it may not: {error.message}") from None
    if (origin.scheme, parts.scheme) == ("https", "http") or (_is_local(parts) and not _is_local(origin)):
        raise Invalid(
            "bad_redirect", f"{origin.netloc} redirects to {parts.scheme}://{parts.netloc}, which is not asked"
        )


def _is_local(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
