"""What the verbs answer, as plain data: the fields of the rows, and what is asked of the ledger beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.goals.goal import GoalCreated, RunDispatched, RunEnqueued, Transition
from goal_ledger.domain.learning.lesson import LessonLearned

if TYPE_CHECKING:
    from goal_ledger.domain.goals.experiment import Report
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.audit.decisions import Judged, Replay, Why
    from goal_ledger.ledger.audit.diff import Change
    from goal_ledger.ledger.goals.goals import GoalNode
    from goal_ledger.ledger.learning.context import Context
    from goal_ledger.ledger.learning.lineage import LessonBehind, Lineage
    from goal_ledger.ledger.learning.playbook import Evaluation
    from goal_ledger.projections.goals.goal_definitions import GoalRow

Data = dict[str, Any]

_ABOUT = {
    "goal": "title",
    "run": "goal_id",
    "lesson": "lesson_text",
    "rule": "title",
    "loop": "question",
    "project": "name",
}  # what tells a row from others
_COLUMNS = {"reason", "from_status", "run_id", "attempt"}  # they stand beside the details


def goal_data(ledger: Ledger, row: GoalRow) -> Data:
    """A goal with what depends on other goals, and on the time, and with those of its conditions that act."""
    goals = ledger.goals
    more = {"blocked_by": goals.blocked_by(row), "overdue": goals.is_overdue(row), "acting": goals.acting(row)}
    return row._asdict() | more


def whole_goal_data(ledger: Ledger, row: GoalRow) -> Data:
    """A goal with what depends on others: how far it is, and what is unusual about it."""
    goals = ledger.goals
    return {**goal_data(ledger, row), "progress": goals.progress(row), "flags": goals.flags(row)}


def tree_data(ledger: Ledger, nodes: Iterable[GoalNode]) -> list[Data]:
    """Goals with their children inside them."""
    return [
        {
            **goal_data(ledger, node.goal),
            "progress": node.progress,
            "flags": node.flags,
            "children": tree_data(ledger, node.children),
        }
        for node in nodes
    ]


def key_result_data(row: GoalRow) -> Data:
    """A key result: where it began, where it is and where it should get."""
    return {
        "goal_id": row.goal_id,
        "objective_id": row.parent_goal_id,
        "title": row.title,
        "status": row.status,
        "baseline": row.baseline,
        "current": row.current,
        "target": row.target,
        "unit": row.unit,
        "progress": row.progress,
        "measured_at": row.measured_at,
    }


def report_data(goal_id: str, report: Report) -> Data:
    """How an experiment stands."""
    arms = [arm._asdict() for arm in report.arms]
    verdict = "inconclusive" if report.winner is None else "winner"
    return {"goal_id": goal_id, "verdict": verdict, **report._asdict(), "arms": arms}


def evaluation_data(found: Evaluation) -> Data:
    """A rule and what its counts say. questions: score 1.0 says yes; log_e_value has to reach log_needed."""
    verdict = found.verdict
    return {
        "rule": found.rule._asdict(),
        "choice": None if verdict is None else verdict.choice,
        "cause": None if verdict is None else verdict.cause,
        "missing": found.missing,
        "questions": [
            {
                "name": one.name,
                "counts": one.counts,
                "score": one.score,
                "log_e_value": one.reached,
                "log_needed": one.needed,
            }
            for one in (() if verdict is None else verdict.questions)
        ],
    }


def timeline_data(events: Sequence[Recorded | Unreadable]) -> list[Data]:
    """One row per event of a goal and its runs, or of one other stream."""
    attempts = {
        recorded.event.run_id: recorded.event.attempt
        for recorded in events
        if isinstance(recorded, Recorded) and isinstance(recorded.event, RunDispatched | RunEnqueued)
    }
    rows = [event_data(recorded) for recorded in events]
    for row in rows:
        row["attempt"] = row["attempt"] or attempts.get(row["run_id"] or "")
        if attempts:
            row["details"].pop("goal_id", None)  # the goal whose timeline this is
    return rows


def event_data(recorded: Recorded | Unreadable) -> Data:
    """An event as one row, with the same fields for all; one that cannot be read says why in `problem`."""
    row: Data = {
        "position": recorded.position,
        "at": None,
        "occurred_at": None,
        "by": None,
        "event": recorded.name,
        "from": None,
        "to": None,
        "reason": None,
        "stream": recorded.stream,
        "version": recorded.version,
        "run_id": recorded.stream if recorded.stream.startswith("grun_") else None,
        "attempt": None,
        "command_id": None,
        "cause": None,
        "details": {},
        "problem": None,
    }
    if isinstance(recorded, Unreadable):
        return row | {"problem": recorded.problem}
    event = recorded.event
    row |= {
        "at": recorded.at,
        "occurred_at": recorded.occurred_at,
        "by": recorded.by,
        "reason": event.reason,
        "run_id": row["run_id"] or getattr(event, "run_id", None),
        "attempt": getattr(event, "attempt", None),
        "command_id": recorded.command,
        "cause": recorded.cause,
        "details": {name: value for name, value in event if name not in _COLUMNS and value not in (None, "", (), {})},
    }
    if isinstance(event, Transition):
        row |= {"from": event.from_status, "to": event.to_status}
    elif isinstance(event, LessonLearned) and event.evidence:
        row["run_id"] = event.evidence[0].run_id
    elif isinstance(event, GoalCreated):
        row["to"] = row["details"].pop("status")
    return row


def context_data(told: Context) -> Data:
    """What an agent is told: the text, and the rules and lessons in it."""
    return told._asdict() | {
        "rules": [rule._asdict() for rule in told.rules],
        "lessons": [lesson._asdict() for lesson in told.lessons],
    }


def lineage_data(behind: Lineage) -> Data:
    """A rule with the lessons behind it, each with its reviews, each with its runs."""

    def reviews(lesson: LessonBehind) -> list[Data]:
        return [review._asdict() | {"runs": [run._asdict() for run in review.runs]} for review in lesson.reviews]

    lessons = [lesson._asdict() | {"reviews": reviews(lesson)} for lesson in behind.lessons]
    return behind._asdict() | {"lessons": lessons}


def change_data(change: Change) -> Data:
    """What happened to one row: its fields before and after, those that differ."""
    fields = {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()}
    return {
        "noun": change.noun,
        "id": change.id,
        "change": change.kind,
        "about": getattr(change.before if change.after is None else change.after, _ABOUT[change.noun]),
        "fields": fields,
        "positions": change.positions,
    }


def why_data(found: Why) -> Data:
    """A decision: its event and receipt, and what would be decided now."""
    return {
        "event": event_data(found.recorded),
        "chosen": found.chosen,
        "receipt": found.receipt.model_dump(mode="json"),
        "again": {
            "outcome": found.outcome,
            "chosen": found.now_chosen,
            "same_settings": found.same_settings,
            "receipt": None if found.now is None else found.now.model_dump(mode="json"),
        },
    }


def replay_data(found: Replay) -> Data:
    """What came of a replay; of each flip what was chosen and what would be, each as it was judged then and now."""
    flips = [
        flip._asdict() | {"was": _judged_data(flip.was), "becomes": _judged_data(flip.becomes)} for flip in found.flips
    ]
    return found._asdict() | {"flips": flips}


def _judged_data(judged: Judged) -> Data:
    sides = {"then": judged.then, "now": judged.now}
    return {
        "id": judged.id,
        **{
            side: None if considered is None else {"score": considered.score, "why": considered.why}
            for side, considered in sides.items()
        },
    }
