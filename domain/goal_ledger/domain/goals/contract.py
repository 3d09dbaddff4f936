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

    The one place that says a field: its type, default and meaning. Options of the command line, pages and what a row
    takes over follow from it; what type checkers read instead is compared with it (`ContractFields`, `GoalRow`).
    """

    title: str = Field(description="What it is called.")
    description: str = Field("", description="What it is about.")
    goal_type: Type = Field(GoalType.INITIATIVE, description="What kind of goal it is.")
    category: str | None = Field(None, description="Free category.")
    task_category: str | None = Field(None, description="Category of its tasks, for routing.")
    parent_goal_id: str | None = Field(None, description="The goal it stands under.")
    owner_agent: str | None = Field(None, description="The one agent that answers for it.")
    priority: int = Field(3, ge=1, le=5, description="1 critical, 5 low.")
    criteria: tuple[Criterion, ...] = Field((), strict=False, description="Conditions of done.")
    failure_conditions: Texts = Field((), description="When it has failed.")
    constraints: Texts = Field((), description="What must be kept to.")
    review_cadence: str | None = Field(None, description="Review: 7d, or a cron line with a zone.")
    start_condition: str | None = Field(None, description="When it starts.")
    stop_condition: str | None = Field(None, description="When it stops.")
    time_horizon: str = Field("ongoing", description="Deadline (ISO 8601), or `ongoing`.")
    dependencies: Texts = Field((), description="Goals to be done first.")
    allowed_capabilities: Texts = Field((), description="What it may use.")
    learning_required: bool = Field(True, description="Whether lessons are drawn.")
    value: Share | None = Field(None, description="Estimated value.")
    effort: Share | None = Field(None, description="Estimated effort.")
    risk: Share | None = Field(None, description="Estimated risk.")
    horizon_min_minutes: Count | None = Field(None, description="Shortest work.")
    horizon_max_minutes: Count | None = Field(None, description="Longest work.")
    aligns_with: Texts = Field((), description="A belief it follows.")
    contradicts: Texts = Field((), description="A belief it contradicts.")
    metadata: Json = Field(default_factory=dict, description="Free data.")
    baseline: float | None = Field(None, description="Where a key result began.")
    target: float | None = Field(None, description="Where a key result should get, up or down.")
    unit: str | None = Field(None, description="Unit of a key result.")
    watch: str | None = Field(None, description="What a watchdog looks for.")
    arms: Texts = Field((), description="What an experiment compares.")
    overlap: Overlap = Field(Overlap.FORBID, strict=False, description="What happens to a second run.")
    max_attempts: Annotated[int, Field(ge=1, le=LARGEST_INT)] | None = Field(
        None, description="Runs at the most, the first one included."
    )
    budget_usd: Money | None = Field(None, description="What its runs may cost together.")
    resume_if_checkpointed: bool = Field(
        True, description="Whether a checkpointed run goes on at the start of a session."
    )
    catch_up: CatchUp = Field(CatchUp.COALESCE, strict=False, description="What becomes of missed occurrences.")


class Origin(Payload):
    """Where a goal comes from: a person, a detector's proposal, an import."""

    source: GoalSource = Field(GoalSource.USER, strict=False, description="Whose idea it is.")
    created_by: str | None = Field(None, description="A detector or importer; default: the actor.")
    proposal_id: str | None = Field(None, description="The proposal that became it.")
    auto_approved: bool = Field(False, description="Whether it started without a person's approval.")
    source_id: str | None = Field(None, description="The record it was imported from.")


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
