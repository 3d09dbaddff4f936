"""A learning cycle: what the runs of a week teach together.

It is many transactions, each of bounded size, so that writers get their turn; the report comes last. Cut off and
repeated for the same time it comes to the same end: what was written is found again under its command id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning import cycle as rules
from goal_ledger.domain.learning import lesson as lesson_rules
from goal_ledger.domain.learning import review as review_rules
from goal_ledger.domain.learning.cycle import (
    CYCLE,
    MOST_GROUPS,
    POLICY,
    WIN,
    WINDOW,
    Ballot,
    Contender,
    CycleCompleted,
    LearningCycleReport,
    Vote,
    cycle_id,
    impact,
    scored,
)
from goal_ledger.domain.learning.lesson import (
    LESSON,
    Evidence,
    LessonCategory,
    LessonConfirmed,
    LessonLearned,
    Scope,
)
from goal_ledger.domain.learning.review import REVIEW, review_id
from goal_ledger.domain.learning.reviewer import course, cut, strategy, worked
from goal_ledger.domain.learning.rule import RuleDrafted
from goal_ledger.domain.policies import Receipt, digest, ranked, receipt
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, VerifierStatus
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.learning.evidence import untainted
from goal_ledger.ledger.learning.lessons import same_in
from goal_ledger.ledger.learning.playbook import advance_in, count_overdue, draft_in, step_in_words
from goal_ledger.ledger.learning.reviews import write_in
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.learning.after_action_reviews import after_action_reviews
from goal_ledger.projections.learning.learning_cycle_reports import learning_cycle_reports
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.learning.playbook_rules import playbook_rules
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.runs.run_ends import UNTIMED, run_ends

T = TypeVar("T")

_BATCH = 200  # reviews, or pieces of evidence, in one transaction
_PAGE = 500  # rows asked for by id in one go


def learn(engine: Engine, until: datetime, *, reason: str | None = None) -> str:
    """Learn from the seven days up to a time, once; the cycle's id. The ledger's command id names the transactions.

    Invalid: naive_time, bad_time.
    """
    until = parse_utc(utc_text(until))
    stream = cycle_id(utc_text(until))
    if engine.fold(learning_cycle_reports, stream) is None:
        _Cycle(engine.using(occurred_at=until, if_version=None), since(until), until).learn(reason)
    return stream


def has_runs(engine: Engine, until: datetime) -> bool:
    """Whether any run finished in the seven days up to a time."""
    return any(True for _ in _ended(engine, since(until), until))


def since(until: datetime) -> datetime:
    """Where the window begins that ends then. Invalid: bad_time."""
    try:
        return until - WINDOW
    except OverflowError:
        raise Invalid("bad_time", f"the week before {utc_text(until)} is outside the calendar") from None


class _Run(NamedTuple):
    """What a cycle needs to know of a run that finished."""

    run_id: str
    goal_id: str
    attempt: int
    local_outcome: LocalOutcome
    verifier_status: VerifierStatus | None
    business_outcome: BusinessOutcome
    plan_summary: str | None

    @property
    def is_won(self) -> bool:
        return self.local_outcome is LocalOutcome.SUCCEEDED and self.verifier_status is not VerifierStatus.FAILED

    @property
    def is_notable(self) -> bool:
        return not self.is_won or self.business_outcome is BusinessOutcome.DEGRADED

    @property
    def impact(self) -> float:
        return impact(self.local_outcome, self.verifier_status, self.business_outcome)


class _Review(NamedTuple):
    """What a cycle needs to know of a review."""

    aar_id: str
    run_id: str
    goal_type: GoalType | None
    action_type: str | None
    failure_category: FailureCategory | None
    lesson_candidates: tuple[dict[str, Any], ...]
    signature: str | None
    created_at: str | None


class _Cycle:
    """One cycle. engine: acts under the cycle's command id and time."""

    def __init__(self, engine: Engine, since: datetime, until: datetime) -> None:
        self._engine = engine
        self._since, self._until = since, until

    def learn(self, reason: str | None) -> None:
        """Go through the steps, each of which finds what an earlier attempt left; the report is the last."""
        engine, settings = self._engine, self._engine.settings
        runs = {row.run_id: row for row in self._runs()}
        self._write_reviews([run for run in runs.values() if run.is_notable])
        reviews = self._reviews(runs)
        contenders = self._contenders(runs, reviews)
        position = engine.head
        chosen = [one for one in contenders if one.score >= settings.lesson_score]
        learned = self._promote(chosen)
        drafted = self._draft()
        count_overdue(engine.using(command_id=None), self._until)
        advanced = self._advance(drafted)
        failures = [one for one in reviews if one.signature is not None]
        counts = Counter((one.goal_type, one.action_type, one.failure_category) for one in failures)
        groups = rules.groups(counts)
        outcomes = Counter(run.local_outcome for run in runs.values())
        until = utc_text(self._until)
        report = LearningCycleReport(
            since=utc_text(self._since),
            until=until,
            runs=len(runs),
            failed=outcomes[LocalOutcome.FAILED],
            partial=outcomes[LocalOutcome.PARTIAL],
            untimed=self._untimed(),
            reviews=sum(one.created_at == until for one in reviews),
            groups=tuple(groups[:MOST_GROUPS]),
            group_count=len(groups),
            candidate_count=len(contenders),
            lessons=tuple(learned),
            rules=tuple(drafted),
            advanced=tuple(advanced),
        )
        completed = CycleCompleted(report=report, receipt=self._receipt(contenders, chosen, position), reason=reason)
        engine.transact(
            lambda tx: tx.act(cycle_id(until), CYCLE, rules.complete, completed=completed),
            operation="learn",
            arguments={"until": until},
        )

    # --- The runs of the window

    def _runs(self) -> Iterator[_Run]:
        for ids in _batches(_ended(self._engine, self._since, self._until), _PAGE):
            for row in self._engine.views.select_columns(
                goal_runs, _Run._fields, {"run_id": sorted(ids)}, order=("run_id",)
            ):
                yield _Run(*row)

    def _untimed(self) -> int:
        views = self._engine.views
        return len(views.select_columns(run_ends, ("run_id",), {"ended_at": UNTIMED}, order=("run_id",)))

    # --- Their reviews

    def _write_reviews(self, notable: Iterable[_Run]) -> None:
        """Write those that are missing. A batch is the same whatever was written of it."""
        days = self._engine.settings.review_watch_days
        for batch in _batches(sorted(run.run_id for run in notable), _BATCH):
            ids = {review_id(run_id): run_id for run_id in batch}
            views = self._engine.views
            there = views.select_columns(after_action_reviews, ("aar_id",), {"aar_id": list(ids)}, order=("aar_id",))
            missing = [ids[aar_id] for aar_id in sorted(ids.keys() - {aar_id for (aar_id,) in there})]

            def write(tx: Tx, missing: Sequence[str] = missing) -> None:
                for run_id in missing:
                    write_in(tx, run_id, watch_days=days)

            if missing:
                self._part("reviews", batch, write)

    def _reviews(self, run_ids: Iterable[str]) -> list[_Review]:
        return [
            _Review(*row)
            for batch in _batches(run_ids, _PAGE)
            for row in self._engine.views.select_columns(
                after_action_reviews,
                _Review._fields,
                {"aar_id": [review_id(run_id) for run_id in batch]},
                order=("aar_id",),
            )
        ]

    # --- Candidates

    def _contenders(self, runs: dict[str, _Run], reviews: Iterable[_Review]) -> list[Contender]:
        """What the reviews propose, and what the runs have in common that were won against the odds."""
        ballot = Ballot()
        for review in reviews:
            scope = Scope(review.goal_type, review.action_type)
            evidence = Evidence(run_id=review.run_id, aar_id=review.aar_id)
            for candidate in review.lesson_candidates:
                category = LessonCategory(candidate["category"])
                weight = WIN if category is LessonCategory.WINNING_STRATEGY else runs[review.run_id].impact
                ballot.vote(scope, candidate["text"], category, Vote(evidence, weight))
        for run, goal_type in self._wins(runs.values()):
            how = course(one.event for one in self._engine.stream(run.run_id) if isinstance(one, Recorded))
            if (text := strategy(run.plan_summary, worked(how))) is not None:
                scope, text = Scope(goal_type, how.action_type), cut(text, self._engine.settings.text_limit)
                ballot.vote(scope, text, LessonCategory.WINNING_STRATEGY, Vote(Evidence(run_id=run.run_id), WIN))
        return ballot.contenders()

    def _wins(self, runs: Iterable[_Run]) -> Iterator[tuple[_Run, GoalType]]:
        """The runs that were won and improved something, or were won after a failed attempt; lessons are wanted."""
        won = [run for run in runs if run.is_won and run.business_outcome is not BusinessOutcome.DEGRADED]
        improved = [run for run in won if run.business_outcome is BusinessOutcome.IMPROVED]
        again = [run for run in won if run.business_outcome is not BusinessOutcome.IMPROVED and run.attempt > 1]
        first_failure = self._first_failures({run.goal_id for run in again})
        winners = improved + [run for run in again if first_failure.get(run.goal_id, run.attempt) < run.attempt]
        goals = self._by_id(
            goal_definitions, "goal_id", {run.goal_id for run in winners}, ("goal_id", "goal_type", "learning_required")
        )
        wanted = {goal_id: goal_type for goal_id, goal_type, learning_required in goals if learning_required}
        for run in winners:
            if run.goal_id in wanted:
                yield run, wanted[run.goal_id]

    def _first_failures(self, goal_ids: Iterable[str]) -> dict[str, int]:
        """The number of the first failed attempt at each goal that has one."""
        first: dict[str, int] = {}
        for goal_id, attempt, outcome in self._by_id(
            goal_runs, "goal_id", goal_ids, ("goal_id", "attempt", "local_outcome")
        ):
            if outcome is LocalOutcome.FAILED:
                first[goal_id] = min(attempt, first.get(goal_id, attempt))
        return first

    def _receipt(self, contenders: Sequence[Contender], chosen: Sequence[Contender], position: int) -> Receipt:
        least = self._engine.settings.lesson_score
        return receipt(
            POLICY,
            ranked(scored(contenders)),
            f"{len(chosen)} that scored {least:g} or more",
            position=position,
            settings={"lesson_score": least, "window_s": WINDOW.total_seconds()},
        )

    # --- Lessons and rules

    def _promote(self, chosen: Iterable[Contender]) -> list[str]:
        """Take the candidates into the lesson store; the lessons that got evidence which they had not."""
        pieces = ((one, [vote.evidence for vote in votes]) for one in chosen for votes in _batches(one.votes, _BATCH))
        learned: list[str] = []
        for batch in _weighing(pieces, lambda piece: len(piece[1]), _BATCH):
            named = [[one.lesson_id, [each.run_id for each in evidence]] for one, evidence in batch]

            def take_in(tx: Tx, batch: Sequence[tuple[Contender, Sequence[Evidence]]] = batch) -> None:
                for contender, evidence in batch:
                    _take_in(self._engine, tx, contender, evidence)

            recorded = self._part("lessons", named, take_in)
            learned += [each.stream for each in recorded if isinstance(each.event, LessonLearned | LessonConfirmed)]
        return list(dict.fromkeys(learned))

    def _draft(self) -> list[str]:
        """Draft rules from the lessons that are sure enough; those that are new."""
        settings = self._engine.settings
        active = self._engine.views.select_columns(
            lessons, ("lesson_id", "confidence"), {"active": True}, order=("lesson_id",)
        )
        sure = [(lesson_id, sureness) for lesson_id, sureness in active if sureness >= settings.rule_confidence]
        drafted: list[str] = []
        for batch in _batches(sure, _BATCH):

            def draft(tx: Tx, batch: Sequence[tuple[str, float]] = batch) -> None:
                for lesson_id, sureness in batch:
                    draft_in(tx, lesson_id, confidence=sureness, settings=settings)

            recorded = self._part("rules", batch, draft)
            drafted += [each.stream for each in recorded if isinstance(each.event, RuleDrafted)]
        return drafted

    def _advance(self, drafted: Sequence[str]) -> list[str]:
        """Let the other rules take the step that their evidence allows; what became of them, in words."""
        settings = self._engine.settings
        rows = self._engine.views.select_columns(playbook_rules, ("rule_id",), {"active": True}, order=("rule_id",))
        told: list[str] = []
        for batch in _batches((rule_id for (rule_id,) in rows if rule_id not in drafted), _BATCH):

            def advance(tx: Tx, batch: Sequence[str] = batch) -> None:
                for rule_id in batch:
                    advance_in(tx, rule_id, settings)

            told += map(step_in_words, self._part("advance", batch, advance))
        return told

    # --- Shared

    def _part(self, step: str, what: Any, work: Callable[[Tx], object]) -> tuple[Recorded, ...]:
        """One transaction of the cycle. what: it is about this; the same part again is answered, not done again."""
        about = digest(what)
        part = self._engine.part(f"{step}:{about[:16]}")
        return part.transact(work, operation=f"learn.{step}", arguments={"about": about})

    def _by_id(
        self, projection: Projection[Any], column: str, ids: Iterable[str], columns: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]:
        for batch in _batches(sorted(ids), _PAGE):
            yield from self._engine.views.select_columns(projection, columns, {column: batch}, order=(projection.key,))


