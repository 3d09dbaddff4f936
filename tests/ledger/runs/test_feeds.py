"""What the world measured becomes the business outcome of the runs before it, once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.learning.review import review_id
from goal_ledger.domain.runs.feed import FeedAdvanced, Level, feed_id
from goal_ledger.domain.runs.outcomes import Rule
from goal_ledger.domain.runs.run import BusinessOutcomeRecorded
from goal_ledger.ledger import BusinessOutcome, Invalid, Ledger, LedgerError, LocalOutcome, NotFound, Settings
from goal_ledger.ledger.runs.attribution import Attribution, SkippedRecord
from goal_ledger.ledger.runs.feeds import FeedImport
from tests.places import Place
from tests.serving import Server
from tests.tools import Clock, recorded

IMPROVED, NEUTRAL, DEGRADED = BusinessOutcome.IMPROVED, BusinessOutcome.NEUTRAL, BusinessOutcome.DEGRADED
UNKNOWN_OUTCOME = BusinessOutcome.UNKNOWN
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
AT = "2026-03-09T00:00:00.000000Z"
NOBODY = "01HZX3KQ5N8RWT2M4V6Y7B9DEF"
REPLIES: dict[str, Any] = {"id": "7", "metric": "reply_rate", "before": 0.12, "after": 0.08, "at": AT}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="test:feeds", clock=Clock(MONDAY)) as opened:
        yield opened


@pytest.fixture
def goal_id(ledger: Ledger) -> str:
    return outreach(ledger)


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


def outreach(ledger: Ledger, category: str = "outreach") -> str:
    goal_id = ledger.goals.create(f"Write to those who left, {category}", task_category=category).goal_id
    ledger.goals.ready(goal_id)
    return goal_id


def ran(ledger: Ledger, goal_id: str, days_before: float = 1.0) -> str:
    """A run that finished so many days before MONDAY."""
    then = ledger.using(occurred_at=MONDAY - timedelta(days=days_before))
    run_id = then.runs.start(goal_id).run_id
    then.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    return run_id


def stats(folder: Path, *records: Any) -> Path:
    path = folder / "stats.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def funnel(entered: int, converted: int, day: int, name: str = "Sign-up") -> dict[str, Any]:
    steps = [{"name": "seen", "order": 0, "count": entered}, {"name": "done", "order": 1, "count": converted}]
    return {"name": name, "result": steps, "last_refresh": f"2026-03-{day:02}T00:00:00Z"}


def worth(ledger: Ledger, *runs: str) -> list[BusinessOutcome]:
    return [ledger.runs.get(run_id).business_outcome for run_id in runs]


def brief(done: FeedImport) -> dict[str, Any]:
    """The numbers that are not 0, and the codes of the problems."""
    told = {name: value for name, value in done._asdict().items() if value and name not in ("source", "cursor")}
    return told | ({"problems": [(each.line, each.code) for each in done.problems]} if done.problems else {})


def refusal(ledger: Ledger, ask: Any, *args: Any, **wish: Any) -> LedgerError:
    """The error of what is refused, which leaves nothing behind."""
    before = ledger.head
    with pytest.raises(LedgerError) as refused:
        ask(*args, **wish)
    assert ledger.head == before
    return refused.value


# --- From a change to an outcome


def test_a_drop_in_the_pipeline_degrades_the_outreach_run_before_it(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    done = ledger.feeds.crm(stats(tmp_path, REPLIES | {"window": "week 10"}))
    assert done == FeedImport("crm", 1, 1, 0, 0, [], 0, [], AT)
    outcome, advanced, review = recorded(ledger)[-3:]
    assert (outcome.stream, outcome.occurred_at) == (run_id, AT)
    assert outcome.event == BusinessOutcomeRecorded(
        goal_id=goal_id, business_outcome=DEGRADED, source="crm", external_id="7",
        detail="reply_rate: 0.12 to 0.08 (-33.3%); week 10; threshold 0.05",
    )  # fmt: skip
    assert advanced.stream == feed_id("crm")
    assert advanced.event == FeedAdvanced(source="crm", cursor=AT, records=1, outcomes=1, problems=0)
    assert (review.name, review.stream, review.cause) == ("review.written", review_id(run_id), outcome.position)


def test_a_better_funnel_improves_the_run_before_it(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    told = {"before": funnel(100, 20, 2), "after": funnel(100, 22, 9), "goal_id": goal_id}
    assert brief(ledger.feeds.analytics(stats(tmp_path, told))) == {"records": 1, "outcomes": 1}
    assert worth(ledger, run_id) == [IMPROVED]


@pytest.mark.parametrize(
    ("after", "outcome", "fallen"),
    [(110, IMPROVED, DEGRADED), (90, DEGRADED, IMPROVED), (100, NEUTRAL, NEUTRAL), (104, NEUTRAL, NEUTRAL)],
)
def test_ten_percent_more_is_better_ten_less_is_worse_and_none_is_neutral(
    ledger, goal_id, tmp_path, after, outcome, fallen
):
    run_id = ran(ledger, goal_id)
    ledger.feeds.crm(stats(tmp_path, REPLIES | {"before": 100, "after": after}))
    assert worth(ledger, run_id) == [outcome]
    path = stats(tmp_path, REPLIES | {"id": "8", "before": 100, "after": after})
    ledger.feeds.crm(path, to=Attribution(lower_is_better=["reply_rate"]))
    assert worth(ledger, run_id) == [fallen]


def test_how_large_a_change_must_be_is_a_setting(tmp_path):
    with Ledger.open(":memory:", clock=Clock(MONDAY), settings=Settings(outcome_threshold=0.5)) as ledger:
        run_id = ran(ledger, outreach(ledger))
        ledger.feeds.crm(stats(tmp_path, REPLIES))
        assert worth(ledger, run_id) == [NEUTRAL]


# --- Which runs


def test_a_measurement_is_about_the_run_that_finished_last_before_it_or_about_all(ledger, goal_id, tmp_path):
    runs = [ran(ledger, goal_id, days) for days in (8, 7, 1, -1)]
    ledger.feeds.crm(stats(tmp_path, REPLIES))
    assert worth(ledger, *runs) == [UNKNOWN_OUTCOME, UNKNOWN_OUTCOME, DEGRADED, UNKNOWN_OUTCOME]
    done = ledger.feeds.crm(stats(tmp_path, REPLIES | {"id": "8", "after": 1}), to=Attribution(rule=Rule.ALL))
    assert done.outcomes == 2
    assert worth(ledger, *runs) == [UNKNOWN_OUTCOME, IMPROVED, IMPROVED, UNKNOWN_OUTCOME]


def test_how_long_before_a_run_may_have_finished_is_a_setting(tmp_path):
    with Ledger.open(":memory:", clock=Clock(MONDAY), settings=Settings(outcome_window_days=0.5)) as ledger:
        run_id = ran(ledger, outreach(ledger), 0.6)
        assert brief(ledger.feeds.crm(stats(tmp_path, REPLIES)))["problems"] == [(1, "no_matching_run")]
        assert worth(ledger, run_id) == [UNKNOWN_OUTCOME]


def test_a_record_may_name_a_run_a_goal_or_a_category_itself(ledger, goal_id, tmp_path):
    other = outreach(ledger, "onboarding")
    named, latest, onboarded = ran(ledger, goal_id, 30), ran(ledger, goal_id), ran(ledger, other)
    path = stats(
        tmp_path,
        REPLIES | {"id": "1", "run_id": named, "goal_id": other},
        REPLIES | {"id": "2", "goal_id": goal_id, "after": 1},
        REPLIES | {"id": "3", "task_category": "onboarding", "after": 0.12},
    )
    assert brief(ledger.feeds.crm(path, to=Attribution(goal_id=other))) == {"records": 3, "outcomes": 3}
    assert worth(ledger, named, latest, onboarded) == [DEGRADED, IMPROVED, NEUTRAL]


def test_records_that_name_nothing_are_about_what_the_caller_says(ledger, goal_id, tmp_path):
    run_id, other = ran(ledger, goal_id, 30), ran(ledger, outreach(ledger, "onboarding"))
    ledger.feeds.crm(stats(tmp_path, REPLIES), to=Attribution(run_id=run_id))
    ledger.feeds.crm(stats(tmp_path, REPLIES | {"id": "8"}), to=Attribution(task_category="onboarding"))
    assert worth(ledger, run_id, other) == [DEGRADED, DEGRADED]
    campaigns = {"spring": goal_id}
    path = stats(tmp_path, REPLIES | {"id": "9", "campaign": "spring", "at": "2026-02-10"})
    assert ledger.feeds.crm(path, campaigns=campaigns).outcomes == 1


# --- What cannot be taken


def test_what_names_runs_that_are_not_here_is_refused_and_the_rest_lands(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    open_run = ledger.runs.start(goal_id).run_id
    path = stats(
        tmp_path,
        REPLIES | {"id": "1", "run_id": f"grun_{NOBODY}"},
        REPLIES | {"id": "2", "run_id": "nonsense"},
        REPLIES | {"id": "3", "goal_id": f"goal_{NOBODY}"},
        REPLIES | {"id": "4", "run_id": open_run},
        REPLIES | {"id": "5", "task_category": "nobody does this"},
        REPLIES | {"id": "6", "metric": "x" * 20_000},
        {"id": "7"},
        REPLIES | {"id": "8"},
    )
    codes = ["unknown_run", "unknown_run", "unknown_goal", "not_allowed", "no_matching_run", "text_too_long"]
    problems = [*enumerate([*codes, "bad_record"], start=1)]
    before = ledger.head
    assert brief(ledger.feeds.crm(path)) == {"records": 7, "outcomes": 1, "skipped": 7, "problems": problems}
    assert [each.stream for each in recorded(ledger)[before:]] == [run_id, feed_id("crm"), review_id(run_id)]
    assert brief(ledger.feeds.crm(path)) == {"records": 7, "unchanged": 1, "skipped": 7, "problems": problems}
    assert ledger.head == before + 3


def test_strictly_one_bad_record_refuses_all(ledger, goal_id, tmp_path):
    ran(ledger, goal_id)
    path = stats(tmp_path, REPLIES, REPLIES | {"id": "8", "run_id": f"grun_{NOBODY}"})
    error = refusal(ledger, ledger.feeds.crm, path, to=Attribution(strict=True))
    assert (error.code, type(error)) == ("bad_lines", Invalid)
    assert error.message.startswith("record 2: unknown_run: ")
    assert ledger.feeds.crm(stats(tmp_path, REPLIES), to=Attribution(strict=True)).outcomes == 1


def test_analytics_must_be_told_which_runs_are_meant(ledger, goal_id, tmp_path):
    told = {"metric": "activation", "before": 1, "after": 2, "at": AT}
    assert brief(ledger.feeds.analytics(stats(tmp_path, told)))["problems"] == [(1, "no_selector")]


def test_a_caller_who_names_what_is_not_here_is_refused(ledger, goal_id, tmp_path):
    path = stats(tmp_path, REPLIES)
    for to, code in (
        (Attribution(run_id=f"grun_{NOBODY}"), "unknown_run"),
        (Attribution(goal_id=f"goal_{NOBODY}"), "unknown_goal"),
    ):
        error = refusal(ledger, ledger.feeds.crm, path, to=to)
        assert (error.code, type(error)) == (code, NotFound)
    assert refusal(ledger, ledger.feeds.crm, path, source=" ").code == "bad_source"
    assert refusal(ledger, ledger.feeds.crm, tmp_path / "none").code == "no_file"
    assert refusal(ledger, ledger.feeds.analytics, path, window_days=0).code == "bad_window"


# --- Once


def test_the_same_record_counts_once_also_when_a_later_run_has_come_in(ledger, goal_id, tmp_path):
    run_id, path = ran(ledger, goal_id, 2), stats(tmp_path, REPLIES, REPLIES)
    assert brief(ledger.feeds.crm(path)) == {"records": 2, "outcomes": 1, "unchanged": 1}
    later, head = ran(ledger, goal_id, 1), ledger.head
    assert brief(ledger.feeds.crm(path)) == {"records": 2, "unchanged": 2}
    assert (ledger.head, worth(ledger, run_id, later)) == (head, [DEGRADED, UNKNOWN_OUTCOME])


def test_a_record_that_says_something_else_now_is_told_of_and_left(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    ledger.feeds.crm(stats(tmp_path, REPLIES))
    head = ledger.head
    assert brief(ledger.feeds.crm(stats(tmp_path, REPLIES | {"after": 0.2}))) == {"records": 1, "changed": ["7"]}
    assert (ledger.head, worth(ledger, run_id)) == (head, [DEGRADED])


def test_a_correction_wins_and_both_stay_visible(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    ledger.feeds.crm(stats(tmp_path, REPLIES))
    ledger.feeds.crm(stats(tmp_path, REPLIES | {"after": 0.2, "revision": 2}))
    assert worth(ledger, run_id) == [IMPROVED]
    rows = ledger.feeds.outcomes(run_id=run_id).rows
    assert [(row.external_id, row.business_outcome) for row in rows] == [("7@2", IMPROVED), ("7", DEGRADED)]


def test_records_of_other_sources_are_other_records(ledger, goal_id, tmp_path):
    run_id, path = ran(ledger, goal_id), stats(tmp_path, REPLIES)
    assert ledger.feeds.crm(path).outcomes == ledger.feeds.crm(path, source="crm-2").outcomes == 1
    assert [row.source for row in ledger.feeds.outcomes(goal_id=goal_id).rows] == ["crm-2", "crm"]
    [row] = ledger.feeds.outcomes(source="crm").rows
    assert row.run_id == run_id


def test_two_that_read_one_source_at_once_record_it_once(place: Place, tmp_path, monkeypatch):
    path = stats(tmp_path, REPLIES)
    with Ledger.open(place.url, clock=Clock(MONDAY)) as ledger, Ledger.open(place.url, clock=Clock(MONDAY)) as other:
        run_id = ran(ledger, outreach(ledger))
        transact = Ledger.transact

        def late(self: Ledger, *args: Any, **wish: Any) -> Any:
            monkeypatch.undo()
            assert other.feeds.crm(path).outcomes == 1  # between the question and the lock
            return transact(self, *args, **wish)

        monkeypatch.setattr(Ledger, "transact", late)
        assert brief(ledger.feeds.crm(path)) == {"records": 1, "unchanged": 1}
        assert len(ledger.feeds.outcomes(run_id=run_id).rows) == 1


def test_outcomes_are_listed_in_pages(ledger, goal_id, tmp_path):
    ran(ledger, goal_id)
    ledger.feeds.crm(stats(tmp_path, *[REPLIES | {"id": str(number)} for number in range(3)]))
    first = ledger.feeds.outcomes(limit=2)
    rest = ledger.feeds.outcomes(limit=2, after=first.next)
    assert [row.external_id for row in (*first.rows, *rest.rows)] == ["2", "1", "0"]
    assert rest.next is None


# --- Levels: what a metric was when it was last read


def test_a_funnel_is_compared_with_what_it_was_when_it_was_last_read(ledger, goal_id, tmp_path):
    run_id, to = ran(ledger, goal_id), Attribution(goal_id=goal_id)
    first = stats(tmp_path, funnel(100, 20, 2))
    assert brief(ledger.feeds.analytics(first, to=to)) == {"records": 1, "baselines": 1}
    assert recorded(ledger)[-1].event == FeedAdvanced(
        source="posthog", cursor="2026-03-02T00:00:00.000000Z", records=1, outcomes=0, problems=0,
        levels=(Level(metric="conversion of Sign-up", value=0.2, at="2026-03-02T00:00:00.000000Z"),),
    )  # fmt: skip
    head = ledger.head
    assert brief(ledger.feeds.analytics(first, to=to)) == {"records": 1, "unchanged": 1}
    assert ledger.head == head
    second = stats(tmp_path, funnel(50, 5, 9), funnel(10, 5, 9, "Another"))
    assert brief(ledger.feeds.analytics(second, to=to)) == {"records": 2, "outcomes": 1, "baselines": 1}
    [row] = ledger.feeds.outcomes().rows
    assert (row.run_id, row.business_outcome) == (run_id, DEGRADED)
    assert row.detail == "conversion of Sign-up: 0.2 to 0.1 (-50.0%); threshold 0.05"
    again = stats(tmp_path, funnel(50, 6, 9))
    assert brief(ledger.feeds.analytics(again, to=to))["changed"] == [
        "conversion of Sign-up at 2026-03-09T00:00:00.000000Z"
    ]


def test_a_time_without_a_run_is_told_of_and_still_what_the_next_is_compared_with(ledger, goal_id, tmp_path):
    run_id, to = ran(ledger, goal_id), Attribution(goal_id=goal_id)
    path = stats(tmp_path, *[funnel(100, converted, day) for converted, day in ((50, 1), (10, 2), (20, 9))])
    done = ledger.feeds.analytics(path, to=to)
    assert brief(done) == {
        "records": 3, "outcomes": 1, "baselines": 1, "skipped": 1, "problems": [(2, "no_matching_run")],
    }  # fmt: skip
    assert (worth(ledger, run_id), done.cursor) == ([IMPROVED], AT)


def test_what_is_refused_moves_no_level(ledger, goal_id, tmp_path):
    run_id = ran(ledger, goal_id)
    path = stats(
        tmp_path,
        funnel(100, 50, 2) | {"run_id": run_id},
        funnel(100, 10, 5) | {"run_id": f"grun_{NOBODY}"},
        funnel(100, 50, 9) | {"run_id": run_id},
    )
    done = ledger.feeds.analytics(path)
    assert brief(done)["problems"] == [(2, "unknown_run")]
    assert worth(ledger, run_id) == [NEUTRAL]


# --- Over HTTP


def served(*records: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"results": records, "next": None}).encode()


def test_a_url_goes_on_behind_what_was_read_last(ledger, goal_id, server):
    ran(ledger, goal_id)
    url = f"{server.url}/stats?kind=weekly"
    server.answers = [served(REPLIES, REPLIES | {"id": "6", "at": "2026-03-08T12:00:00Z"})]
    done = ledger.feeds.crm(url)
    assert (done.source, done.cursor, done.outcomes) == (f"{server.url.removeprefix('http://')}/stats", AT, 2)
    head = ledger.head
    assert brief(ledger.feeds.crm(url)) == {"records": 2, "unchanged": 2}
    assert ledger.head == head
    ledger.feeds.crm(f"{url}&after=2026-01-01")
    assert [path for path, _ in server.asked] == [
        "/stats?kind=weekly",
        "/stats?kind=weekly&after=2026-03-09T00%3A00%3A00.000000Z",
        "/stats?kind=weekly&after=2026-01-01",
    ]


def test_what_was_refused_is_asked_for_again(ledger, goal_id, server):
    run_id = ran(ledger, goal_id)
    early = REPLIES | {"id": "5", "at": "2026-03-08T06:00:00Z", "run_id": run_id}
    missing = REPLIES | {"id": "6", "at": "2026-03-08T12:00:00Z", "run_id": f"grun_{NOBODY}"}
    server.answers = [served(REPLIES, missing, early)]
    done = ledger.feeds.crm(f"{server.url}/stats")
    assert (done.outcomes, done.cursor) == (2, "2026-03-08T06:00:00.000000Z")


def test_events_are_asked_for_from_the_end_of_the_last_whole_week(ledger, goal_id, server):
    run_id, to = ran(ledger, goal_id), Attribution(goal_id=goal_id)
    url = f"{server.url}/api/projects/7/events/?limit=100"

    def event(name: str, person: str, day: int) -> dict[str, str]:
        return {"event": name, "distinct_id": person, "timestamp": f"2026-03-{day:02}T10:00:00Z"}

    # It is Monday, the 9th: the two whole weeks before begin on the 23rd of February.
    server.answers = [
        served(
            *[event("activated", who, day) for who, day in (("ana", 1), ("ben", 2), ("cyd", 8))], event("x", "ana", 9)
        ),
        served(event("activated", "dan", 12), event("x", "ana", 16)),
    ]
    done = ledger.feeds.analytics(url, event="activated", to=to)
    assert brief(done) == {"records": 2, "outcomes": 1, "baselines": 1}
    assert (worth(ledger, run_id), done.cursor) == ([IMPROVED], AT)
    late = ran(ledger, goal_id, -5)
    assert brief(ledger.feeds.analytics(url, event="activated", to=to)) == {"records": 1, "outcomes": 1}
    assert worth(ledger, run_id, late) == [IMPROVED, DEGRADED]
    assert [path.partition("after=")[2] for path, _ in server.asked] == [
        "2026-02-22T23%3A59%3A59.000000Z",
        "2026-03-08T23%3A59%3A59.000000Z",
    ]


def test_no_key_reaches_the_log_nor_the_answer(ledger, goal_id, server):
    ran(ledger, goal_id)
    server.answers = [served(REPLIES)]
    done = ledger.feeds.crm(f"{server.url}/stats?token=phx_secret", token="phx_secret")
    assert done.outcomes == 1
    assert "phx_secret" not in str(done) + str(list(ledger.rows()))


def test_when_a_source_is_not_there_nothing_is_written(ledger, goal_id, server):
    server.answers = [(404, {}, b"")]
    assert refusal(ledger, ledger.feeds.crm, f"{server.url}/stats").code == "cannot_fetch"
    assert refusal(ledger, ledger.feeds.analytics, "file:///etc/passwd").code == "bad_url"


def test_a_problem_says_where_what_and_why(ledger, goal_id, tmp_path):
    [problem] = ledger.feeds.crm(stats(tmp_path, REPLIES)).problems
    words = f"7: no run that is meant finished within the 7 days before {AT}"
    assert problem == SkippedRecord(1, "no_matching_run", words)
