"""Feeds: what analytics and the CRM measured, as business outcomes of the runs before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from goal_ledger.adapters.ingest.feeds import fetch
from goal_ledger.adapters.ingest.feeds.analytics import Counting, read_analytics
from goal_ledger.adapters.ingest.feeds.crm import read_crm
from goal_ledger.adapters.ingest.feeds.documents import content
from goal_ledger.adapters.ingest.feeds.fetch import PATIENT, Waiting
from goal_ledger.adapters.ingest.feeds.port import Measurement, Selector
from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.continuity.feed import FEED, Feed, Level, advance, feed_id
from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.learning.outcomes import Ended, Rule, in_words, judge, spoken_about
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, BusinessOutcome, BusinessOutcomeRecorded, RunStatus
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.pages import Place, select_page
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.runs.outcome_records import OutcomeRecord, outcome_records

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

OUTREACH = "outreach"
"""The task category of the runs that pipeline statistics speak about unless something else is said."""
_MANY = 500  # as many values as a question to the read models can name


class Untaken(NamedTuple):
    """A record that changed nothing, and why. line: from 1. code: `bad_record`, `unknown_run`, `no_matching_run`, …"""

    line: int
    code: str
    reason: str


class FeedImport(NamedTuple):
    """What reading a source did.

    records: measurements in it. outcomes: outcomes of runs recorded now. baselines: first measurements of a metric,
    which the next ones are compared with. unchanged: records that were there already. changed: external ids of records
    that were there with other content, left as they are. skipped: records that changed nothing; problems: which, why.
    cursor: the instant up to which the source has been taken.
    """

    source: str
    records: int
    outcomes: int
    baselines: int
    unchanged: int
    changed: Sequence[str]
    skipped: int
    problems: Sequence[Untaken]
    cursor: str | None


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


class OutcomePage(NamedTuple):
    """Some outcomes, and where the next page begins: None when there are no more."""

    outcomes: Sequence[OutcomeRecord]
    next: Place | None


class Feeds:
    """Ways in for what the world measured. The same record counts once, however often it is read.

    place: a file, or an http(s) URL. source: names where the records come from; unless said, `posthog` or `crm` for a
    file and host and path for a URL. token: sent as a bearer token to that host, over https only, and kept nowhere.

    A record that cannot be taken is left out and reported, the others land. Errors of every import: Invalid: bad_lines
    (strict only), bad_source, bad_url, bad_redirect, too_large, bad_gzip. NotFound: no_file, unknown_run, unknown_goal.
    Unavailable: cannot_read, cannot_fetch, not_authorised.
    """

    def __init__(self, ledger: Ledger) -> None:
        # An import is repeatable without a command id.
        self._ledger = ledger.using(command_id=None, if_version=None)

    def analytics(
        self,
        place: str | Path,
        *,
        source: str | None = None,
        event: str | None = None,
        per: str | None = None,
        window_days: int = 7,
        at: datetime | None = None,
        to: Attribution = Attribution(),  # noqa: B008  immutable
        token: str | None = None,
        waiting: Waiting = PATIENT,
    ) -> FeedImport:
        """Take what PostHog measured (format: `goal_ledger.adapters.ingest.feeds.analytics`).

        event: which event counts, in exports of events; per: as a share of the people who did that one; window_days: in
        windows of so many days. at: when funnels were measured that don't say so. The events API is asked for what is
        newer than what was read last, at first for two windows, unless the URL says `after` itself.

        Invalid: no_event, bad_window.
        """
        if window_days < 1:
            raise Invalid("bad_window", f"a window of {window_days} days holds nothing; the least is 1")
        counting = Counting(event, per, window_days)
        if isinstance(place, Path) or not fetch.is_url(place):
            found = read_analytics([content(Path(place))], counting, at=at)
            return self._take(source or "posthog", found, to)
        source, since = source or fetch.name_of(place), None
        if event is not None and urlsplit(place).path.rstrip("/").endswith("/events"):
            place, since = self._newer_events(place, source, counting)
        pages = fetch.pages(place, token=token, waiting=waiting)
        return self._take(source, read_analytics(pages, counting, at=at, since=since), to)

    def crm(
        self,
        place: str | Path,
        *,
        source: str | None = None,
        campaigns: Mapping[str, str] | None = None,
        to: Attribution = Attribution(),  # noqa: B008  immutable
        token: str | None = None,
        waiting: Waiting = PATIENT,
    ) -> FeedImport:
        """Take the pipeline statistics of a CRM (format: `goal_ledger.adapters.ingest.feeds.crm`).

        campaigns: the goals that campaigns are, by name. Runs of the task category `outreach` are meant unless a record
        or `to` says others. A URL is asked for what came `after` what was read last, unless it says so itself.
        """
        if to.selector.is_blank:
            to = to._replace(task_category=OUTREACH)
        if isinstance(place, Path) or not fetch.is_url(place):
            return self._take(source or "crm", read_crm([content(Path(place))], campaigns=campaigns or {}), to)
        source = source or fetch.name_of(place)
        cursor = self._feed(source).cursor
        if cursor is not None and fetch.after_of(place) is None:
            place = fetch.with_after(place, cursor)
        pages = fetch.pages(place, token=token, waiting=waiting)
        return self._take(source, read_crm(pages, campaigns=campaigns or {}), to)

    def outcomes(
        self,
        *,
        run_id: str | None = None,
        goal_id: str | None = None,
        source: str | None = None,
        after: Place | None = None,
        limit: int | None = None,
    ) -> OutcomePage:
        """Every word on what runs were worth, the last one recorded first; after: where the page before ended."""
        wanted = {"run_id": run_id, "goal_id": goal_id, "source": source}
        views, order = self._ledger.views, ("position",)
        rows = select_page(views, outcome_records, wanted, order=order, descending=True, after=after, limit=limit)
        return OutcomePage(*rows)

    # --- How

    def _feed(self, source: str) -> Feed:
        feed = FEED.initial
        for recorded in self._ledger.stream(feed_id(source)):
            if isinstance(recorded, Recorded):
                feed = FEED.evolve(feed, recorded.event)
        return feed

    def _newer_events(self, url: str, source: str, counting: Counting) -> tuple[str, datetime | None]:
        """The URL that asks for the events that were not counted yet, and from when on they will all be there."""
        if (said := fetch.after_of(url)) is not None:
            try:
                return url, parse_utc(said)
            except Invalid:  # a way of saying it that only the server understands
                return url, None
        level = self._feed(source).levels.get(counting.metric)
        if level is None:
            since = counting.start(counting.window(self._ledger.now().date()) - 2)
        else:
            since = parse_utc(level.at)
        # What is asked for begins after that instant.
        return fetch.with_after(url, utc_text(since - timedelta(seconds=1))), since

    def _take(self, source: str, found: Iterable[Measurement | BadLine], to: Attribution) -> FeedImport:
        stream = feed_id(source)
        if to.run_id is not None:
            self._ledger.runs.get(to.run_id)
        elif to.goal_id is not None:
            self._ledger.goals.get(to.goal_id)
        measurements: list[Measurement] = []
        unread: list[Untaken] = []
        for item in found:
            if isinstance(item, BadLine):
                unread.append(Untaken(item.line, "bad_record", item.reason))
            else:
                measurements.append(item)
        measurements.sort(key=lambda measurement: (measurement.at, measurement.line))
        known = _Known(self._ledger, source, measurements, to)
        teller = _Teller(known, to)

        def work(tx: Tx) -> None:
            nonlocal teller
            teller = _Teller(known, to)  # a transaction may be tried again
            feed = tx.load(stream, FEED)
            teller.tell(tx, feed, measurements)
            teller.problems = sorted([*unread, *teller.problems])
            if to.strict and teller.problems:
                raise _refusal(teller.problems)
            tx.act(
                stream, FEED, advance, source=source, cursor=teller.cursor, records=len(measurements),
                outcomes=teller.outcomes, problems=len(teller.problems), levels=list(teller.moved.values()),
            )  # fmt: skip

        self._ledger.transact(work)
        return FeedImport(
            source, len(measurements), teller.outcomes, teller.baselines, teller.unchanged, teller.changed,
            len(teller.problems), teller.problems, self._feed(source).cursor,
        )  # fmt: skip


class _Known:
    """What the read models know that the measurements may be about; asked before the transaction.

    told: what was recorded by external id. runs: the finished ones by goal and by task category.
    """

    def __init__(self, ledger: Ledger, source: str, measurements: Sequence[Measurement], to: Attribution) -> None:
        self.source = source
        self.settings = ledger.settings
        self.head = ledger.head
        self.told: dict[str, list[tuple[BusinessOutcome, str | None]]] = {}
        ids = sorted({measurement.external_id for measurement in measurements})
        for some in _parts(ids):
            for row in ledger.views.select(
                outcome_records, {"source": source, "external_id": some}, order=("position",)
            ):
                self.told.setdefault(str(row.external_id), []).append((row.business_outcome, row.detail))
        meant = {_meant(measurement, to) for measurement in measurements}
        self._by_goal = _finished(ledger, "goal_id", [each.goal_id for each in meant])
        self._by_category = _finished(ledger, "task_category", [each.task_category for each in meant])

    def since(self, tx: Tx) -> dict[str, list[tuple[BusinessOutcome, str | None]]]:
        """What is recorded, with what came in since the read models were asked."""
        told = {external_id: list(words) for external_id, words in self.told.items()}
        for recorded in tx.since(self.head):
            if not (isinstance(recorded, Recorded) and isinstance(recorded.event, BusinessOutcomeRecorded)):
                continue
            event = recorded.event
            if event.source == self.source and event.external_id is not None:
                told.setdefault(event.external_id, []).append((event.business_outcome, event.detail))
        return told

    def runs(self, meant: Selector) -> Sequence[Ended]:
        """The finished runs of a goal or a task category."""
        if meant.goal_id is not None:
            return self._by_goal.get(meant.goal_id, ())
        return self._by_category.get(meant.task_category or "", ())


class _Teller:
    """Tells measurements in order of time. moved: the levels that are new."""

    def __init__(self, known: _Known, to: Attribution) -> None:
        self._known = known
        self._to = to
        self._told: dict[str, list[tuple[BusinessOutcome, str | None]]] = {}
        self._pinned: datetime | None = None
        self.outcomes = self.baselines = self.unchanged = 0
        self.changed: list[str] = []
        self.problems: list[Untaken] = []
        self.moved: dict[str, Level] = {}
        self.cursor: str | None = None

    def tell(self, tx: Tx, feed: Feed, measurements: Iterable[Measurement]) -> None:
        """Record what the measurements say; what cannot be told is noted in `problems`."""
        self._told = self._known.since(tx)
        for measurement in measurements:
            try:
                with tx.all_or_nothing():
                    self._measure(tx, feed, measurement)
            except LedgerError as error:
                self.problems.append(Untaken(measurement.line, error.code, error.message))
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
        told = [in_words(measurement.metric, before, measurement.after, change), measurement.window or ""]
        told += ["lower is better" if falls else "", f"threshold {threshold:.3g}"]
        detail = "; ".join(filter(None, told))
        if (words := self._told.get(external_id)) is not None:
            self._note_known(external_id, is_same=(outcome, detail) in words)
            return
        if not runs:
            days = f"{self._known.settings.outcome_window_days:g} days"
            reason = f"{external_id}: no run that is meant finished within the {days} before {utc_text(measurement.at)}"
            self.problems.append(Untaken(measurement.line, "no_matching_run", reason))
            return
        then, gathered = tx.using(occurred_at=measurement.at), 0
        for run_id in runs:
            recorded = then.act(
                run_id, RUN, run_rules.record_outcome, business_outcome=outcome, source=self._known.source,
                external_id=external_id, detail=detail,
            )  # fmt: skip
            gathered += len(recorded)
        self._told[external_id] = [(outcome, detail)]
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
            raise Invalid("no_selector", "the record names no run_id, goal_id or task_category", hint="say which runs")
        days = self._known.settings.outcome_window_days
        return spoken_about(self._known.runs(meant), measurement.at, window_days=days, rule=self._to.rule)


def _meant(measurement: Measurement, to: Attribution) -> Selector:
    """Which runs a measurement is about: what it says itself, or what the caller says."""
    said = to.selector if measurement.selector.is_blank else measurement.selector
    if said.run_id is not None:
        return Selector(run_id=said.run_id)
    return Selector(goal_id=said.goal_id) if said.goal_id is not None else said


def _finished(ledger: Ledger, column: str, values: Iterable[str | None]) -> dict[str, list[Ended]]:
    """The finished runs by the values of a column."""
    found: dict[str, list[Ended]] = {}
    for some in _parts(sorted({value for value in values if value is not None})):
        wanted = {column: some, "status": RunStatus.FINISHED}
        columns = (column, "run_id", "finished_at")
        for value, run_id, finished_at in ledger.views.select_columns(goal_runs, columns, wanted, order=("run_id",)):
            found.setdefault(value, []).append(Ended(run_id, finished_at))
    return found


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))


def _refusal(problems: Sequence[Untaken]) -> Invalid:
    first = problems[0]
    more = f" (and {len(problems) - 1} more records)" if len(problems) > 1 else ""
    return Invalid(
        "bad_lines",
        f"record {first.line}: {first.code}: {first.reason}{more}; nothing was imported",
        hint="without --strict the rest lands",
    )
