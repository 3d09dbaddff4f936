"""What the router saw last, refreshed by what changed since: the same answers as if everything were read anew."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded
from goal_ledger.domain.strategy.belief import belief_id
from goal_ledger.domain.times import utc_text
from goal_ledger.domain.work.dispatch import Spent
from goal_ledger.domain.work.ranking import Estimates, Rankable, Ranked, by_revenue, by_utility
from goal_ledger.domain.work.router import CLOSED, Choice, obstacle
from goal_ledger.domain.work.router import Work as Candidate
from goal_ledger.ledger import FailureCategory, GoalType, Ledger, LedgerError, LocalOutcome, RunStatus, Settings
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs
from goal_ledger.projections.strategy.beliefs import beliefs
from tests.domain.work.routes import route
from tests.places import Place
from tests.tools import Clock, examples


def works_anew(ledger: Ledger) -> list[Candidate]:
    """Every goal there ever was as the router sees it, read at once."""
    held = {row.belief_id for row in ledger.views.select(beliefs, order=("belief_id",)) if row.status == "active"}
    runs: dict[str, list[RunRow]] = defaultdict(list)
    for run in ledger.views.select(goal_runs, order=("run_id",)):
        runs[run.goal_id].append(run)

    def ids(goal_id: str, *statuses: RunStatus) -> tuple[str, ...]:
        return tuple(run.run_id for run in runs[goal_id] if run.status in statuses)

    def spent(goal_id: str) -> Spent:
        costs = [run.cost_usd for run in runs[goal_id] if run.status is not RunStatus.QUEUED]
        return Spent(sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None))

    def succeeded_in(goal: GoalRow) -> int | None:
        last = [run for run in runs[goal.goal_id] if run.run_id == goal.last_run_id]
        return last[0].attempt if last and last[0].local_outcome == "succeeded" else None

    def is_due(goal: GoalRow) -> bool | None:
        if goal.goal_type is GoalType.WATCHDOG:
            return bool(goal.incident_open)
        if goal.goal_type is GoalType.MAINTENANCE and goal.review_cadence is not None:
            return goal.open_occurrences != ()
        return None

    def estimates(goal: GoalRow) -> Estimates:
        against = tuple(belief for belief in goal.contradicts if belief in held)
        share = [belief in held for belief in goal.aligns_with]
        return Estimates(
            value=goal.value, effort=goal.effort, risk=goal.risk,
            deadline=None if goal.time_horizon == "ongoing" else goal.time_horizon,
            task_category=goal.task_category, revenue=REVENUES.get(goal.metadata.get("revenue_per_month"), Decimal(0)),
            alignment=0.0 if against else sum(share) / len(share) if share else 0.75, against=against,
        )  # fmt: skip

    return [
        Candidate(
            goal.goal_id, goal.title, goal.goal_type, goal.status, goal.priority, goal.parent_goal_id,
            goal.dependencies, goal.done, ids(goal.goal_id, RunStatus.RUNNING, RunStatus.CHECKPOINTED),
            ids(goal.goal_id, RunStatus.QUEUED), goal.overlap, goal.attempts, goal.max_attempts, goal.not_before,
            goal.budget_usd, Spent() if goal.budget_usd is None else spent(goal.goal_id), goal.progress or 0.0,
            is_due(goal), estimates(goal), succeeded_in(goal), goal.source == "imported",
        )
        for goal in ledger.views.select(goal_definitions, order=("goal_id",))
    ]  # fmt: skip


def read_anew(ledger: Ledger) -> list[Choice]:
    """What the router says of every goal there ever was, and of the workers that fell silent."""
    now = utc_text(ledger.now())
    running = ledger.views.select(goal_runs, {"status": RunStatus.RUNNING}, order=("run_id",))
    over = {row.goal_id: row for row in running if row.lease_until is not None and row.lease_until < now}
    return [
        choice._replace(why=f"{choice.why}; the lease of {row.run_id} was over at {row.lease_until}")
        if (row := over.get(choice.goal_id))
        else choice
        for choice in route(works_anew(ledger), now=now, weights=ledger.settings.weight)
    ]


def ranked_anew(ledger: Ledger) -> list[list[Ranked]]:
    """The rankings of every open goal there ever was."""
    works = {work.goal_id: work for work in works_anew(ledger)}
    now = ledger.now()
    goals = [
        Rankable(one.goal_id, one.title, one.priority, one.estimates, obstacle(one, works, utc_text(now)))
        for one in works.values()
        if one.status not in CLOSED
    ]
    return [by_utility(goals, now=now, weights=ledger.settings.weight), by_revenue(goals, now=now)]


def rankings(ledger: Ledger) -> list[Sequence[Ranked]]:
    return [ledger.work.rank("utility", limit=None), ledger.work.rank("revenue", limit=None)]


# --- Any history


class Step(NamedTuple):
    """A wish. other: another process makes it. pick, second: which goals or runs, and how much. look: ask, then."""

    verb: str
    other: bool
    pick: int
    second: int
    look: bool


VERBS = (
    "create", "create below", "create behind", "key result", "measure", "measure", "maintenance", "ready", "activate",
    "wait", "resume", "complete", "complete", "archive", "priority", "dependencies", "dependencies", "parent", "parent",
    "title", "value", "effort", "risk", "deadline", "deadline", "category", "revenue", "aligns", "aligns",
    "contradicts", "hold", "hold", "speak against", "retract", "budget",
    "overlap", "attempts", "start", "claim", "claim", "claim", "finish", "finish", "fail", "fail", "cost",
    "checkpoint", "interrupt", "take over", "tick", "later", "earlier", "much later", "rebuild",
)  # fmt: skip
STEPS = st.lists(
    st.builds(Step, st.sampled_from(VERBS), st.booleans(), st.integers(0, 6), st.integers(0, 6), st.booleans()),
    min_size=10,
    max_size=60,
)


TRUTHS = ("quality pays", "speed pays", "rest pays")

REVENUES: dict[Any, Decimal] = {
    0: Decimal(0), 300: Decimal(300), 2850.5: Decimal("2850.5"), "1200.25": Decimal("1200.25"), "-5": Decimal(-5),
    "plenty": Decimal(0), "NaN": Decimal(0),
}  # fmt: skip
"""What goals' metadata say of what they earn, and what that counts."""


