"""Every number that can be tuned, in one place; the values used go into the events that they shaped."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from goal_ledger.domain.base import Payload, Share


class Stale(StrEnum):
    """What to do when the read models of this code are not there yet."""

    REBUILD = "rebuild"
    WAIT = "wait"
    REFUSE = "refuse"


class Weights(Payload):
    """What each part of the utility counts when goals are ranked; it is clamped to 0 to 1."""

    value: Share = 0.5
    effort: Share = 0.25
    risk: Share = 0.15
    urgency: Share = 0.05
    alignment: Share = 0.05


class Settings(Payload):
    """The ledger's settings. Units are in the names."""

    text_limit: Annotated[int, Field(ge=200, le=1_000_000)] = 10_000
    """Longest text accepted in an event, in characters; the ledger's own words need some."""
    lock_wait_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long a writer waits for the store's lock before `Conflict`, in seconds."""
    durable: bool = True
    """True: a commit survives power loss (SQLite synchronous=FULL). False: it survives a crash of the program only."""
    state_cache: Annotated[int, Field(ge=0)] = 10_000
    """States kept in memory between commands, in streams."""
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    """Events per page when views catch up."""
    stale: Annotated[Stale, Field(strict=False)] = Stale.REBUILD
    """Read models that this code has not folded yet: rebuild them when asked, wait for another process, or refuse."""
    stuck_after_s: Annotated[float, Field(gt=0)] = 300.0
    """A running run without a sign of life for longer is listed as stuck, in seconds."""
    max_key_results: Annotated[int, Field(ge=1)] = 5
    """Key results an objective may have."""
    experiment_alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """The chance that an experiment ever names a wrong winner, however often it is looked at."""
    retry_base_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """Seconds until a goal is tried again after its first failed attempt."""
    retry_factor: Annotated[float, Field(ge=1, le=10)] = 2.0
    """How many times longer each further wait is."""
    retry_max_s: Annotated[float, Field(ge=0, le=2_592_000)] = 3600.0
    """The longest wait between two attempts, in seconds."""
    retry_jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share by which a wait may be shorter, so that what failed together is not tried together."""
    detect_every_s: Annotated[int, Field(ge=60, le=604_800)] = 3600
    """How often a tick lets the detectors look, in seconds."""
    least_confidence: Share = 0.7
    """A proposal of a detector that is less sure becomes no goal."""
    auto_approve: Share = 0.9
    """A proposal at least this sure becomes an active goal without a person."""
    system_goals_a_day: Annotated[int, Field(ge=0)] = 10
    """Goals that detectors may set on one UTC day."""
    detector_goals_a_day: Annotated[int, Field(ge=0)] = 3
    """Goals that one detector may set on one UTC day."""
    duplicate_similarity: Share = 0.8
    """Titles more alike than this are the same goal: the share of their words that they have in common."""
    least_alignment: Share = 0.5
    """A proposal that fits the beliefs less becomes no goal."""
    proposal_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    """Days until a proposal expires, and with it its goal when nobody reviewed it."""
    weight: Weights = Weights()
    """What each part of a goal's worth counts: value, effort, risk, urgency, alignment, each 0 to 1."""
    detectors: dict[str, dict[str, Any]] = Field(default={})
    """The settings of each detector by its name; `enabled` False switches it off."""
    outcome_threshold: Annotated[float, Field(ge=0, le=1)] = 0.05
    """A metric that moved by this share or more has improved or degraded; by less, it is neutral."""
    outcome_window_days: Annotated[float, Field(gt=0, le=3650)] = 7.0
    """How long before a measurement a run may have finished for the measurement to speak about it, in days."""
    rule_confidence: Annotated[float, Field(ge=0, le=1)] = 0.8
    """The confidence that a lesson needs before a rule is drafted from it."""
    rule_shadow_runs: Annotated[int, Field(ge=1, le=1000)] = 3
    """Runs that a rule watches from the shadow before the learning cycle tries it."""
    rule_canary_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The share of the goals that are told a rule while it is tried; the others are the comparison."""
    rule_validated_runs: Annotated[int, Field(ge=1)] = 3
    """Runs that a rule must have helped to win, in the round at hand, before it may be put in force."""
    rule_alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """The chance that a rule is ever put in force wrongly; also the chance that it is ever taken back wrongly."""
    rule_margin: Annotated[float, Field(gt=0, lt=1)] = 0.10
    """By how much the share of runs won may be lower with a rule that is put in force; less than this is no harm."""
    rule_cost_tolerance: Annotated[float, Field(ge=0)] = 0.25
    """By how much a run with a rule may be dearer or slower than its comparison, 0.25 for a quarter."""
    rule_deadline_s: Annotated[float, Field(gt=0)] = 604_800.0
    """Seconds after its start when a run that is still open counts as not won in the trial of a rule."""
    context_tokens: Annotated[int, Field(ge=0, le=1_000_000)] = 2_000
    """How long the lessons and rules that an agent is told may be, in tokens of about four characters; 0: none."""
    review_watch_days: Annotated[float, Field(ge=0, le=3650)] = 14.0
    """How long after a review the same failure reopens it, in days."""
    lesson_score: Annotated[float, Field(gt=0)] = 2.0
    """What a candidate must score, frequency times impact, to become a lesson."""
