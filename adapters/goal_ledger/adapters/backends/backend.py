"""What a ledger asks of the place where it is kept: a store is a module with a `Backend`, and a line in a table.

A package adds one as an entry point of the group `goal_ledger.backends`: the scheme of its urls, and a function that
takes the url and gives the backend. Making one opens nothing and imports no driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from goal_ledger.adapters.backends.examination import Examined, ExaminedViews
    from goal_ledger.adapters.store.base import Store
    from goal_ledger.adapters.views.log import Log
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

    # --- Seen from outside: nothing is created, repaired or moved

    def examine(self) -> Examined:
        """What stands around the log. Errors are told, not raised."""

    def examine_views(self) -> ExaminedViews:
        """The tables of the read models. Errors are told, not raised."""

    def rows(self, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
        """Rows as they stand, not caught up; [] when this code has folded none. Errors are raised."""
