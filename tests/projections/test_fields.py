"""What conditions may ask of the rows."""

from goal_ledger.domain.conditions import Kind
from goal_ledger.projections.fields import kinds
from goal_ledger.projections.registry import NOUNS, PROJECTIONS


def test_a_noun_names_the_rows_of_one_read_model_with_one_row_per_stream():
    named = [one for one in PROJECTIONS.values() if one.noun is not None]
    assert list(NOUNS.items()) == [(one.noun, one) for one in named]
    assert [one.name for one in named if not one.is_by_stream or one.key != f"{one.noun}_id"] == []
    assert NOUNS.keys() >= {"goal", "run", "lesson", "rule", "loop", "proposal", "scan", "belief", "project"}


def test_a_field_is_of_the_kind_that_its_row_declares():
    goal, run, lesson, rule = (kinds(NOUNS[noun].row) for noun in ("goal", "run", "lesson", "rule"))
    assert (goal["title"], goal["priority"], goal["done"]) == (Kind("text"), Kind("number"), Kind("truth"))
    assert goal["time_horizon"] == Kind("time", ("ongoing",))
    assert run["local_outcome"] == Kind("word", ("succeeded", "failed", "partial"))
    assert (run["cost_usd"], run["score"]) == (Kind("number", exact=True), Kind("number"))
    assert (rule["activation_mode"], rule["share"]) == (Kind("word", ("shadow", "canary", "full")), Kind("number"))
    assert (run["started_at"], lesson["goal_type"].name) == (Kind("time"), "word")


def test_lists_and_objects_are_no_fields_of_conditions():
    assert {"dependencies", "criteria", "metadata", "actions_taken", "metrics_after"}.isdisjoint(
        {field for projection in NOUNS.values() for field in kinds(projection.row)}
    )
