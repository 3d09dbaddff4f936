"""Every loop, open or closed: what it is about, of which goal, until when, and what came of it."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.loop import LoopClosed, LoopKind, LoopOpened, LoopStatus
from goal_ledger.projections.base import Projection, changed

_NEVER = "9999-12-31T23:59:59.999999Z"


class LoopRow(NamedTuple):
    """One loop. due_order: due_at, or the end of time, to sort by. times_opened: how often the question came up.

    opened_at, closed_at: the last time it was; closed_at and answer None while it is open.
    """

    loop_id: str
    kind: LoopKind
    status: LoopStatus
    question: str
    answer: str | None
    goal_id: str | None
    run_id: str | None
    holds_goal: bool
    due_at: str | None
    due_order: str
    times_opened: int
    opened_by: str
    opened_at: str | None
    closed_by: str | None
    closed_at: str | None
    version: int
    position: int


open_loops = Projection(
    "open_loops",
    LoopRow,
    key="loop_id",
    noun="loop",
    indexes=(("status", "due_order", "position"), ("due_order", "position"), ("goal_id", "status")),
)


@open_loops.on(LoopOpened)
def _opened(row: LoopRow | None, recorded: Recorded, event: LoopOpened) -> LoopRow:
    return LoopRow(
        loop_id=recorded.stream,
        kind=event.kind,
        status=LoopStatus.OPEN,
        question=event.question,
        answer=None,
        goal_id=event.goal_id,
        run_id=event.run_id,
        holds_goal=event.holds_goal,
        due_at=event.due_at,
        due_order=event.due_at or _NEVER,
        times_opened=1 if row is None else row.times_opened + 1,
        opened_by=recorded.by,
        opened_at=recorded.occurred_at,
        closed_by=None,
        closed_at=None,
        version=recorded.version,
        position=recorded.position,
    )


@open_loops.on(LoopClosed)
def _closed(row: LoopRow | None, recorded: Recorded, event: LoopClosed) -> LoopRow | None:
    return changed(
        row,
        recorded,
        status=LoopStatus.CLOSED,
        answer=event.answer,
        closed_by=recorded.by,
        closed_at=recorded.occurred_at,
    )
