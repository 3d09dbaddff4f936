"""Every playbook rule: where it stands, and what its trial has shown so far."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.evidence import Counts
from goal_ledger.domain.learning.promotion import Trial
from goal_ledger.domain.learning.rule import (
    Mode,
    RuleCanaried,
    RuleDrafted,
    RulePromoted,
    RuleRecalled,
    RuleRetired,
    RuleRolledBack,
    RuleShadowed,
    RuleTried,
    RuleValued,
    counted,
    valued,
)
from goal_ledger.projections.base import Projection, updated


class RuleRow(NamedTuple):
    """One rule; applies_to_goal_type and applies_to_action_type None mean any.

    round: how many times it has been in canary; share: of the goals that were told it there. Of the present round:
    treatment and control runs of the canary, full runs since it is in force, each with those that were won; full_marks:
    the wins among the first 100, 200, 400 full runs, and so on; pairs of runs and those in which the one with the rule
    was dearer or slower; runs whose worth is known, and those that made things worse. times_applied: runs with the
    rule; times_validated: those of them that were won. cause: why it was rolled back last. round_position,
    mode_position: of the events with which the round and the mode began; a run counts in what it began in.
    """

    rule_id: str
    title: str
    applies_to_goal_type: GoalType | None
    applies_to_action_type: str | None
    rule_text: str
    source_lesson_ids: tuple[str, ...]
    activation_mode: Mode
    active: bool
    round: int
    share: float | None
    shadow_runs: int
    treatment_runs: int
    treatment_won: int
    control_runs: int
    control_won: int
    full_runs: int
    full_won: int
    full_marks: tuple[int, ...]
    cost_pairs: int
    cost_worse: int
    duration_pairs: int
    duration_worse: int
    treatment_valued: int
    treatment_degraded: int
    control_valued: int
    control_degraded: int
    times_applied: int
    times_validated: int
    promoted_at: str | None
    rolled_back_at: str | None
    cause: str | None
    retired_reason: str | None
    created_by: str
    created_at: str | None
    updated_at: str | None
    round_position: int
    mode_position: int
    version: int
    position: int


playbook_rules = Projection(
    "playbook_rules", RuleRow, key="rule_id", noun="rule", indexes=(("active", "activation_mode"), ("position",))
)


def trial_of(row: RuleRow) -> Trial:
    """The counts of the present round."""
    return Trial(
        treatment=Counts(row.treatment_runs, row.treatment_won),
        control=Counts(row.control_runs, row.control_won),
        full=Counts(row.full_runs, row.full_won),
        full_marks=row.full_marks,
        costs=Counts(row.cost_pairs, row.cost_worse),
        durations=Counts(row.duration_pairs, row.duration_worse),
        treatment_values=Counts(row.treatment_valued, row.treatment_valued - row.treatment_degraded),
        control_values=Counts(row.control_valued, row.control_valued - row.control_degraded),
    )


@playbook_rules.on(RuleDrafted)
def _drafted(_: RuleRow | None, recorded: Recorded, event: RuleDrafted) -> RuleRow:
    return RuleRow(
        rule_id=recorded.stream,
        title=event.title,
        applies_to_goal_type=event.applies_to_goal_type,
        applies_to_action_type=event.applies_to_action_type,
        rule_text=event.rule_text,
        source_lesson_ids=event.source_lesson_ids,
        activation_mode=Mode.SHADOW,
        active=True,
        round=0,
        share=None,
        shadow_runs=0,
        **_columns(Trial()),
        promoted_at=None,
        rolled_back_at=None,
        cause=None,
        retired_reason=None,
        created_by=recorded.by,
        created_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        round_position=recorded.position,
        mode_position=recorded.position,
        version=recorded.version,
        position=recorded.position,
    )


@playbook_rules.on(RuleShadowed)
def _shadowed(row: RuleRow | None, recorded: Recorded, _: RuleShadowed) -> RuleRow | None:
    return None if row is None else updated(row, recorded, shadow_runs=row.shadow_runs + 1)


@playbook_rules.on(RuleCanaried)
def _canaried(row: RuleRow | None, recorded: Recorded, event: RuleCanaried) -> RuleRow | None:
    return _new_round(row, recorded, Mode.CANARY, round=event.round, share=event.share)


@playbook_rules.on(RuleTried)
def _tried(row: RuleRow | None, recorded: Recorded, event: RuleTried) -> RuleRow | None:
    if row is None:
        return None
    trial = counted(trial_of(row), event, promoted=row.activation_mode is Mode.FULL)
    return updated(row, recorded, **_columns(trial))


@playbook_rules.on(RuleValued)
def _valued(row: RuleRow | None, recorded: Recorded, event: RuleValued) -> RuleRow | None:
    return None if row is None else updated(row, recorded, **_columns(valued(trial_of(row), event)))


@playbook_rules.on(RulePromoted)
def _promoted(row: RuleRow | None, recorded: Recorded, _: RulePromoted) -> RuleRow | None:
    return updated(
        row,
        recorded,
        activation_mode=Mode.FULL,
        promoted_at=recorded.occurred_at,
        mode_position=recorded.position,
    )


@playbook_rules.on(RuleRolledBack)
def _rolled_back(row: RuleRow | None, recorded: Recorded, event: RuleRolledBack) -> RuleRow | None:
    if row is None:
        return None
    number = row.round + 1 if event.mode is Mode.CANARY else row.round
    return _new_round(row, recorded, event.mode, round=number, rolled_back_at=recorded.occurred_at, cause=event.cause)


@playbook_rules.on(RuleRetired, RuleRecalled)
def _ended(row: RuleRow | None, recorded: Recorded, event: Event) -> RuleRow | None:
    return updated(row, recorded, active=False, retired_reason=event.reason)


def _new_round(row: RuleRow | None, recorded: Recorded, mode: Mode, **changes: Any) -> RuleRow | None:
    return updated(
        row,
        recorded,
        activation_mode=mode,
        round_position=recorded.position,
        mode_position=recorded.position,
        **_columns(Trial()),
        **changes,
    )


def _columns(trial: Trial) -> dict[str, Any]:
    told, kept, full = trial.treatment, trial.control, trial.full
    with_rule, without = trial.treatment_values, trial.control_values
    return {
        "treatment_runs": told.n,
        "treatment_won": told.successes,
        "control_runs": kept.n,
        "control_won": kept.successes,
        "full_runs": full.n,
        "full_won": full.successes,
        "full_marks": trial.full_marks,
        "cost_pairs": trial.costs.n,
        "cost_worse": trial.costs.successes,
        "duration_pairs": trial.durations.n,
        "duration_worse": trial.durations.successes,
        "treatment_valued": with_rule.n,
        "treatment_degraded": with_rule.n - with_rule.successes,
        "control_valued": without.n,
        "control_degraded": without.n - without.successes,
        "times_applied": told.n + full.n,
        "times_validated": told.successes + full.successes,
    }
