"""A goal's own conditions: what they may say, whether they hold, and what they refuse.

A text without an operator is prose for people and never acts; see docs/conditions.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.conditions import (
    Comparison,
    Condition,
    Count,
    Kind,
    Sum,
    holds,
    is_prose,
    leaves,
    named_in,
    negated,
    nouns_of,
    parse,
)
from goal_ledger.domain.errors import Hint, Invalid, LedgerError, NotFound, Rejected
from goal_ledger.domain.goals.goal import GOAL, ChildAdded, RunDispatched, RunEnqueued
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, FailureCategory, LocalOutcome
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.fields import kinds
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

SINGLE = ("start_condition", "stop_condition", "watch")
SEVERAL = ("failure_conditions", "constraints")
"""The fields of a contract that hold conditions: one text each, and a list of them each."""

_PREFIXES = {"goal": "goal_", "run": "grun_"}
_CATEGORY = re.compile(r"(?P<condition>.*)->\s*(?P<category>[\w-]+)\s*", re.DOTALL)

# --- What they say


class Said(NamedTuple):
    """A condition of a goal that acts. category: of the failure that it tells of."""

    field: str
    text: str
    condition: Condition
    category: FailureCategory | None = None


def texts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and text of every condition in a contract, those for people included."""
    for field in SINGLE:
        if (text := fields.get(field)) is not None:
            yield field, text
    for field in SEVERAL:
        yield from ((field, text) for text in fields.get(field) or ())


def acting(fields: Mapping[str, Any]) -> Sequence[str]:
    """The conditions among the fields of a goal that act, as `field: text`."""
    return [f"{field}: {text}" for field, text in texts(fields) if understood(field, text) is not None]


def check(fields: Mapping[str, Any]) -> list[Said]:
    """The conditions that act. Invalid: bad_condition, with the field and the column."""
    found = []
    for field, text in texts(fields):
        try:
            found.append(_said(field, text))
        except Invalid as error:
            prose = "" if field == "watch" else "; words for people hold none of = < > and `in (`"
            hint = None if error.hint is None else error.hint + prose
            raise Invalid(error.code, f"{field}: {error.message}", hint=hint) from None
    return [one for one in found if one is not None]


def check_named(tx: Tx, fields: Mapping[str, Any]) -> None:
    """Refuse conditions that name what there is not. NotFound: unknown_goal, unknown_run."""
    for one in check(fields):
        for noun, row_id in sorted(named_in(one.condition)):
            require_id(_PREFIXES[noun], row_id)
            known = tx.load(row_id, GOAL).status if noun == "goal" else tx.load(row_id, RUN).status
            if known is None:
                raise NotFound(f"unknown_{noun}", f"{one.field}: there is no {noun} {row_id}", hint=Hint(noun, "list"))


def understood(field: str, text: str | None) -> Said | None:
    """A stored condition that acts; None for prose, and for what this code cannot read."""
    try:
        return None if text is None else _said(field, text)
    except Invalid:
        return None


@lru_cache(maxsize=4096)
def _said(field: str, text: str) -> Said | None:
    """What a text says, None when it is prose."""
    words, category = text, None
    if field == "failure_conditions" and (parts := _CATEGORY.fullmatch(text)):
        words = parts["condition"]
        if parts["category"] not in list(FailureCategory):
            raise Invalid(
                "bad_condition",
                f"column {parts.start('category') + 1}: {parts['category']!r} is no failure category; there is "
                + ", ".join(FailureCategory),
                hint="write it like: run.duration_seconds > 600 -> execution_timeout",
            )
        category = FailureCategory(parts["category"])
    if field != "watch" and is_prose(words):
        return None
    return Said(field, text, parse(words, _nouns(), named=True), category)


@lru_cache(maxsize=1)
def _nouns() -> dict[str, dict[str, Kind]]:
    return {"goal": kinds(GoalRow), "run": kinds(RunRow), "now": {"": Kind("time")}}


# --- Whether they hold


class Sight(Protocol):
    """What the conditions of a goal can look at."""

    def row(self, noun: str, row_id: str) -> Any | None:
        """One goal or run."""

    def of_goal(self, noun: str, goal_id: str) -> Sequence[Any]:
        """The runs of a goal, or the goals directly under it."""


class InViews:
    """As the read models tell. goals: rows that are known already."""

    def __init__(self, engine: Engine, goals: Mapping[str, GoalRow]) -> None:
        self._views = engine.views
        self._goals = goals

    def row(self, noun: str, row_id: str) -> Any | None:
        """One goal or run."""
        if noun == "goal":
            return self._goals.get(row_id) or self._views.get(goal_definitions, row_id)
        return self._views.get(goal_runs, row_id)

    def of_goal(self, noun: str, goal_id: str) -> Sequence[Any]:
        """The runs of a goal, or the goals directly under it."""
        if noun == "run":
            return self._views.select(goal_runs, {"goal_id": goal_id}, order=("run_id",))
        return self._views.select(goal_definitions, {"parent_goal_id": goal_id}, order=("goal_id",))