def some_beliefs(bits: int) -> list[str]:
    """Any of them: a bit for each."""
    return [belief_id(truth) for place, truth in enumerate(TRUTHS) if bits >> place & 1]


def begin(ledger: Ledger) -> None:
    """An objective with an active key result, work below it that is for and against beliefs, work that waits."""
    objective = ledger.goals.create("O", goal_type="objective")
    key = ledger.goals.create("K", goal_type="key_result", parent_goal_id=objective.goal_id, target=5.0)
    whole = ledger.goals.create("whole", parent_goal_id=key.goal_id)
    first = ledger.goals.create("first", parent_goal_id=whole.goal_id)
    second = ledger.goals.create("second", dependencies=[first.goal_id], overlap="enqueue")
    third = ledger.goals.create("third", dependencies=[second.goal_id], overlap="allow")
    for goal in (key, whole, first):
        ledger.goals.ready(goal.goal_id), ledger.goals.activate(goal.goal_id)
    ledger.goals.amend(third.goal_id, budget_usd=Decimal(2), dependencies=[])
    for truth in TRUTHS:
        ledger.beliefs.hold(truth)
    ledger.goals.amend(whole.goal_id, contradicts=some_beliefs(0b100))
    ledger.goals.amend(first.goal_id, aligns_with=some_beliefs(0b011), value=0.9)
    ledger.goals.ready(third.goal_id), ledger.runs.start(third.goal_id)


