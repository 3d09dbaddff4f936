"""Suggestions: what the history says should be looked at, and the call to begin with. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from goal_ledger.domain.errors import Hint
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.projections.learning.after_action_reviews import after_action_reviews
from goal_ledger.projections.learning.failure_groups import failure_groups
from goal_ledger.projections.learning.lessons import lessons

ENOUGH = 3
"""Failures that are alike without a lesson being drawn from them."""

_PAGE = 500


class Suggestion(NamedTuple):
    """Something to improve. id: of the review or the lesson, of a group its signature. what, why: in words."""

    kind: Literal["failure_without_lesson", "failure_came_back", "lesson_in_doubt"]
    id: str
    what: str
    why: str
    command: Hint


def suggestions(engine: Engine) -> list[Suggestion]:
    """What to improve: failures that nobody drew a lesson from, those that came back, lessons that don't hold."""
    return [*_without_lesson(engine), *_came_back(engine), *_in_doubt(engine)]


def _without_lesson(engine: Engine) -> Iterator[Suggestion]:
    """The most frequent first."""
    after: tuple[int, str] | None = None
    order, views = ("runs", "signature"), engine.views
    while page := views.select(failure_groups, order=order, descending=True, after=after, limit=_PAGE):
        for group in page:
            if group.runs < ENOUGH:
                return
            promoted = {"signature": group.signature, "promoted": True}
            if not views.select_columns(after_action_reviews, ("aar_id",), promoted, order=("aar_id",), limit=1):
                yield Suggestion(
                    "failure_without_lesson",
                    group.signature,
                    f"Draw a lesson from what fails: {group.signature}",
                    f"{group.runs} runs failed like this",
                    Hint("review", "write", group.run_ids[0]),
                )
        after = (page[-1].runs, page[-1].signature)


def _came_back(engine: Engine) -> Iterator[Suggestion]:
    """While it is watched for; the one that changed last first."""
    now = utc_text(engine.now())
    for row in engine.views.select(after_action_reviews, {"reopened": True}, order=("position",), descending=True):
        if row.watch_until is not None and row.watch_until >= now:
            times = "once" if len(row.reopened_by) == 1 else f"{len(row.reopened_by)} times"
            yield Suggestion(
                "failure_came_back",
                row.aar_id,
                f"Find out why it keeps failing: {row.signature}",
                f"it came back {times} while it was watched for",
                Hint("review", "show", row.aar_id),
            )


def _in_doubt(engine: Engine) -> Iterator[Suggestion]:
    columns = ("lesson_id", "lesson_text", "evidence_for", "evidence_against")
    for lesson_id, text, pro, con in engine.views.select_columns(
        lessons, columns, {"active": True}, order=("lesson_id",)
    ):
        if con > pro:
            yield Suggestion(
                "lesson_in_doubt",
                lesson_id,
                f"Retire the lesson, or correct it: {text}",
                f"{con} pieces of evidence against it, {pro} for it",
                Hint("lesson", "show", lesson_id),
            )
