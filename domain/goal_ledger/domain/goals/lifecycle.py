"""The goal lifecycle as one table: which verb moves a goal from which states to which.

Every refusal, hint and document about transitions is derived from `MOVES`.
"""

from enum import StrEnum
from functools import reduce
from typing import NamedTuple

from goal_ledger.domain.errors import STREAM, Hint, Rejected


class GoalStatus(StrEnum):
    PROPOSED = "proposed"
    PLANNED = "planned"
    READY = "ready"
    ACTIVE = "active"
    WAITING = "waiting"
    RETRYING = "retrying"
    BLOCKED = "blocked"
    CHECKPOINTED = "checkpointed"
    COMPLETED = "completed"
    COMPLETED_WITH_CAVEATS = "completed_with_caveats"
    FAILED = "failed"
    REJECTED = "rejected"
    ARCHIVED = "archived"


class GoalType(StrEnum):
    OBJECTIVE = "objective"
    KEY_RESULT = "key_result"
    INITIATIVE = "initiative"
    MAINTENANCE = "maintenance"
    WATCHDOG = "watchdog"
    EXPERIMENT = "experiment"
    LEARNING = "learning"


class ArchiveCause(StrEnum):
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNSTARTED = frozenset({GoalStatus.PROPOSED, GoalStatus.PLANNED, GoalStatus.READY})

FINISHED = frozenset(
    {
        GoalStatus.COMPLETED,
        GoalStatus.COMPLETED_WITH_CAVEATS,
        GoalStatus.FAILED,
        GoalStatus.REJECTED,
        GoalStatus.ARCHIVED,
    }
)
"""No work can follow."""

PARENTS: dict[GoalType, frozenset[GoalType]] = {
    GoalType.OBJECTIVE: frozenset(),
    GoalType.KEY_RESULT: frozenset({GoalType.OBJECTIVE}),
    **dict.fromkeys(
        (GoalType.INITIATIVE, GoalType.MAINTENANCE, GoalType.WATCHDOG, GoalType.EXPERIMENT, GoalType.LEARNING),
        frozenset({GoalType.OBJECTIVE, GoalType.KEY_RESULT, GoalType.INITIATIVE}),
    ),
}
"""Which types may stand above a goal: objective → key results → initiatives and everything that runs."""


class Move(NamedTuple):
    sources: frozenset[GoalStatus]
    target: GoalStatus


def _move(target: GoalStatus, *sources: GoalStatus) -> Move:
    return Move(frozenset(sources), target)


_S = GoalStatus
MOVES: dict[str, Move] = {
    "approve": _move(_S.ACTIVE, _S.PROPOSED),
    "reject": _move(_S.REJECTED, _S.PROPOSED),
    "ready": _move(_S.READY, _S.PLANNED),
    "activate": _move(_S.ACTIVE, _S.READY, _S.WAITING, _S.RETRYING),
    "wait": _move(_S.WAITING, _S.ACTIVE),
    "retry": _move(_S.RETRYING, _S.WAITING),
    "block": _move(_S.BLOCKED, _S.ACTIVE, _S.WAITING, _S.RETRYING),
    "unblock": _move(_S.ACTIVE, _S.BLOCKED),
    "checkpoint": _move(_S.CHECKPOINTED, _S.ACTIVE),
    "resume": _move(_S.ACTIVE, _S.CHECKPOINTED, _S.WAITING, _S.RETRYING),
    "complete": _move(_S.COMPLETED, _S.ACTIVE),
    "complete --caveats": _move(_S.COMPLETED_WITH_CAVEATS, _S.ACTIVE),
    "fail": _move(_S.FAILED, _S.ACTIVE, _S.WAITING, _S.RETRYING, _S.BLOCKED, _S.CHECKPOINTED),
    "archive": _move(_S.ARCHIVED, *(status for status in _S if status is not _S.ARCHIVED)),
}


def verbs_from(status: GoalStatus) -> list[str]:
    """The verbs that a goal in this state allows."""
    return [verb for verb, move in MOVES.items() if status in move.sources]


def path(start: GoalStatus, targets: frozenset[GoalStatus]) -> list[str]:
    """The shortest sequence of verbs from a state to one of the targets; empty when there is none."""
    paths: dict[GoalStatus, list[str]] = {start: []}
    for status in (queue := [start]):
        if status in targets:
            return paths[status]
        for verb in verbs_from(status):
            target = MOVES[verb].target
            if target not in paths and target is not GoalStatus.ARCHIVED:
                paths[target] = [*paths[status], verb]
                queue.append(target)
    return []


def moves(status: GoalStatus, verb: str) -> bool:
    """Whether the verb changes anything: False when its target already holds.

    Rejected: not_allowed, naming both states and the way out.
    """
    sources, target = MOVES[verb]
    if status is target:
        return False
    if status in sources:
        return True
    needed = " or ".join(source for source in GoalStatus if source in sources)
    allowed = ", ".join(verbs_from(status)) or "nothing: it is final"
    way = path(status, sources)
    steps = [Hint("goal", step, STREAM) for step in way]
    raise Rejected(
        "not_allowed",
        f"goal is {status}; to {verb} it ({target}) it must be {needed}; {status} allows {allowed}",
        hint=reduce(lambda first, then: first + ", then " + then, steps) if steps else None,
    )