def _take_in(engine: Engine, tx: Tx, contender: Contender, evidence: Sequence[Evidence]) -> None:
    """Learn a candidate, with the evidence that does not count yet, and note it on the reviews that proposed it.

    Runs that were told what turned out false are no evidence.
    """
    stream = same_in(engine, tx, scope=contender.scope, text=contender.text, category=contender.category)
    lesson = tx.load(stream, LESSON)
    if lesson.active is False:  # retired or recalled: a person or its own record said no
        return
    for_it = [one for one in untainted(engine, tx, evidence) if one.run_id not in lesson.counter_evidence]
    if news := [one for one in for_it if one.run_id not in lesson.evidence]:
        tx.act(
            stream, LESSON, lesson_rules.learn, scope=contender.scope, text=contender.text,
            category=contender.category, evidence=news,
        )  # fmt: skip
    for one in for_it:
        if one.aar_id is not None:
            tx.act(one.aar_id, REVIEW, review_rules.promote, lesson_ids=(stream,))


def _ended(engine: Engine, since: datetime, until: datetime) -> Iterator[str]:
    """The runs that finished behind since, and not behind until, in the order in which they did."""
    last, latest = (utc_text(since), "~"), utc_text(until)  # `~` stands behind every id
    while page := engine.views.select(run_ends, order=("ended_at", "run_id"), after=last, limit=_PAGE):
        for row in page:
            if row.ended_at > latest:
                return
            yield row.run_id
        last = (page[-1].ended_at, page[-1].run_id)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    return _weighing(things, lambda _: 1, size)


def _weighing(things: Iterable[T], weight: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """The things in batches that weigh so much at the most, or hold one thing."""
    batch: list[T] = []
    total = 0
    for thing in things:
        if batch and total + weight(thing) > most:
            yield batch
            batch, total = [], 0
        batch.append(thing)
        total += weight(thing)
    if batch:
        yield batch
