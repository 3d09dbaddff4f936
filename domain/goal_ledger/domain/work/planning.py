"""How a goal is broken down into steps: methods for each pattern, of which the cheapest applicable one is taken.

The seam of a hierarchical task network: a method applies to goals of one pattern when its preconditions hold of the
evidence (Ghallab, Nau and Traverso, "Automated Planning", 2004, chapter 11). Its steps are text for whoever works.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

_FIELD = re.compile(r"\{(\w+)\}")


class Precondition(NamedTuple):
    """What the evidence must say. contains: a part of the field's text, in any case; "" for any value."""

    field: str
    contains: str = ""

    def holds(self, evidence: Mapping[str, Any]) -> bool:
        return self.field in evidence and self.contains.casefold() in str(evidence[self.field]).casefold()


class Method(NamedTuple):
    """A way to reach a goal. cost: in any unit that all methods of a pattern share. steps: `{field}` is evidence."""

    name: str
    pattern: str
    steps: tuple[str, ...]
    cost: float = 1.0
    preconditions: tuple[Precondition, ...] = ()


class Plan(NamedTuple):
    """The method that was chosen, with its steps for this goal. others: names of those that apply too but cost more."""

    method: str
    cost: float
    steps: Sequence[str]
    others: Sequence[str]

    def __str__(self) -> str:
        return f"{self.method}: " + "; ".join(f"{number}. {step}" for number, step in enumerate(self.steps, start=1))


def plan(metadata: Mapping[str, Any], methods: Iterable[Method]) -> Plan | None:
    """The cheapest method that applies to a goal, of equal ones the first by name; None when there is none.

    metadata: the goal's, with its `pattern` and `evidence`.
    """
    evidence = metadata.get("evidence")
    evidence = evidence if isinstance(evidence, Mapping) else {}
    applicable = sorted(
        (method.cost, method.name, method)
        for method in methods
        if method.pattern == metadata.get("pattern") and all(one.holds(evidence) for one in method.preconditions)
    )
    if not applicable:
        return None
    (cost, name, chosen), *rest = applicable
    return Plan(name, cost, [_filled(step, evidence) for step in chosen.steps], [other for _, other, _ in rest])


def _filled(step: str, evidence: Mapping[str, Any]) -> str:
    """The step with the evidence that it names; what is not known stays as it is written."""
    return _FIELD.sub(lambda found: str(evidence.get(found[1], found[0])), step)


METHODS = (
    Method(
        "find_the_bottleneck",
        "task_failure_recurring",
        (
            "Analyze the logs of '{task_type}' for timeout patterns",
            "Identify the resource bottleneck that causes the timeouts",
            "Increase the timeout or relieve the bottleneck",
            "Test '{task_type}' with the fix applied",
        ),
        cost=1.0,
        preconditions=(Precondition("error_type", "timeout"),),
    ),
    Method(
        "find_the_cause",
        "task_failure_recurring",
        (
            "Analyze the logs of '{task_type}' for '{error_type}'",
            "Identify what causes it",
            "Implement a fix",
            "Test '{task_type}' with the fix applied",
        ),
        cost=2.0,
    ),
    Method(
        "find_the_common_cause",
        "task_failure_incident",
        (
            "List what the tasks have in common: host, network, credentials, schedule",
            "Find what changed or failed at {first_failure}",
            "Mend the common cause",
            "Run every task once more, and compare",
        ),
    ),
    Method(
        "find_the_lever",
        "key_result_off_track",
        (
            "Compare what was planned for the key result with what was done",
            "Identify the work that moves it most",
            "Put that work first",
            "Measure again after a week",
        ),
    ),
    Method(
        "read_the_reviews",
        "failure_recurring",
        (
            "Read the reviews of {run_id} and of the runs before it that failed alike",
            "Find why what was learned from them did not help",
            "Change the step that fails, or what is told about it",
            "Watch the next runs of {goal_id}",
        ),
    ),
    Method(
        "ask_the_owner",
        "goal_stalled",
        (
            "Ask whoever owns {goal_id} what it waits for",
            "Remove what stands in the way, or give it to somebody else",
            "Set a date, or archive it",
        ),
    ),
    Method(
        "teach_or_reassign",
        "agent_task_failing",
        (
            "Read the reviews of the runs of '{agent}' at '{task_category}'",
            "Give the agent the lessons and tools that they ask for",
            "Give the next such task to another agent, and compare",
        ),
    ),
)
