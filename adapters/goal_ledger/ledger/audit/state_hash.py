"""One hash of everything that the log folds into: equal wherever the state is equal.

The state of a projection is hashed as lines of JSON, each ending in a newline: its name and columns, then every row in
order of its key, then `{"lacking": position}` for every event that could not be folded. Keys are sorted, floats stand
as their shortest text, money as the text it is stored as. The state of a ledger is the hash of one line per projection
in order of name, `<sha256>  <name>`, as `sha256sum` writes them. Nothing in it depends on the machine, the database or
the wording of an error.
"""

import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson

from goal_ledger.adapters.views.log import Log, Progress, quiet
from goal_ledger.adapters.views.repairs import Quarantined
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.errors import Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.location import locate
from goal_ledger.projections.base import Projection
from goal_ledger.projections.registry import PROJECTIONS

R = TypeVar("R", bound=tuple[Any, ...])


class ProjectionHash(NamedTuple):
    """The state of one projection. digest: names the code that folds it, which the hash leaves out.

    rows, lacking: how many.
    """

    name: str
    sha256: str
    rows: int
    lacking: int
    digest: str


class StateHash(NamedTuple):
    """The state as of a position. lacking: the events that some projection could not fold, and why."""

    sha256: str
    head: int
    projections: Sequence[ProjectionHash]
    lacking: Sequence[Quarantined]


def state_hash(log: Log, *, ledger: str, page: int = 5_000, progress: Progress = quiet) -> StateHash:
    """Fold a log that does not grow meanwhile anew, in a temporary file, and hash what it gives.

    ledger: its id. page: events and rows held in memory at once. Unavailable: disk_full, no_temporary_folder.
    """
    with _temporary_folder() as folder:
        somewhere = locate(Path(folder) / "state.db")
        views = somewhere.open_views(log, PROJECTIONS.values(), Settings(page=page), ledger=ledger)
        try:
            views.catch_up(progress)
            lacking = views.repairs.quarantined()
            hashes = [_hash_of(views, projection, lacking, page) for _, projection in sorted(PROJECTIONS.items())]
        finally:
            views.close()
    lines = "".join(f"{each.sha256}  {each.name}\n" for each in hashes)
    return StateHash(sha256(lines.encode()).hexdigest(), log.head(), hashes, lacking)


def _hash_of(views: Views, projection: Projection[R], lacking: Sequence[Quarantined], page: int) -> ProjectionHash:
    positions = sorted(event.position for event in lacking if event.projection == projection.name)
    hashed, rows = sha256(_line([projection.name, projection.row._fields])), 0  # type: ignore[attr-defined]
    for row in _rows(views, projection, page):
        hashed.update(_line(list(row)))
        rows += 1
    for position in positions:
        hashed.update(_line({"lacking": position}))
    return ProjectionHash(projection.name, hashed.hexdigest(), rows, len(positions), projection.digest)


def _rows(views: Views, projection: Projection[R], page: int) -> Iterator[R]:
    """Every row in order of its key."""
    order, after = (projection.key,), None
    while rows := views.select(projection, order=order, after=after, limit=page):
        yield from rows
        after = (getattr(rows[-1], projection.key),)


def _line(value: object) -> bytes:
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="goal-ledger-")
    except OSError as error:
        raise Unavailable(
            "no_temporary_folder",
            f"no temporary folder can be made: {error.strerror}",
            hint="set TMPDIR to a folder that can be written",
        ) from error
