"""What the router saw last, so that the next question reads only what changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.log import Log
from goal_ledger.domain.goals.contract import GoalSource
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.runs.run import LocalOutcome, RunStatus
from goal_ledger.domain.settings import Weights
from goal_ledger.domain.strategy.belief import BeliefStatus, alignment
from goal_ledger.domain.work.dispatch import NOTHING_SPENT, Spent
from goal_ledger.domain.work.ranking import Estimates
from goal_ledger.domain.work.router import CLOSED, ROUTER, Work
from goal_ledger.domain.work.serving_order import ServingOrder
from goal_ledger.ledger.engine.core import Core
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.strategy.beliefs import beliefs

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Edition, Views

_OPEN = tuple(status for status in GoalStatus if status not in CLOSED)
_UNDER_WAY = (RunStatus.RUNNING, RunStatus.CHECKPOINTED)
_BILLED = tuple(status for status in RunStatus if status is not RunStatus.QUEUED)
_AT_ONCE = 500  # ids in one question
_A_FEW = 100  # events, folded and looked at in a few milliseconds
_FAR_BEHIND = 5_000  # events: from there on it is sooner to look at everything anew

REVENUE = "revenue_per_month"
"""What a goal's metadata call what it earns, in USD."""
_NOTHING = Decimal(0)

Row = dict[str, Any]
_COLUMNS = (
    "goal_id", "title", "goal_type", "status", "priority", "parent_goal_id", "dependencies", "done", "overlap",
    "attempts", "max_attempts", "not_before", "budget_usd", "progress", "incident_open", "open_occurrences",
    "review_cadence", "value", "effort", "risk", "time_horizon", "task_category", "aligns_with", "contradicts",
    "metadata", "source", "last_run_id",
)  # fmt: skip
"""What the router looks at."""


class Candidates:
    """The open goals in the order in which they should be served, as of the position they were looked at last.

    They are read from the read models once. From then on only the rows whose streams have events behind that position
    are read again, by whatever process those were written. When the log no longer holds the event that was last (a
    backup was put in its place) or the read models are of another edition (they were rebuilt), everything is read anew.

    For one thread at a time. weights: of what a goal is worth, None when that does not count. policy: the version of
    the router.
    """

    def __init__(self, weights: Weights | None, policy: str = ROUTER) -> None:
        self._weights = weights
        self._policy = policy
        self._beliefs: dict[str, bool] = {}
        self._position = -1  # nothing was seen yet
        self._digest: bytes | None = None
        self._edition: Edition = 0, ()
        self._runs: dict[str, dict[str, RunStatus]] = {}  # by goal, those that are under way or queued
        self._order = ServingOrder(weights, policy)

    def is_behind(self, core: Core) -> bool:
        """Whether so much happened since that refreshing takes a while."""
        return core.head() - self._position > _A_FEW

    def refreshed(self, core: Core, now: str) -> ServingOrder:
        """The goals as they are, at a time: UTC text."""
        views, log, last = core.views(), core.log, self._position
        position = views.catch_up()
        edition = views.edition(goal_definitions, goal_runs, beliefs)
        self._position = -1  # until all is done: it may be cut off
        streams = _streams(log, last, position) if self._still_holds(log, last, position, edition) else None
        if streams is None or any(stream.startswith("belief_") for stream in streams):
            self._runs, self._order = {}, ServingOrder(self._weights, self._policy)
            self._beliefs = _beliefs(views)
            with collector_paused():
                self._order.update(self._all(views), now=now)
        else:
            self._order.update(self._touched(views, streams), now=now)
        self._position, self._digest, self._edition = position, log.digest_at(position), edition
        return self._order

    def _still_holds(self, log: Log, last: int, position: int, edition: Edition) -> bool:
        """Whether what was seen is to be refreshed only."""
        is_near = 0 <= last <= position <= last + _FAR_BEHIND
        return is_near and edition == self._edition and log.digest_at(last) == self._digest

    def _all(self, views: Views) -> Mapping[str, Work]:
        self._note_runs(views, {"status": (*_UNDER_WAY, RunStatus.QUEUED)})
        return self._around(views, _rows(views, {"status": _OPEN}))

    def _touched(self, views: Views, streams: Collection[str]) -> Mapping[str, Work]:
        """The goals that these streams are about."""
        goal_ids = set(streams)
        for some in _chunks(streams):
            goal_ids |= self._note_runs(views, {"run_id": some})
        return self._around(views, _rows_of(views, goal_ids))

    def _around(self, views: Views, rows: Mapping[str, Row]) -> dict[str, Work]:
        """Goals with everything above them and what they depend on, closed or not, as far as it is not known yet."""
        found: dict[str, Work] = {}
        while rows:
            won = _succeeded(views, [row["last_run_id"] for row in rows.values() if row["last_run_id"] is not None])
            new = {goal_id: self._work(views, row, won.get(row["last_run_id"])) for goal_id, row in rows.items()}
            found |= new
            missing = self._order.unknown(new.values()) - found.keys()
            rows = _rows_of(views, missing)
        return found

    def _note_runs(self, views: Views, where: Mapping[str, Any]) -> set[str]:
        """Take over how these runs stand; their goals."""
        goal_ids = set()
        columns = ("run_id", "goal_id", "status")
        for run_id, goal_id, status in views.select_columns(goal_runs, columns, where, order=("run_id",)):
            goal_ids.add(goal_id)
            runs = self._runs.setdefault(goal_id, {})
            runs.pop(run_id, None)
            if status in _UNDER_WAY or status is RunStatus.QUEUED:
                runs[run_id] = status
            if not runs:
                del self._runs[goal_id]
        return goal_ids

    def _work(self, views: Views, row: Row, succeeded_in: int | None) -> Work:
        goal_id, runs = row["goal_id"], sorted(self._runs.get(row["goal_id"], {}).items())
        return Work(
            goal_id,
            row["title"],
            row["goal_type"],
            row["status"],
            row["priority"],
            row["parent_goal_id"],
            row["dependencies"],
            row["done"],
            tuple(run_id for run_id, status in runs if status is not RunStatus.QUEUED),
            tuple(run_id for run_id, status in runs if status is RunStatus.QUEUED),
            row["overlap"],
            row["attempts"],
            row["max_attempts"],
            row["not_before"],
            row["budget_usd"],
            NOTHING_SPENT if row["budget_usd"] is None else _spent(views, goal_id),
            row["progress"] or 0.0,  # a key result without a reading
            _is_due(row),
            self._estimates(row),
            succeeded_in,
            row["source"] is GoalSource.IMPORTED,
        )

    def _estimates(self, row: Row) -> Estimates:
        aligns_with, contradicts, horizon = row["aligns_with"], row["contradicts"], row["time_horizon"]
        return Estimates(
            row["value"],
            row["effort"],
            row["risk"],
            None if horizon == "ongoing" else horizon,
            row["task_category"],
            _revenue(row["metadata"]),
            alignment(aligns_with, contradicts, self._beliefs),
            tuple(belief for belief in contradicts if self._beliefs.get(belief, False)),
        )


