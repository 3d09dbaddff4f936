"""Key results: measurements, and the progress that follows from them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.goal import GOAL, GoalAmended
from goal_ledger.domain.goals.key_result import FIRST, KeyResultMeasured, measure, progress_of, progress_of_goal
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from tests.domain.goals.histories import HISTORIES, created
from tests.spec import Spec

S, T = GoalStatus, GoalType
NOON = "2026-02-24T12:00:00.000000Z"
LATER = "2026-02-25T12:00:00.000000Z"

Numbers = st.floats(allow_nan=False, allow_infinity=False)


def key_result(baseline: float | None = 10.0, target: float | None = 2.0) -> Event:
    return created(goal_type=T.KEY_RESULT, parent_goal_id="goal_objective", baseline=baseline, target=target, unit="%")


def measured(value: float, at: str | None = NOON, **fields: Any) -> KeyResultMeasured:
    known = {"objective_id": "goal_objective", "baseline": 10.0, "target": 2.0, "unit": "%", **fields}
    return KeyResultMeasured(value=value, measured_at=at, **known)


# --- Measuring


def test_a_measurement_says_what_it_was_measured_against():
    Spec(GOAL).given(key_result()).when(measure, value=6.0, note="a week", measured_at=NOON, reason="review").then(
        measured(6.0, note="a week", reason="review")
    )


def test_the_first_measurement_becomes_the_baseline_when_none_was_given():
    Spec(GOAL).given(key_result(baseline=None)).when(measure, value=10.0, measured_at=NOON).then(
        GoalAmended(changes={"baseline": 10.0}, was={"baseline": None}, reason=FIRST), measured(10.0)
    )


def test_the_same_value_of_the_same_instant_is_quiet():
    known = Spec(GOAL).given(key_result(), measured(6.0))
    known.when(measure, value=6.0, measured_at=NOON).then_quiet()
    known.when(measure, value=6.0, measured_at=LATER).then(measured(6.0, LATER))
    known.when(measure, value=5.0, measured_at=NOON).then(measured(5.0))
    known.given(measured(7.0, None)).when(measure, value=7.0, measured_at=None).then(measured(7.0, None))


@pytest.mark.parametrize("kind", [kind for kind in T if kind is not T.KEY_RESULT])
def test_only_a_key_result_is_measured(kind: GoalType):
    other = created(goal_type=kind)
    Spec(GOAL).given(other).when(measure, value=1.0, measured_at=NOON).then_rejected("not_a_key_result", kind)


def test_an_archived_key_result_and_one_without_a_target_take_no_measurement():
    (_, archived) = HISTORIES[S.ARCHIVED]
    Spec(GOAL).given(key_result(), archived).when(measure, value=1.0, measured_at=NOON).then_rejected("archived")
    Spec(GOAL).given(key_result(target=None)).when(measure, value=1.0, measured_at=NOON).then_rejected("no_target")
    Spec(GOAL).when(measure, value=1.0, measured_at=NOON).then_rejected("unknown_goal")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), True, "6"])
@pytest.mark.parametrize("baseline", [None, 10.0])
def test_a_value_is_a_finite_number(value: Any, baseline: float | None):
    start = Spec(GOAL).given(key_result(baseline=baseline))
    start.when(measure, value=value, measured_at=NOON).then_rejected("invalid_value")


def test_a_value_that_came_in_late_stays_history():
    state = Spec(GOAL).given(key_result(), measured(6.0, LATER), measured(9.0, NOON), measured(8.0, None)).state()
    assert (state.current, state.measured_at) == (6.0, LATER)
    state = Spec(GOAL).given(key_result(), measured(8.0, None), measured(7.0, None)).state()
    assert (state.current, state.measured_at) == (7.0, None)


# --- Arithmetic


@pytest.mark.parametrize(
    ("baseline", "target", "current", "progress"),
    [
        (80, 95, 87.5, 0.5),
        (80, 95, 95, 1),
        (80, 95, 99, 1),
        (80, 95, 70, 0),
        (10, 2, 6, 0.5),
        (10, 2, 1, 1),
        (10, 2, 12, 0),
        (-4, 4, 0, 0.5),
        (95, 95, 95, 1),
        (95, 95, 96, 1),
        (95, 95, 94, 0),
        (-1e308, 1e308, 0, 0.5),
        (5, None, 5, None),
        (None, 5, 5, None),
        (1, 5, None, None),
    ],
)
def test_progress_is_the_share_of_the_way_that_is_done(baseline: Any, target: Any, current: Any, progress: Any):
    assert progress_of(baseline, target, current) == progress


@given(Numbers, Numbers, Numbers, Numbers)
def test_progress_is_a_share_that_never_falls_on_the_way_to_the_target(a: float, b: float, c: float, d: float):
    here, there = progress_of(a, b, c), progress_of(a, b, d)
    assert here is not None and there is not None
    assert 0 <= here <= 1 and 0 <= there <= 1
    if a != b:
        nearer = (d >= c) if b > a else (d <= c)
        assert (there >= here) if nearer else (there <= here)
        assert (progress_of(a, b, a), progress_of(a, b, b)) == (0, 1)
        assert progress_of(-a, -b, -c) == here


# --- Goals


def child(kind: GoalType, progress: float = 0.0, status: GoalStatus = S.ACTIVE, done: bool = False) -> Any:
    return kind, progress, status, done


@pytest.mark.parametrize(
    ("kind", "own", "done", "children", "progress"),
    [
        (T.KEY_RESULT, 0.25, False, [child(T.INITIATIVE, done=True)], 0.25),
        (T.KEY_RESULT, None, True, [], 0.0),
        (T.OBJECTIVE, None, False, [child(T.KEY_RESULT, 0.5), child(T.KEY_RESULT), child(T.KEY_RESULT, 1.0)], 0.5),
        (T.OBJECTIVE, None, False, [child(T.KEY_RESULT, 0.5), child(T.INITIATIVE, done=True)], 0.5),
        (T.OBJECTIVE, None, False, [child(T.KEY_RESULT, 0.5), child(T.KEY_RESULT, 1.0, S.ARCHIVED)], 0.5),
        (T.OBJECTIVE, None, False, [child(T.INITIATIVE, done=True), child(T.INITIATIVE)], 0.5),
        (T.OBJECTIVE, None, True, [], 1.0),
        (T.INITIATIVE, None, False, [], 0.0),
        (T.INITIATIVE, None, True, [], 1.0),
        (T.INITIATIVE, None, False, [child(T.INITIATIVE, done=True), child(T.INITIATIVE)], 0.5),
        (T.INITIATIVE, None, False, [child(T.INITIATIVE, 1.0, S.ARCHIVED, True), child(T.INITIATIVE)], 0.5),
        (T.INITIATIVE, None, False, [child(T.INITIATIVE, status=S.ARCHIVED), child(T.INITIATIVE, done=True)], 1.0),
        (T.INITIATIVE, None, False, [child(T.INITIATIVE, status=S.REJECTED)], 0.0),
    ],
)
def test_progress_of_a_goal(kind: GoalType, own: float | None, done: bool, children: Any, progress: float):
    assert progress_of_goal(kind, own, done=done, children=children) == progress
