"""What a backend says of its ledger as seen from outside, for `doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from goal_ledger.domain.errors import Hint, LedgerError

if TYPE_CHECKING:
    from goal_ledger.adapters.views.look import Folded


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Diagnosis(NamedTuple):
    """check: what was looked at. do: the way out, in words or as a `Hint`."""

    check: str
    level: Level
    says: str
    do: str | None = None


class Examined(NamedTuple):
    """What a backend finds before the log is opened.

    findings: about what stands around it. is_there: False when it need not be opened. error: why it cannot be. format:
    of the log, told after what it holds. waiting: bytes on their way into its file.
    """

    findings: Sequence[Diagnosis] = ()
    is_there: bool = True
    error: LedgerError | None = None
    format: Diagnosis | None = None
    waiting: int = 0


class ExaminedViews(NamedTuple):
    """tables: those of the read models, of every version; None when none were made. trouble: why nobody can tell."""

    tables: Sequence[Folded] | None = None
    trouble: Diagnosis | None = None


def beginning(name: str) -> Hint:
    """The call that creates a ledger there."""
    return Hint("goal", "create", "Cut checkout errors", db=name)
