"""Where a ledger lives: what its url names, and where its views stand."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from goal_ledger.domain.errors import Invalid, Unavailable

DEFAULT_NAME = "goal-ledger.db"
"""What a ledger's file is called unless said otherwise."""

DEFAULT_SCHEMA = "goal_ledger"
"""Where a ledger's tables are on a server unless said otherwise."""

_SQLITE = "sqlite:///"
_SERVER = ("postgresql://", "postgres://")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_FORMS = "name a path, sqlite:///path, :memory: or postgresql://user@host/database"


class Location(NamedTuple):
    """Where a ledger is: in a file when it has a path, on a server when it has a url, otherwise in memory.

    url: as the server's library understands it, perhaps with a password. schema: where the tables are on the server.
    """

    path: Path | None = None
    url: str | None = None
    schema: str = ""

    def __repr__(self) -> str:
        return f"Location({self.name})"

    @property
    def is_memory(self) -> bool:
        """Whether it ends with its process."""
        return self.path is None and self.url is None

    @property
    def name(self) -> str:
        """What people call it, without any password."""
        if self.url is not None:
            return _named(self.url, self.schema)
        return ":memory:" if self.path is None else str(self.path)


def locate(url: str | Path | Location) -> Location:
    """What a url names.

    url: a path, `sqlite:///relative`, `sqlite:////absolute`, `:memory:` or `postgresql://user@host/database?schema=name`.

    Invalid: bad_url. Unavailable: cannot_open.
    """
    if isinstance(url, Location):
        return url
    text = str(url)
    if text == ":memory:":
        return Location()
    if text.startswith(_SERVER):
        return _on_a_server(text)
    if text.startswith(_SQLITE):
        text = text[len(_SQLITE) :]
        if text == ":memory:":
            return Location()
    elif "://" in text or text.startswith("file:"):
        kind = text.split(":", 1)[0]
        raise Invalid("bad_url", f"{kind} is not a kind of ledger", hint=_FORMS)
    if not text or "\0" in text or text.endswith("/"):
        raise Invalid("bad_url", f"{text!r} names no file", hint=_FORMS)
    path = Path(text)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise Unavailable("cannot_open", f"{text} cannot be opened: {error.strerror}") from None
    if is_folder:
        raise Invalid("bad_url", f"{text} is a folder", hint=f"name a file in it: {text}/goal-ledger.db")
    return Location(path)


def nearest(folder: Path, name: str = DEFAULT_NAME) -> Path:
    """The file of this name in a folder or the closest one above it; in the folder itself when there is none."""
    for place in (folder, *folder.parents):
        if os.path.isfile(path := place / name):
            return path
    return folder / name


def views_beside(path: Path) -> Path:
    """The file of the read models, beside the log."""
    stem = path.name.removesuffix(".db")
    return path.with_name(f"{stem}.views.db")


def _on_a_server(text: str) -> Location:
    url, _, query = text.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    schemas = [value for name, value in options if name == "schema"] or [DEFAULT_SCHEMA]
    if "\0" in unquote(text):
        raise Invalid("bad_url", "the url of a server holds a NUL character", hint=_FORMS)
    if len(schemas) > 1 or not _SCHEMA.fullmatch(schemas[0]):
        raise Invalid(
            "bad_url",
            f"{schemas[-1]!r} cannot be the schema of a ledger",
            hint="one name of up to 41 small letters, digits and underscores: ?schema=team_a",
        )
    rest = urlencode([option for option in options if option[0] != "schema"], quote_via=quote)
    return Location(url=url + (f"?{rest}" if rest else ""), schema=schemas[0])


def _named(url: str, schema: str) -> str:
    """The url without what may be secret: of its options only those that say where the server is."""
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    account = user.partition(":")[0]
    shown = [option for option in parse_qsl(parts.query) if option[0] in ("host", "hostaddr", "port", "dbname", "user")]
    query = urlencode([*shown, ("schema", schema)], quote_via=quote, safe="/")
    return f"postgresql://{account}{'@' if account else ''}{hosts}{parts.path}?{query}"
