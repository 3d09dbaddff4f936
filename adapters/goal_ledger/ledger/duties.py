"""What a tick does: the duties, in their order, a line each.

A duty is a function `(ledger, now) -> lines`: it does what is due by now and says what it did. The ledger that it gets
acts under the command id `tick:<duty>:<start of the period>`, so a transaction names its operation; a duty that makes
several gives each a `ledger.part(…)`. Candidates may come from the read models; what is done is decided on the streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.times import EPOCH, utc_text
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.extensions import all_of, by_name, given_by_name
from goal_ledger.ledger.goals.cadence import due_occurrences
from goal_ledger.ledger.work.leases import expire_leases
from goal_ledger.ledger.work.moving import fail_exceeded, move_goals

if TYPE_CHECKING:
    from goal_ledger.domain.settings import Settings


def _count_overdue(engine: Engine, now: datetime) -> Iterable[str]:
    from goal_ledger.ledger.learning.playbook import count_overdue

    return count_overdue(engine, now)


class Duty(NamedTuple):
    """do: does what is due. period_s: what is done once in so many seconds, counted from 1970; None at every tick.

    setting: the name of the setting that says period_s instead.
    """

    do: Callable[[Any, datetime], Iterable[str]]  # it is called with the `Ledger`, which no module below it can name
    period_s: int | None = None
    setting: str | None = None

    def tuned(self, settings: Settings) -> Duty:
        """The duty as the settings have it."""
        return self if self.setting is None else self._replace(period_s=getattr(settings, self.setting))

    def period(self, now: datetime) -> datetime:
        """The start of the period that now is in."""
        if self.period_s is None:
            return now
        length = timedelta(seconds=self.period_s)
        try:
            return EPOCH + (now - EPOCH) // length * length
        except OverflowError:  # before the calendar begins
            return now


def _expire_proposals(engine: Engine, now: datetime) -> Iterable[str]:
    from goal_ledger.ledger.proposals.proposals import Proposals

    return Proposals(engine).expire(now)


def _detect(engine: Engine, now: datetime) -> Iterable[str]:
    from goal_ledger.ledger.proposals.proposals import Proposals

    scanned = Proposals(engine).scan(now=now)
    for one in scanned.proposals:
        if one.goal_id is not None:
            yield f"proposed {one.goal_id}: {one.text}"
    for name, problem in scanned.failed.items():
        yield f"detector {name} failed: {problem}"


WEEK_S = 604_800


def _learn(engine: Engine, now: datetime) -> Iterable[str]:
    """Learn from the week before this one; quiet when no run finished in it."""
    from goal_ledger.ledger.learning.cycle import has_runs, learn  # once a week
    from goal_ledger.ledger.learning.learning import Learning

    until = Duty(_learn, WEEK_S).period(now)
    if not has_runs(engine, until):
        return
    done = Learning(engine).get(learn(engine, until))
    yield (
        f"{done.cycle_id} learned from {done.runs} runs until {utc_text(until)}: {done.reviews} reviewed, "
        f"{len(done.lessons)} lessons, {len(done.rules)} rules"
    )


DUTIES: dict[str, Duty] = {
    "leases": Duty(expire_leases),
    "cadences": Duty(due_occurrences),
    "deadlines": Duty(fail_exceeded),
    "proposals": Duty(_expire_proposals),
    "detection": Duty(_detect, setting="detect_every_s"),
    "trials": Duty(_count_overdue),
    "learning": Duty(_learn, WEEK_S),
    "conditions": Duty(move_goals),  # last, for conditions look at what the others did
}


def every_duty(given: Mapping[str, Duty]) -> dict[str, Duty]:
    """The built-in duties, those given, those installed; `conditions` last.

    An installed one that cannot be used is a duty that fails. Invalid: duplicate_name, wrong_type.
    """
    if not isinstance(given, Mapping):
        raise Invalid("wrong_type", f"duties: {type(given).__name__} is no mapping of names to duties")
    all_of(Duty, given.values(), "duties")
    found = dict(DUTIES)
    last = {"conditions": found.pop("conditions")}
    found |= given_by_name(given.items(), DUTIES)
    for name, declared in by_name(extensions.DUTIES, (*found, *last)).items():
        try:
            found[name] = declared.load(Duty)
        except LedgerError as error:
            found[name] = Duty(_failing(error))
    return found | last


def _failing(error: LedgerError) -> Callable[[Engine, datetime], Iterable[str]]:
    def do(_engine: Engine, _now: datetime) -> Iterable[str]:
        raise error

    return do
