"""What follows from what: the one table.

In this order, by whatever way an event came in; see `engine.reactions` for how they chain and what a refusal does.
"""

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.goal import TRANSITIONS, ChildAdded, GoalAmended
from goal_ledger.domain.learning.review import ReviewReopened
from goal_ledger.domain.runs.run import (
    BusinessOutcomeRecorded,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunVerified,
)
from goal_ledger.ledger.engine.reactions import Reaction

_MOVES: frozenset[type[Event]] = frozenset(TRANSITIONS)
_ENDS: frozenset[type[Event]] = frozenset({RunFinished, RunInterrupted})

REACTIONS = (
    # The goal of a run that ended: tried again later, failed after its last attempt, an occurrence of it done.
    Reaction(_ENDS, "goal_ledger.ledger.work.settling:settle", "settle"),
    # What went wrong is reviewed, and proposed to be done about when it keeps coming back.
    Reaction(
        frozenset({RunFinished, RunVerified, BusinessOutcomeRecorded}),
        "goal_ledger.ledger.learning.following:review",
        "review",
    ),
    Reaction(frozenset({ReviewReopened}), "goal_ledger.ledger.proposals.recurrence:propose", "recurrence"),
    # What a run says about the lessons that it was given, and about rules on trial.
    Reaction(frozenset({RunStarted, RunFinished}), "goal_ledger.ledger.learning.following:weigh_lessons", "evidence"),
    Reaction(
        _ENDS | {BusinessOutcomeRecorded},
        "goal_ledger.ledger.learning.following:try_rules",
        "trials",
    ),
    # The goals above a task follow it.
    Reaction(_MOVES, "goal_ledger.ledger.work.roll_up:release", "release"),
    Reaction(_MOVES, "goal_ledger.ledger.work.roll_up:after_move", "roll-up"),
    Reaction(_MOVES, "goal_ledger.ledger.work.roll_up:follow_above", "roll-up"),
    Reaction(frozenset({ChildAdded}), "goal_ledger.ledger.work.roll_up:after_child", "roll-up"),
    Reaction(frozenset({GoalAmended}), "goal_ledger.ledger.work.roll_up:after_amendment", "roll-up"),
    Reaction(_ENDS, "goal_ledger.ledger.work.roll_up:after_run", "roll-up"),
    # A run of a learning goal that was won is followed by a learning cycle, after the commit.
    Reaction(frozenset({RunFinished}), "goal_ledger.ledger.learning.following:learn", "learning cycle"),
)
