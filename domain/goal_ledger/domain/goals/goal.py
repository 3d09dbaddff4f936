"""A goal: its events, its lifecycle. How its runs are handed out is in `dispatch`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, Json, Seconds, Texts, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, NotFound, Rejected
from goal_ledger.domain.goals.contract import Contract, GoalSource, Origin, Type, as_json, checked, typed_changes
from goal_ledger.domain.goals.lifecycle import PARENTS, ArchiveCause, GoalStatus, GoalType, moves
from goal_ledger.domain.policies import Receipt

# --- Events


_FIRST_STATUS = {
    GoalSource.USER: GoalStatus.PLANNED,
    GoalSource.COLLABORATIVE: GoalStatus.PLANNED,
    GoalSource.SYSTEM: GoalStatus.PROPOSED,
    GoalSource.IMPORTED: GoalStatus.ACTIVE,
}

ALL_TASKS_BLOCKED = "all_tasks_blocked"

Status = Annotated[GoalStatus, Field(strict=False)]
Attempt = Annotated[int, Field(ge=1)]


class GoalCreated(Event, Contract, Origin):
    """A goal began, with its contract and where it comes from."""

    stored = "goal.created"
    schema_version: ClassVar[int] = 2

    status: Status

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no measure, no watch, no arms and no rules for runs.
        return data


class GoalAmended(Event):
    """The contract changed. changes and was: the new and the old value of each field that did, as JSON."""

    stored = "goal.amended"

    changes: Json
    was: Json


class ChildAdded(Event):
    """A goal was placed under this one."""

    stored = "goal.child_added"

    goal_id: str
    goal_type: Type


class Transition(Event):
    to_status: ClassVar[GoalStatus]

    from_status: Status


class GoalApproved(Transition):
    """A proposed goal may start."""

    stored = "goal.approved"
    to_status = GoalStatus.ACTIVE


class GoalRejected(Transition):
    """A proposed goal was turned down."""

    stored = "goal.rejected"
    to_status = GoalStatus.REJECTED


class GoalReadied(Transition):
    """A planned goal was released for work."""

    stored = "goal.readied"
    to_status = GoalStatus.READY


class GoalActivated(Transition):
    """Work began, or was taken up again after waiting."""

    stored = "goal.activated"
    to_status = GoalStatus.ACTIVE


class GoalWaited(Transition):
    """Work paused until something arrives."""

    stored = "goal.waited"
    to_status = GoalStatus.WAITING


class GoalRetried(Transition):
    """Work that waited is being tried again."""

    stored = "goal.retried"
    to_status = GoalStatus.RETRYING


class GoalBlocked(Transition):
    """Something stands in the way."""

    stored = "goal.blocked"
    to_status = GoalStatus.BLOCKED


class GoalUnblocked(Transition):
    """The way is free again."""

    stored = "goal.unblocked"
    to_status = GoalStatus.ACTIVE


class GoalCheckpointed(Transition):
    """The goal was checkpointed. checkpoint_ref: where it can be resumed, a pointer that the worker understands."""

    stored = "goal.checkpointed"
    to_status = GoalStatus.CHECKPOINTED

    checkpoint_ref: str | None = None


class GoalResumed(Transition):
    """Work went on from the checkpoint, or after waiting."""

    stored = "goal.resumed"
    to_status = GoalStatus.ACTIVE

    checkpoint_ref: str | None = None


class GoalCompleted(Transition):
    """The goal is reached. evidence: what shows it."""

    stored = "goal.completed"
    to_status = GoalStatus.COMPLETED

    evidence: str | None = None


class GoalCompletedWithCaveats(Transition):
    """Reached, but not quite: caveats say what is missing."""

    stored = "goal.completed_with_caveats"
    to_status = GoalStatus.COMPLETED_WITH_CAVEATS

    caveats: str
    evidence: str | None = None


class GoalFailed(Transition):
    """The goal was given up."""

    stored = "goal.failed"
    to_status = GoalStatus.FAILED


class GoalArchived(Transition):
    """The goal was put away for good."""

    stored = "goal.archived"
    to_status = GoalStatus.ARCHIVED

    cause: Annotated[ArchiveCause, Field(strict=False)]


TRANSITIONS: tuple[type[Transition], ...] = (
    GoalApproved,
    GoalRejected,
    GoalReadied,
    GoalActivated,
    GoalWaited,
    GoalRetried,
    GoalBlocked,
    GoalUnblocked,
    GoalCheckpointed,
    GoalResumed,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalFailed,
    GoalArchived,
)


class RunDispatched(Event):
    """An attempt was handed out.

    attempt: from 1. running: every run of this goal that is open after it, this one included. receipt: of the policy
    that chose it, None when somebody named the goal.
    """

    stored = "goal.run_dispatched"
    schema_version: ClassVar[int] = 2

    run_id: str
    attempt: Attempt
    agent: str | None = None
    running: Texts
    receipt: Receipt | None = None

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no policy: every run was started by name.
        return data


class RunEnqueued(Event):
    """An attempt was numbered and waits until the open run has ended."""

    stored = "goal.run_enqueued"

    run_id: str
    attempt: Attempt
    agent: str | None = None


class RetryScheduled(Event):
    """An attempt failed and another one is due. run_id: the one that failed. attempt: the next one's number.

    not_before: when it may be handed out, UTC text. backoff_s: the seconds until then.
    """

    stored = "goal.retry_scheduled"

    run_id: str
    attempt: Attempt
    not_before: str
    backoff_s: Seconds


class ActivityRecorded(Event):
    """Something that was seen happening around a goal; it moves nothing.

    source_id: names the record it was imported from, so that it is imported once.
    """

    stored = "goal.activity_recorded"

    activity: str
    attributes: Json = Field(default_factory=dict)
    source_id: str | None = None


# --- State


class ArmResult(NamedTuple):
    """One result of one arm of an experiment. run_id: the run that gave it, which counts once."""

    arm: str
    success: bool
    run_id: str | None = None


class Goal(NamedTuple):
    """What decisions remember. The fields from `current` on belong to single types, whose modules fold them.

    current, measured_at: the last value of a key result, and when it was true. last_due: the last occurrence of a
    maintenance goal that was dealt with. incident: the open one of a watchdog. results: those of an experiment.
    tasks: the initiatives that were ever placed under an initiative. has_caveats: it was completed with some.
    tasks_blocked: whether it was blocked the last time because its tasks are.
    """

    status: GoalStatus | None = None
    contract: Mapping[str, Any] = {}
    done: bool = False
    checkpoint_ref: str | None = None
    key_results: tuple[str, ...] = ()
    attempts: int = 0
    running: tuple[str, ...] = ()
    current: float | None = None
    measured_at: str | None = None
    last_due: str | None = None
    open_occurrences: tuple[str, ...] = ()
    incident: str | None = None
    results: tuple[ArmResult, ...] = ()
    queued: tuple[str, ...] = ()
    not_before: str | None = None
    tasks: tuple[str, ...] = ()
    has_caveats: bool = False
    tasks_blocked: bool = False

    @property
    def held_by_tasks(self) -> bool:
        """Whether it is blocked because its tasks are, and not because somebody said so."""
        return self.status is GoalStatus.BLOCKED and self.tasks_blocked

    @property
    def goal_type(self) -> GoalType:
        return GoalType(self.contract["goal_type"])

    @property
    def dependencies(self) -> tuple[str, ...]:
        return tuple(self.contract.get("dependencies", ()))


GOAL = Decider("goal", Goal())


@GOAL.on(GoalCreated)
def _created(_: Goal, event: GoalCreated) -> Goal:
    return Goal(event.status, {name: getattr(event, name) for name in Contract.model_fields})


@GOAL.on(GoalAmended)
def _amended(goal: Goal, event: GoalAmended) -> Goal:
    return goal._replace(contract={**goal.contract, **typed_changes(event.changes)})


@GOAL.on(ChildAdded)
def _child_added(goal: Goal, event: ChildAdded) -> Goal:
    if event.goal_type is GoalType.KEY_RESULT:
        return goal._replace(key_results=(*goal.key_results, event.goal_id))
    if event.goal_type is goal.contract.get("goal_type") is GoalType.INITIATIVE:
        return goal._replace(tasks=(*goal.tasks, event.goal_id))
    return goal


@GOAL.on(*TRANSITIONS)
def _moved(goal: Goal, event: Transition) -> Goal:
    return goal._replace(status=event.to_status)


@GOAL.on(GoalBlocked)
def _blocked(goal: Goal, event: GoalBlocked) -> Goal:
    return goal._replace(status=event.to_status, tasks_blocked=event.reason == ALL_TASKS_BLOCKED)


@GOAL.on(GoalCheckpointed)
def _checkpointed(goal: Goal, event: GoalCheckpointed) -> Goal:
    return goal._replace(status=event.to_status, checkpoint_ref=event.checkpoint_ref)


@GOAL.on(GoalCompleted, GoalCompletedWithCaveats)
def _completed(goal: Goal, event: Transition) -> Goal:
    has_caveats = isinstance(event, GoalCompletedWithCaveats)
    return goal._replace(status=event.to_status, done=True, has_caveats=has_caveats)


@GOAL.on(RunDispatched)
def _dispatched(goal: Goal, event: RunDispatched) -> Goal:
    return goal._replace(
        attempts=max(goal.attempts, event.attempt),
        running=event.running,
        queued=tuple(run_id for run_id in goal.queued if run_id != event.run_id),
        not_before=None,
    )


@GOAL.on(RunEnqueued)
def _enqueued(goal: Goal, event: RunEnqueued) -> Goal:
    return goal._replace(attempts=event.attempt, queued=(*goal.queued, event.run_id))


@GOAL.on(RetryScheduled)
def _retry_scheduled(goal: Goal, event: RetryScheduled) -> Goal:
    return goal._replace(not_before=event.not_before)


# --- Decisions

NO_GOALS: Mapping[str, Goal] = MappingProxyType({})


@operation("goal.create")
def create(
    goal: Goal,
    *,
    goal_id: str,
    contract: Contract,
    origin: Origin,
    now: datetime | None,
    parent: Goal | None = None,
    dependencies: Mapping[str, Goal] | None = None,
    key_results: Iterable[Goal] = (),
    max_key_results: int = 5,
    reason: str | None = None,
) -> list[Event]:
    """Start a goal: planned for people, proposed for detectors unless auto-approved, active for imports.

    parent, dependencies, key_results: the goals named by the contract, and the key results the parent has so far.
    now: when it is created; None for history of unknown time, which skips the check of the deadline.

    Rejected: already_exists, no_title, deadline_passed, wrong_parent, too_many_key_results, no_target, self_dependency.
    NotFound: unknown_goal. Invalid: bad_time.
    """
    if goal.status is not None:
        raise Rejected("already_exists", f"goal {goal_id} exists already")
    contract = checked(contract, now)
    _fits_under(contract, parent, key_results, max_key_results)
    _has_target(contract)
    _known(goal_id, dependencies or {})
    status = GoalStatus.ACTIVE if origin.auto_approved else _FIRST_STATUS[origin.source]
    return [GoalCreated(**dict(contract), **dict(origin), status=status, reason=reason)]


@operation("goal.adopt")
def adopt(parent: Goal, *, goal_id: str, goal_type: GoalType) -> list[Event]:
    """Note on the parent that a goal was placed under it."""
    if goal_id in parent.key_results:
        return []
    return [ChildAdded(goal_id=goal_id, goal_type=goal_type)]


@operation("goal.amend")
def amend(
    goal: Goal,
    *,
    goal_id: str,
    changes: Mapping[str, Any],
    now: datetime | None,
    parent: Goal | None = None,
    dependencies: Mapping[str, Goal] | None = None,
    key_results: Iterable[Goal] = (),
    max_key_results: int = 5,
    depends_on: Callable[[str], Iterable[str]] = lambda _: (),
    parent_of: Callable[[str], str | None] = lambda _: None,
    reason: str | None = None,
) -> list[Event]:
    """Change fields of the contract; the type stays.

    depends_on, parent_of: the dependencies and the parent of any goal, to refuse a cycle.

    Rejected: archived, cycle, fixed_field and what `create` refuses. Invalid: unknown_field, invalid_value.
    """
    status = existing(goal)
    if status is GoalStatus.ARCHIVED:
        raise Rejected("archived", "goal is archived, which is final: it cannot be amended")
    if "goal_type" in changes:
        raise Rejected("fixed_field", "a goal keeps its goal_type; create another goal instead")
    new = typed_changes(changes)
    changed = {name: value for name, value in new.items() if value != goal.contract.get(name)}
    if not changed:
        return []
    contract = checked(
        Contract.model_construct(None, **{**goal.contract, **changed}), now if "time_horizon" in changed else None
    )
    changed = {name: value for name in changed if (value := getattr(contract, name)) != goal.contract.get(name)}
    if not changed:  # the same deadline in other words
        return []
    if "target" in changed:
        _has_target(contract)
    if "parent_goal_id" in changed:
        _fits_under(contract, parent, key_results, max_key_results)
        if (
            cycle := find_cycle(goal_id, _above(contract.parent_goal_id), lambda one: _above(parent_of(one)))
        ) is not None:
            raise Rejected("cycle", "goals would stand in a circle: " + " under ".join(cycle))
    if "dependencies" in changed:
        _known(goal_id, dependencies or {})
        if (cycle := find_cycle(goal_id, contract.dependencies, depends_on)) is not None:
            raise Rejected("cycle", "dependencies would run in a circle: " + " → ".join(cycle))
    return [
        GoalAmended(
            changes={name: as_json(value) for name, value in changed.items()},
            was={name: as_json(goal.contract.get(name)) for name in changed},
            reason=reason,
        )
    ]


@operation("goal.approve")
def approve(goal: Goal, *, dependencies: Mapping[str, Goal] = NO_GOALS, reason: str | None = None) -> list[Event]:
    """Let a proposed goal start. Rejected: not_allowed, open_dependencies."""
    return _transition(goal, "approve", GoalApproved, reason=reason, dependencies=dependencies)


@operation("goal.reject")
def reject(goal: Goal, *, reason: str | None) -> list[Event]:
    """Turn a proposed goal down. Rejected: not_allowed, no_reason."""
    return _transition(goal, "reject", GoalRejected, reason=reason, why=True)


@operation("goal.ready")
def ready(goal: Goal, *, dependencies: Mapping[str, Goal], reason: str | None = None) -> list[Event]:
    """Release a planned goal for work. Rejected: not_allowed, open_dependencies."""
    return _transition(goal, "ready", GoalReadied, reason=reason, dependencies=dependencies)


@operation("goal.activate")
def activate(goal: Goal, *, dependencies: Mapping[str, Goal] = NO_GOALS, reason: str | None = None) -> list[Event]:
    """Start, or take up again what was waiting. Rejected: not_allowed, open_dependencies."""
    return _transition(goal, "activate", GoalActivated, reason=reason, dependencies=dependencies)


@operation("goal.wait")
def wait(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Pause until something arrives. Rejected: not_allowed."""
    return _transition(goal, "wait", GoalWaited, reason=reason)


