"""Goals: creation, contract, hierarchy, dependencies and dispatch."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals import goal
from goal_ledger.domain.goals.contract import CatchUp, Contract, GoalSource, Origin, Overlap, is_overdue
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import (
    GOAL,
    ChildAdded,
    Goal,
    GoalAmended,
    GoalArchived,
    GoalCreated,
    GoalReadied,
)
from goal_ledger.domain.goals.lifecycle import PARENTS, ArchiveCause, GoalStatus, GoalType
from tests.domain.goals.histories import HISTORIES, created, goal_in
from tests.spec import Outcome, Spec

S, T = GoalStatus, GoalType
NOW = datetime(2026, 2, 24, 9, tzinfo=UTC)
ME = "goal_me"

EVERYTHING: dict[str, Any] = {
    "title": "Back up nightly",
    "description": "All of it, every night",
    "goal_type": T.MAINTENANCE,
    "category": "operations",
    "task_category": "quality",
    "parent_goal_id": "goal_parent",
    "owner_agent": "agent:planner",
    "priority": 1,
    "criteria": (
        Criterion(id="c1", text="error rate < 1%", metric="error rate", op="<", target=1.0, unit="%", weight=2.5),
        Criterion(id="c2", text="somebody restored it", required=False),
    ),
    "failure_conditions": ("two nights without a backup", "disk full"),
    "constraints": ("at most 5 USD a month",),
    "review_cadence": "0 9 * * 1 Europe/Berlin",
    "start_condition": "disk mounted",
    "stop_condition": "moved to another provider",
    "time_horizon": "2026-03-01T00:00:00.000000Z",
    "dependencies": ("goal_b", "goal_a"),
    "allowed_capabilities": ("shell", "s3"),
    "learning_required": False,
    "value": 0.8,
    "effort": 0.5,
    "risk": 0.3,
    "horizon_min_minutes": 60,
    "horizon_max_minutes": 1440,
    "aligns_with": ("belief_1",),
    "contradicts": ("belief_2",),
    "metadata": {"confidence": 0.85, "pattern": "daily", "evidence": [1, 2, {"deep": None}]},
    "baseline": 10.0,
    "target": 2.0,
    "unit": "%",
    "watch": "goal.status = failed",
    "arms": ("a", "b"),
    "overlap": Overlap.REPLACE,
    "max_attempts": 3,
    "budget_usd": Decimal("0.20"),
    "resume_if_checkpointed": False,
    "catch_up": CatchUp.SKIP,
}
"""One value for every field of a contract, none of them its default."""


def creating(
    contract: Contract | None = None, *, origin: Origin | None = None, history: tuple[Event, ...] = (), **more: Any
) -> Outcome:
    wish: dict[str, Any] = {"goal_id": ME, "now": NOW, **more}
    return (
        Spec(GOAL)
        .given(*history)
        .when(goal.create, contract=contract or Contract(title="A"), origin=origin or Origin(), **wish)
    )


def amending(changes: dict[str, Any], *, history: tuple[Event, ...] = (created(),), **more: Any) -> Outcome:
    wish: dict[str, Any] = {"goal_id": ME, "now": NOW, **more}
    return Spec(GOAL).given(*history).when(goal.amend, changes=changes, **wish)


# --- Creating


def test_the_examples_say_every_field_and_no_default():
    assert set(EVERYTHING) == set(Contract.model_fields)
    assert [name for name, field in Contract.model_fields.items() if EVERYTHING[name] == field.default] == []


def test_a_goal_is_created_with_every_field_it_was_given():
    origin = Origin(source=GoalSource.COLLABORATIVE, created_by="detector:x", proposal_id="prop_1", source_id="row-1")
    creating(
        Contract(**EVERYTHING),
        origin=origin,
        reason="asked for",
        parent=goal_in(goal_type=T.OBJECTIVE),
        dependencies={"goal_b": goal_in(), "goal_a": goal_in()},
    ).then(
        GoalCreated(
            **EVERYTHING,
            source=GoalSource.COLLABORATIVE,
            created_by="detector:x",
            proposal_id="prop_1",
            source_id="row-1",
            auto_approved=False,
            status=S.PLANNED,
            reason="asked for",
        )
    )


def test_a_title_is_enough():
    creating(Contract(title="A")).then(GoalCreated(title="A", status=S.PLANNED))


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (Origin(), S.PLANNED),
        (Origin(source=GoalSource.COLLABORATIVE), S.PLANNED),
        (Origin(source=GoalSource.SYSTEM), S.PROPOSED),
        (Origin(source=GoalSource.SYSTEM, auto_approved=True), S.ACTIVE),
        (Origin(source=GoalSource.IMPORTED), S.ACTIVE),
    ],
)
def test_where_a_goal_comes_from_says_where_it_starts(origin: Origin, status: GoalStatus):
    creating(origin=origin).then(GoalCreated(title="A", **dict(origin), status=status))


@pytest.mark.parametrize("kind", T)
def test_a_goal_of_every_type_can_be_created(kind: GoalType):
    parent = goal_in(goal_type=T.OBJECTIVE) if kind is T.KEY_RESULT else None
    target = 95.0 if kind is T.KEY_RESULT else None
    creating(Contract(title="A", goal_type=kind, target=target), parent=parent).then(
        GoalCreated(title="A", goal_type=kind, target=target, status=S.PLANNED)
    )


def test_a_goal_is_created_once():
    creating(history=(created(),)).then_rejected("already_exists", ME)


@pytest.mark.parametrize("title", ["", "   ", "\n\t"])
def test_a_title_is_not_blank(title: str):
    creating(Contract(title=title)).then_rejected("no_title")
    amending({"title": title}).then_rejected("no_title")


# --- Deadlines


@pytest.mark.parametrize(
    ("given_as", "stored"),
    [
        ("2026-02-24T09:00:00Z", "2026-02-24T09:00:00.000000Z"),  # this very moment is not past
        ("2026-02-25", "2026-02-25T00:00:00.000000Z"),
        ("2026-02-24T18:00:00+05:30", "2026-02-24T12:30:00.000000Z"),
        ("ongoing", "ongoing"),
    ],
)
def test_a_deadline_is_stored_in_utc(given_as: str, stored: str):
    creating(Contract(title="A", time_horizon=given_as)).then(
        GoalCreated(title="A", time_horizon=stored, status=S.PLANNED)
    )


def test_a_deadline_in_the_past_is_refused():
    past = Contract(title="A", time_horizon="2026-02-24T08:59:59Z")
    creating(past).then_rejected("deadline_passed", "2026-02-24T08:59:59.000000Z")
    amending({"time_horizon": "2026-02-23"}).then_rejected("deadline_passed")


def test_history_of_unknown_time_may_have_any_deadline():
    creating(Contract(title="A", time_horizon="1999-01-01"), now=None).then(
        GoalCreated(title="A", time_horizon="1999-01-01T00:00:00.000000Z", status=S.PLANNED)
    )


@pytest.mark.parametrize(
    ("text", "code"), [("soon", "bad_time"), ("2026-13-01", "bad_time"), ("2026-03-01T09:00", "naive_time")]
)
def test_a_deadline_is_a_time_or_ongoing(text: str, code: str):
    creating(Contract(title="A", time_horizon=text)).then_rejected(code, text)
    amending({"time_horizon": text}).then_rejected(code, text)


def test_a_passed_deadline_does_not_stop_other_amendments():
    late = created(time_horizon="2026-01-01T00:00:00.000000Z")
    amending({"priority": 1}, history=(late,)).then(GoalAmended(changes={"priority": 1}, was={"priority": 3}))


@pytest.mark.parametrize(
    ("status", "deadline", "overdue"),
    [
        (S.PROPOSED, "2026-02-24T08:59:59.999999Z", True),
        (S.PLANNED, "2026-02-24T08:59:59.999999Z", True),
        (S.READY, "2026-02-24T08:59:59.999999Z", True),
        (S.READY, "2026-02-24T09:00:00.000000Z", False),
        (S.READY, "ongoing", False),
        (S.ACTIVE, "2026-02-24T08:59:59.999999Z", False),
        (S.COMPLETED, "2026-02-24T08:59:59.999999Z", False),
    ],
)
def test_only_an_unstarted_goal_is_overdue(status: GoalStatus, deadline: str, overdue: bool):
    assert is_overdue(status, deadline, "2026-02-24T09:00:00.000000Z") is overdue


# --- Amending


def test_an_amendment_holds_old_and_new_of_what_changed_and_of_nothing_else():
    before = created(priority=2, owner_agent="agent:a", criteria=(Criterion(id="c1", text="restored"),))
    amending(
        {
            "title": "Back up nightly",  # as it was
            "priority": 1,
            "owner_agent": None,
            "criteria": [{"id": "c1", "text": "restored", "weight": 2.0}],
            "constraints": ["cheap"],
        },
        history=(before,),
        reason="it hurt",
    ).then(
        GoalAmended(
            changes={
                "priority": 1,
                "owner_agent": None,
                "criteria": [{"id": "c1", "text": "restored", "weight": 2.0, "required": True}],
                "constraints": ["cheap"],
            },
            was={
                "priority": 2,
                "owner_agent": "agent:a",
                "criteria": [{"id": "c1", "text": "restored", "weight": 1.0, "required": True}],
                "constraints": [],
            },
            reason="it hurt",
        )
    )


@pytest.mark.parametrize("name", sorted(set(EVERYTHING) - {"goal_type"}))
def test_every_field_but_the_type_can_be_amended_and_again_is_quiet(name: str):
    family: dict[str, Any] = {
        "parent": goal_in(goal_type=T.OBJECTIVE),
        "dependencies": {"goal_a": goal_in(), "goal_b": goal_in()},
    }
    history: tuple[Event, ...] = (created(title="Something else", goal_type=T.MAINTENANCE),)
    first = amending({name: EVERYTHING[name]}, history=history, **family)
    [event] = first.events
    assert isinstance(event, GoalAmended) and set(event.changes) == set(event.was) == {name}
    assert Spec(GOAL).given(*history, event).state().contract[name] == EVERYTHING[name]

    amending({name: EVERYTHING[name]}, history=(*history, event), **family).then_quiet()


def test_the_same_deadline_in_other_words_is_quiet():
    before = created(time_horizon="2026-03-01T00:00:00.000000Z")
    amending({"time_horizon": "2026-03-01"}, history=(before,)).then_quiet()
    amending({"time_horizon": "2026-03-01T01:00:00+01:00"}, history=(before,)).then_quiet()


def test_a_later_amendment_stands_on_the_earlier_one():
    history = (created(), GoalAmended(changes={"priority": 1}, was={"priority": 3}))
    amending({"priority": 5}, history=history).then(GoalAmended(changes={"priority": 5}, was={"priority": 1}))
    amending({"priority": 1}, history=history).then_quiet()


@pytest.mark.parametrize("status", [status for status in S if status is not S.ARCHIVED])
def test_a_goal_can_be_amended_until_it_is_archived(status: GoalStatus):
    amending({"priority": 4}, history=HISTORIES[status]).then(GoalAmended(changes={"priority": 4}, was={"priority": 3}))


def test_an_archived_goal_cannot_be_amended():
    amending({"priority": 4}, history=HISTORIES[S.ARCHIVED]).then_rejected("archived", "final")


def test_a_goal_keeps_its_type():
    amending({"goal_type": T.OBJECTIVE}).then_rejected("fixed_field", "goal_type")


def test_only_fields_of_a_contract_can_be_amended():
    amending({"status": "active"}).then_rejected("unknown_field", "'status'", "title")


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 0},
        {"priority": 6},
        {"priority": "3"},
        {"priority": True},
        {"learning_required": 1},
        {"title": None},
        {"value": 1.5},
        {"value": float("nan")},
        {"metadata": {"deep": [float("inf")]}},
        {"dependencies": [5]},
        {"dependencies": "goal_a"},
    ],
)
def test_an_amendment_is_as_strict_as_the_contract(changes: dict[str, Any]):
    amending(changes).then_rejected("invalid_value", next(iter(changes)))


def test_a_goal_that_is_not_there_cannot_be_amended():
    amending({"priority": 1}, history=()).then_rejected("unknown_goal")


# --- Hierarchy


@pytest.mark.parametrize("kind", T)
@pytest.mark.parametrize("above", T)
def test_a_goal_stands_only_under_the_types_that_may_hold_it(kind: GoalType, above: GoalType):
    holds = {
        T.OBJECTIVE: set(),
        T.KEY_RESULT: {T.OBJECTIVE},
    }.get(kind, {T.OBJECTIVE, T.KEY_RESULT, T.INITIATIVE})
    assert set(PARENTS[kind]) == holds

    parent = goal_in(goal_type=above)
    contract = Contract(title="A", goal_type=kind, target=95.0, parent_goal_id="goal_parent")
    outcome = creating(contract, parent=parent)
    if above in holds:
        outcome.then(GoalCreated(**dict(contract), status=S.PLANNED))
    else:
        outcome.then_rejected("wrong_parent", kind, above)


def test_a_key_result_belongs_under_an_objective():
    creating(Contract(title="A", goal_type=T.KEY_RESULT)).then_rejected("wrong_parent", "objective")
    alone = created(goal_type=T.KEY_RESULT, parent_goal_id="goal_parent")
    amending({"parent_goal_id": None}, history=(alone,)).then_rejected("wrong_parent", "objective")


def test_a_goal_cannot_stand_under_one_that_is_not_there():
    creating(Contract(title="A", parent_goal_id="goal_gone"), parent=Goal()).then_rejected("unknown_goal")


def key_result(parent: str = "goal_objective", status: GoalStatus = S.PLANNED) -> Goal:
    return goal_in(status, goal_type=T.KEY_RESULT, parent_goal_id=parent)


@pytest.mark.parametrize(
    ("held", "fits"),
    [
        ([key_result()] * 4, True),
        ([key_result()] * 5, False),
        ([key_result()] * 4 + [key_result(status=S.ARCHIVED)] * 3, True),
        ([key_result()] * 4 + [key_result(parent="goal_elsewhere")], True),
        ([key_result()] * 3 + [key_result(status=S.COMPLETED)] * 2, False),
    ],
    ids=["four", "five", "archived ones don't count", "those moved away don't count", "completed ones count"],
)
def test_an_objective_has_at_most_five_key_results(held: list[Goal], fits: bool):
    contract = Contract(title="A", goal_type=T.KEY_RESULT, target=95.0, parent_goal_id="goal_objective")
    objective = goal_in(goal_type=T.OBJECTIVE)
    outcome = creating(contract, parent=objective, key_results=held)
    moving = amending(
        {"parent_goal_id": "goal_objective"},
        history=(created(goal_type=T.KEY_RESULT, parent_goal_id="goal_other"),),
        parent=objective,
        key_results=held,
    )
    if fits:
        outcome.then(GoalCreated(**dict(contract), status=S.PLANNED))
        moving.then(GoalAmended(changes={"parent_goal_id": "goal_objective"}, was={"parent_goal_id": "goal_other"}))
    else:
        outcome.then_rejected("too_many_key_results", "5")
        moving.then_rejected("too_many_key_results", "5")


def test_a_key_result_has_a_target_and_keeps_one():
    objective = goal_in(goal_type=T.OBJECTIVE)
    without = Contract(title="A", goal_type=T.KEY_RESULT, parent_goal_id="goal_parent")
    creating(without, parent=objective).then_rejected("no_target", "target")
    measured = created(goal_type=T.KEY_RESULT, parent_goal_id="goal_parent", target=2.0)
    amending({"target": None}, history=(measured,)).then_rejected("no_target")
    amending({"target": None}).then_quiet()


def test_an_older_key_result_without_a_target_can_be_amended():
    older = created(goal_type=T.KEY_RESULT, parent_goal_id="goal_parent")
    amending({"priority": 1}, history=(older,)).then(GoalAmended(changes={"priority": 1}, was={"priority": 3}))
    amending({"target": 9.0}, history=(older,)).then(GoalAmended(changes={"target": 9.0}, was={"target": None}))


def test_how_many_key_results_an_objective_has_is_a_setting():
    contract = Contract(title="A", goal_type=T.KEY_RESULT, parent_goal_id="goal_objective")
    creating(
        contract, parent=goal_in(goal_type=T.OBJECTIVE), key_results=[key_result()], max_key_results=1
    ).then_rejected("too_many_key_results", "the most is 1")


def test_a_parent_notes_its_child():
    parent = Spec(GOAL).given(created(goal_type=T.OBJECTIVE))
    parent.when(goal.adopt, goal_id="goal_kr", goal_type=T.KEY_RESULT).then(
        ChildAdded(goal_id="goal_kr", goal_type=T.KEY_RESULT)
    )
    assert parent.given(ChildAdded(goal_id="goal_kr", goal_type=T.KEY_RESULT)).state().key_results == ("goal_kr",)
    assert parent.given(ChildAdded(goal_id="goal_i", goal_type=T.INITIATIVE)).state().key_results == ()


def test_a_key_result_is_noted_once():
    Spec(GOAL).given(created(goal_type=T.OBJECTIVE), ChildAdded(goal_id="goal_kr", goal_type=T.KEY_RESULT)).when(
        goal.adopt, goal_id="goal_kr", goal_type=T.KEY_RESULT
    ).then_quiet()


def test_a_goal_never_stands_under_itself():
    initiative = goal_in(goal_type=T.INITIATIVE)
    amending({"parent_goal_id": ME}, parent=initiative, parent_of=lambda _: None).then_rejected("cycle", ME)
    above = {"goal_child": "goal_between", "goal_between": ME, ME: None}
    error = amending({"parent_goal_id": "goal_child"}, parent=initiative, parent_of=above.__getitem__).then_rejected(
        "cycle"
    )
    assert error.message.endswith(f"{ME} under goal_child under goal_between under {ME}")


# --- Dependencies


def test_a_goal_may_depend_on_goals_that_are_there():
    creating(Contract(title="A", dependencies=("goal_b",)), dependencies={"goal_b": goal_in()}).then(
        GoalCreated(title="A", dependencies=("goal_b",), status=S.PLANNED)
    )
    creating(Contract(title="A", dependencies=("goal_b",)), dependencies={"goal_b": Goal()}).then_rejected(
        "unknown_goal", "goal_b"
    )
    amending({"dependencies": ["goal_b"]}, dependencies={"goal_b": Goal()}).then_rejected("unknown_goal", "goal_b")


def test_a_goal_never_depends_on_itself():
    creating(Contract(title="A", dependencies=(ME,)), dependencies={ME: Goal()}).then_rejected("self_dependency")
    amending({"dependencies": [ME]}, dependencies={ME: goal_in()}).then_rejected("self_dependency")


def test_a_circle_of_dependencies_is_refused_and_shown():
    needs = {"goal_b": ("goal_c",), "goal_c": (ME,), ME: ()}
    amending(
        {"dependencies": ["goal_b"]}, dependencies={"goal_b": goal_in()}, depends_on=needs.__getitem__
    ).then_rejected("cycle", f"{ME} → goal_b → goal_c → {ME}")


def test_two_ways_to_the_same_goal_are_no_circle():
    needs: dict[str, tuple[str, ...]] = {"goal_b": ("goal_d",), "goal_c": ("goal_d",), "goal_d": ()}
    amending(
        {"dependencies": ["goal_b", "goal_c"]},
        dependencies={"goal_b": goal_in(), "goal_c": goal_in()},
        depends_on=needs.__getitem__,
    ).then(GoalAmended(changes={"dependencies": ["goal_b", "goal_c"]}, was={"dependencies": []}))


GOALS = [f"goal_{letter}" for letter in "abcdef"]
edges = st.tuples(st.sampled_from(GOALS), st.lists(st.sampled_from(GOALS), max_size=3, unique=True))


@given(st.lists(edges, max_size=25))
def test_whatever_is_amended_dependencies_never_run_in_a_circle(wishes: list[tuple[str, list[str]]]):
    histories: dict[str, tuple[Event, ...]] = {goal_id: (created(title=goal_id),) for goal_id in GOALS}

    def needs(goal_id: str) -> tuple[str, ...]:
        return Spec(GOAL).given(*histories[goal_id]).state().dependencies

    for goal_id, wanted in wishes:
        outcome = amending(
            {"dependencies": wanted},
            history=histories[goal_id],
            goal_id=goal_id,
            dependencies={other: goal_in() for other in wanted},
            depends_on=needs,
        )
        graph = {other: needs(other) for other in GOALS}
        if outcome.error is None:
            histories[goal_id] += tuple(outcome.events)
            _sorted({**graph, goal_id: needs(goal_id)})
        else:
            assert outcome.error.code in ("cycle", "self_dependency")
            with pytest.raises(CycleError):  # it would indeed have been one
                _sorted({**graph, goal_id: tuple(wanted)})


def _sorted(graph: dict[str, tuple[str, ...]]) -> list[str]:
    return list(TopologicalSorter(graph).static_order())


@given(st.lists(st.tuples(st.sampled_from(GOALS), st.none() | st.sampled_from(GOALS)), max_size=25))
def test_whatever_is_amended_no_goal_stands_above_itself(wishes: list[tuple[str, str | None]]):
    histories: dict[str, tuple[Event, ...]] = {goal_id: (created(title=goal_id),) for goal_id in GOALS}

    def above(goal_id: str) -> str | None:
        parent: str | None = Spec(GOAL).given(*histories[goal_id]).state().contract["parent_goal_id"]
        return parent

    for goal_id, parent in wishes:
        outcome = amending(
            {"parent_goal_id": parent},
            history=histories[goal_id],
            goal_id=goal_id,
            parent=None if parent is None else goal_in(),
            parent_of=above,
        )
        graph = {other: tuple(filter(None, [above(other)])) for other in GOALS}
        if outcome.error is None:
            histories[goal_id] += tuple(outcome.events)
            _sorted({**graph, goal_id: tuple(filter(None, [parent]))})
        else:
            assert (outcome.error.code, parent is None) == ("cycle", False)
            with pytest.raises(CycleError):
                _sorted({**graph, goal_id: (str(parent),)})


@pytest.mark.parametrize("status", [status for status in S if status not in (S.COMPLETED, S.COMPLETED_WITH_CAVEATS)])
def test_a_goal_with_an_open_or_failed_dependency_cannot_become_ready(status: GoalStatus):
    others = {"goal_a": goal_in(S.COMPLETED), "goal_b": goal_in(status)}
    Spec(GOAL).given(created()).when(goal.ready, dependencies=others).then_rejected(
        "open_dependencies", f"goal_b ({status})"
    )


def test_a_goal_whose_dependencies_are_done_can_become_ready():
    archived = goal_in(S.COMPLETED)._replace(status=S.ARCHIVED)
    others = {"goal_a": goal_in(S.COMPLETED), "goal_b": goal_in(S.COMPLETED_WITH_CAVEATS), "goal_c": archived}
    Spec(GOAL).given(created()).when(goal.ready, dependencies=others).then(GoalReadied(from_status=S.PLANNED))


def test_a_goal_is_done_when_completed_also_after_it_was_archived():
    assert Spec(GOAL).given(*HISTORIES[S.COMPLETED]).state().done
    assert Spec(GOAL).given(*HISTORIES[S.COMPLETED_WITH_CAVEATS]).state().done
    put_away = GoalArchived(from_status=S.COMPLETED, cause=ArchiveCause.DONE)
    assert Spec(GOAL).given(*HISTORIES[S.COMPLETED], put_away).state().done
    assert not Spec(GOAL).given(*HISTORIES[S.ARCHIVED]).state().done


# --- Time


def test_the_clock_is_given_and_moves_the_deadline():
    contract = Contract(title="A", time_horizon="2026-02-24T09:00:00Z")
    creating(contract, now=NOW + timedelta(microseconds=1)).then_rejected("deadline_passed")
    assert creating(contract, now=NOW).error is None
