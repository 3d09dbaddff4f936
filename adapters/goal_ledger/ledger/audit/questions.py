"""Questions about the past: what changed, since when something holds, why it was decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.engine import Engine, instant, is_position

if TYPE_CHECKING:
    from goal_ledger.ledger.audit.decisions import Replay, Why
    from goal_ledger.ledger.audit.diff import Change
    from goal_ledger.ledger.audit.when import Held


class Past(Engine):
    """An engine that answers questions about its past; few programs ask, so what answers is imported at use."""

    def diff(
        self, start: datetime | str | int, end: datetime | str | int | None = None, *, stream: str | None = None
    ) -> list[Change]:
        """The rows of every noun that changed from one time or position to another, the first touched first.

        end: default: now. stream: only this one; of a goal, its runs too.

        Invalid: bad_interval, bad_time, naive_time, beyond_head. NotFound: unknown_goal.
        """
        from goal_ledger.ledger.audit.diff import changes

        first, last = self.position_at(start), self.head if end is None else self.position_at(end)
        backwards = first > last
        if end is not None and not is_position(start) and not is_position(end):
            backwards = instant(start) > instant(end)
        if backwards:
            raise Invalid(
                "bad_interval", f"from {start} to {end or 'now'} is backwards", hint="give the earlier one first"
            )
        return changes(self.as_of(first), self.as_of(last), stream)

    def when(self, condition: str, *, goal_id: str | None = None, after: datetime | str | int = 0) -> Held | None:
        """The event after which a condition first held, and the row that fulfils it; None when it never held.

        condition: see docs/conditions.md. goal_id: only this goal and its runs. after: look behind this time or
        position, for a row for which it did not hold yet.

        Invalid: bad_condition, beyond_head. NotFound: unknown_goal.
        """
        from goal_ledger.ledger.audit.when import first_held, read
        from goal_ledger.ledger.goals.goals import Goals

        wanted = read(condition, of_one_goal=goal_id is not None)
        events = self.events() if goal_id is None else Goals(self).timeline(goal_id)
        return first_held(events, wanted, self.position_at(after))

    def why(self, event: int | str) -> Why:
        """The decision that a policy made in an event, and the same re-evaluated on the ledger as the policy saw it.

        event: a position; or the id of a goal, a run, a proposal or a rule, for the last decision about it. Writes
        nothing.

        NotFound: unknown_position, unknown_goal, unknown_run, unknown_proposal, unknown_rule, unknown_policy.
        Rejected: no_receipt, no_choice, bad_receipt, unreadable, not_of_the_past. Invalid: bad_event.
        """
        self.core.require_present("explaining a decision")
        from goal_ledger.ledger.audit.decisions import why

        return why(self, int(event) if isinstance(event, str) and event.isdecimal() else event)

    def replay(
        self,
        policy: str,
        *,
        settings: Settings | None = None,
        start: datetime | str | int = 1,
        end: datetime | str | int | None = None,
        limit: int | None = None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Replay:
        """Make the recorded decisions of a policy's family again, in order, and tell those that would be others.

        policy: a version, e.g. `router@2`; decisions of its other versions are re-evaluated by this one. settings:
        default: the present ones. start: from this position on, or behind this time. end: up to there, included. limit:
        of the decisions. Each is made on the ledger as it was then, whatever became of those before it. Writes nothing.

        NotFound: unknown_policy. Rejected: not_of_the_past. Invalid: bad_time, naive_time, beyond_head.
        """
        self.core.require_present("replaying decisions")
        from goal_ledger.ledger.audit.decisions import replay

        first = self.position_at(start) if is_position(start) else self.position_at(start) + 1
        last = self.head if end is None else self.position_at(end)
        settings = self.settings if settings is None else settings
        return replay(self, policy, settings, first=first, last=last, limit=limit, progress=progress)