class InStreams:
    """As the streams tell under the write lock, what the transaction gathered included."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def row(self, noun: str, row_id: str) -> Any | None:
        """One goal or run."""
        return self._tx.fold(goal_definitions, row_id) if noun == "goal" else self._tx.fold(goal_runs, row_id)

    def of_goal(self, noun: str, goal_id: str) -> Sequence[Any]:
        """The runs of a goal, or the goals directly under it."""
        own = [*self._tx.history(goal_id), *self._tx.gathered(goal_id)]
        events = [recorded.event for recorded in own if isinstance(recorded, Recorded)]
        if noun == "run":
            ids = list(
                dict.fromkeys(event.run_id for event in events if isinstance(event, RunDispatched | RunEnqueued))
            )
        else:
            ids = list(dict.fromkeys(event.goal_id for event in events if isinstance(event, ChildAdded)))
        rows = [row for row in (self.row(noun, row_id) for row_id in ids) if row is not None]
        return rows if noun == "run" else [row for row in rows if row.parent_goal_id == goal_id]


def is_met(
    condition: Condition, sight: Sight, goal: GoalRow, *, now: datetime | None, run: RunRow | None = None
) -> bool:
    """Whether a condition of a goal holds.

    now: None when nobody knows, then nothing is before or after it. run: the one concerned, as it is or would be; the
    latest one of the goal by default.
    """
    rows: dict[str, Any] = {"goal": goal, "now": None if now is None else utc_text(now)}
    if "run" in nouns_of(condition):
        rows["run"] = run or (None if goal.last_run_id is None else sight.row("run", goal.last_run_id))
    for noun, row_id in named_in(condition):
        rows[row_id] = goal if row_id == goal.goal_id else sight.row(noun, row_id)
    totals = {leaf: _total(leaf, sight, goal, run) for leaf in leaves(condition) if not isinstance(leaf, Comparison)}
    return holds(condition, rows, totals)


def _total(leaf: Count | Sum, sight: Sight, goal: GoalRow, run: RunRow | None) -> Any:
    """How many rows of the goal fulfil a count's condition, or what a sum of theirs comes to."""
    [noun] = nouns_of(leaf.condition) if isinstance(leaf, Count) else {leaf.noun}
    rows = sight.of_goal(noun, goal.goal_id)
    if noun == "run" and run is not None:
        rows = [run if row.run_id == run.run_id else row for row in rows]
    if isinstance(leaf, Count):
        return sum(holds(leaf.condition, {noun: row}, {}) for row in rows)
    return sum(value for row in rows if (value := getattr(row, leaf.field)) is not None)


# --- What follows when somebody acts


def check_start(tx: Tx, goal_id: str) -> None:
    """Refuse to make a planned goal ready before its start condition holds. Rejected: start_condition_not_met."""
    goal = tx.load(goal_id, GOAL)
    start = understood("start_condition", goal.contract.get("start_condition"))
    if start is None or goal.status is not GoalStatus.PLANNED:
        return
    row = tx.fold(goal_definitions, goal_id)
    if row is not None and not _holds(tx, start.condition, row):
        raise Rejected(
            "start_condition_not_met",
            f"its start condition does not hold: {start.text}",
            hint="a tick makes it ready when it does; to do without: "
            + Hint("goal", "amend", goal_id, start_condition=None),
        )


def check_constraints(tx: Tx, goal_id: str, run_id: str | None = None) -> None:
    """Refuse what was gathered when it breaks a constraint of the goal. Rejected: policy_block.

    run_id: the run concerned; the latest one of the goal by default. What is unknown breaks no limit.
    """
    for one, goal in _acting(tx, goal_id, "constraints"):
        run = None if run_id is None else tx.fold(goal_runs, run_id)
        if _holds(tx, negated(one.condition), goal, run):
            raise Rejected(
                "policy_block", f"a constraint of goal {goal_id} would be broken: {one.text}",
                hint=Hint("goal", "show", goal_id),
            )  # fmt: skip


def classified(tx: Tx, run_id: str, finish: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `finish` after the failure conditions of the goal were asked.

    When one holds for the run as it would be, a run that is reported to have succeeded has failed: the category is the
    one behind `->` or verification_failure, the detail names the condition, source_outcome keeps the reported word. A
    partial run without a category gets that category; a failed one keeps its own.
    """
    run = tx.load(run_id, RUN)
    if not run.goal_id:
        return finish
    for one, goal in _acting(tx, run.goal_id, "failure_conditions"):
        try:
            [event] = run_rules.finish(run, **finish)
        except (LedgerError, ValidationError):
            return finish  # the decision itself says why
        occurred = None if tx.now is None else utc_text(tx.now)
        recorded = Recorded(0, run_id, 0, "run.finished", occurred or "", occurred, "", None, None, event)
        would_be = goal_runs.fold(tx.fold(goal_runs, run_id), recorded)
        if _holds(tx, one.condition, goal, would_be):
            return _failed(finish, one)
    return finish


def _failed(finish: dict[str, Any], one: Said) -> dict[str, Any]:
    category = one.category or FailureCategory.VERIFICATION_FAILURE
    if finish["local_outcome"] == LocalOutcome.SUCCEEDED:
        told = [f"failure condition: {one.text}", finish.get("detail") or ""]
        return finish | {
            "local_outcome": LocalOutcome.FAILED,
            "failure_category": category,
            "detail": "; ".join(filter(None, told)),
            "source_outcome": LocalOutcome.SUCCEEDED.value,
        }
    return finish | {"failure_category": finish.get("failure_category") or category}


def _acting(tx: Tx, goal_id: str, field: str) -> Iterator[tuple[Said, GoalRow]]:
    """The conditions in a field of a goal that act, each with the goal as it stands."""
    texts = tx.load(goal_id, GOAL).contract.get(field, ())
    acting = [one for text in texts if (one := understood(field, text)) is not None]
    if acting and (row := tx.fold(goal_definitions, goal_id)) is not None:
        yield from ((one, row) for one in acting)


def _holds(tx: Tx, condition: Condition, goal: GoalRow, run: RunRow | None = None) -> bool:
    return is_met(condition, InStreams(tx), goal, now=tx.now, run=run)