def do(ledger: Ledger, clock: Clock, step: Step) -> None:
    """Make a wish; one that is refused changes nothing."""
    rows = ledger.goals.list(sort="newest").rows
    goal, second = (rows[pick % len(rows)].goal_id if rows else "" for pick in (step.pick, step.second))
    open_runs = [run for run in ledger.runs.list().rows if run.status not in ("finished", "interrupted")]
    run = open_runs[step.pick % len(open_runs)].run_id if open_runs else ""
    match step.verb:
        case "create":
            ledger.goals.ready(ledger.goals.create("A", priority=1 + step.second % 5).goal_id)
        case "create below":
            ledger.goals.ready(ledger.goals.create("B", parent_goal_id=goal or None).goal_id)
        case "create behind":
            ledger.goals.create("C", dependencies=[goal] if goal else [])
        case "key result":
            above = ledger.goals.create("D", goal_type="objective").goal_id
            made = ledger.goals.create("E", goal_type="key_result", parent_goal_id=above, target=5.0).goal_id
            ledger.goals.ready(made), ledger.goals.activate(made)
        case "measure":
            results = ledger.key_results.list().rows
            ledger.key_results.record(results[step.pick % len(results)].goal_id if results else goal, step.second)
        case "maintenance":
            made = ledger.goals.create("F", goal_type="maintenance", review_cadence="1d").goal_id
            ledger.goals.ready(made), ledger.goals.activate(made)
        case "ready" | "activate" | "wait" | "resume" | "complete" | "archive":
            getattr(ledger.goals, step.verb)(goal)
        case "priority":
            ledger.goals.amend(goal, priority=1 + step.second % 5)
        case "dependencies":
            ledger.goals.amend(goal, dependencies=[second] if step.second else [])
        case "parent":
            ledger.goals.amend(goal, parent_goal_id=second if step.second else None)
        case "budget":
            ledger.goals.amend(goal, budget_usd=Decimal(step.second))
        case "value" | "effort" | "risk":
            ledger.goals.amend(goal, **{step.verb: None if step.second == 6 else step.second / 5})  # type: ignore[arg-type]
        case "deadline":
            hours = 7 * step.second  # the last day before it counts
            ledger.goals.amend(
                goal, time_horizon="ongoing" if step.second == 6 else utc_text(clock.now + timedelta(hours=hours))
            )
        case "category":
            ledger.goals.amend(goal, task_category=(None, "critical", "blocker", "quality")[step.second % 4])
        case "revenue":
            ledger.goals.amend(goal, metadata={"revenue_per_month": [*REVENUES][step.second]} if step.second else {})
        case "aligns":
            ledger.goals.amend(goal, aligns_with=some_beliefs(step.second))
        case "contradicts":
            ledger.goals.amend(goal, contradicts=some_beliefs(step.second))
        case "title":
            ledger.goals.amend(goal, title=f"G{step.second}")
        case "hold":
            ledger.beliefs.hold(TRUTHS[step.second % len(TRUTHS)])
        case "speak against":
            ledger.beliefs.contradict(belief_id(TRUTHS[step.second % len(TRUTHS)]), reason="seen otherwise")
        case "retract":
            ledger.beliefs.retract(belief_id(TRUTHS[step.second % len(TRUTHS)]), reason="moot")
        case "overlap":
            ledger.goals.amend(goal, overlap=("forbid", "allow", "enqueue", "replace")[step.second % 4])
        case "attempts":
            ledger.goals.amend(goal, max_attempts=1 + step.second)
        case "start":
            ledger.runs.start(goal)
        case "claim":
            ledger.work.claim(lease_s=60)
        case "finish":
            ledger.runs.finish(run, LocalOutcome.SUCCEEDED)
        case "fail":
            ledger.runs.finish(run, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
        case "cost":
            ledger.runs.cost(run, cost_usd=Decimal(step.second))
        case "checkpoint":
            ledger.runs.checkpoint(run, "step-3")
        case "interrupt":
            ledger.runs.interrupt(run, reason="moot")
        case "take over":
            ledger.runs.take_over(run, reason="silent")
        case "tick":
            ledger.tick()
        case "later" | "earlier":
            clock.now += timedelta(minutes=(1 + step.second) * (3 if step.verb == "later" else -2))
        case "much later":
            clock.now += timedelta(hours=3 * step.second)
        case "rebuild":
            ledger.views.rebuilds.rebuild()


_numbers = count()


@settings(max_examples=examples(25), phases=[Phase.explicit, Phase.generate])
@given(wishes=STEPS)
def test_whatever_happened_the_answer_is_that_of_reading_everything_anew(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[Step]
):
    path = tmp_path_factory.getbasetemp() / f"any-{next(_numbers)}.db"
    clock, chosen = Clock(), Settings(retry_jitter=0, durable=False, page=7)
    with (
        Ledger.open(path, actor="test:a", clock=clock, settings=chosen) as ledger,
        Ledger.open(path, actor="test:b", clock=clock, settings=chosen) as other,
    ):
        begin(ledger)
        for step in wishes:
            with suppress(LedgerError):
                do(other if step.other else ledger, clock, step)
            if step.look:
                unit = timedelta(minutes=1) if step.other else timedelta(hours=3)
                asked = ledger.using(occurred_at=clock.now + unit * (step.pick - step.second))
                assert asked.work.explain() == read_anew(asked)
                assert rankings(asked) == ranked_anew(asked)
                assert asked.work.next() == next((choice for choice in read_anew(asked) if choice.eligible), None)
        with Ledger.open(path, clock=clock, settings=chosen) as fresh:
            asked_at_last = [each.using(occurred_at=clock.now) for each in (ledger, other, fresh)]
            expected = read_anew(asked_at_last[-1]), ranked_anew(asked_at_last[-1])
            assert [(each.work.explain(), rankings(each)) for each in asked_at_last] == [expected] * 3


def test_a_goal_that_is_over_before_anybody_saw_that_it_is_needed_is_no_hindrance(tmp_path: Path):
    with Ledger.open(tmp_path / "l.db", actor="test:work") as ledger:
        first, second = ready(ledger, "first"), ready(ledger, "second")
        ledger.goals.activate(first)
        assert shown(ledger) == ["first", "second"]
        ledger.goals.amend(second, dependencies=[first])
        ledger.goals.complete(first)
        assert [(choice.title, choice.eligible) for choice in ledger.work.explain()] == [("second", True)]


def test_no_row_that_the_router_looks_at_is_changed_by_events_of_another_stream():
    assert goal_definitions.is_by_stream
    assert goal_runs.is_by_stream


# --- What happens to files and tables


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:work", settings=Settings(retry_jitter=0)) as opened:
        yield opened


def ready(ledger: Ledger, title: str = "A", **fields: Any) -> str:
    goal = ledger.goals.create(title, **fields)
    ledger.goals.ready(goal.goal_id)
    return goal.goal_id


def shown(ledger: Ledger) -> list[str]:
    return [choice.title for choice in ledger.work.explain()]


def test_a_long_absence_is_made_up_for(ledger: Ledger, place: Place):
    first = ready(ledger)
    assert shown(ledger) == ["A"]
    with Ledger.open(place.url, actor="test:other") as other:

        def note(tx: Tx) -> None:
            for _ in range(6_000):
                tx.act(first, GOAL, lambda _: [ActivityRecorded(activity="copied")])

        other.transact(note)
        other.goals.archive(ready(other, "B"))
        other.goals.amend(first, title="C")
    assert shown(ledger) == ["C"]


def test_a_log_whose_end_was_lost_and_written_anew_is_read_anew(ledger: Ledger, place: Place):
    kept = ready(ledger, "kept")
    head = ledger.head
    ready(ledger, "lost"), ready(ledger, "lost too")
    assert shown(ledger) == ["kept", "lost", "lost too"]

    place.tamper(f"DELETE FROM stored_events WHERE rowid > {head}")
    place.count_to(head)
    with Ledger.open(place.url, actor="test:other") as other:
        for title in ("new", "newer", "newest"):
            ready(other, title)
        assert shown(ledger) == ["kept", "new", "newer", "newest"]
        run = ledger.work.claim()
    assert run is not None and run.goal_id == kept


def by_hand(ledger: Ledger, statement: str, *values: str) -> None:
    """Change the read models behind everybody's back."""
    with ledger.views.models.database.write() as session:
        session.execute(statement, values)


def table_of(ledger: Ledger, projection: str) -> str:
    ledger.views.catch_up()
    return next(str(status.table) for status in ledger.views.rebuilds.status() if status.name == projection)


def test_rows_that_were_mended_are_seen(ledger: Ledger, place: Place):
    goal = ready(ledger)
    spoil = f'UPDATE "{table_of(ledger, "goal_definitions")}" SET title = ?'
    by_hand(ledger, spoil, "B")
    assert shown(ledger) == ["B"]
    ledger.views.repairs.repair(goal)
    assert shown(ledger) == ["A"]

    by_hand(ledger, spoil, "C")
    with Ledger.open(place.url, actor="test:other") as other:
        assert shown(other) == ["C"]
        ledger.views.rebuilds.rebuild()
        assert (shown(ledger), shown(other)) == (["A"], ["A"])


def test_beliefs_that_were_mended_count(ledger: Ledger, place: Place):
    belief = ledger.beliefs.hold("quality pays").belief_id
    goal = ready(ledger, aligns_with=[belief])

    def fits() -> list[float]:
        return [each.components["alignment"] for each in ledger.work.rank()]  # type: ignore[misc]

    spoil = f'UPDATE "{table_of(ledger, "beliefs")}" SET status = ?'
    by_hand(ledger, spoil, "retracted")
    assert fits() == [0.0]
    with Ledger.open(place.url, actor="test:other") as other:
        other.views.rebuilds.rebuild(["beliefs"])
    assert fits() == [1.0]
    assert ledger.goals.get(goal).title == "A"


def test_the_past_is_asked_without_touching_what_is_known_of_the_present(ledger: Ledger):
    ready(ledger, "A")
    head = ledger.head
    ready(ledger, "B")
    then = ledger.as_of(head)
    assert (shown(ledger), shown(then), shown(ledger)) == (["A", "B"], ["A"], ["A", "B"])
    ready(ledger, "C")
    assert (shown(ledger), shown(then)) == (["A", "B", "C"], ["A"])
    assert then.work.explain() == read_anew(then)


def test_a_question_that_fails_leaves_nothing_half_known(ledger: Ledger):
    ready(ledger, "A", priority=5)
    assert shown(ledger) == ["A"]
    ready(ledger, "B")
    runs = table_of(ledger, "goal_runs")
    by_hand(ledger, f'ALTER TABLE "{runs}" RENAME TO away')
    with pytest.raises(LedgerError):
        ledger.work.explain()
    by_hand(ledger, f'ALTER TABLE away RENAME TO "{runs}"')
    assert shown(ledger) == ["B", "A"]


def test_threads_that_claim_and_look_on_never_get_the_same_work_nor_a_half_answer(ledger: Ledger):
    goals = [ready(ledger, f"goal {number}", priority=1 + number % 5) for number in range(40)]
    claimed: list[str] = []
    wrong: list[object] = []
    over = threading.Event()

    def claim() -> None:
        while (run := ledger.work.claim(lease_s=600)) is not None:
            claimed.append(run.goal_id)

    def look() -> None:
        while not over.is_set():
            choices = ledger.work.explain()
            eligible = [choice.eligible for choice in choices]
            if len(choices) != len(goals) or eligible != sorted(eligible, reverse=True):
                wrong.append(choices)

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            wrong.append(error)

    lookers = [threading.Thread(target=guarded, args=(look,)) for _ in range(2)]
    claimers = [threading.Thread(target=guarded, args=(claim,)) for _ in range(3)]
    for thread in (*lookers, *claimers):
        thread.start()
    for thread in claimers:
        thread.join()
    over.set()
    for thread in lookers:
        thread.join()
    assert wrong == []
    assert sorted(claimed) == sorted(goals)
    assert ledger.work.explain() == read_anew(ledger)
