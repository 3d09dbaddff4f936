"""Where a ledger lives: what its url names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goal_ledger.adapters.backends.backend import FORMS, Backend
from goal_ledger.adapters.backends.registry import BACKENDS
from goal_ledger.domain.errors import Invalid
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import installed, load, require_new

DEFAULT_NAME = "goal-ledger.db"
"""What a ledger's file is called by default."""


def locate(url: str | Path | Backend) -> Backend:
    """The place that a url names; nothing is opened.

    url: a path, `sqlite:///relative`, `sqlite:////absolute`, `:memory:`, `postgresql://user@host/database?schema=name`,
    or one with a scheme that an installed package declares.

    Invalid: bad_url, duplicate_name. Unavailable: cannot_open, bad_extension.
    """
    if not isinstance(url, (str, os.PathLike)):
        if not hasattr(url, "open_store"):
            raise Invalid("bad_url", f"{type(url).__name__} names no ledger", hint=FORMS)
        return url
    text = str(url)
    scheme = text.partition(":")[0] if "://" in text or text.startswith("file:") else "sqlite"
    place = BACKENDS.get(scheme)
    found: Backend = _installed(scheme)(text) if place is None else load(place)(text)
    return found


def nearest(folder: Path, name: str = DEFAULT_NAME) -> Path:
    """The file of this name in a folder or the closest one above it; in the folder itself when there is none."""
    for place in (folder, *folder.parents):
        if os.path.isfile(path := place / name):
            return path
    return folder / name


def _installed(scheme: str) -> Callable[[str], Any]:
    declared = installed(extensions.BACKENDS)
    found = [one for one in declared if one.name == scheme]
    if not found:
        known = ", ".join(dict.fromkeys([*BACKENDS, *(one.name for one in declared)]))
        raise Invalid("bad_url", f"{scheme} is not a kind of ledger; there are {known}", hint=FORMS)
    for other in found[1:]:
        require_new(scheme, [scheme], str(other))
    return found[0].load(Callable)  # type: ignore[arg-type]  # a special form, and a class all the same
