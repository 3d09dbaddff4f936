"""Ids: a prefix that names the kind, and a ULID, so that ids sort by creation time."""

import re
from datetime import datetime, timedelta
from hashlib import sha256

from ulid import ULID

from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.times import EPOCH

_SHAPE = re.compile(r"[a-z]+_[0-7][0-9A-HJKMNP-TV-Z]{25}")
_KINDS = {
    "goal_": "goal",
    "grun_": "run",
    "les_": "lesson",
    "loop_": "loop",
    "aar_": "review",
    "rule_": "rule",
    "prop_": "proposal",
    "scan_": "scan",
    "belief_": "belief",
    "project_": "project",
    "cycle_": "cycle",
}

_NOUNS = {"cycle": "learn"}
"""Commands that list a kind, where they are called otherwise."""


def new_id(prefix: str, at: datetime, entropy: bytes) -> str:
    """An id of the given kind; entropy: 10 random bytes, from the caller."""
    milliseconds = max(0, (at - EPOCH) // timedelta(milliseconds=1))
    return prefix + str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + entropy))


def derived_id(prefix: str, source: str, external_id: str, at: datetime | None) -> str:
    """The id of an imported thing: the same record gives the same id wherever it is imported.

    at: when it is first known to have occurred; None gives time 0.
    """
    digest = sha256(f"{source}\0{external_id}".encode()).digest()
    return new_id(prefix, at or EPOCH, digest[:10])


def require_id(prefix: str, text: str) -> str:
    """The text, when it is an id of that kind; NotFound otherwise, for nothing can be stored under it."""
    if isinstance(text, str) and text.startswith(prefix) and _SHAPE.fullmatch(text):
        return text
    kind = _KINDS[prefix]
    raise NotFound(
        f"unknown_{kind}",
        f"there is no {kind} {text!r}: {kind} ids look like {prefix}01HZX3…",
        hint=Hint(_NOUNS.get(kind, kind), "list"),
    )
