"""Every read model, by name."""

from typing import Any

from goal_ledger.projections.base import Projection
from goal_ledger.projections.continuity.sessions import sessions
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.key_results import key_results
from goal_ledger.projections.goals.open_loops import open_loops
from goal_ledger.projections.goals.state_events import goal_state_events
from goal_ledger.projections.learning.after_action_reviews import after_action_reviews
from goal_ledger.projections.learning.failure_groups import failure_groups
from goal_ledger.projections.learning.learning_cycle_reports import learning_cycle_reports
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.learning.playbook_rules import playbook_rules
from goal_ledger.projections.learning.success_rates import success_rates
from goal_ledger.projections.proposals.proposals import proposals
from goal_ledger.projections.proposals.scans import scans
from goal_ledger.projections.runs.checks import checks
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.runs.outcome_records import outcome_records
from goal_ledger.projections.runs.run_ends import run_ends
from goal_ledger.projections.strategy.beliefs import beliefs
from goal_ledger.projections.strategy.projects import projects
from goal_ledger.projections.work.agenda import agenda

PROJECTIONS: dict[str, Projection[Any]] = {
    projection.name: projection
    for projection in (
        goal_definitions,
        goal_state_events,
        goal_runs,
        outcome_records,
        lessons,
        playbook_rules,
        key_results,
        agenda,
        open_loops,
        sessions,
        checks,
        proposals,
        scans,
        beliefs,
        projects,
        run_ends,
        after_action_reviews,
        failure_groups,
        success_rates,
        learning_cycle_reports,
    )
}

NOUNS: dict[str, Projection[Any]] = {
    "goal": goal_definitions,
    "run": goal_runs,
    "lesson": lessons,
    "rule": playbook_rules,
    "loop": open_loops,
    "proposal": proposals,
    "scan": scans,
    "belief": beliefs,
    "project": projects,
}
"""What people call the rows that belong to one stream each."""
