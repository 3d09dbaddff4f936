"""What conditions may ask of the rows."""

from goal_ledger.domain.conditions import Kind
from goal_ledger.projections.fields import kinds
from goal_ledger.projections.learning.after_action_reviews import after_action_reviews
from goal_ledger.projections.learning.learning_cycle_reports import learning_cycle_reports
from goal_ledger.projections.registry import NOUNS, PROJECTIONS
from goal_ledger.projections.runs.run_ends import run_ends
from goal_ledger.projections.work.agenda import agenda

WITHOUT = {agenda, run_ends, after_action_reviews, learning_cycle_reports}
"""Of them no condition is asked: the first two serve other questions, the others are accounts of what is over."""


def test_every_read_model_with_one_row_per_stream_has_a_noun():
    own = [one for one in PROJECTIONS.values() if one.is_by_stream and one not in WITHOUT]
    assert list(NOUNS.values()) == own
    assert [one.key for one in own] == [f"{noun}_id" for noun in NOUNS]


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
