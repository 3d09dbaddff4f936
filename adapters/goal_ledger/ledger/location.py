"""Where a ledger lives: what its url names, and where its views stand."""

import os
from pathlib import Path

from goal_ledger.domain.errors import Invalid, Unavailable

DEFAULT_NAME = "goal-ledger.db"
"""What a ledger's file is called unless said otherwise."""

_SQLITE = "sqlite:///"


def locate(url: str | Path) -> Path | None:
    """The file that a url names; None for `:memory:`.

    url: a path, `sqlite:///relative`, `sqlite:////absolute` or `:memory:`. Invalid: bad_url. Unavailable: cannot_open.
    """
    text = str(url)
    if text == ":memory:":
        return None
    if text.startswith(_SQLITE):
        text = text[len(_SQLITE) :]
        if text == ":memory:":
            return None
    elif "://" in text or text.startswith("file:"):
        kind = text.split(":", 1)[0]
        raise Invalid("bad_url", f"{kind} is not a kind of ledger", hint="name a path, sqlite:///path or :memory:")
    if not text or "\0" in text or text.endswith("/"):
        raise Invalid("bad_url", f"{text!r} names no file", hint="name a path, sqlite:///path or :memory:")
    path = Path(text)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise Unavailable("cannot_open", f"{text} cannot be opened: {error.strerror}") from None
    if is_folder:
        raise Invalid("bad_url", f"{text} is a folder", hint=f"name a file in it: {text}/goal-ledger.db")
    return path


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
