"""Writes the review of a run from its events: the same events give the same words, nothing is guessed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import LessonCategory
from goal_ledger.domain.learning.review import Candidate, Notable, ReviewWritten, RootCause
from goal_ledger.domain.learning.signature import normalised, signature
from goal_ledger.domain.runs.run import (
    ActionTaken,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    FailureCategory,
    LocalOutcome,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunVerified,
    VerifierStatus,
)
from goal_ledger.domain.times import utc_text

MOST_STEPS = 20
"""Actions that a review names of each kind, and that a strategy consists of."""

LONGEST = 300
"""Characters of what somebody else said that a review repeats."""


class Advice(NamedTuple):
    """What to make of a failure. lesson: for whoever tries next. change: for whoever plans the work."""

    category: LessonCategory
    lesson: str
    change: str


_ANTI, _SAFE, _PATCH = LessonCategory.ANTI_PATTERN, LessonCategory.SAFE_DEFAULT, LessonCategory.POLICY_PATCH

ADVICE: Mapping[FailureCategory | None, Advice] = {
    FailureCategory.INTERPRETATION_ERROR: Advice(
        _ANTI,
        "Say in your own words what is asked, and ask about what stays open, before you act.",
        "Give the goal a criterion that leaves one reading.",
    ),
    FailureCategory.PLANNING_ERROR: Advice(
        _ANTI,
        "Write the steps down and check that they end in what the goal asks for before you take the first.",
        "Have the plan looked at before it is carried out.",
    ),
    FailureCategory.TOOL_ERROR: Advice(
        _ANTI,
        "Check first that the tool can do it here: its version, its permissions, its space.",
        "Add a check of the tool before the step that needs it.",
    ),
    FailureCategory.EXECUTION_TIMEOUT: Advice(
        _SAFE,
        "Take smaller steps and checkpoint after each.",
        "Give the run more time, or split the goal.",
    ),
    FailureCategory.VERIFICATION_FAILURE: Advice(
        _ANTI,
        "Do what the verifier does yourself before you report success.",
        "Give the verifier's check to the agent as a criterion.",
    ),
    FailureCategory.POLICY_BLOCK: Advice(
        _PATCH,
        "Find a way that the policy allows, or ask for the permission, before you start.",
        "Allow the capability, or say in the goal which way is allowed.",
    ),
    FailureCategory.MISSING_CONTEXT: Advice(
        _SAFE,
        "Ask for what is missing before you start.",
        "Put what was missing into the goal's description.",
    ),
    FailureCategory.RESOURCE_LIMIT: Advice(
        _SAFE,
        "Look at what is left of the budget before each large step, and lay the work down before it is used up.",
        "Raise the limit, or split the goal.",
    ),
    FailureCategory.EXTERNAL_DEPENDENCY: Advice(
        _SAFE,
        "Look first whether it answers, and wait when it does not.",
        "Let the goal wait for the dependency instead of failing.",
    ),
    FailureCategory.BAD_SCHEDULE_POLICY: Advice(
        _PATCH,
        "Do not start outside the time that it needs.",
        "Correct the schedule.",
    ),
    FailureCategory.RUN_OVERLAP: Advice(
        _PATCH,
        "Let the open run end, or take it over.",
        "Let the goal enqueue its runs, or space them further apart.",
    ),
    None: Advice(
        _ANTI,
        "Find out which part falls short before you report success.",
        "Give the goal a criterion for the part that fell short.",
    ),
}


_EXPECTED = {
    Notable.FAILED: "a failure",
    Notable.PARTIAL: "only a part of it",
    Notable.VERIFIER_FAILED: "the verifier to refuse it",
    Notable.DEGRADED: "that it makes things worse",
}


class Goal(NamedTuple):
    """What a review needs to know of the goal. learning_required: whether lessons are drawn from its runs."""

    goal_id: str
    title: str
    goal_type: GoalType
    learning_required: bool = True


class Course(NamedTuple):
    """A run as its events tell it; the last word of each kind counts."""

    started: RunStarted | None = None
    actions: tuple[ActionTaken, ...] = ()
    verdict: RunVerified | None = None
    ended: RunFinished | RunInterrupted | None = None
    worth: BusinessOutcomeRecorded | None = None

    @property
    def finished(self) -> RunFinished | None:
        return self.ended if isinstance(self.ended, RunFinished) else None

    @property
    def action_type(self) -> str | None:
        """The tool family that most actions belong to, the first of equals; else the task category."""
        known = Counter(action.action_type for action in self.actions if action.action_type is not None)
        if known:
            return known.most_common(1)[0][0]
        return None if self.started is None else self.started.task_category


def course(events: Iterable[Event]) -> Course:
    """The course of a run, from its events in order."""
    known: dict[str, Any] = {}
    actions = []
    for event in events:
        match event:
            case RunStarted():
                known["started"] = event
            case ActionTaken():
                actions.append(event)
            case RunVerified():
                known["verdict"] = event
            case RunFinished() | RunInterrupted():
                known["ended"] = event
            case BusinessOutcomeRecorded():
                known["worth"] = event
    return Course(actions=tuple(actions), **known)


def notable(run: Course) -> Notable | None:
    """Why a run that finished has a review without anybody asking; None: it needs none."""
    if run.finished is None:
        return None
    if run.finished.local_outcome is LocalOutcome.FAILED:
        return Notable.FAILED
    if run.finished.local_outcome is LocalOutcome.PARTIAL:
        return Notable.PARTIAL
    if run.verdict is not None and run.verdict.verifier_status is VerifierStatus.FAILED:
        return Notable.VERIFIER_FAILED
    if run.worth is not None and run.worth.business_outcome is BusinessOutcome.DEGRADED:
        return Notable.DEGRADED
    return None


def review(
    run: Course, goal: Goal, *, run_id: str, now: datetime | None, watch_days: float, longest: int = 10_000
) -> ReviewWritten:
    """The review of a run that has ended. now: when it is written; None, unknown: then nobody watches.

    longest: characters that a text may have.
    """
    why = notable(run)
    category, error = _category(run), _error(run)
    tried = _tried(run, goal)
    until = None if why is None or now is None else _days_later(now, watch_days)
    proposed = _candidates(run, why, category, tried, error) if goal.learning_required else ()
    return ReviewWritten(
        run_id=run_id,
        goal_id=goal.goal_id,
        notable=why or Notable.REQUESTED,
        goal_type=goal.goal_type,
        action_type=run.action_type,
        what_happened=cut(_what_happened(run, goal, category, error), longest),
        root_cause=RootCause(category=category, detail=cut(_short(error) or _no_detail(run, why), longest)),
        what_worked=tuple(cut(step, longest) for step in _steps(run, ok=True)),
        what_failed=tuple(cut(step, longest) for step in _steps(run, ok=False)),
        lesson_candidates=tuple(one.model_copy(update={"text": cut(one.text, longest)}) for one in proposed),
        recommended_changes=() if why is None else (cut(ADVICE[category].change, longest),),
        signature=None if why is None else cut(signature(tried, category or why, error), longest),
        watch_until=until,
    )


def strategy(plan_summary: str | None, steps: Sequence[str]) -> str | None:
    """How a run was won, in words that runs which were won alike share; None when nobody said.

    steps: its actions that worked, in order.
    """
    if plan_summary is not None and plan_summary.strip():
        return f"This worked: {_short(plan_summary)}"
    if steps:
        more = f", and {len(steps) - MOST_STEPS} more" if len(steps) > MOST_STEPS else ""
        return f"These steps worked, in this order: {', '.join(map(_short, steps[:MOST_STEPS]))}{more}"
    return None


def worked(run: Course) -> list[str]:
    """The names of the actions that worked, in order; what was done twice in a row, once."""
    names: list[str] = []
    for action in run.actions:
        if action.ok and action.action not in names[-1:]:
            names.append(action.action)
    return names


def cut(text: str, longest: int) -> str:
    """The text, or as much of it as may be."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


