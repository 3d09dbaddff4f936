"""Every read model, by name."""

from typing import Any

from goal_ledger.projections.base import Projection
from goal_ledger.projections.continuity.open_loops import open_loops
from goal_ledger.projections.continuity.sessions import sessions
from goal_ledger.projections.goals.agenda import agenda
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.key_results import key_results
from goal_ledger.projections.goals.state_events import goal_state_events
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.learning.playbook_rules import playbook_rules
from goal_ledger.projections.runs.goal_runs import goal_runs

PROJECTIONS: dict[str, Projection[Any]] = {
    projection.name: projection
    for projection in (
        goal_definitions,
        goal_state_events,
        goal_runs,
        lessons,
        playbook_rules,
        key_results,
        agenda,
        open_loops,
        sessions,
    )
}

NOUNS: dict[str, Projection[Any]] = {
    "goal": goal_definitions,
    "run": goal_runs,
    "lesson": lessons,
    "rule": playbook_rules,
    "loop": open_loops,
}
"""What people call the rows that belong to one stream each."""
