"""What a goal promises, where it comes from, and what its fields may hold."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationError

from goal_ledger.domain.base import LARGEST_INT, Count, Json, Money, Payload, Share, Texts, invalid
from goal_ledger.domain.errors import Invalid, Rejected
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.lifecycle import MOVES, UNSTARTED, GoalStatus, GoalType
from goal_ledger.domain.times import parse_utc, utc_text


class GoalSource(StrEnum):
    USER = "user"
    SYSTEM = "system"
    COLLABORATIVE = "collaborative"
    IMPORTED = "imported"


class Overlap(StrEnum):
    """What happens when a run is to start while another one of the goal is open."""

    FORBID = "forbid"
    ALLOW = "allow"
    REPLACE = "replace"
    ENQUEUE = "enqueue"


class CatchUp(StrEnum):
    """What becomes of occurrences that were missed: all of them, the latest, none, or one for all."""

    CATCH_UP_ALL = "catch_up_all"
    LATEST_ONLY = "latest_only"
    SKIP = "skip"
    COALESCE = "coalesce"


Type = Annotated[GoalType, Field(strict=False)]


class Contract(Payload):
    """What a goal promises; everything but the title has a default.

    priority: 1 (critical) to 5 (low). time_horizon: `ongoing` or an ISO 8601 deadline. review_cadence: a cron line with
    an optional time zone, or an interval like `7d`. horizon_min_minutes, horizon_max_minutes: expected length of the
    work. value, effort, risk: estimates for ranking. learning_required: whether outcomes feed the lesson store.

    baseline, target, unit: of a key result, where it began and where it should get, either way. watch: the condition
    that a watchdog looks for. arms: what an experiment compares. overlap, max_attempts, budget_usd,
    resume_if_checkpointed: rules for its runs; max_attempts counts the first one too. catch_up: what becomes of missed
    occurrences of the cadence.
    """

    title: str
    description: str = ""
    goal_type: Type = GoalType.INITIATIVE
    category: str | None = None
    task_category: str | None = None
    parent_goal_id: str | None = None
    owner_agent: str | None = None
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    criteria: Annotated[tuple[Criterion, ...], Field(strict=False)] = ()
    failure_conditions: Texts = ()
    constraints: Texts = ()
    review_cadence: str | None = None
    start_condition: str | None = None
    stop_condition: str | None = None
    time_horizon: str = "ongoing"
    dependencies: Texts = ()
    allowed_capabilities: Texts = ()
    learning_required: bool = True
    value: Share | None = None
    effort: Share | None = None
    risk: Share | None = None
    horizon_min_minutes: Count | None = None
    horizon_max_minutes: Count | None = None
    aligns_with: Texts = ()
    contradicts: Texts = ()
    metadata: Json = Field(default_factory=dict)
    baseline: float | None = None
    target: float | None = None
    unit: str | None = None
    watch: str | None = None
    arms: Texts = ()
    overlap: Annotated[Overlap, Field(strict=False)] = Overlap.FORBID
    max_attempts: Annotated[int, Field(ge=1, le=LARGEST_INT)] | None = None
    budget_usd: Money | None = None
    resume_if_checkpointed: bool = True
    catch_up: Annotated[CatchUp, Field(strict=False)] = CatchUp.COALESCE


class Origin(Payload):
    """Where a goal comes from: a person, a detector's proposal, an import.

    created_by: a detector or importer; the actor when not said. source_id: the record it was imported from.
    """

    source: Annotated[GoalSource, Field(strict=False)] = GoalSource.USER
    created_by: str | None = None
    proposal_id: str | None = None
    auto_approved: bool = False
    source_id: str | None = None


def checked(contract: Contract, now: datetime | None) -> Contract:
    """The contract with its deadline as stored text. now: None skips the check that the deadline lies ahead.

    Rejected: no_title, deadline_passed. Invalid: bad_time.
    """
    if not contract.title.strip():
        raise Rejected("no_title", "a goal needs a title that is not blank")
    if contract.time_horizon == "ongoing":
        return contract
    deadline = parse_utc(contract.time_horizon)
    if now is not None and deadline < now:
        raise Rejected("deadline_passed", f"the deadline {utc_text(deadline)} lies in the past")
    return contract.model_copy(update={"time_horizon": utc_text(deadline)})


def typed_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Contract fields given as JSON or Python values, as typed values.

    Invalid: unknown_field, invalid_value.
    """
    if unknown := [name for name in changes if name not in Contract.model_fields]:
        raise Invalid("unknown_field", f"a goal has no field {unknown[0]!r}; it has {', '.join(Contract.model_fields)}")
    try:
        contract = Contract.model_validate({"title": "", **changes})
    except ValidationError as error:
        raise invalid(error) from None
    return {name: getattr(contract, name) for name in changes}


def is_overdue(status: GoalStatus, time_horizon: str, now: str) -> bool:
    """Whether the deadline passed before the goal was started (a started goal fails instead)."""
    return status in UNSTARTED and time_horizon != "ongoing" and time_horizon < now


def is_exceeded(status: GoalStatus, time_horizon: str, now: str) -> bool:
    """Whether the deadline passed while it was being worked on, so that it fails."""
    return status in MOVES["fail"].sources and time_horizon != "ongoing" and time_horizon < now


def as_json(value: Any) -> Any:
    """A field's value as `goal.amended` stores it."""
    if isinstance(value, Criterion):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    return value
