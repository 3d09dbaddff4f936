"""A tick: every duty that is due, once; and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Literal, NamedTuple

from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.goals.lifecycle import UNSTARTED
from goal_ledger.domain.runs.run import RunStatus, last_sign_of_life
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.duties import DUTIES, Duty
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.work.moving import past_deadline
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.runs.goal_runs import goal_runs

_PAGE = 500  # runs looked at in one go


class Done(NamedTuple):
    """What a duty did, a line each. problem: why it failed; what it did until then stands."""

    name: str
    done: Sequence[str]
    problem: str | None = None


class Ticked(NamedTuple):
    """The duties that ran, in their order."""

    now: datetime
    duties: Sequence[Done]

    @property
    def ok(self) -> bool:
        """Whether no duty failed."""
        return all(duty.problem is None for duty in self.duties)


class Attention(NamedTuple):
    """A goal that is overdue, or a run that is stuck. since: its deadline, or its last sign of life."""

    kind: Literal["overdue", "stuck"]
    id: str
    since: str


def tick(
    engine: Engine, now: datetime | None = None, names: Sequence[str] = (), registered: Mapping[str, Duty] = DUTIES
) -> Ticked:
    """Do what is due by now. names: only these duties. Invalid: unknown_duty, naive_time."""
    if unknown := [name for name in names if name not in registered]:
        raise Invalid("unknown_duty", f"there is no duty {unknown[0]!r}; there is {', '.join(registered)}")
    moment = parse_utc(utc_text(engine.now() if now is None else now))
    chosen = {name: duty for name, duty in registered.items() if not names or name in names}
    return Ticked(moment, [_run(engine, name, duty, moment) for name, duty in chosen.items()])


def _run(engine: Engine, name: str, duty: Duty, now: datetime) -> Done:
    done: list[str] = []
    try:
        for line in _lines(engine, name, duty.tuned(engine.settings), now):
            done.append(line)  # one by one: what was done before it failed is told too
    except LedgerError as error:
        return Done(name, done, f"{error.message} ({error.code})")
    except (Exception, SystemExit) as error:  # a mistake in one duty; the others go on
        return Done(name, done, f"{type(error).__name__}: {error}")
    return Done(name, done)


def _lines(engine: Engine, name: str, duty: Duty, now: datetime) -> Iterable[str]:
    """Do a duty, once in its period."""
    command_id = f"tick:{name}:{utc_text(duty.period(now))}"
    if engine.has_answered(command_id):
        if duty.period_s is not None:
            return ()
        # Asked again for the same time: what happened in between counts.
        command_id = next(other for n in count(2) if not engine.has_answered(other := f"{command_id}:{n}"))
    return duty.do(engine.using(command_id=command_id, occurred_at=now), now)


def attention(engine: Engine, now: datetime | None = None) -> list[Attention]:
    """The goals that are overdue, then the running runs without a sign of life for `stuck_after_s`, both by age."""
    moment = engine.now() if now is None else now
    overdue = (row for started in (False, True) for row in past_deadline(engine, moment, started=started))
    waiting = [
        Attention("overdue", row.goal_id, row.time_horizon)
        for row in overdue
        if (goal := engine.views.get(goal_definitions, row.goal_id)) is not None and goal.status in UNSTARTED
    ]
    return [*sorted(waiting, key=_age), *sorted(_stuck(engine, moment), key=_age)]


def _age(attention: Attention) -> tuple[str, str]:
    return attention.since, attention.id


def _stuck(engine: Engine, now: datetime) -> Iterator[Attention]:
    latest = utc_text(now - timedelta(seconds=engine.settings.stuck_after_s))
    after: tuple[str, ...] | None = None
    running = {"status": RunStatus.RUNNING}
    while page := engine.views.select(goal_runs, running, order=("run_id",), after=after, limit=_PAGE):
        for run in page:
            if (run.heartbeat_at or run.recorded_at) >= latest:
                continue
            alive = last_sign_of_life(engine.stream(run.run_id)) or run.recorded_at
            if alive < latest:
                yield Attention("stuck", run.run_id, alive)
        after = (page[-1].run_id,)
