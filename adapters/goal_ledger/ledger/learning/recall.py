"""Taking back a lesson that turned out false, with everything that stands on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from goal_ledger.domain.base import Event, Recorded, Unreadable, operation
from goal_ledger.domain.learning import lesson as rules
from goal_ledger.domain.learning import rule as rule_rules
from goal_ledger.domain.learning.closure import Graph, Standing, standing_on
from goal_ledger.domain.learning.lesson import LESSON, LessonApplied, LessonLearned
from goal_ledger.domain.learning.rule import RULE, RuleDrafted
from goal_ledger.domain.runs.run import RunStarted
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.learning.playbook_rules import playbook_rules
from goal_ledger.projections.runs.goal_runs import goal_runs

_PAGE = 5_000

Links = dict[str, set[str]]


class Recall(NamedTuple):
    """What falls with a lesson, or would: ids, in order. lessons: itself included.

    runs: those that worked by any of it; they stay as they are, and teach nothing any more.
    """

    lesson_id: str
    dry_run: bool
    lessons: tuple[str, ...]
    rules: tuple[str, ...]
    runs: tuple[str, ...]


def would_fall(engine: Engine, lesson_id: str) -> Recall:
    """What would fall with a lesson; nothing is written."""
    return Recall(lesson_id, True, *_Seen(engine).standing_on(lesson_id))


@operation("lesson.recall")
def recall(engine: Engine, lesson_id: str, *, reason: str | None) -> Recall:
    """Recall a lesson, the rules drawn from it, the lessons taught by runs that were given any of them, and so on.

    All in one transaction, decided under the lock. What is recalled already stays as it is.

    Rejected: no_reason. NotFound: unknown_lesson.
    """
    seen = _Seen(engine)

    def work(tx: Tx) -> None:
        root = tx.act(lesson_id, LESSON, rules.recall, root=lesson_id, reason=reason)
        seen.take_in(tx.since(seen.position))
        because = tx.using(cause=root[0].position) if root else tx
        fallen = seen.standing_on(lesson_id)
        for other in fallen.lessons:
            because.act(other, LESSON, rules.recall, root=lesson_id, reason=reason)
        for rule_id in fallen.rules:
            because.act(rule_id, RULE, rule_rules.recall, root=lesson_id, reason=reason)

    engine.transact(work, operation="lesson.recall", arguments={"lesson_id": lesson_id, "reason": reason})
    seen.take_in(engine.events(after=seen.position))  # what a repeated wish did not look at under the lock
    return Recall(lesson_id, False, *seen.standing_on(lesson_id))


class _Seen:
    """Who learned from whom: what the read models hold at a position, and the events behind it."""

    def __init__(self, engine: Engine) -> None:
        self.position = engine.views.catch_up()
        self._founded_on: Links = defaultdict(set)
        self._drawn_from: Links = defaultdict(set)
        self._given: Links = defaultdict(set)
        views = engine.views
        for lesson_id, evidence, applied in views.select_columns(
            lessons, ("lesson_id", "evidence", "applied_by_hand"), {}, order=("lesson_id",)
        ):
            self._founded_on[lesson_id] |= {one["run_id"] for one in evidence if one["founding"]}
            for run_id in applied:
                self._given[run_id].add(lesson_id)
        for rule_id, drawn_from in views.select_columns(
            playbook_rules, ("rule_id", "source_lesson_ids"), {}, order=("rule_id",)
        ):
            self._drawn_from[rule_id] |= set(drawn_from)
        after: tuple[str, ...] | None = None
        while found := views.select_columns(
            goal_runs, ("run_id", "context"), {}, order=("run_id",), after=after, limit=_PAGE
        ):
            for run_id, context in found:
                if context is not None:
                    self._given[run_id] |= {*context["lessons"], *context["rules"]}
            after = found[-1][:1]

    def take_in(self, events: Iterable[Recorded | Unreadable]) -> None:
        """Learn of events behind the position."""
        for one in events:
            self.position = max(self.position, one.position)
            if isinstance(one, Recorded):
                self._link(one.stream, one.event)

    def standing_on(self, lesson_id: str) -> Standing:
        """What stands on a lesson."""
        return standing_on(lesson_id, Graph(self._founded_on, self._drawn_from, self._given))

    def _link(self, stream: str, event: Event) -> None:
        if isinstance(event, LessonLearned):
            self._founded_on[stream] |= {one.run_id for one in event.evidence}
        elif isinstance(event, LessonApplied):
            self._given[event.run_id].add(stream)
        elif isinstance(event, RuleDrafted):
            self._drawn_from[stream] |= set(event.source_lesson_ids)
        elif isinstance(event, RunStarted) and event.context is not None:
            self._given[stream] |= {*event.context.lessons, *event.context.rules}
