"""Criteria: what done means."""

from typing import Any

import pytest

from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.goals.criteria import Criterion, measured, numbered


@pytest.mark.parametrize(
    ("text", "metric", "op", "target", "unit"),
    [
        ("error rate < 1%", "error rate", "<", 1.0, "%"),
        ("error rate<1 %", "error rate", "<", 1.0, "%"),
        ("uptime >= 99.9", "uptime", ">=", 99.9, None),
        ("latency <= 200ms", "latency", "<=", 200.0, "ms"),
        ("revenue > 1000 USD", "revenue", ">", 1000.0, "USD"),
        ("tests = 0", "tests", "=", 0.0, None),
        ("drift > -0.5", "drift", ">", -0.5, None),
        ("drift < +0.5", "drift", "<", 0.5, None),
        ("  p99 of /cart < 2s  ", "p99 of /cart", "<", 2.0, "s"),
        ("Fehlerquote < 1‰", "Fehlerquote", "<", 1.0, "‰"),
    ],
)
def test_a_measured_criterion_is_read_from_one_line(text: str, metric: str, op: str, target: float, unit: str | None):
    fields = measured(text)
    assert fields == {"text": text.strip(), "metric": metric, "op": op, "target": target, "unit": unit}
    assert numbered([fields]) == (Criterion.model_validate({"id": "c1", **fields}),)


@pytest.mark.parametrize("text", ["", "faster", "< 5", "a < b", "a < ", "a == 5", "a => 5", "a < 5 apples a day", "1%"])
def test_what_cannot_be_measured_is_refused(text: str):
    with pytest.raises(Invalid) as refused:
        measured(text)
    assert refused.value.code == "bad_metric"
    assert refused.value.hint is not None and "error rate < 1%" in refused.value.hint


def test_criteria_without_an_id_are_numbered_by_their_place():
    own = Criterion(id="mine", text="said so")
    assert numbered(["restored", own, {"text": "fast", "id": "f"}, {"text": "cheap"}]) == (
        Criterion(id="c1", text="restored"),
        own,
        Criterion(id="f", text="fast"),
        Criterion(id="c4", text="cheap"),
    )
    assert numbered([]) == ()


@pytest.mark.parametrize(
    "given",
    [
        [{"text": "a", "weight": 0.0}],
        [{"text": "a", "weight": -1.0}],
        [{"text": "a", "weight": float("inf")}],
        [{"text": "a", "target": float("nan")}],
        [{"text": "a", "required": 1}],
        [{"text": "a", "op": "!="}],
        [{"text": 5}],
        [{"text": "a", "colour": "red"}],
        [{}],
        [5],
        [None],
        [{"text": "a", "id": "c2"}, "b"],  # the second would be c2 too
        [{"text": "a", "id": "x"}, {"text": "b", "id": "x"}],
        "error rate < 1%",
        {"text": "a"},
        5,
        None,
    ],
    ids=str,
)
def test_a_criterion_that_is_none_is_refused(given: Any):
    with pytest.raises(Invalid) as refused:
        numbered(given)
    assert refused.value.code == "invalid_value"
