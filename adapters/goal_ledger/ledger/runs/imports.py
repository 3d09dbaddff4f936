"""Imports: histories from elsewhere, recorded through the same decisions as everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from goal_ledger.adapters.ingest.checks import CheckRecord, read_checks
from goal_ledger.adapters.ingest.events import Columns, EventRecord, read_events
from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.adapters.ingest.runs import RunRecord, read_runs
from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.log import Progress, quiet
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Hint, Invalid, LedgerError
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.contract import Contract, GoalSource, Origin
from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.runs import monitor as monitor_rules
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.monitor import MONITOR, CheckRecorded, monitor_id
from goal_ledger.domain.runs.run import RUN, RunStarted
from goal_ledger.domain.work import dispatch
from goal_ledger.ledger.engine.circumstances import UNKNOWN
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import create_in
from goal_ledger.projections.goals.goal_definitions import goal_definitions

_BATCH = 500  # records per transaction: few enough that other writers get their turn
_FEW_SOURCES = 500  # as many as a question to the read models can name


class RunImport(NamedTuple):
    """What an import of run records did.

    records, goals, runs: in the file. events: appended now. unchanged: runs that were there already. changed: ids of
    runs that were there with other content, left as they are. skipped: lines that were not taken; problems: which, why.
    """

    records: int
    goals: int
    runs: int
    events: int
    skipped: int
    unchanged: int
    changed: Sequence[str]
    problems: Sequence[BadLine]


class EventImport(NamedTuple):
    """What an import of a process log did; the fields as in `RunImport`. rows: good rows in the file."""

    goals: int
    rows: int
    events: int
    skipped: int
    unchanged: int
    problems: Sequence[BadLine]


class CheckImport(NamedTuple):
    """What an import of checks did; the fields as in `RunImport`. tasks, checks: in the file."""

    tasks: int
    checks: int
    events: int
    skipped: int
    unchanged: int
    problems: Sequence[BadLine]


class Imports:
    """Importers of what happened elsewhere. Repeating one adds nothing: ids are derived from the records.

    A bad line is left out and reported, the others land; strict: nothing lands when a line is bad.

    Errors of every import: Invalid: bad_lines (strict only), bad_gzip. NotFound: no_file. Unavailable: cannot_read.
    """

    def __init__(self, engine: Engine) -> None:
        # An import is many transactions, and repeatable without a command id.
        self._engine = engine.using(command_id=None, if_version=None)

    def runs(
        self, path: str | Path, *, prefix: str | None = None, strict: bool = False, progress: Progress = quiet
    ) -> RunImport:
        """Take run records (format: `goal_ledger.adapters.ingest.runs`): a task is a goal, an attempt a run.

        prefix: stands before the source of every record, so that the same records under another one are other goals
        and runs. History is recorded as it was: no attempt limit, no check of overlap; attempts are numbered by start
        time, then line.

        Invalid: bad_prefix.
        """
        if prefix is not None:
            _check_prefix(prefix)
        records, problems = _sorted_out(read_runs(Path(path)), strict=strict)
        if prefix is not None:
            records = [record._replace(source=f"{prefix}:{record.source}") for record in records]
        records.sort(key=lambda record: (*_when(record.started_at), record.line))
        importer = _RunImporter(self._engine, records)
        events, unchanged = self._take(records, importer.take, problems, strict=strict, progress=progress)
        return RunImport(
            len(records),
            len({(record.source, record.task_id) for record in records}),
            len({(record.source, record.run_id) for record in records}),
            events,
            len(problems),
            unchanged - len(importer.changed),
            importer.changed,
            sorted(problems),
        )

    def events(
        self,
        path: str | Path,
        *,
        case: str,
        activity: str,
        time: str,
        prefix: str | None = None,
        strict: bool = False,
        progress: Progress = quiet,
    ) -> EventImport:
        """Take a process log (format: `goal_ledger.adapters.ingest.events`): a case is a goal, a row an activity of it.

        case, activity, time: the names of those columns. prefix: names the source, so that equal case ids of two logs
        stay apart, and the same log under another one gives other goals; the file's name by default. Rows move no
        goal; they are taken in order of time, then line.

        Invalid: no_header, unknown_column, bad_prefix.
        """
        if prefix is not None:
            _check_prefix(prefix)
        source = prefix or Path(path).name.split(".")[0]
        records, problems = _sorted_out(read_events(Path(path), Columns(case, activity, time)), strict=strict)
        records.sort(key=lambda record: (*_when(record.occurred_at), record.line))
        importer = _EventImporter(self._engine, source, records)
        events, unchanged = self._take(records, importer.take, problems, strict=strict, progress=progress)
        goals = len({record.case for record in records})
        return EventImport(goals, len(records), events, len(problems), unchanged, sorted(problems))

    def checks(self, path: str | Path, *, strict: bool = False, progress: Progress = quiet) -> CheckImport:
        """Take outcomes of scheduled tasks (format: `goal_ledger.adapters.ingest.checks`), by time.

        Invalid: no_header, unknown_column, bad_lines (strict only), bad_gzip. NotFound: no_file.
        """
        records, problems = _sorted_out(read_checks(Path(path)), strict=strict)
        records.sort(key=lambda record: record.checked_at)
        events, unchanged = self._take(records, _CheckImporter().take, problems, strict=strict, progress=progress)
        tasks = len({(record.source, record.task) for record in records})
        return CheckImport(tasks, len(records), events, len(problems), unchanged, sorted(problems))

    def _take(
        self,
        records: Sequence[Line],
        take: Callable[[Tx, Line], bool],
        problems: list[BadLine],
        *,
        strict: bool,
        progress: Progress,
    ) -> tuple[int, int]:
        """Take the records in batches; how many events were appended, and how many records were there already.

        problems: the lines that the ledger refuses are added to it.
        """
        events = unchanged = 0
        size = max(1, len(records)) if strict else _BATCH

        def work(tx: Tx) -> None:
            nonlocal unchanged
            for record in records[start : start + size]:
                try:
                    with tx.all_or_nothing():
                        unchanged += not take(tx, record)
                except LedgerError as error:
                    problems.append(BadLine(record.line, error.message))
            if strict:
                _refuse(problems)

        with collector_paused():
            for start in range(0, len(records), size):
                events += len(self._engine.transact(work, operation="import.take", is_history=True))
                progress(min(start + size, len(records)), len(records))
        self._engine.views.catch_up()
        return events, unchanged


class _HasLine(Protocol):
    @property
    def line(self) -> int: ...


Line = TypeVar("Line", bound=_HasLine)


class _RunImporter:
    """Imports run records. changed: the known runs whose record now says something else."""

    def __init__(self, engine: Engine, records: Iterable[RunRecord]) -> None:
        starts: dict[tuple[str, str], datetime | None] = {}
        for record in records:
            starts.setdefault((record.source, record.task_id), record.started_at)
        self._goals = _goal_ids(engine, starts)
        self.changed: list[str] = []

    def take(self, tx: Tx, record: RunRecord) -> bool:
        """Record one attempt; False when it is there already."""
        run_id = derived_id("grun_", record.source, f"run:{record.run_id}", record.started_at)
        run = tx.load(run_id, RUN)
        if run.status is not None:
            if run.source_digest != record.digest:
                self.changed.append(f"{record.source}:{record.run_id}")
            return False
        goal_id = self._goals[record.source, record.task_id]
        begun = tx.using(occurred_at=record.started_at or UNKNOWN)
        ended = tx.using(occurred_at=record.finished_at or UNKNOWN)
        if tx.load(goal_id, GOAL).status is None:
            contract = Contract(title=record.title, description=record.description, task_category=record.category)
            create_in(begun, goal_id, contract, _origin(record.source, record.task_id))
        attempt = tx.load(goal_id, GOAL).attempts + 1
        begun.act(goal_id, GOAL, dispatch.record_dispatch, run_id=run_id, agent=record.agent)
        started = RunStarted(
            goal_id=goal_id,
            attempt=attempt,
            agent=record.agent,
            task_category=record.category,
            source=record.source,
            source_id=record.run_id,
            source_attempt=record.attempt,
            source_digest=record.digest,
        )
        begun.act(run_id, RUN, run_rules.start, started=started)
        if record.category is not None or record.rest:
            begun.act(
                run_id,
                RUN,
                run_rules.act,
                action=record.task_id,
                action_type=record.category,
                attributes=record.rest,
            )
        if record.verdict is not None:
            ended.act(
                run_id,
                RUN,
                run_rules.verify,
                verifier_status=record.verdict,
                verifier=record.verifier,
                score=record.score,
            )
        if record.cost_usd is not None:
            ended.act(run_id, RUN, run_rules.record_cost, cost_usd=record.cost_usd)
        ended.act(
            run_id,
            RUN,
            run_rules.finish,
            local_outcome=record.outcome,
            failure_category=record.failure_category,
            duration_seconds=record.duration_seconds,
            source_outcome=record.original_outcome,
        )
        return True


class _EventImporter:
    """Imports the rows of a process log."""

    def __init__(self, engine: Engine, source: str, records: Iterable[EventRecord]) -> None:
        self._source = source
        starts: dict[tuple[str, str], datetime | None] = {}
        for record in records:
            starts.setdefault((source, record.case), record.occurred_at)
        self._goals = _goal_ids(engine, starts)
        self._known_digests: dict[str, set[str]] = {}

    def take(self, tx: Tx, record: EventRecord) -> bool:
        """Record one row; False when it is there already."""
        goal_id = self._goals[self._source, record.case]
        if goal_id not in self._known_digests:
            self._known_digests[goal_id] = {
                recorded.event.source_id
                for recorded in tx.history(goal_id)
                if isinstance(recorded, Recorded) and isinstance(recorded.event, ActivityRecorded)
                if recorded.event.source_id is not None
            }
        if record.digest in self._known_digests[goal_id]:
            return False
        then = tx.using(occurred_at=record.occurred_at or UNKNOWN)
        if tx.load(goal_id, GOAL).status is None:
            contract = Contract(title=f"{self._source} {record.case}")
            create_in(then, goal_id, contract, _origin(self._source, record.case))
        then.act(
            goal_id,
            GOAL,
            goal_rules.record_activity,
            activity=record.activity,
            attributes=dict(record.attributes),
            source_id=record.digest,
        )
        self._known_digests[goal_id].add(record.digest)
        return True


class _CheckImporter:
    """Imports outcomes of scheduled tasks."""

    def __init__(self) -> None:
        self._known_digests: dict[str, set[str]] = {}

    def take(self, tx: Tx, record: CheckRecord) -> bool:
        """Record one outcome; False when it is there already."""
        stream = monitor_id(record.source, record.task)
        if stream not in self._known_digests:
            self._known_digests[stream] = {
                recorded.event.source_id
                for recorded in tx.history(stream)
                if isinstance(recorded, Recorded) and isinstance(recorded.event, CheckRecorded)
                if recorded.event.source_id is not None
            }
        if record.digest in self._known_digests[stream]:
            return False
        tx.using(occurred_at=record.checked_at).act(
            stream,
            MONITOR,
            monitor_rules.record,
            task=record.task,
            ok=record.ok,
            error=record.error,
            duration_seconds=record.duration_seconds,
            source=record.source,
            source_id=record.digest,
        )
        self._known_digests[stream].add(record.digest)
        return True


def _goal_ids(engine: Engine, starts: Mapping[tuple[str, str], datetime | None]) -> dict[tuple[str, str], str]:
    """The goal of each source and external id: the one it has, or one derived from both and its first known start."""
    # An earlier import may have known another first start: what is there keeps its id.
    wanted: dict[str, Any] = {"source": GoalSource.IMPORTED}
    if len(importers := {_importer(source) for source, _ in starts}) <= _FEW_SOURCES:
        wanted["created_by"] = importers
    there = {row.source_id: row.goal_id for row in engine.views.select(goal_definitions, wanted, order=("goal_id",))}
    return {
        (source, external): there.get(f"{source}:{external}") or derived_id("goal_", source, f"goal:{external}", at)
        for (source, external), at in starts.items()
    }


def _origin(source: str, external_id: str) -> Origin:
    return Origin(source=GoalSource.IMPORTED, created_by=_importer(source), source_id=f"{source}:{external_id}")


def _importer(source: str) -> str:
    return f"import:{source}"


def _check_prefix(prefix: str) -> None:
    if not (0 < len(prefix) <= 100 and prefix.isprintable() and prefix.strip()):
        raise Invalid("bad_prefix", "the prefix must be 1 to 100 printable characters")


def _sorted_out(found: Iterable[Line | BadLine], *, strict: bool) -> tuple[list[Line], list[BadLine]]:
    records: list[Line] = []
    problems: list[BadLine] = []
    for item in found:
        if isinstance(item, BadLine):
            problems.append(item)
        else:
            records.append(item)
    if strict:
        _refuse(problems)
    return records, problems


def _when(moment: datetime | None) -> tuple[bool, float]:
    """Sorts by time, what has none last."""
    return moment is None, 0.0 if moment is None else moment.timestamp()


def _refuse(problems: Sequence[BadLine]) -> None:
    if not problems:
        return
    first = min(problems)
    more = f" (and {len(problems) - 1} more lines)" if len(problems) > 1 else ""
    raise Invalid(
        "bad_lines",
        f"line {first.line}: {first.reason}{more}; nothing was imported",
        hint="without " + Hint(strict=True) + " the rest lands",
    )
