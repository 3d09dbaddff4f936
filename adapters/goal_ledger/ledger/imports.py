"""Imports: histories from elsewhere, told through the same decisions as everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.adapters.ingest.runs import RunRecord, read_runs
from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.goal import GOAL, Contract, GoalSource, Origin
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, RunStarted
from goal_ledger.ledger.circumstances import UNKNOWN
from goal_ledger.ledger.goals import create_in
from goal_ledger.projections.goals.board import goal_board

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

_BATCH = 500  # records per transaction: few enough that other writers get their turn


class RunImport(NamedTuple):
    """What an import did.

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


class Imports:
    """Ways in for what happened elsewhere. Repeating one adds nothing: ids are derived from the records."""

    def __init__(self, ledger: Ledger) -> None:
        # An import is many transactions, and repeatable without a command id.
        self._ledger = ledger.using(command_id=None, if_version=None)

    def runs(
        self,
        path: str | Path,
        *,
        strict: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> RunImport:
        """Take run records (format: `goal_ledger.adapters.ingest.runs`): a task is a goal, an attempt a run.

        History is recorded as it was: no attempt limit, no check of overlap; attempts are numbered by start time, then
        line. A bad line is left out and reported, the others land; strict: nothing lands when a line is bad.

        Invalid: bad_lines (strict only), bad_gzip. NotFound: no_file. Unavailable: cannot_read.
        """
        problems: list[BadLine] = []
        records: list[RunRecord] = []
        for found in read_runs(Path(path)):
            if isinstance(found, BadLine):
                problems.append(found)
            else:
                records.append(found)
        if strict:
            _refuse(problems)
        history = _RunHistory(self._ledger, sorted(records, key=_when))
        size = len(records) if strict else _BATCH
        for start in range(0, len(records), size or 1):
            problems += history.take(start, start + size, strict=strict)
            progress(min(start + size, len(records)), len(records))
        self._ledger.views.catch_up()
        return RunImport(
            len(records),
            len({(record.source, record.task_id) for record in records}),
            len({(record.source, record.run_id) for record in records}),
            history.events,
            len(problems),
            history.unchanged,
            history.changed,
            sorted(problems),
        )


class _RunHistory:
    """Records in the order in which they happened, and what became of them."""

    def __init__(self, ledger: Ledger, records: Sequence[RunRecord]) -> None:
        self._ledger = ledger
        self._records = records
        self._goals = _goal_ids(ledger, records)
        self.events = 0
        self.unchanged = 0
        self.changed: list[str] = []

    def take(self, start: int, end: int, *, strict: bool) -> list[BadLine]:
        """Record a slice in one transaction; the lines that the ledger refused."""
        refused: list[BadLine] = []
        known: list[tuple[RunRecord, bool]] = []

        def work(tx: Tx) -> None:
            for record in self._records[start:end]:
                try:
                    with tx.all_or_nothing():
                        if (same := self._tell(tx, record)) is not None:
                            known.append((record, same))
                except LedgerError as error:
                    refused.append(BadLine(record.line, error.message))
            if strict:
                _refuse(refused)

        self.events += len(self._ledger.transact(work))
        self.unchanged += sum(same for _, same in known)
        self.changed += [f"{record.source}:{record.run_id}" for record, same in known if not same]
        return refused

    def _tell(self, tx: Tx, record: RunRecord) -> bool | None:
        """Record one attempt; for one that is there already, whether it is the same."""
        run_id = derived_id("grun_", record.source, f"run:{record.run_id}", record.started_at)
        run = tx.load(run_id, RUN)
        if run.status is not None:
            return run.source_digest == record.digest
        goal_id = self._goals[record.source, record.task_id]
        begun = tx.using(occurred_at=record.started_at or UNKNOWN)
        ended = tx.using(occurred_at=record.finished_at or UNKNOWN)
        if tx.load(goal_id, GOAL).status is None:
            create_in(begun, goal_id, _contract(record), _origin(record))
        attempt = tx.load(goal_id, GOAL).attempts + 1
        begun.act(goal_id, GOAL, goal_rules.record_dispatch, run_id=run_id, agent=record.agent)
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
        return None


def _goal_ids(ledger: Ledger, records: Iterable[RunRecord]) -> dict[tuple[str, str], str]:
    """The id of each task's goal: the one it has, or one derived from the task and its first known start."""
    first: dict[tuple[str, str], datetime | None] = {}
    for record in records:
        first.setdefault((record.source, record.task_id), record.started_at)
    # An earlier import may have known another first start: what is there keeps its id.
    there = {
        row.source_id: row.goal_id
        for row in ledger.views.select(goal_board, {"source": GoalSource.IMPORTED}, order=("goal_id",))
    }
    return {
        (source, task): there.get(f"{source}:{task}") or derived_id("goal_", source, f"task:{task}", at)
        for (source, task), at in first.items()
    }


def _contract(record: RunRecord) -> Contract:
    return Contract(title=record.title, description=record.description, task_category=record.category)


def _origin(record: RunRecord) -> Origin:
    return Origin(
        source=GoalSource.IMPORTED,
        created_by=f"import:{record.source}",
        source_id=f"{record.source}:{record.task_id}",
    )


def _when(record: RunRecord) -> tuple[bool, float, int]:
    started = record.started_at
    return started is None, 0.0 if started is None else started.timestamp(), record.line


def _refuse(problems: Sequence[BadLine]) -> None:
    if not problems:
        return
    first = min(problems)
    more = f" (and {len(problems) - 1} more lines)" if len(problems) > 1 else ""
    raise Invalid(
        "bad_lines",
        f"line {first.line}: {first.reason}{more}; nothing was imported",
        hint="without --strict the rest lands",
    )