def _beliefs(views: Views) -> dict[str, bool]:
    """Every belief, True for those that are held."""
    rows = views.select_columns(beliefs, ("belief_id", "status"), order=("belief_id",))
    return {belief_id: status is BeliefStatus.ACTIVE for belief_id, status in rows}


def _revenue(metadata: Mapping[str, Any]) -> Decimal:
    """USD a month, as the goal's metadata say it; 0 when they don't."""
    if (said := metadata.get(REVENUE)) is None:
        return _NOTHING
    try:
        found = Decimal(str(said))
    except InvalidOperation:
        return _NOTHING
    return found if found.is_finite() else _NOTHING


def _streams(log: Log, after: int, up_to: int) -> set[str]:
    """The streams of the events behind one position and not behind another."""
    return {row[1] for row in log.page(after, up_to - after)} if after < up_to else set()


def _rows(views: Views, where: Mapping[str, Any]) -> dict[str, Row]:
    """What the router looks at, by goal."""
    rows = views.select_columns(goal_definitions, _COLUMNS, where, order=("goal_id",))
    return {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}


def _rows_of(views: Views, goal_ids: Collection[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for some in _chunks(goal_ids):
        found |= _rows(views, {"goal_id": some})
    return found


def _succeeded(views: Views, run_ids: Collection[str]) -> dict[str, int]:
    """The number of each of these attempts that succeeded, by run."""
    found: dict[str, int] = {}
    for some in _chunks(run_ids):
        where = {"run_id": some, "local_outcome": LocalOutcome.SUCCEEDED}
        found |= dict(views.select_columns(goal_runs, ("run_id", "attempt"), where, order=("run_id",)))
    return found


def _spent(views: Views, goal_id: str) -> Spent:
    columns, where = ("cost_usd",), {"goal_id": goal_id, "status": _BILLED}
    costs = [cost for (cost,) in views.select_columns(goal_runs, columns, where, order=("attempt",))]
    return Spent(sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None))


def _is_due(row: Row) -> bool | None:
    """Whether what a goal watches or repeats asks for a run; None for other goals."""
    if row["goal_type"] is GoalType.WATCHDOG:
        return bool(row["incident_open"])
    if row["goal_type"] is GoalType.MAINTENANCE and row["review_cadence"] is not None:
        return bool(row["open_occurrences"])
    return None


def _chunks(ids: Collection[str]) -> list[list[str]]:
    ordered = sorted(ids)
    return [ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE)]
