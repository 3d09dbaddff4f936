"""Learning cycles: a week of runs becomes reviews, lessons and drafts of rules, once however often it is asked."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.learning.cycle import Group
from goal_ledger.domain.learning.review import review_id
from goal_ledger.ledger import (
    UNKNOWN,
    BusinessOutcome,
    FailureCategory,
    Ledger,
    LedgerError,
    LessonCategory,
    LocalOutcome,
    NotFound,
    Rejected,
    Settings,
    VerifierStatus,
)
from goal_ledger.ledger.learning import cycle as learning_cycle
from goal_ledger.projections.learning.lessons import LISTED
from goal_ledger.projections.learning.success_rates import WeekRow
from goal_ledger.projections.runs.goal_runs import goal_runs
from tests.places import Place
from tests.tools import START, Clock, recorded

FAILED, PARTIAL, SUCCEEDED = LocalOutcome.FAILED, LocalOutcome.PARTIAL, LocalOutcome.SUCCEEDED
TOOL, LIMIT = FailureCategory.TOOL_ERROR, FailureCategory.RESOURCE_LIMIT
NOW = START + timedelta(days=1)
METR = Path(__file__).parents[4] / "shared" / "data" / "runs_metr.jsonl.gz"


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="agent:bot", clock=Clock()) as opened:
        yield opened


def active(ledger: Ledger, title: str = "Nightly backups", **contract: Any) -> str:
    goal_id = ledger.goals.create(title, **contract).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def ran(ledger: Ledger, goal_id: str, outcome: LocalOutcome = SUCCEEDED, **how: Any) -> str:
    run_id = ledger.runs.start(goal_id, plan_summary=how.pop("plan_summary", None)).run_id
    for action in how.pop("did", ()):
        ledger.runs.act(run_id, action, action_type="shell", ok=True)
    ledger.runs.finish(run_id, outcome, **how)
    return run_id


def failed(ledger: Ledger, goal_id: str, **how: Any) -> str:
    return ran(ledger, goal_id, FAILED, **{"failure_category": TOOL, "detail": "disk full on /var/1", **how})


def told(path: Path, *records: dict[str, Any]) -> Path:
    lines = [json.dumps({"source": "elsewhere", "category": "backup", "agent": "bot", **record}) for record in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def history(count: int, outcome: str = "failure", at: str = "2026-02-2") -> list[dict[str, Any]]:
    """Records of one run a day, from the 20th on."""
    return [
        {"task_id": "t", "run_id": str(day), "outcome": outcome, "failure_category": "wrong_result",
         "started_at": f"{at}{day}T08:00:00Z", "finished_at": f"{at}{day}T09:00:00Z"}
        for day in range(count)
    ]  # fmt: skip


# --- The window


def test_a_cycle_looks_at_the_runs_that_finished_in_the_seven_days_up_to_now(ledger: Ledger):
    goal_id = active(ledger)
    for days in (8, 7, 6.99, 0, -0.01):  # the last one is still to come
        ran(ledger.using(occurred_at=NOW - timedelta(days=days)), goal_id)
    ran(ledger.using(occurred_at=UNKNOWN), goal_id)

    done = ledger.learning.cycle(NOW)

    assert (done.runs, done.untimed, done.failed, done.reviews) == (2, 1, 0, 0)
    assert (done.since, done.until) == ("2026-02-18T09:00:00.000000Z", "2026-02-25T09:00:00.000000Z")


def test_an_empty_week_has_a_report_too_and_it_is_the_only_event(ledger: Ledger):
    before = ledger.head
    done = ledger.learning.cycle(NOW, reason="to see")
    [event] = [one for one in recorded(ledger) if one.position > before]
    assert (event.name, event.stream, event.occurred_at) == ("cycle.completed", done.cycle_id, done.until)
    assert (done.runs, done.lessons, done.rules, done.candidate_count, done.reason) == (0, (), (), 0, "to see")


def test_a_cycle_for_the_same_time_is_quiet_and_gives_the_first_report(ledger: Ledger):
    goal_id = active(ledger)
    failed(ledger, goal_id)
    first = ledger.learning.cycle(NOW)
    failed(ledger, goal_id)
    head = ledger.head
    assert ledger.learning.cycle(NOW, reason="again") == first
    assert ledger.head == head
    assert ledger.learning.list().rows == [first] == [ledger.learning.get(first.cycle_id)]


def test_what_is_no_time_and_what_is_no_cycle_is_refused(ledger: Ledger):
    with pytest.raises(LedgerError, match="time zone"):
        ledger.learning.cycle(NOW.replace(tzinfo=None))
    with pytest.raises(LedgerError, match="calendar"):
        ledger.learning.cycle(datetime.min.replace(tzinfo=NOW.tzinfo))
    with pytest.raises(NotFound):
        ledger.learning.get("cycle_01HZX3KQ5N8RWT2M4V6Y7B9DEF")


def test_reports_are_listed_the_latest_window_first(ledger: Ledger):
    for days in (0, 2, 1):
        ledger.learning.cycle(NOW + timedelta(days=days))
    page = ledger.learning.list(limit=2)
    rest = ledger.learning.list(after=page.next)
    assert [row.until[:10] for row in (*page.rows, *rest.rows)] == ["2026-02-27", "2026-02-26", "2026-02-25"]


# --- Reviews and groups


def test_imported_runs_have_their_reviews_from_the_cycle_of_their_week_each_one(ledger: Ledger, tmp_path: Path):
    path = told(tmp_path / "runs.jsonl", *history(3), *[
        {**each, "run_id": f"p{each['run_id']}", "outcome": "partial"} for each in history(2)
    ], {**history(1)[0], "run_id": "good", "outcome": "success", "failure_category": None})  # fmt: skip
    ledger.imports.runs(path)
    assert ledger.reviews.list().rows == []  # an import tells what was, and nothing else

    done = ledger.learning.cycle(NOW)

    rows = ledger.views.select(goal_runs, order=("run_id",))
    assert {row.run_id for row in ledger.reviews.list().rows} == {
        row.run_id for row in rows if row.local_outcome is not SUCCEEDED
    }
    assert (done.runs, done.failed, done.partial, done.reviews) == (6, 3, 2, 5)
    again = ledger.learning.cycle(NOW + timedelta(hours=1))
    assert (again.runs, again.reviews, again.lessons) == (6, 0, ())


def test_an_imported_failure_reopens_nothing_for_it_was_over_before_the_review(ledger: Ledger, tmp_path: Path):
    ledger.imports.runs(told(tmp_path / "runs.jsonl", *history(4)))
    ledger.learning.cycle(NOW - timedelta(days=3))
    ledger.learning.cycle(NOW)
    assert [row.reopened_by for row in ledger.reviews.list().rows] == [()] * 4


def test_failures_are_grouped_by_goal_type_action_type_and_category(ledger: Ledger):
    one, other = active(ledger), active(ledger, goal_type="maintenance")
    for _ in range(3):
        failed(ledger, one, did=["dump"])
    failed(ledger, one, did=["dump"], failure_category=LIMIT)
    failed(ledger, other, did=["dump"])
    ran(ledger, other, PARTIAL)
    ran(ledger, other)

    done = ledger.learning.cycle(NOW)

    assert [tuple(group.values()) for group in done.groups] == [
        ("initiative", "shell", "tool_error", 3),
        ("initiative", "shell", "resource_limit", 1),
        ("maintenance", None, None, 1),
        ("maintenance", "shell", "tool_error", 1),
    ]
    assert list(done.groups[0]) == list(Group.model_fields)
    assert done.group_count == 4
    [first, *_] = ledger.learning.groups().rows
    assert (first.signature, first.runs) == ("nightly backups · tool_error · disk full on <path>", 4)


def test_groups_of_failures_remember_when_and_in_which_runs_and_come_in_pages(ledger: Ledger):
    goal_id = active(ledger)
    runs = [failed(ledger.using(occurred_at=NOW + timedelta(days=day)), goal_id) for day in (1, 0, 2)]
    failed(ledger, goal_id, detail="no such table")
    ledger.reviews.write(ran(ledger, goal_id))  # nothing failed there

    page = ledger.learning.groups(limit=1)
    [group] = page.rows
    assert (group.runs, group.run_ids) == (3, tuple(runs))
    assert (group.first_seen_at, group.last_seen_at) == ("2026-02-25T09:00:00.000000Z", "2026-02-27T09:00:00.000000Z")
    assert [each.runs for each in ledger.learning.groups(after=page.next).rows] == [1]


# --- Lessons


def test_a_candidate_becomes_a_lesson_at_the_threshold_and_not_below(ledger: Ledger):
    goal_id, other = active(ledger), active(ledger, "Answer mail")
    partial = [ran(ledger, goal_id, PARTIAL) for _ in range(4)]
    for _ in range(3):
        ran(ledger, other, PARTIAL)

    done = ledger.learning.cycle(NOW)

    [lesson_id] = done.lessons
    lesson = ledger.lessons.get(lesson_id)
    assert sorted(lesson.evidence_run_ids) == sorted(partial)
    assert [(one["score"], one["id"]) for one in done.candidates] == [(2.0, lesson_id), (1.5, done.candidates[1]["id"])]
    [learned] = recorded(ledger, lesson_id)
    assert {one.aar_id for one in learned.event.evidence} == set(map(review_id, partial))  # type: ignore[attr-defined]
    promoted = {row.run_id: row.lesson_ids for row in ledger.reviews.list(promoted=True).rows}
    assert promoted == dict.fromkeys(partial, (lesson_id,))


def test_what_made_things_worse_weighs_twice(ledger: Ledger):
    run_id = failed(ledger, active(ledger))
    assert ledger.learning.cycle(NOW).lessons == ()
    ledger.runs.outcome(run_id, BusinessOutcome.DEGRADED)
    assert len(ledger.learning.cycle(NOW + timedelta(hours=1)).lessons) == 1


def test_the_threshold_is_a_setting_and_the_receipt_says_what_was_used():
    with Ledger.open(":memory:", clock=Clock(), settings=Settings(lesson_score=1.0)) as ledger:
        failed(ledger, active(ledger))
        done = ledger.learning.cycle(NOW)
        [event] = recorded(ledger, done.cycle_id)
    receipt = event.event.receipt  # type: ignore[attr-defined]
    assert len(done.lessons) == 1
    assert (receipt.policy, receipt.count, receipt.chosen) == ("candidates@1", 1, "1 that scored 1 or more")


def test_a_run_is_evidence_for_a_lesson_once_in_however_many_windows_it_is(ledger: Ledger):
    goal_id = active(ledger)
    runs = [failed(ledger, goal_id) for _ in range(2)]
    [lesson_id] = ledger.learning.cycle(NOW).lessons
    head = ledger.head

    quiet = ledger.learning.cycle(NOW + timedelta(days=1))
    assert (quiet.runs, quiet.lessons, ledger.head) == (2, (), head + 1)
    runs.append(failed(ledger, active(ledger, learning_required=False)))
    assert ledger.learning.cycle(NOW + timedelta(days=2)).lessons == ()

    assert sorted(ledger.lessons.get(lesson_id).evidence_run_ids) == sorted(runs[:2])


def test_a_run_that_spoke_against_a_lesson_is_no_evidence_for_it(ledger: Ledger):
    goal_id = active(ledger)
    first, second = failed(ledger, goal_id), failed(ledger, goal_id)
    [lesson_id] = ledger.learning.cycle(NOW).lessons
    third = failed(ledger, goal_id)  # reopens the first review: its lesson did not help
    assert ledger.lessons.get(lesson_id).contradicting_run_ids == (third,)

    assert ledger.learning.cycle(NOW + timedelta(hours=1)).lessons == ()
    assert sorted(ledger.lessons.get(lesson_id).evidence_run_ids) == sorted((first, second))


def test_a_lesson_that_a_person_retired_is_not_learned_again(ledger: Ledger):
    goal_id = active(ledger)
    failed(ledger, goal_id), failed(ledger, goal_id)
    [lesson_id] = ledger.learning.cycle(NOW).lessons
    ledger.lessons.retire(lesson_id, reason="moot")
    failed(ledger, goal_id)
    assert ledger.learning.cycle(NOW + timedelta(hours=1)).lessons == ()
    assert not ledger.lessons.get(lesson_id).active


# --- Winning strategies


def test_plans_that_won_after_a_failure_or_made_things_better_become_winning_strategies(ledger: Ledger):
    wins = []
    for number in range(2):
        goal_id = active(ledger, f"Backup {number}")
        failed(ledger, goal_id, detail=f"reason {'ab'[number]}")
        wins.append(ran(ledger, goal_id, plan_summary="Dump to S3 first", did=["dump"]))
    better = ran(ledger, active(ledger), plan_summary="Dump to S3 first", did=["dump"])
    ledger.runs.outcome(better, BusinessOutcome.IMPROVED)
    ran(ledger, active(ledger), plan_summary="Dump to S3 first", did=["dump"])  # as usual

    [lesson_id] = ledger.learning.cycle(NOW).lessons

    lesson = ledger.lessons.get(lesson_id)
    assert (lesson.category, lesson.lesson_text) == ("winning_strategy", "This worked: Dump to S3 first")
    assert (lesson.goal_type, lesson.action_type) == ("initiative", "shell")
    assert sorted(lesson.evidence_run_ids) == sorted([*wins, better])


def test_without_a_plan_the_steps_that_worked_are_the_strategy_and_without_these_there_is_none(ledger: Ledger):
    for did in (["dump", "restore"], ["dump", "restore"], [], []):
        run_id = ran(ledger, active(ledger), did=did)
        ledger.runs.outcome(run_id, BusinessOutcome.IMPROVED)
    done = ledger.learning.cycle(NOW)
    assert [one["why"].partition(": ")[2] for one in done.candidates] == [
        "These steps worked, in this order: dump, restore"
    ]
    assert len(done.lessons) == 1


def test_nothing_is_learned_from_goals_that_do_not_want_it_nor_from_wins_that_a_verifier_refused(ledger: Ledger):
    for _ in range(2):
        private = ran(ledger, active(ledger, learning_required=False), plan_summary="Secret")
        refused = ran(ledger, active(ledger), plan_summary="Cheat")
        ledger.runs.verify(refused, VerifierStatus.FAILED)
        for run_id in (private, refused):
            ledger.runs.outcome(run_id, BusinessOutcome.IMPROVED)
    done = ledger.learning.cycle(NOW)
    assert [one["why"] for one in done.candidates if "worked" in one["why"]] == []


def test_a_requested_review_of_a_win_and_the_win_itself_are_one_piece_of_evidence(ledger: Ledger):
    for _ in range(2):
        run_id = ran(ledger, active(ledger), plan_summary="Dump first")
        ledger.runs.outcome(run_id, BusinessOutcome.IMPROVED)
        ledger.reviews.write(run_id)
    [lesson_id] = ledger.learning.cycle(NOW).lessons
    assert ledger.lessons.get(lesson_id).evidence_for == 2


# --- Rules


def test_a_lesson_that_is_sure_enough_becomes_the_draft_of_a_rule_once(ledger: Ledger):
    ledger.lessons.add("Look twice", category=LessonCategory.ANTI_PATTERN, confidence=0.79)
    sure = ledger.lessons.add("Look first", category=LessonCategory.ANTI_PATTERN, confidence=0.8).lesson_id
    [rule_id] = ledger.learning.cycle(NOW).rules
    [drafted] = recorded(ledger, rule_id)
    assert drafted.event.source_lesson_ids == (sure,)  # type: ignore[attr-defined]
    assert ledger.learning.cycle(NOW + timedelta(hours=2)).rules == ()


# --- Cut off, and repeated


@pytest.mark.parametrize("after", range(1, 9))
def test_a_cycle_that_was_cut_off_is_finished_by_the_next_one_as_if_undisturbed(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(learning_cycle, "_BATCH", 2)
    path = told(tmp_path / "runs.jsonl", *history(5))

    def learned(name: str, most: int | None) -> Any:
        transactions = 0
        with Ledger.open(tmp_path / f"{name}.db", clock=Clock()) as ledger:
            ledger.imports.runs(path)
            whole = Ledger.transact

            def counted(self: Ledger, *args: Any, **how: Any) -> Any:
                nonlocal transactions
                transactions += 1
                if transactions == most:
                    raise KeyboardInterrupt
                return whole(self, *args, **how)

            with monkeypatch.context() as patched:
                patched.setattr(Ledger, "transact", counted)
                try:
                    ledger.learning.cycle(NOW)
                except KeyboardInterrupt:
                    assert ledger.learning.list().rows == []
            done = ledger.learning.cycle(NOW)
            rows = [row._replace(position=0) for row in ledger.reviews.list().rows]
            return done._replace(position=0), sorted(rows), ledger.lessons.list().rows[0].evidence_run_ids

    assert learned("cut off", after) == learned("whole", None)


def test_a_cycle_works_in_transactions_of_bounded_size(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learning_cycle, "_BATCH", 3)
    goal_id = active(ledger, max_attempts=None)
    for _ in range(10):
        ran(ledger, goal_id, PARTIAL)
    head = ledger.head
    sizes: list[int] = []
    whole = Ledger.transact

    def counted(self: Ledger, *args: Any, **how: Any) -> Any:
        done = whole(self, *args, **how)
        sizes.append(len(done))
        return done

    monkeypatch.setattr(Ledger, "transact", counted)
    done = ledger.learning.cycle(NOW)

    assert sum(sizes) == ledger.head - head
    assert max(sizes) <= 6  # a piece of evidence and a note on its review, three times
    assert ledger.lessons.get(done.lessons[0]).evidence_for == 10


def test_a_cycle_is_the_same_on_every_store(place: Place):
    with Ledger.open(place.url, clock=Clock()) as ledger:
        goal_id = active(ledger)
        for _ in range(2):
            failed(ledger, goal_id)
        done = ledger.learning.cycle(NOW)
        assert (done.runs, done.reviews, len(done.lessons), done.candidate_count) == (2, 0, 1, 1)
        ledger.views.rebuilds.rebuild()
        assert ledger.learning.list().rows == [done]


# --- Who starts one


def test_a_won_run_of_a_learning_goal_starts_a_cycle_up_to_then(ledger: Ledger):
    run_id = ran(ledger, active(ledger, goal_type="learning"))
    [done] = ledger.learning.list().rows
    assert (done.runs, done.reason) == (1, f"{run_id} was won")
    assert done.until == ledger.runs.get(run_id).finished_at


def test_a_lost_run_of_a_learning_goal_and_a_won_one_of_another_start_none(ledger: Ledger):
    failed(ledger, active(ledger, goal_type="learning"))
    ran(ledger, active(ledger))
    refused = ledger.runs.start(active(ledger, goal_type="learning")).run_id
    ledger.runs.verify(refused, VerifierStatus.FAILED)
    ledger.runs.finish(refused, SUCCEEDED)
    assert ledger.learning.list().rows == []


def test_a_tick_learns_once_a_week_from_the_week_before(ledger: Ledger):
    goal_id = active(ledger)
    failed(ledger, goal_id), failed(ledger, goal_id)  # on a Tuesday; weeks begin on Thursday, as in 1970
    thursday = datetime.fromisoformat("2026-02-26T00:00:00Z")

    assert ledger.tick(thursday - timedelta(seconds=1), duties=["learning"]).duties[0].done == []
    [line] = ledger.tick(thursday + timedelta(days=2), duties=["learning"]).duties[0].done
    [done] = ledger.learning.list().rows
    assert line == (
        f"{done.cycle_id} learned from 2 runs until 2026-02-26T00:00:00.000000Z: 0 reviewed, 1 lessons, 0 rules"
    )
    head = ledger.head
    for days in (3, 6, 7, 14):
        assert ledger.tick(thursday + timedelta(days=days), duties=["learning"]).duties[0].done == []
    assert ledger.head == head  # no run finished in the weeks that followed


# --- Success over time


def test_success_is_counted_week_by_week(ledger: Ledger):
    goal_id = active(ledger)
    for days, outcome in ((0, FAILED), (0, SUCCEEDED), (7, SUCCEEDED), (7, PARTIAL), (7, SUCCEEDED), (7, SUCCEEDED)):
        how = {"failure_category": TOOL} if outcome is FAILED else {}
        ran(ledger.using(occurred_at=START + timedelta(days=days)), goal_id, outcome, **how)
    ran(ledger.using(occurred_at=UNKNOWN), goal_id)
    assert ledger.learning.rates() == [
        WeekRow("2026-W09", 2, 1, 0, 1, 0.5),
        WeekRow("2026-W10", 4, 3, 1, 0, 0.75),
        WeekRow("untimed", 1, 1, 0, 0, 1.0),
    ]


# --- Suggestions


def test_nothing_is_suggested_where_nothing_went_wrong(ledger: Ledger):
    ran(ledger, active(ledger))
    assert ledger.learning.suggestions() == []


def test_failures_without_a_lesson_those_that_came_back_and_lessons_in_doubt_are_suggested(ledger: Ledger):
    goal_id = active(ledger)
    runs = [failed(ledger, goal_id) for _ in range(2)]
    signature = "nightly backups · tool_error · disk full on <path>"
    oldest = review_id(runs[0])
    assert [one[:2] for one in ledger.learning.suggestions()] == [("failure_came_back", oldest)]

    runs.append(failed(ledger, goal_id))
    head = ledger.head
    without, back = ledger.learning.suggestions()
    assert (without.kind, without.id, without.why) == ("failure_without_lesson", signature, "3 runs failed like this")
    assert (back.why, back.command) == (
        "it came back 2 times while it was watched for", f"review show {oldest}"
    )  # fmt: skip
    assert ledger.head == head

    [lesson_id] = ledger.reviews.promote(oldest).lesson_ids
    assert [one.kind for one in ledger.learning.suggestions()] == ["failure_came_back"]
    failed(ledger, goal_id), failed(ledger, goal_id)
    assert [one[:2] for one in ledger.learning.suggestions()] == [
        ("failure_came_back", oldest), ("lesson_in_doubt", lesson_id)
    ]  # fmt: skip
    later = ledger.using(occurred_at=START + timedelta(days=15)).learning.suggestions()
    assert [one.kind for one in later] == ["lesson_in_doubt"]  # the watch is over
    ledger.lessons.retire(lesson_id, reason="moot")
    assert ledger.using(occurred_at=START + timedelta(days=15)).learning.suggestions() == []


# --- Real histories


@pytest.mark.skipif(not METR.exists(), reason="the data set is not here")
def test_weeks_of_real_runs_are_learned_from_each_run_once(tmp_path: Path):
    with gzip.open(METR, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    timed = [record for record in records if record["finished_at"] is not None]
    known_as = {"usage_limits": LIMIT}  # the rest is what a verifier found
    wrong = Counter(
        (record["category"], known_as.get(record["failure_category"], FailureCategory.VERIFICATION_FAILURE))
        for record in timed
        if record["outcome"] != "success"
    )
    with Ledger.open(tmp_path / "metr.db") as ledger:
        ledger.imports.runs(METR)
        weeks = [row.week for row in ledger.learning.rates() if row.week != "untimed"]
        week, last = (datetime.fromisoformat(f"{name}-1").replace(tzinfo=NOW.tzinfo) for name in (weeks[0], weeks[-1]))
        done = []
        while week <= last:
            week += timedelta(days=7)
            done.append(ledger.learning.cycle(week))
        assert sum(row.runs for row in done) == len(timed)
        assert {row.untimed for row in done} == {len(records) - len(timed)}
        assert sum(row.reviews for row in done) == sum(wrong.values()) == len(ledger.reviews.list().rows)
        by_group = {(row.action_type, row.failure_category): row.runs for row in ledger.learning.groups().rows}
        assert by_group == wrong
        lessons = ledger.lessons.list().rows
        assert {lesson.lesson_id for lesson in lessons} == {one for row in done for one in row.lessons}
        assert all(lesson.evidence_for >= 2 for lesson in lessons)
        assert all(len(set(one.evidence_run_ids)) == min(one.evidence_for, LISTED) for one in lessons)
        head = ledger.head
        assert [ledger.learning.cycle(datetime.fromisoformat(row.until)) for row in done] == done
        assert ledger.head == head


# --- What turned out false


def test_runs_that_were_told_something_false_teach_a_cycle_nothing(ledger: Ledger):
    false = ledger.lessons.add("Delete every dump", category=LessonCategory.SAFE_DEFAULT).lesson_id
    tainted = [failed(ledger, active(ledger)) for _ in range(3)]
    ledger.lessons.recall(false, reason="it deleted backups")
    clean = [failed(ledger, active(ledger)) for _ in range(2)]

    done = ledger.learning.cycle(ledger.now())

    [lesson] = [ledger.lessons.get(each) for each in done.lessons]
    assert (set(lesson.evidence_run_ids), lesson.active) == (set(clean), True)
    assert not ledger.lessons.get(false).active
    for run_id in tainted:
        with pytest.raises(Rejected) as refused:
            ledger.reviews.promote(review_id(run_id))
        assert refused.value.code == "tainted"


def test_a_cycle_adds_evidence_to_the_lesson_that_says_the_same(ledger: Ledger):
    first = ledger.learning.cycle(ledger.now())
    assert first.lessons == ()
    runs = [failed(ledger, active(ledger)) for _ in range(2)]
    [proposed] = ledger.reviews.of(runs[0]).lesson_candidates  # type: ignore[union-attr]
    scope = ledger.reviews.of(runs[0])
    assert scope is not None
    known = ledger.lessons.add(
        f"{proposed['text']} please", category=proposed["category"], goal_type=scope.goal_type,
        action_type=scope.action_type,
    )  # fmt: skip
    done = ledger.learning.cycle(ledger.now())
    assert done.lessons == (known.lesson_id,)
    assert set(ledger.lessons.get(known.lesson_id).evidence_run_ids) == set(runs)