# --- The parts of a review


def _candidates(
    run: Course, why: Notable | None, category: FailureCategory | None, tried: str, error: str
) -> tuple[Candidate, ...]:
    if why is not None:
        expected = normalised(error)
        what = category or _EXPECTED[why]
        said = f": {expected}" if expected else ""
        advice = ADVICE[category]
        text = f"When `{normalised(tried)}` is tried, expect {what}{said}. {advice.lesson}"
        return (Candidate(text=text, category=advice.category),)
    won = run.finished is not None
    text_of_win = strategy(run.started.plan_summary if run.started else None, worked(run)) if won else None
    if text_of_win is None:
        return ()
    return (Candidate(text=text_of_win, category=LessonCategory.WINNING_STRATEGY),)


def _category(run: Course) -> FailureCategory | None:
    """The category that the run gave; a verifier that failed it gives one where the run gave none."""
    if run.finished is None:
        return None
    if run.finished.failure_category is None and run.verdict is not None:
        failed = run.verdict.verifier_status is VerifierStatus.FAILED
        return FailureCategory.VERIFICATION_FAILURE if failed else None
    return run.finished.failure_category


def _error(run: Course) -> str:
    """What was said of the failure: of the last action that failed, else of the end, the verdict or the outcome."""
    failed = _last_failed(run)
    said = [
        None if failed is None else failed.detail,
        None if run.finished is None else run.finished.detail,
        run.ended.reason if isinstance(run.ended, RunInterrupted) else None,
        None if run.verdict is None or run.verdict.verifier_status is not VerifierStatus.FAILED else run.verdict.detail,
        None if run.worth is None else run.worth.detail,
    ]
    return next((text for text in said if text is not None and text.strip()), "")


