"""Key results in a ledger: measurements, progress, and what runs remember of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goal_ledger.domain.goals.goal import ActivityRecorded
from goal_ledger.ledger import UNKNOWN, Invalid, Ledger, LocalOutcome, Rejected
from goal_ledger.projections.goals.key_results import key_results
from tests.tools import Clock, recorded

DAY = datetime(2026, 2, 24, 12, tzinfo=UTC)


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:meter", clock=Clock()) as opened:
        yield opened


def objective(ledger: Ledger) -> str:
    return ledger.goals.create("Reliable answers", goal_type="objective").goal_id


def key_result(ledger: Ledger, above: str, **fields: Any) -> str:
    known = {"baseline": 80.0, "target": 95.0, "unit": "%", **fields}
    return ledger.goals.create("Accuracy", goal_type="key_result", parent_goal_id=above, **known).goal_id


def run_below(ledger: Ledger, above: str) -> tuple[str, str]:
    goal = ledger.goals.create("Build it", parent_goal_id=above).goal_id
    ledger.goals.ready(goal)
    return goal, ledger.runs.start(goal).run_id


def test_a_measurement_is_told_on_the_key_result_and_on_its_objective_at_once(ledger: Ledger):
    above = objective(ledger)
    result = key_result(ledger, above)

    row = ledger.key_results.record(result, 87.5, note="suite of May")

    assert (row.goal_id, row.current, row.progress) == (result, 87.5, 0.5)
    measured, noted = recorded(ledger)[-2:]
    assert (measured.stream, measured.name, noted.stream) == (result, "goal.key_result_measured", above)
    assert noted.event == ActivityRecorded(
        activity="key_result_measured", attributes={"goal_id": result, "value": 87.5, "unit": "%", "progress": 0.5}
    )
    assert measured.at == noted.at


def test_what_is_refused_leaves_nothing_behind(ledger: Ledger):
    above = objective(ledger)
    result = key_result(ledger, above)
    before = ledger.log.stats().events
    for goal_id, value, code in ((above, 1.0, "not_a_key_result"), (result, float("nan"), "invalid_value")):
        with pytest.raises((Rejected, Invalid)) as refused:
            ledger.key_results.record(goal_id, value)
        assert refused.value.code == code
    assert ledger.log.stats().events == before


def test_the_same_wish_again_writes_nothing(ledger: Ledger):
    result = key_result(ledger, objective(ledger))
    first = ledger.using(command_id="m-1").key_results.record(result, 87.5)
    ledger.key_results.record(result, 90.0, at=DAY)
    events = ledger.log.stats().events
    assert ledger.using(command_id="m-1").key_results.record(result, 87.5) == first
    assert ledger.key_results.record(result, 90.0, at=DAY).current == 90.0
    assert ledger.log.stats().events == events


def test_what_was_measured_last_counts_whatever_came_in_late(ledger: Ledger):
    result = key_result(ledger, objective(ledger))
    for value, at in ((90.0, DAY), (82.0, DAY - timedelta(days=3)), (70.0, None)):
        circumstances = ledger if at else ledger.using(occurred_at=UNKNOWN)
        circumstances.key_results.record(result, value, at=at)
    row = ledger.key_results.get(result)
    assert (row.current, row.measured_at) == (90.0, "2026-02-24T12:00:00.000000Z")
    assert [each.value for each in ledger.key_results.history(result).rows] == [90.0, 82.0, 70.0]


def test_the_first_measurement_is_the_baseline_unless_there_is_one(ledger: Ledger):
    result = key_result(ledger, objective(ledger), baseline=None, target=2.0)
    first = ledger.key_results.record(result, 10.0)
    assert (first.baseline, first.progress) == (10.0, 0.0)
    assert ledger.key_results.record(result, 6.0).progress == 0.5
    assert ledger.goals.amend(result, baseline=7.0).progress == 0.2


def test_an_objective_is_the_mean_of_its_key_results(ledger: Ledger):
    above = objective(ledger)
    first, second, third = (key_result(ledger, above) for _ in range(3))
    ledger.key_results.record(first, 95.0)
    ledger.key_results.record(second, 87.5)
    assert ledger.goals.progress(ledger.goals.get(above)) == 0.5  # the third one counts as 0
    ledger.goals.archive(third)
    assert ledger.goals.progress(ledger.goals.get(above)) == 0.75
    (node,) = ledger.goals.tree(above)
    assert node.progress == 0.75
    assert {child.goal.goal_id: child.progress for child in node.children} == {first: 1.0, second: 0.5, third: 0.0}


def test_a_key_result_that_moved_counts_where_it_is(ledger: Ledger):
    here, there = objective(ledger), objective(ledger)
    result = key_result(ledger, here)
    ledger.key_results.record(result, 95.0)
    ledger.goals.amend(result, parent_goal_id=there)
    assert [ledger.goals.progress(ledger.goals.get(above)) for above in (here, there)] == [0.0, 1.0]
    assert [node.progress for node in ledger.goals.tree()] == [0.0, 1.0]


def test_the_history_comes_in_pages_and_in_the_read_model(ledger: Ledger):
    above = objective(ledger)
    result = key_result(ledger, above)
    for value in (81.0, 82.0, 83.0):
        ledger.key_results.record(result, value, note=f"{value}")
    page = ledger.key_results.history(result, limit=2)
    rest = ledger.key_results.history(result, after=page.next)
    assert ([row.value for row in page.rows], [row.value for row in rest.rows]) == ([81.0, 82.0], [83.0])
    assert (page.rows[0].objective_id, page.rows[0].by, rest.next) == (above, "agent:meter", None)
    stored = ledger.views.select(key_results, {"goal_id": result}, order=("position",))
    assert list(stored) == [*page.rows, *rest.rows]
    ledger.views.rebuilds.rebuild()
    assert ledger.views.select(key_results, {"goal_id": result}, order=("position",)) == stored


def test_as_of_a_position_the_values_are_those_of_then(ledger: Ledger):
    above = objective(ledger)
    result = key_result(ledger, above)
    then = ledger.key_results.record(result, 83.0).position
    ledger.key_results.record(result, 95.0)
    past = ledger.as_of(then)
    assert [row.value for row in past.key_results.history(result).rows] == [83.0]
    assert past.goals.progress(past.goals.get(above)) == 0.2
    (change,) = [change for change in ledger.diff(then) if change.id == result]
    assert change.fields["progress"] == (0.2, 1.0)


# --- What runs remember


def test_a_run_remembers_the_key_results_around_it_when_it_starts_and_finishes(ledger: Ledger):
    above = objective(ledger)
    first, second, unmeasured = (key_result(ledger, above) for _ in range(3))
    ledger.key_results.record(first, 81.0)
    ledger.key_results.record(second, 82.0)
    elsewhere = key_result(ledger, objective(ledger))
    ledger.key_results.record(elsewhere, 99.0)
    middle = ledger.goals.create("Part one", parent_goal_id=first).goal_id

    _, run = run_below(ledger, middle)
    ledger.key_results.record(first, 90.0)
    ledger.goals.archive(second)
    ledger.runs.finish(run, LocalOutcome.SUCCEEDED)
    ledger.key_results.record(first, 95.0)

    row = ledger.runs.get(run)
    assert (row.metrics_before, row.metrics_after) == ({first: 81.0, second: 82.0}, {first: 90.0})
    assert unmeasured not in row.metrics_before


def test_what_the_caller_measured_is_kept_as_it_is(ledger: Ledger):
    above = objective(ledger)
    ledger.key_results.record(key_result(ledger, above), 81.0)
    goal = ledger.goals.create("Build it", parent_goal_id=above).goal_id
    ledger.goals.ready(goal)
    run = ledger.runs.start(goal, metrics_before={"errors": 3}).run_id
    row = ledger.runs.finish(run, LocalOutcome.SUCCEEDED, metrics_after={"errors": 1})
    assert (row.metrics_before, row.metrics_after) == ({"errors": 3}, {"errors": 1})


def test_a_run_of_a_goal_that_serves_no_objective_remembers_nothing(ledger: Ledger):
    goal = ledger.goals.create("On its own").goal_id
    ledger.goals.ready(goal)
    run = ledger.runs.start(goal)
    assert (run.metrics_before, ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED).metrics_after) == ({}, {})


# --- What is unusual


def test_an_initiative_without_a_key_result_above_it_is_flagged(ledger: Ledger):
    above = objective(ledger)
    result = key_result(ledger, above)
    part = ledger.goals.create("Part", parent_goal_id=result)
    nested = ledger.goals.create("Part of a part", parent_goal_id=part.goal_id)
    beside = ledger.goals.create("Beside", parent_goal_id=above)
    alone = ledger.goals.create("Alone")
    watch = ledger.goals.create("Watch", goal_type="watchdog")
    told = {goal.goal_id: ledger.goals.flags(goal) for goal in (part, nested, beside, alone, watch)}
    assert [*told.values()] == [[], [], ["no_key_result"], ["no_key_result"], []]

    def flags(nodes: Any) -> dict[str, Any]:
        return {name: value for node in nodes for name, value in [(node.goal.goal_id, node.flags), *flags(node.children).items()]}  # fmt: skip # noqa: E501

    assert told.items() <= flags(ledger.goals.tree()).items()
    assert flags(ledger.goals.tree(nested.goal_id)) == {nested.goal_id: []}
    assert ledger.goals.flags(ledger.goals.archive(alone.goal_id)) == []
