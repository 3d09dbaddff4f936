"""What a ledger asks of the place where it is kept: a store is a module with a `Backend`, and a line in a table.

A package adds one as an entry point of the group `goal_ledger.backends`: the scheme of its urls, and a function that
takes the url and gives the backend. Making one opens nothing and imports no driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from goal_ledger.domain.errors import Hint, LedgerError

if TYPE_CHECKING:
    from goal_ledger.adapters.store.base import Store
    from goal_ledger.adapters.views.log import Log
    from goal_ledger.adapters.views.look import Folded
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.domain.settings import Settings
    from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

SETTINGS_FILE = "goal-ledger.toml"

FORMS = "name a path, sqlite:///path, :memory: or postgresql://user@host/database"


class Backend(Protocol):
    """The place of one ledger. Equal when it is the same place; what it shows of itself holds no password."""

    @property
    def name(self) -> str:
        """What people call it, without any password; it opens the ledger again where no password is needed."""

    @property
    def path(self) -> Path | None:
        """The log's file, when it is one file."""

    @property
    def is_memory(self) -> bool:
        """Whether it ends with its process."""

    @property
    def settings_file(self) -> Path | None:
        """Where the ledger's settings stand; None when they have no place."""

    def open_store(self, settings: Settings, *, read_only: bool, create: bool) -> Store:
        """The log. create: False refuses one that does not exist. Errors: those of `Ledger.open`."""

    def open_views(
        self,
        log: Log,
        projections: Iterable[Projection[Any]],
        settings: Settings,
        *,
        ledger: str,
        store: Store | None = None,
    ) -> Views:
        """The read models of a log, which belong here. ledger: its id. store: that the log is read from, if known."""

    # --- Seen from outside: nothing is created, healed or moved

    def examine(self) -> Examined:
        """What stands around the log. Errors are told, not raised."""

    def examine_views(self) -> ExaminedViews:
        """The tables of the read models. Errors are told, not raised."""

    def rows(self, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
        """Rows as they stand, not caught up; [] when this code has folded none. Errors are raised."""


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