def _tried(run: Course, goal: Goal) -> str:
    """What was tried: the action that failed last, else the kind of task, else the goal."""
    failed = _last_failed(run)
    if failed is not None:
        return failed.action
    return (run.started.task_category if run.started else None) or goal.title


def _last_failed(run: Course) -> ActionTaken | None:
    return next((action for action in reversed(run.actions) if action.ok is False), None)


def _no_detail(run: Course, why: Notable | None) -> str:
    if why is None:
        return "nothing failed" if run.finished is not None else "the run was interrupted"
    if run.finished is not None and run.finished.source_outcome is not None:
        return f"reported as {run.finished.source_outcome}"
    return "nobody said"


def _what_happened(run: Course, goal: Goal, category: FailureCategory | None, error: str) -> str:
    attempt = "The run" if run.started is None else f"Attempt {run.started.attempt}"
    by = f" by {run.started.agent}" if run.started is not None and run.started.agent else ""
    if run.finished is None:
        end = "was interrupted"
    else:
        outcome = run.finished.local_outcome
        end = "was partial" if outcome is LocalOutcome.PARTIAL else str(outcome)
        if run.finished.duration_seconds is not None:
            end += f" after {run.finished.duration_seconds:g} s"
    because = ": ".join(part for part in (category, _short(error)) if part)
    sentences = [f"{attempt} at “{_short(goal.title)}”{by} {end}" + (f": {because}." if because else ".")]
    if run.actions:
        failed = sum(action.ok is False for action in run.actions)
        actions = "1 action" if len(run.actions) == 1 else f"{len(run.actions)} actions"
        sentences.append(f"{actions}, {failed or 'none'} failed.")
    if run.verdict is not None and run.verdict.verifier_status is not VerifierStatus.SKIPPED:
        who = f"The verifier {run.verdict.verifier}" if run.verdict.verifier else "The verifier"
        sentences.append(f"{who} said {run.verdict.verifier_status}.")
    if run.worth is not None and run.worth.business_outcome is not BusinessOutcome.UNKNOWN:
        sentences.append(f"What it was worth: {run.worth.business_outcome}.")
    return " ".join(sentences)


def _steps(run: Course, *, ok: bool) -> tuple[str, ...]:
    found = [action for action in run.actions if action.ok is ok]
    told = [
        _short(action.action) + (f": {_short(action.detail)}" if action.detail and action.detail.strip() else "")
        for action in found[:MOST_STEPS]
    ]
    return tuple(told) + ((f"and {len(found) - MOST_STEPS} more",) if len(found) > MOST_STEPS else ())


def _short(text: str) -> str:
    return cut(" ".join(text.split()), LONGEST)


def _days_later(now: datetime, days: float) -> str | None:
    try:
        return utc_text(now + timedelta(days=days))
    except OverflowError:
        return None
