"""Attribution: which runs a measurement speaks about, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from goal_ledger.adapters.ingest.feeds.port import Measurement, Selector
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.feed import Feed, Level
from goal_ledger.domain.runs.outcomes import Ended, Rule, in_words, judge, spoken_about
from goal_ledger.domain.runs.run import RUN, BusinessOutcome, BusinessOutcomeRecorded, RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.runs.outcome_records import outcome_records

_MANY = 500  # as many values as a question to the read models can name


class SkippedRecord(NamedTuple):
    """A record that changed nothing, and why. line: from 1. code: `bad_record`, `unknown_run`, `no_matching_run`, …"""

    line: int
    code: str
    reason: str


class Attribution(NamedTuple):
    """How measurements are brought to runs.

    run_id, goal_id, task_category: the runs that are meant by records that don't say; the first that is said. rule:
    which of the runs that finished within `outcome_window_days` before it. lower_is_better: metrics that should fall.
    strict: take nothing when a record cannot be taken.
    """

    run_id: str | None = None
    goal_id: str | None = None
    task_category: str | None = None
    rule: Rule = Rule.LATEST
    lower_is_better: Sequence[str] = ()
    strict: bool = False

    @property
    def selector(self) -> Selector:
        """The runs that are meant."""
        return Selector(self.run_id, self.goal_id, self.task_category)


class Known:
    """What the read models know that the measurements may be about; asked before the transaction.

    recorded: what was recorded by external id. runs: the finished ones by goal and by task category.
    """

    def __init__(self, engine: Engine, source: str, measurements: Sequence[Measurement], to: Attribution) -> None:
        self.source = source
        self.settings = engine.settings
        self.head = engine.head
        self.recorded: dict[str, list[tuple[BusinessOutcome, str | None]]] = {}
        ids = sorted({measurement.external_id for measurement in measurements})
        for some in _parts(ids):
            for row in engine.views.select(
                outcome_records, {"source": source, "external_id": some}, order=("position",)
            ):
                self.recorded.setdefault(str(row.external_id), []).append((row.business_outcome, row.detail))
        meant = {_meant(measurement, to) for measurement in measurements}
        self._by_goal = _finished(engine, "goal_id", [each.goal_id for each in meant])
        self._by_category = _finished(engine, "task_category", [each.task_category for each in meant])

    def since(self, tx: Tx) -> dict[str, list[tuple[BusinessOutcome, str | None]]]:
        """What is recorded, with what came in since the read models were asked."""
        known = {external_id: list(words) for external_id, words in self.recorded.items()}
        for recorded in tx.since(self.head):
            if not (isinstance(recorded, Recorded) and isinstance(recorded.event, BusinessOutcomeRecorded)):
                continue
            event = recorded.event
            if event.source == self.source and event.external_id is not None:
                known.setdefault(event.external_id, []).append((event.business_outcome, event.detail))
        return known

    def runs(self, meant: Selector) -> Sequence[Ended]:
        """The finished runs of a goal or a task category."""
        if meant.goal_id is not None:
            return self._by_goal.get(meant.goal_id, ())
        return self._by_category.get(meant.task_category or "", ())


class MeasurementImporter:
    """Imports measurements in order of time. moved: the levels that are new."""

    def __init__(self, known: Known, to: Attribution) -> None:
        self._known = known
        self._to = to
        self._recorded: dict[str, list[tuple[BusinessOutcome, str | None]]] = {}
        self._pinned: datetime | None = None
        self.outcomes = self.baselines = self.unchanged = 0
        self.changed: list[str] = []
        self.problems: list[SkippedRecord] = []
        self.moved: dict[str, Level] = {}
        self.cursor: str | None = None

    def take(self, tx: Tx, feed: Feed, measurements: Iterable[Measurement]) -> None:
        """Record what the measurements say; what is skipped is noted in `problems`."""
        self._recorded = self._known.since(tx)
        for measurement in measurements:
            try:
                with tx.all_or_nothing():
                    self._measure(tx, feed, measurement)
            except LedgerError as error:
                self.problems.append(SkippedRecord(measurement.line, error.code, error.message))
                self._pinned = self._pinned or measurement.at  # to be asked for again: it may land later
            if self._pinned is None or measurement.at < self._pinned:
                self.cursor = utc_text(measurement.at)

    def _measure(self, tx: Tx, feed: Feed, measurement: Measurement) -> None:
        before = measurement.before
        if before is None:
            metric, at = measurement.metric, utc_text(measurement.at)
            level = self.moved.get(metric) or feed.levels.get(metric)
            if level is not None and at <= level.at:
                is_same = at < level.at or measurement.after == level.value
                self._note_known(measurement.external_id, is_same=is_same)
                return
            meant = self._runs(tx, measurement)
            if level is None:
                self.baselines += 1
            else:
                self._record(tx, measurement, level.value, meant)
            self.moved[metric] = Level(metric=metric, value=measurement.after, at=at)
        else:
            self._record(tx, measurement, before, self._runs(tx, measurement))

    def _record(self, tx: Tx, measurement: Measurement, before: float, runs: Sequence[str]) -> None:
        external_id, threshold = measurement.external_id, self._known.settings.outcome_threshold
        falls = measurement.metric in self._to.lower_is_better
        outcome, change = judge(before, measurement.after, threshold=threshold, lower_is_better=falls)
        parts = [in_words(measurement.metric, before, measurement.after, change), measurement.window or ""]
        parts += ["lower is better" if falls else "", f"threshold {threshold:.3g}"]
        detail = "; ".join(filter(None, parts))
        if (words := self._recorded.get(external_id)) is not None:
            self._note_known(external_id, is_same=(outcome, detail) in words)
            return
        if not runs:
            days = f"{self._known.settings.outcome_window_days:g} days"
            reason = f"{external_id}: no run that is meant finished within the {days} before {utc_text(measurement.at)}"
            self.problems.append(SkippedRecord(measurement.line, "no_matching_run", reason))
            return
        then, gathered = tx.using(occurred_at=measurement.at), 0
        for run_id in runs:
            recorded = then.act(
                run_id, RUN, run_rules.record_outcome, business_outcome=outcome, source=self._known.source,
                external_id=external_id, detail=detail,
            )  # fmt: skip
            gathered += len(recorded)
        self._recorded[external_id] = [(outcome, detail)]
        self.outcomes += gathered

    def _note_known(self, external_id: str, *, is_same: bool) -> None:
        if is_same:
            self.unchanged += 1
        else:
            self.changed.append(external_id)

    def _runs(self, tx: Tx, measurement: Measurement) -> Sequence[str]:
        """The runs that a measurement speaks about. NotFound: unknown_run, unknown_goal. Invalid: no_selector."""
        meant = _meant(measurement, self._to)
        if meant.run_id is not None:
            run_rules.existing(tx.load(require_id("grun_", meant.run_id), RUN))
            return [meant.run_id]
        if meant.goal_id is not None:
            goal_rules.existing(tx.load(require_id("goal_", meant.goal_id), GOAL))
        elif meant.task_category is None:
            raise Invalid("no_selector", "no run, goal or task category is named, nor meant: say which with --goal")
        days = self._known.settings.outcome_window_days
        return spoken_about(self._known.runs(meant), measurement.at, window_days=days, rule=self._to.rule)


def _meant(measurement: Measurement, to: Attribution) -> Selector:
    """Which runs a measurement is about: what it says itself, or what the caller says."""
    said = to.selector if measurement.selector.is_blank else measurement.selector
    if said.run_id is not None:
        return Selector(run_id=said.run_id)
    return Selector(goal_id=said.goal_id) if said.goal_id is not None else said


def _finished(engine: Engine, column: str, values: Iterable[str | None]) -> dict[str, list[Ended]]:
    """The finished runs by the values of a column."""
    found: dict[str, list[Ended]] = {}
    for some in _parts(sorted({value for value in values if value is not None})):
        wanted = {column: some, "status": RunStatus.FINISHED}
        columns = (column, "run_id", "finished_at")
        for value, run_id, finished_at in engine.views.select_columns(goal_runs, columns, wanted, order=("run_id",)):
            found.setdefault(value, []).append(Ended(run_id, finished_at))
    return found


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))
