"""The goals that time or events may move by themselves: what a tick looks at, and nothing else.

A goal without conditions, cadence and deadline has no row, so that a tick costs nothing for it.
"""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.conditions import is_prose
from goal_ledger.domain.goals.contract import typed_changes
from goal_ledger.domain.goals.goal import (
    TRANSITIONS,
    GoalAmended,
    GoalArchived,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalCreated,
    GoalFailed,
    GoalRejected,
    Transition,
)
from goal_ledger.domain.goals.lifecycle import UNSTARTED
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired
from goal_ledger.projections.base import Projection


class AgendaRow(NamedTuple):
    """One goal. start_condition and stop_condition: those that act; prose does not.

    firing: what it watches for came true and is not over. conditional: it has a condition, or is firing. periodic: it
    has a cadence. started: False when it is known to be unstarted, so that it cannot fail by its deadline.
    """

    goal_id: str
    start_condition: str | None
    stop_condition: str | None
    watch: str | None
    firing: bool
    review_cadence: str | None
    time_horizon: str
    conditional: bool
    periodic: bool
    started: bool


agenda = Projection(
    "agenda",
    AgendaRow,
    key="goal_id",
    indexes=(("conditional", "goal_id"), ("periodic", "goal_id"), ("started", "time_horizon", "goal_id")),
)

_CONTRACT = ("start_condition", "stop_condition", "watch", "review_cadence", "time_horizon")


@agenda.on(GoalCreated)
def _created(_: AgendaRow | None, recorded: Recorded, event: GoalCreated) -> AgendaRow | None:
    fields = {name: getattr(event, name) for name in _CONTRACT}
    return _row(_blank(recorded.stream)._replace(started=event.status not in UNSTARTED), **fields)


@agenda.on(GoalAmended)
def _amended(row: AgendaRow | None, recorded: Recorded, event: GoalAmended) -> AgendaRow | None:
    if event.changes.keys().isdisjoint(_CONTRACT):
        return row
    changes = typed_changes(event.changes)
    known = row or _blank(recorded.stream)  # without a row nobody told whether it was started: perhaps
    return _row(known, **{name: changes[name] for name in _CONTRACT if name in changes})


@agenda.on(*TRANSITIONS)
def _moved(row: AgendaRow | None, _: Recorded, event: Transition) -> AgendaRow | None:
    # No way leads back to the states in which a goal can be made ready.
    return None if row is None else _row(row, start_condition=None, started=event.to_status not in UNSTARTED)


@agenda.on(GoalCompleted, GoalCompletedWithCaveats, GoalFailed, GoalRejected)
def _ended(row: AgendaRow | None, recorded: Recorded, _: Transition) -> AgendaRow | None:
    return None if row is None else _row(_blank(recorded.stream), stop_condition=row.stop_condition, firing=row.firing)


@agenda.on(GoalArchived)
def _archived(_: AgendaRow | None, _recorded: Recorded, _event: GoalArchived) -> None:
    return None


@agenda.on(WatchdogFired)
def _fired(row: AgendaRow | None, recorded: Recorded, _: WatchdogFired) -> AgendaRow | None:
    return _row(row or _blank(recorded.stream), firing=True)


@agenda.on(WatchdogCleared)
def _cleared(row: AgendaRow | None, _: Recorded, _event: WatchdogCleared) -> AgendaRow | None:
    return None if row is None else _row(row, firing=False)


def _blank(goal_id: str) -> AgendaRow:
    return AgendaRow(goal_id, None, None, None, False, None, "ongoing", False, False, True)


def _row(row: AgendaRow, **changes: Any) -> AgendaRow | None:
    """The row with these changes; None when nothing is left that a tick would look at."""
    row = row._replace(**changes)
    start, stop = (
        None if text is None or is_prose(text) else text for text in (row.start_condition, row.stop_condition)
    )
    conditional = row.firing or not (start is stop is row.watch is None)
    if not conditional and row.review_cadence is None and row.time_horizon == "ongoing":
        return None
    return row._replace(
        start_condition=start,
        stop_condition=stop,
        conditional=conditional,
        periodic=row.review_cadence is not None,
    )
