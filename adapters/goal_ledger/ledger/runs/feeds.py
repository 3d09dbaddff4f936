"""Feeds: what analytics and the CRM measured, as business outcomes of the runs before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from goal_ledger.adapters.ingest.feeds import fetch
from goal_ledger.adapters.ingest.feeds.analytics import Counting, read_analytics
from goal_ledger.adapters.ingest.feeds.crm import read_crm
from goal_ledger.adapters.ingest.feeds.documents import content
from goal_ledger.adapters.ingest.feeds.fetch import PATIENT, Waiting
from goal_ledger.adapters.ingest.feeds.port import Measurement
from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Hint, Invalid
from goal_ledger.domain.runs.feed import FEED, Feed, advance, feed_id
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page, select_page
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.ledger.runs.attribution import Attribution, Known, MeasurementImporter, SkippedRecord
from goal_ledger.ledger.runs.runs import Runs
from goal_ledger.projections.runs.outcome_records import OutcomeRecord, outcome_records

OUTREACH = "outreach"
"""The task category of the runs that pipeline statistics speak about unless something else is said."""


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
    problems: Sequence[SkippedRecord]
    cursor: str | None


class Feeds:
    """Importers of what the world measured. The same record counts once, however often it is read.

    place: a file, or an http(s) URL. source: names where the records come from; by default, `posthog` or `crm` for a
    file and host and path for a URL. token: sent as a bearer token to that host, over https only, and kept nowhere.

    A record that cannot be taken is left out and reported, the others land. Errors of every import: Invalid: bad_lines
    (strict only), bad_source, bad_url, bad_redirect, too_large, bad_gzip. NotFound: no_file, unknown_run, unknown_goal.
    Unavailable: cannot_read, cannot_fetch, not_authorised.
    """

    def __init__(self, engine: Engine) -> None:
        # An import is repeatable without a command id.
        self._engine = engine.using(command_id=None, if_version=None)

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
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[OutcomeRecord]:
        """Every word on what runs were worth, the last one recorded first; after: where the page before ended."""
        wanted = {"run_id": run_id, "goal_id": goal_id, "source": source}
        return select_page(
            self._engine.views, outcome_records, wanted, order=("position",), descending=True, after=after, limit=limit,
            formerly="outcomes",
        )  # fmt: skip

    # --- How

    def _feed(self, source: str) -> Feed:
        feed = FEED.initial
        for recorded in self._engine.stream(feed_id(source)):
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
            since = counting.start(counting.window(self._engine.now().date()) - 2)
        else:
            since = parse_utc(level.at)
        # What is asked for begins after that instant.
        return fetch.with_after(url, utc_text(since - timedelta(seconds=1))), since

    def _take(self, source: str, found: Iterable[Measurement | BadLine], to: Attribution) -> FeedImport:
        stream = feed_id(source)
        if to.run_id is not None:
            Runs.kind.get(self._engine, to.run_id)
        elif to.goal_id is not None:
            Goals(self._engine).get(to.goal_id)
        measurements: list[Measurement] = []
        unread: list[SkippedRecord] = []
        for item in found:
            if isinstance(item, BadLine):
                unread.append(SkippedRecord(item.line, "bad_record", item.reason))
            else:
                measurements.append(item)
        measurements.sort(key=lambda measurement: (measurement.at, measurement.line))
        importer = MeasurementImporter(Known(self._engine, source, measurements, to), to)

        def work(tx: Tx) -> None:
            feed = tx.load(stream, FEED)
            importer.take(tx, feed, measurements)
            importer.problems = sorted([*unread, *importer.problems])
            if to.strict and importer.problems:
                raise _refusal(importer.problems)
            tx.act(
                stream, FEED, advance, source=source, cursor=importer.cursor, records=len(measurements),
                outcomes=importer.outcomes, problems=len(importer.problems), levels=list(importer.moved.values()),
            )  # fmt: skip

        self._engine.transact(work, operation="feed.take")
        return FeedImport(
            source, len(measurements), importer.outcomes, importer.baselines, importer.unchanged, importer.changed,
            len(importer.problems), importer.problems, self._feed(source).cursor,
        )  # fmt: skip


def _refusal(problems: Sequence[SkippedRecord]) -> Invalid:
    first = problems[0]
    more = f" (and {len(problems) - 1} more records)" if len(problems) > 1 else ""
    return Invalid(
        "bad_lines",
        f"record {first.line}: {first.code}: {first.reason}{more}; nothing was imported",
        hint="without " + Hint(strict=True) + " the rest lands",
    )
