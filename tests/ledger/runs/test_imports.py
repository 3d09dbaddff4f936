"""Importing run records: what lands, what is refused, what repeats."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from goal_ledger.domain.goals.contract import GoalSource
from goal_ledger.domain.goals.goal import ActivityRecorded, GoalCreated, RunDispatched
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.runs.run import (
    ActionTaken,
    CostRecorded,
    FailureCategory,
    LocalOutcome,
    RunFinished,
    RunStarted,
    RunVerified,
    VerifierStatus,
)
from goal_ledger.ledger import Invalid, Ledger, NotFound, Recorded

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real histories are not here")

BACKUP = {
    "source": "cron",
    "run_id": "7",
    "task_id": "daily_backup",
    "category": "backup",
    "agent": "worker-1",
    "attempt": 4,
    "outcome": "failure",
    "score": "0.25",
    "verifier": "restore_check",
    "verifier_status": "fail",
    "failure_category": "agent_timeout",
    "started_at": "2025-11-09T11:00:00Z",
    "finished_at": "2025-11-09T11:30:00+00:00",
    "duration_s": "1750.5",
    "cost_usd": 0.1,
    "host": "db-3",
}


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="test:imports") as opened:
        yield opened


def write(folder: Path, *records: object, name: str = "runs.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(record if isinstance(record, str) else json.dumps(record) for record in records) + "\n")
    return path


def without(record: dict[str, object], *fields: str) -> dict[str, object]:
    return {name: value for name, value in record.items() if name not in fields}


def stories(ledger: Ledger) -> list[tuple[str, str | None, object]]:
    return [(r.name, r.occurred_at, r.event) for r in ledger.events(after=1) if isinstance(r, Recorded)]


def test_a_record_becomes_a_goal_and_the_five_events_of_its_run(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, BACKUP))
    [run] = ledger.runs.list().rows
    began, ended = "2025-11-09T11:00:00.000000Z", "2025-11-09T11:30:00.000000Z"
    digest = next(event.source_digest for _, _, event in stories(ledger) if isinstance(event, RunStarted))
    own = {"goal_id": run.goal_id}
    assert stories(ledger) == [
        (
            "goal.created",
            began,
            GoalCreated(
                title="daily_backup",
                task_category="backup",
                source=GoalSource.IMPORTED,
                created_by="import:cron",
                source_id="cron:daily_backup",
                status=GoalStatus.ACTIVE,
            ),
        ),
        (
            "goal.run_dispatched",
            began,
            RunDispatched(run_id=run.run_id, attempt=1, agent="worker-1", running=()),
        ),
        (
            "run.started",
            began,
            RunStarted(
                **own,
                attempt=1,
                agent="worker-1",
                task_category="backup",
                source="cron",
                source_id="7",
                source_attempt=4,
                source_digest=digest,
            ),
        ),
        (
            "run.action_taken",
            began,
            ActionTaken(**own, action="daily_backup", action_type="backup", attributes={"host": "db-3"}),
        ),
        (
            "run.verified",
            ended,
            RunVerified(**own, verifier_status=VerifierStatus.FAILED, verifier="restore_check", score=0.25),
        ),
        ("run.cost_recorded", ended, CostRecorded(**own, cost_usd=Decimal("0.1"))),
        (
            "run.finished",
            ended,
            RunFinished(
                **own,
                local_outcome=LocalOutcome.FAILED,
                failure_category=FailureCategory.EXECUTION_TIMEOUT,
                duration_seconds=1750.5,
                source_outcome="agent_timeout",
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("word", "outcome", "category"),
    [
        ("usage_limits", "failed", "resource_limit"),
        ("wrong_result", "failed", "verification_failure"),
        ("wrong_final_state", "failed", "verification_failure"),
        ("tests_failed", "failed", "verification_failure"),
        ("partial_result", "partial", "verification_failure"),
        ("agent_timeout", "failed", "execution_timeout"),
        ("no_write_action", "failed", "planning_error"),
        ("unneeded_write_action", "failed", "interpretation_error"),
        ("transferred_to_human", "failed", "missing_context"),
        ("tool_error", "failed", "tool_error"),
    ],
)
def test_every_known_failure_word_maps_onto_the_taxonomy_and_is_kept(ledger, tmp_path, word, outcome, category):
    ledger.imports.runs(write(tmp_path, {**BACKUP, "failure_category": word}))
    [run] = ledger.runs.list().rows
    assert (run.local_outcome, run.failure_category, run.source_outcome) == (outcome, category, word)


@pytest.mark.parametrize(("word", "status"), [("pass", "passed"), ("fail", "failed"), ("none", "skipped")])
def test_verifier_words_map_onto_ours(ledger, tmp_path, word, status):
    ledger.imports.runs(write(tmp_path, {**BACKUP, "verifier_status": word}))
    [run] = ledger.runs.list().rows
    assert run.verifier_status == status


def test_what_is_not_said_stays_unknown(ledger, tmp_path):
    record = without(
        BACKUP, "started_at", "finished_at", "duration_s", "cost_usd", "verifier_status", "agent", "attempt"
    )
    ledger.imports.runs(write(tmp_path, record))
    [run] = ledger.runs.list().rows
    assert (run.started_at, run.finished_at, run.duration_seconds) == (None, None, None)
    assert (run.cost_usd, run.verifier_status, run.agent, run.source_attempt) == (None, None, None, None)
    assert run.run_id.startswith("grun_0000000000")


def test_a_duration_without_an_end_gives_the_end(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, without(BACKUP, "finished_at")))
    [run] = ledger.runs.list().rows
    assert run.finished_at == "2025-11-09T11:29:10.500000Z"


def test_attempts_are_numbered_by_start_time_then_line_whatever_the_source_says(ledger, tmp_path):
    times = {"a": "2025-11-09T13:00:00Z", "b": "2025-11-09T11:00:00Z", "c": "2025-11-09T11:00:00Z", "d": None}
    records = [
        {**without(BACKUP, "finished_at"), "run_id": name, "started_at": at, "attempt": 9} for name, at in times.items()
    ]
    ledger.imports.runs(write(tmp_path, *records))
    assert {run.source_id: run.attempt for run in ledger.runs.list().rows} == {"b": 1, "c": 2, "a": 3, "d": 4}


def test_repeating_an_import_adds_nothing(ledger, tmp_path):
    path = write(tmp_path, BACKUP, {**BACKUP, "run_id": "8"})
    first = ledger.imports.runs(path)
    again = ledger.imports.runs(path)
    assert (first.events, first.unchanged) == (13, 0)
    assert (again.events, again.unchanged, again.changed, again.skipped) == (0, 2, [], 0)
    assert (again.goals, again.runs) == (first.goals, first.runs) == (1, 2)


def test_the_order_of_fields_is_no_change_of_content(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, BACKUP))
    again = ledger.imports.runs(write(tmp_path, dict(reversed(BACKUP.items()))))
    assert (again.events, again.changed) == (0, [])


def test_a_known_run_with_other_content_is_reported_and_left_as_it_is(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, BACKUP))
    before = ledger.runs.list().rows
    again = ledger.imports.runs(write(tmp_path, {**BACKUP, "score": 1}))
    assert (again.events, again.changed) == (0, ["cron:7"])
    assert ledger.runs.list().rows == before


def test_a_longer_file_adds_only_what_is_new_and_keeps_the_goal(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, BACKUP))
    earlier = {**BACKUP, "run_id": "6", "started_at": "2025-11-08T11:00:00Z", "finished_at": None}
    more = ledger.imports.runs(write(tmp_path, BACKUP, earlier))
    assert (more.events, more.unchanged) == (6, 1)
    assert len(ledger.goals.list().rows) == 1


def test_ids_are_the_same_in_every_ledger(tmp_path):
    path = write(tmp_path, BACKUP)
    seen = []
    for _ in range(2):
        with Ledger.open(":memory:") as ledger:
            ledger.imports.runs(path)
            seen.append([(run.run_id, run.goal_id) for run in ledger.runs.list().rows])
    assert seen[0] == seen[1]


def test_the_same_records_under_another_prefix_are_other_goals_and_runs(ledger, tmp_path):
    path = write(tmp_path, BACKUP, {**BACKUP, "run_id": "8"})
    plain = ledger.imports.runs(path)
    copies = [ledger.imports.runs(path, prefix=prefix) for prefix in ("north", "south")]
    assert [(copy.goals, copy.runs, copy.events, copy.unchanged) for copy in copies] == [(1, 2, plain.events, 0)] * 2
    assert [ledger.imports.runs(path, prefix=prefix).events for prefix in ("north", "south", None)] == [0, 0, 0]
    assert {goal.source_id for goal in ledger.goals.list().rows} == {
        "cron:daily_backup", "north:cron:daily_backup", "south:cron:daily_backup"
    }  # fmt: skip
    assert len({run.run_id for run in ledger.runs.list().rows}) == 6
    assert {(run.source, run.source_id) for run in ledger.runs.list().rows} == {
        (source, number) for source in ("cron", "north:cron", "south:cron") for number in ("7", "8")
    }


def test_without_a_prefix_ids_are_what_they_always_were(ledger, tmp_path):
    ledger.imports.runs(write(tmp_path, BACKUP))
    ledger.imports.events(write_log(tmp_path, LOG, "desk.csv"), **COLUMNS)
    assert [run.run_id for run in ledger.runs.list().rows] == ["grun_01K9M4BPW01V2PMJW4GH092YQK"]
    assert {goal.source_id: goal.goal_id for goal in ledger.goals.list().rows} == {
        "cron:daily_backup": "goal_01K9M4BPW0FJWFNJ1AN7DY931X",
        "desk:A": "goal_01K9KT24005KJD22BRJZKS6H69",
        "desk:B": "goal_01K9KPM8C0CATSDRV2TPG7GNNK",
    }


@pytest.mark.parametrize("prefix", ["", " ", "a\nb", "a\0", "x" * 101])
def test_a_prefix_is_a_label(ledger, tmp_path, prefix):
    for bring_in in (
        lambda: ledger.imports.runs(write(tmp_path, BACKUP), prefix=prefix),
        lambda: ledger.imports.events(write_log(tmp_path, LOG), **COLUMNS, prefix=prefix),
    ):
        with pytest.raises(Invalid) as refused:
            bring_in()
        assert refused.value.code == "bad_prefix"
    assert stories(ledger) == []


def test_records_of_very_many_sources_land_once(ledger, tmp_path):
    path = write(tmp_path, *({**BACKUP, "source": f"cron-{number}"} for number in range(600)))
    assert ledger.imports.runs(path).goals == 600
    later = write(tmp_path, *({**BACKUP, "source": f"cron-{n}", "run_id": "8"} for n in range(600)), name="later.jsonl")
    assert (ledger.imports.runs(later).unchanged, len(ledger.goals.list().rows)) == (0, 600)


BAD = {
    "not JSON": "{",
    "not a JSON object": "[1]",
    "run_id": without(BACKUP, "run_id"),
    "outcome: needed": without(BACKUP, "outcome"),
    "outcome: 'lost'": {**BACKUP, "outcome": "lost"},
    "contradicts": {**BACKUP, "success": 1},
    "failure_category: 'bad luck'": {**BACKUP, "failure_category": "bad luck"},
    "failure_category: 'tool_error' on a run that succeeded": {
        **BACKUP,
        "outcome": "success",
        "failure_category": "tool_error",
    },
    "a failed run needs one of": without(BACKUP, "failure_category", "verifier_status"),
    "before started_at": {**BACKUP, "finished_at": "2025-11-09T10:00:00Z"},
    "started_at": {**BACKUP, "started_at": "2025-11-09T11:00:00"},
    "duration_s": {**BACKUP, "duration_s": -1},
    "outside the calendar": {**without(BACKUP, "finished_at"), "duration_s": 1e300},
    "a time lies outside": {**without(BACKUP, "finished_at"), "started_at": "0001-01-01T00:00:00+14:00"},
    "cost_usd": {**BACKUP, "cost_usd": "much"},
    "NUL": {**BACKUP, "host": "a\0b"},
    "64 bits": {**BACKUP, "host": 2**63},
    "text of": {**BACKUP, "instruction": "x" * 10_001},
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_line_is_reported_by_number_and_the_others_land(ledger, tmp_path, reason):
    good = {**BACKUP, "run_id": "good", "task_id": "other"}
    done = ledger.imports.runs(write(tmp_path, good, BAD[reason]))
    assert [(problem.line, reason in problem.reason) for problem in done.problems] == [(2, True)], done.problems
    assert done.skipped == 1
    assert [run.source_id for run in ledger.runs.list().rows] == ["good"]
    assert [goal.title for goal in ledger.goals.list().rows] == ["other"], "no goal of the refused line is left behind"


@pytest.mark.parametrize("reason", BAD)
def test_strict_lands_nothing_when_a_line_is_bad(ledger, tmp_path, reason):
    path = write(tmp_path, {**BACKUP, "run_id": "good", "task_id": "other"}, BAD[reason])
    with pytest.raises(Invalid, match="line 2") as refused:
        ledger.imports.runs(path, strict=True)
    assert refused.value.code == "bad_lines"
    assert stories(ledger) == []


def test_gzip_blank_lines_and_a_byte_order_mark_are_taken(ledger, tmp_path):
    path = tmp_path / "runs"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(BACKUP).encode() + b"\n\n  \n"))
    assert ledger.imports.runs(path).events == 7


def test_a_cut_gzip_file_is_refused_before_anything_is_written(ledger, tmp_path):
    path = tmp_path / "runs.gz"
    path.write_bytes(gzip.compress(json.dumps(BACKUP).encode() * 100)[:-20])
    with pytest.raises(Invalid) as refused:
        ledger.imports.runs(path)
    assert refused.value.code == "bad_gzip"
    assert stories(ledger) == []


def test_a_missing_file_is_not_found(ledger, tmp_path):
    with pytest.raises(NotFound):
        ledger.imports.runs(tmp_path / "none.jsonl")


def test_an_endless_line_is_a_bad_line(ledger, tmp_path):
    path = write(tmp_path, '{"run_id": "' + "x" * 1_000_001 + '"}', BACKUP)
    done = ledger.imports.runs(path)
    assert [problem.line for problem in done.problems] == [1]
    assert done.events == 7


@needs_data
def test_real_agent_runs_land_whole_and_once(ledger):
    done = ledger.imports.runs(DATA / "runs_metr.jsonl.gz")
    assert (done.records, done.goals, done.runs, done.events, done.skipped) == (4391, 54, 4391, 22148, 0)
    assert ledger.imports.runs(DATA / "runs_metr.jsonl.gz").events == 0
    humans = ledger.runs.list(agent="human").rows
    assert len(humans) == 139
    assert all(run.started_at is None and run.duration_seconds for run in humans)
    assert sum(run.local_outcome == "partial" for run in ledger.runs.list().rows) == 346
    for goal in ledger.goals.list().rows:
        attempts = [run.attempt for run in reversed(ledger.runs.list(goal_id=goal.goal_id).rows)]
        assert sorted(attempts) == list(range(1, goal.attempts + 1))
    assert ledger.log.verify() == 22149


@needs_data
def test_real_runs_without_clock_times_land_whole(ledger):
    done = ledger.imports.runs(DATA / "runs_taubench_airline.jsonl.gz")
    assert (done.goals, done.runs, done.skipped) == (35, 140, 0)
    assert sum(run.local_outcome == "succeeded" for run in ledger.runs.list().rows) == 55


LOG = """case,what,when,who
A,opened,2025-11-09T08:00:00Z,ana
B,opened,2025-11-09T07:00:00Z,
A,"closed, at last",2025-11-09T10:00:00+01:00,ben
A,reopened,,ana
"""
COLUMNS = {"case": "case", "activity": "what", "time": "when"}


def write_log(folder: Path, text: str, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_case_becomes_a_goal_and_each_row_an_activity_in_order_of_time(ledger, tmp_path):
    done = ledger.imports.events(write_log(tmp_path, LOG), **COLUMNS, prefix="desk")
    assert (done.goals, done.rows, done.events, done.skipped) == (2, 4, 6, 0)
    told = [
        (ledger.goals.get(r.stream).title, r.occurred_at, r.event.activity, r.event.attributes)
        for r in ledger.events()
        if isinstance(r, Recorded) and isinstance(r.event, ActivityRecorded)
    ]
    assert told == [
        ("desk B", "2025-11-09T07:00:00.000000Z", "opened", {}),
        ("desk A", "2025-11-09T08:00:00.000000Z", "opened", {"who": "ana"}),
        ("desk A", "2025-11-09T09:00:00.000000Z", "closed, at last", {"who": "ben"}),
        ("desk A", None, "reopened", {"who": "ana"}),
    ]


def test_activities_move_no_goal(ledger, tmp_path):
    ledger.imports.events(write_log(tmp_path, LOG), **COLUMNS)
    assert {goal.status for goal in ledger.goals.list().rows} == {GoalStatus.ACTIVE}


def test_a_longer_log_adds_only_its_new_rows(ledger, tmp_path):
    ledger.imports.events(write_log(tmp_path, LOG), **COLUMNS)
    assert ledger.imports.events(write_log(tmp_path, LOG), **COLUMNS).events == 0
    more = ledger.imports.events(write_log(tmp_path, LOG + "A,opened,2025-11-01T08:00:00Z,ana\n"), **COLUMNS)
    assert (more.events, more.unchanged, more.goals) == (1, 4, 2)


def test_rows_that_are_alike_are_all_kept_once(ledger, tmp_path):
    row = "A,opened,2025-11-09T08:00:00Z,ana\n"
    path = write_log(tmp_path, "case,what,when,who\n" + row * 3)
    assert ledger.imports.events(path, **COLUMNS).events == 4
    assert ledger.imports.events(path, **COLUMNS).events == 0


def test_equal_cases_of_two_logs_stay_apart(ledger, tmp_path):
    for name in ("one.csv", "two.csv"):
        ledger.imports.events(write_log(tmp_path, LOG, name), **COLUMNS)
    assert sorted(goal.title for goal in ledger.goals.list().rows) == ["one A", "one B", "two A", "two B"]


def test_the_same_log_under_another_prefix_gives_other_goals(ledger, tmp_path):
    path = write_log(tmp_path, LOG, "desk.csv")
    assert [ledger.imports.events(path, **COLUMNS, prefix=prefix).events for prefix in ("one", "two", "one")] == [
        6, 6, 0
    ]  # fmt: skip
    assert ledger.imports.events(path, **COLUMNS).events == 6
    assert ledger.imports.events(path, **COLUMNS, prefix="desk").events == 0, "the name is the prefix by default"
    assert {goal.source_id for goal in ledger.goals.list().rows} == {
        f"{source}:{case}" for source in ("one", "two", "desk") for case in "AB"
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,opened", "2 cells, the header has 4"),
        (",opened,2025-11-09T08:00:00Z,ana", "case: blank"),
        ("A, ,2025-11-09T08:00:00Z,ana", "what: blank"),
        ("A,opened,yesterday,ana", "not an ISO 8601 time"),
        ("A,opened,2025-11-09T08:00:00,ana", "no time zone"),
        ('A,"opened"x,2025-11-09T08:00:00Z,ana', "not CSV"),
        ("A,opened,2025-11-09T08:00:00Z," + "x" * 10_001, "text of 10,001"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_the_others_land(ledger, tmp_path, row, reason):
    path = write_log(tmp_path, f"case,what,when,who\nB,opened,2025-11-09T08:00:00Z,\n{row}\nB,closed,,\n")
    done = ledger.imports.events(path, **COLUMNS)
    assert [(problem.line, reason in problem.reason) for problem in done.problems] == [(3, True)], done.problems
    assert (done.events, done.skipped) == (3, 1)


def test_bytes_that_are_no_text_are_refused_row_by_row(ledger, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"case,what,when,who\nA,opened,,\xff\nA,closed,,ana\n")
    done = ledger.imports.events(path, **COLUMNS)
    assert [problem.line for problem in done.problems] == [2]
    assert done.events == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "no_header"), ("case,case,what,when\n", "no_header"), ("case,what\n", "unknown_column")],
)
def test_a_log_without_the_named_columns_is_refused(ledger, tmp_path, text, code):
    with pytest.raises(Invalid) as refused:
        ledger.imports.events(write_log(tmp_path, text), **COLUMNS)
    assert refused.value.code == code


@needs_data
def test_a_real_process_log_lands_whole_and_once(ledger):
    columns = {"case": "case_id", "activity": "activity", "time": "ts"}
    done = ledger.imports.events(DATA / "events_bpic2013_incidents.csv.gz", **columns)
    assert (done.goals, done.rows, done.events, done.skipped) == (5287, 51931, 57218, 0)
    assert ledger.imports.events(DATA / "events_bpic2013_incidents.csv.gz", **columns).events == 0