@operation("goal.retry")
def retry(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Try again after waiting. Rejected: not_allowed."""
    return _transition(goal, "retry", GoalRetried, reason=reason)


@operation("goal.block")
def block(goal: Goal, *, reason: str | None) -> list[Event]:
    """Say that something stands in the way. Rejected: not_allowed, no_reason."""
    return _transition(goal, "block", GoalBlocked, reason=reason, why=True)


@operation("goal.unblock")
def unblock(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Say that the way is free again. Rejected: not_allowed."""
    return _transition(goal, "unblock", GoalUnblocked, reason=reason)


@operation("goal.checkpoint")
def checkpoint(goal: Goal, *, checkpoint_ref: str | None = None, reason: str | None = None) -> list[Event]:
    """Lay the goal down so that it can be resumed. Rejected: not_allowed."""
    return _transition(goal, "checkpoint", GoalCheckpointed, reason=reason, checkpoint_ref=checkpoint_ref)


@operation("goal.resume")
def resume(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Go on from the checkpoint, or after waiting. Rejected: not_allowed."""
    ref = goal.checkpoint_ref if goal.status is GoalStatus.CHECKPOINTED else None
    return _transition(goal, "resume", GoalResumed, reason=reason, checkpoint_ref=ref)


@operation("goal.complete")
def complete(
    goal: Goal, *, evidence: str | None = None, caveats: str | None = None, reason: str | None = None
) -> list[Event]:
    """Say that the goal is reached; with caveats when it is not quite. Rejected: not_allowed, no_caveats."""
    if caveats is None:
        return _transition(goal, "complete", GoalCompleted, reason=reason, evidence=evidence)
    events = _transition(
        goal, "complete --caveats", GoalCompletedWithCaveats, reason=reason, evidence=evidence, caveats=caveats
    )
    if events and not caveats.strip():
        raise Rejected("no_caveats", "caveats are blank; say what is missing, or complete without them")
    return events


@operation("goal.fail")
def fail(goal: Goal, *, reason: str | None) -> list[Event]:
    """Give the goal up as failed. Rejected: not_allowed, no_reason."""
    return _transition(goal, "fail", GoalFailed, reason=reason, why=True)


@operation("goal.archive")
def archive(goal: Goal, *, cause: ArchiveCause | None = None, reason: str | None = None) -> list[Event]:
    """Put the goal away for good.

    cause: done for a completed goal and cancelled for any other by default.
    """
    cause = cause or (ArchiveCause.DONE if goal.done else ArchiveCause.CANCELLED)
    return _transition(goal, "archive", GoalArchived, reason=reason, cause=cause)


@operation("goal.record_activity")
def record_activity(
    goal: Goal,
    *,
    activity: str,
    attributes: Json | None = None,
    source_id: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Note what was seen happening; it moves nothing. Rejected: no_activity. NotFound: unknown_goal."""
    existing(goal)
    if not activity.strip():
        raise Rejected("no_activity", "an activity needs a name")
    return [ActivityRecorded(activity=activity, attributes=attributes or {}, source_id=source_id, reason=reason)]


# --- Rules shared by the decisions


def existing(goal: Goal) -> GoalStatus:
    """The goal's status. NotFound: unknown_goal."""
    if goal.status is None:
        raise NotFound("unknown_goal", "there is no such goal", hint=Hint("goal", "list"))
    return goal.status


def find_cycle(start: str, dependencies: Iterable[str], depends_on: Callable[[str], Iterable[str]]) -> list[str] | None:
    """The path from start back to start, when these dependencies would close one."""
    paths = {goal_id: [start, goal_id] for goal_id in dependencies}
    for goal_id in (queue := list(paths)):
        if goal_id == start:
            return paths[goal_id]
        for further in depends_on(goal_id):
            if further not in paths:
                paths[further] = [*paths[goal_id], further]
                queue.append(further)
    return None


def open_dependencies(dependencies: Mapping[str, Goal]) -> list[str]:
    """Those that are not done."""
    return [goal_id for goal_id, goal in dependencies.items() if not goal.done]


def refuse_open(dependencies: Mapping[str, Goal]) -> None:
    """Refuse unless every dependency is done. Rejected: open_dependencies."""
    if waiting := open_dependencies(dependencies):
        names = ", ".join(f"{goal_id} ({dependencies[goal_id].status})" for goal_id in waiting)
        raise Rejected("open_dependencies", f"it depends on goals that are not done: {names}")


def _transition(
    goal: Goal,
    verb: str,
    event: Callable[..., Transition],
    *,
    reason: str | None,
    why: bool = False,
    dependencies: Mapping[str, Goal] = NO_GOALS,
    **fields: Any,
) -> list[Event]:
    status = existing(goal)
    if not moves(status, verb):
        return []
    moved = event(from_status=status, reason=reason, **fields)
    if why and not (reason and reason.strip()):
        raise Rejected("no_reason", f"to {verb} a goal, say why", hint=Hint("goal", verb, STREAM, reason=Blank()))
    refuse_open(dependencies)
    return [moved]


def _fits_under(contract: Contract, parent: Goal | None, key_results: Iterable[Goal], most: int) -> None:
    kind = contract.goal_type
    if parent is None:
        if kind is GoalType.KEY_RESULT:
            raise Rejected("wrong_parent", "a key_result belongs under an objective; name it as the parent")
        return
    existing(parent)
    if parent.goal_type not in PARENTS[kind]:
        allowed = " or ".join(sorted(PARENTS[kind])) or "no other goal"
        raise Rejected("wrong_parent", f"a goal of type {kind} stands under {allowed}, not under {parent.goal_type}")
    if kind is GoalType.KEY_RESULT:
        held = sum(
            1
            for other in key_results
            if other.status is not GoalStatus.ARCHIVED
            and other.contract["parent_goal_id"] == contract.parent_goal_id  # some were moved elsewhere
        )
        if held >= most:
            raise Rejected("too_many_key_results", f"the objective has {held} key results, the most is {most}")


def _has_target(contract: Contract) -> None:
    if contract.goal_type is GoalType.KEY_RESULT and contract.target is None:
        raise Rejected(
            "no_target",
            "a key_result is measured against a target, and has none",
            hint="give it one, e.g. " + Hint(baseline=Blank(80), target=Blank(95), unit=Blank("%")),
        )


def _above(parent_goal_id: str | None) -> tuple[str, ...]:
    return () if parent_goal_id is None else (parent_goal_id,)


def _known(goal_id: str, dependencies: Mapping[str, Goal]) -> None:
    for dependency, goal in dependencies.items():
        if dependency == goal_id:
            raise Rejected("self_dependency", "a goal cannot depend on itself")
        if goal.status is None:
            raise NotFound("unknown_goal", f"there is no goal {dependency} to depend on", hint=Hint("goal", "list"))
