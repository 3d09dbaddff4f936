"""After-action reviews: written of runs that did not go well, reopened when the same failure comes back."""

from __future__ import annotations

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.errors import Blank, Conflict, Hint, Rejected, Unavailable
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.learning import lesson as lesson_rules
from goal_ledger.domain.learning import review as rules
from goal_ledger.domain.learning import reviewer
from goal_ledger.domain.learning.lesson import LESSON, Evidence, LessonCategory, Scope
from goal_ledger.domain.learning.review import REVIEW, Notable, ReviewWritten, review_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.learning.evidence import refuse_tainted
from goal_ledger.ledger.learning.lessons import same_in
from goal_ledger.projections.learning.after_action_reviews import ReviewRow, after_action_reviews

_ENDED = frozenset({RunStatus.FINISHED, RunStatus.INTERRUPTED})


class Reviews(Rows[ReviewRow]):
    """The reviews of a ledger. Every method that writes returns the review as it then stands."""

    kind = Kind(after_action_reviews, "aar_", "review")

    # --- Writing

    @operation("review.write")
    def write(self, run_id: str, *, reason: str | None = None) -> ReviewRow:
        """Write the review of a run that has ended, also of one that was won; a run has one.

        Rejected: still_open. NotFound: unknown_run.
        """
        stream = review_id(require_id("grun_", run_id))
        days = self._engine.settings.review_watch_days

        def work(tx: Tx) -> None:
            if (status := run_rules.existing(tx.load(run_id, RUN))) not in _ENDED:
                raise Rejected(
                    "still_open",
                    f"run {run_id} is {status}; a review is written when it has ended",
                    hint=Hint("run", "finish", run_id, local_outcome="succeeded"),
                )
            write_in(tx, run_id, watch_days=days, reason=reason)

        arguments = {"run_id": run_id, "reason": reason}
        return self._answer(stream, self._engine.transact(work, operation="review.write", arguments=arguments))

    @operation("review.promote")
    def promote(self, aar_id: str, *, reason: str | None = None) -> ReviewRow:
        """Take what the review proposes into the lesson store, with its run as evidence; each lesson once.

        Rejected: no_candidates, tainted; retired, recalled, already_evidence, of the lesson. NotFound: unknown_review.
        """
        require_id("aar_", aar_id)

        def work(tx: Tx) -> None:
            row = Reviews.kind.existing(tx.fold(after_action_reviews, aar_id), aar_id)
            if not row.lesson_candidates:
                raise Rejected(
                    "no_candidates",
                    "this review proposes no lesson",
                    hint=Hint("lesson", "add", Blank(), category="safe_default", run_id=row.run_id),
                )
            refuse_tainted(self._engine, tx, [row.run_id])
            scope = Scope(row.goal_type, row.action_type)
            for candidate in row.lesson_candidates:
                text, category = candidate["text"], LessonCategory(candidate["category"])
                lesson_id = same_in(self._engine, tx, scope=scope, text=text, category=category)
                if lesson_id in row.lesson_ids:
                    continue
                tx.act(
                    lesson_id, LESSON, lesson_rules.learn, scope=scope, text=text,
                    category=category, evidence=(Evidence(run_id=row.run_id, aar_id=aar_id),),
                    reason=reason,
                )  # fmt: skip
                tx.act(aar_id, REVIEW, rules.promote, lesson_ids=(lesson_id,), reason=reason)

        arguments = {"aar_id": aar_id, "reason": reason}
        return self._answer(aar_id, self._engine.transact(work, operation="review.promote", arguments=arguments))

    # --- Reading

    def of(self, run_id: str) -> ReviewRow | None:
        """The review of a run; None when it has none."""
        return self._engine.fold(after_action_reviews, review_id(require_id("grun_", run_id)))

    def list(
        self,
        *,
        goal_id: str | None = None,
        notable: Notable | None = None,
        promoted: bool | None = None,
        signature: str | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[ReviewRow]:
        """Reviews, the one changed last first. promoted: whether lessons were taken from it, None for both."""
        wanted = {"goal_id": goal_id, "notable": notable, "promoted": promoted, "signature": signature}
        return self._page(wanted, after=after, limit=limit)


# --- Inside other transactions


def write_in(tx: Tx, run_id: str, *, watch_days: float, reason: str | None = None) -> ReviewWritten | None:
    """Write the review of a run that has ended; None when it has one."""
    stream = review_id(run_id)
    if tx.load(stream, REVIEW).run_id:
        return None
    events = [one.event for one in (*tx.history(run_id), *tx.gathered(run_id)) if isinstance(one, Recorded)]
    goal_id = tx.load(run_id, RUN).goal_id
    run, goal = reviewer.course(events), _goal(tx, goal_id)
    written = reviewer.review(
        run, goal, run_id=run_id, now=tx.now, watch_days=watch_days, longest=tx.text_limit
    ).model_copy(update={"reason": reason})
    tx.act(stream, REVIEW, rules.write, written=written)
    return written


def review_in(engine: Engine, tx: Tx, run_id: str) -> None:
    """Review a run that has just gone wrong; when that was watched for, reopen the review that did.

    Of the reviews that watch for the same failure the oldest is reopened, so that one failure that keeps coming back is
    proposed once per watch and not once per run. Runs that end in one transaction don't reopen each other's reviews.
    """
    written = write_in(tx, run_id, watch_days=engine.settings.review_watch_days)
    if written is None or written.signature is None or tx.now is None:
        return
    aar_id = _watching(engine, written.signature, utc_text(tx.now))
    if aar_id is not None:
        _recur(tx, aar_id, written, has_lessons=_goal(tx, written.goal_id).learning_required)


def _watching(engine: Engine, signature: str, at: str) -> str | None:
    """The oldest review that watches for this failure at that time; None also when the read models cannot be asked."""
    try:
        found = engine.views.select(
            after_action_reviews, {"signature": signature}, order=("watch_until", "aar_id"), after=(at, ""), limit=1
        )  # the one whose watch ends first is the oldest
    except (Conflict, Unavailable):  # that a run failed is recorded whatever becomes of them
        return None
    return next((row.aar_id for row in found if rules.is_watched(row.created_at, row.watch_until, at)), None)


def _recur(tx: Tx, aar_id: str, again: ReviewWritten, *, has_lessons: bool) -> None:
    """Reopen a review; its lessons did not help, and somebody should look."""
    review = tx.load(aar_id, REVIEW)
    tx.act(aar_id, REVIEW, rules.reopen, run_id=again.run_id, reason="the same failure came back")
    for lesson_id in review.lesson_ids if has_lessons else ():
        lesson = tx.load(lesson_id, LESSON)
        if lesson.active and again.run_id not in lesson.evidence:
            reason = f"the failure came back that {aar_id} watches for"
            tx.act(lesson_id, LESSON, lesson_rules.contradict, run_id=again.run_id, reason=reason)


def _goal(tx: Tx, goal_id: str) -> reviewer.Goal:
    goal = tx.load(goal_id, GOAL)
    return reviewer.Goal(goal_id, goal.contract["title"], goal.goal_type, goal.contract["learning_required"])
