"""A playbook rule: a directive drawn from lessons, which has to prove itself before every agent is told it."""

from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, Money, Seconds, Share, Texts
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.learning.lesson import Scope
from goal_ledger.domain.policies import Receipt

# --- Words


class Mode(StrEnum):
    """shadow: told to nobody, noted where it would have been. canary: told for a share of the goals. full: for all."""

    SHADOW = "shadow"
    CANARY = "canary"
    FULL = "full"


class Arm(StrEnum):
    """Which side of the comparison a run is on."""

    TREATMENT = "treatment"
    CONTROL = "control"


def rule_id(scope: Scope, text: str) -> str:
    """The id of the rule with this text in this scope, whoever drafts it: the same rule has one stream."""
    words = " ".join(text.casefold().split())
    return derived_id("rule_", f"{scope.goal_type or ''}\0{scope.action_type or ''}", words, None)


# --- Events


class RuleDrafted(Event):
    """The rule begins, in shadow. applies_to_goal_type, applies_to_action_type: None for any."""

    title: str
    rule_text: str
    applies_to_goal_type: Annotated[GoalType | None, Field(strict=False)] = None
    applies_to_action_type: str | None = None
    source_lesson_ids: Texts
    receipt: Receipt | None = None


class RuleCanaried(Event):
    """The rule is tried on a share of the goals. round: how many times it has been, from 1."""

    share: Share
    round: Annotated[int, Field(ge=1)]
    receipt: Receipt | None = None


class RuleTried(Event):
    """A run that the comparison counts has ended, or its time is up. success: whether it did what it should."""

    run_id: str
    arm: Annotated[Arm, Field(strict=False)]
    success: bool
    cost_usd: Money | None = None
    duration_seconds: Seconds | None = None


class RuleValued(Event):
    """It became known what a counted run was worth. degraded: whether it made things worse."""

    run_id: str
    arm: Annotated[Arm, Field(strict=False)]
    degraded: bool


class RulePromoted(Event):
    """The rule is in force for all goals. receipt: None when a person promoted it."""

    receipt: Receipt | None = None


class RuleRolledBack(Event):
    """The rule goes back: from full to canary, from canary to shadow. cause: what got worse."""

    mode: Annotated[Mode, Field(strict=False)]
    cause: str
    receipt: Receipt | None = None


class RuleRetired(Event):
    """The rule is told to nobody any more."""


class RuleRecalled(Event):
    """A lesson that the rule was drawn from was recalled. root: the lesson whose recall began it."""

    root: str


# --- State


class Rule(NamedTuple):
    """mode: None before it is drafted. active: whether it may still be told."""

    mode: Mode | None = None
    active: bool = False
    lesson_ids: tuple[str, ...] = ()


RULE = Decider("rule", Rule())


@RULE.on(RuleDrafted)
def _drafted(_: Rule, event: RuleDrafted) -> Rule:
    return Rule(Mode.SHADOW, active=True, lesson_ids=event.source_lesson_ids)


@RULE.on(RuleCanaried)
def _canaried(rule: Rule, _: RuleCanaried) -> Rule:
    return rule._replace(mode=Mode.CANARY)


@RULE.on(RulePromoted)
def _promoted(rule: Rule, _: RulePromoted) -> Rule:
    return rule._replace(mode=Mode.FULL)


@RULE.on(RuleRolledBack)
def _rolled_back(rule: Rule, event: RuleRolledBack) -> Rule:
    return rule._replace(mode=event.mode)


@RULE.on(RuleRetired, RuleRecalled)
def _ended(rule: Rule, _: Event) -> Rule:
    return rule._replace(active=False)


# --- Decisions


def recall(rule: Rule, *, root: str, reason: str | None) -> list[Event]:
    """Take the rule back for good. root: the lesson with whose recall it falls."""
    return [RuleRecalled(root=root, reason=reason)] if rule.active else []
