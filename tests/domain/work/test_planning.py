"""How goals are broken down: the cheapest method that applies, with its steps filled in."""

from typing import Any

from goal_ledger.domain.work.planning import METHODS, Method, Plan, Precondition, plan

TIMEOUTS = {"task_type": "daily_backup", "error_type": "timeout"}


def of(pattern: str, **evidence: Any) -> dict[str, Any]:
    return {"pattern": pattern, "evidence": evidence}


def test_a_task_that_times_out_is_taken_apart_in_four_steps():
    assert plan(of("task_failure_recurring", **TIMEOUTS), METHODS) == Plan(
        "find_the_bottleneck",
        1.0,
        [
            "Analyze the logs of 'daily_backup' for timeout patterns",
            "Identify the resource bottleneck that causes the timeouts",
            "Increase the timeout or relieve the bottleneck",
            "Test 'daily_backup' with the fix applied",
        ],
        ["find_the_cause"],
    )


def test_without_its_precondition_the_next_cheapest_is_taken():
    found = plan(of("task_failure_recurring", task_type="backup", error_type="disk full"), METHODS)
    assert found is not None
    assert (found.method, found.others, found.steps[0]) == (
        "find_the_cause",
        [],
        "Analyze the logs of 'backup' for 'disk full'",
    )


def test_a_precondition_asks_for_a_field_and_a_part_of_its_text_in_any_case():
    assert Precondition("error_type", "TIME").holds(TIMEOUTS)
    assert Precondition("error_type").holds(TIMEOUTS)
    assert not Precondition("host").holds(TIMEOUTS)
    assert not Precondition("error_type", "disk").holds(TIMEOUTS)


def test_a_goal_without_a_pattern_or_of_another_one_has_no_plan():
    assert plan({}, METHODS) is None
    assert plan(of("broken"), METHODS) is None
    assert plan({"pattern": "task_failure_recurring", "evidence": "none"}, METHODS) is not None


def test_equal_costs_go_by_name_and_the_order_of_the_methods_makes_no_difference():
    methods = [Method("b", "p", ("do b",)), Method("a", "p", ("do a",)), Method("c", "p", ("do c",), cost=0.5)]
    for given in (methods, methods[::-1]):
        assert plan(of("p"), given) == Plan("c", 0.5, ["do c"], ["a", "b"])


def test_evidence_is_text_and_nothing_else():
    found = plan(of("p", name="{other}", other="{name}"), [Method("m", "p", ("mend {name} {unknown}",))])
    assert found is not None
    assert found.steps == ["mend {other} {unknown}"]


def test_every_pattern_of_the_detectors_has_a_method():
    assert {method.pattern for method in METHODS} == {
        "task_failure_recurring",
        "task_failure_incident",
        "failure_recurring",
        "key_result_off_track",
        "goal_stalled",
        "agent_task_failing",
    }
