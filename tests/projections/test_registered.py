"""What holds for every read model."""

import pytest

from goal_ledger import projections
from goal_ledger.domain.registry import EVENTS
from goal_ledger.domain.scan import found
from goal_ledger.projections.base import Projection
from goal_ledger.projections.continuity.sessions import sessions
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.open_loops import open_loops
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.registry import PROJECTIONS
from goal_ledger.projections.runs.goal_runs import goal_runs
from goal_ledger.projections.strategy.projects import projects
from tests.golden.files import history


@pytest.mark.parametrize(
    ("prefix", "projection"),
    [("goal", goal_definitions), ("run", goal_runs), ("lesson", lessons), ("loop", open_loops), ("project", projects)],
)
def test_a_row_knows_the_last_event_of_its_stream(prefix, projection):
    events = {event_type for name, event_type in EVENTS.items() if name.startswith(f"{prefix}.")}
    assert events - set(projection.folds) == set()  # or `version` of the row would not be that of the stream

    row = None
    for recorded, _ in history(projection):
        if recorded.stream.endswith("_1"):
            row = projection.fold(row, recorded)
            assert (row.version, row.position) == (recorded.version, recorded.position)


def test_read_models_are_found_where_they_lie_in_order_of_their_names():
    declared = [each.name for each in found(projections, Projection)]
    assert list(PROJECTIONS) == sorted(declared), "two read models share a name"
    assert {goal_definitions, goal_runs, lessons} < set(PROJECTIONS.values())


@pytest.mark.parametrize("name", PROJECTIONS)
def test_a_read_model_declares_what_its_table_needs(name):
    projection = PROJECTIONS[name]
    columns = set(projection.row._fields)
    assert (projection.name, projection.key in columns) == (name, True)
    assert {column for index in projection.indexes for column in index} - columns == set()
    assert projection.version >= 1


def test_the_digest_of_a_read_model_changes_with_its_shape_and_with_nothing_else():
    from typing import NamedTuple

    from goal_ledger.domain.goals.goal import GoalCreated, GoalFailed
    from goal_ledger.projections.base import Projection

    class Row(NamedTuple):
        goal_id: str
        title: str

    class Wider(NamedTuple):
        goal_id: str
        title: str | None

    def made(row=Row, name="rows", key="goal_id", version=1, indexes=(), reads=(GoalCreated,)):
        projection = Projection(name, row, key=key, version=version, indexes=indexes)
        projection.on(*reads)(lambda before, recorded, event: before)
        return projection.digest

    digests = [
        made(),
        made(row=Wider),
        made(name="others"),
        made(key="title"),
        made(version=2),
        made(indexes=(("title",),)),
        made(reads=(GoalCreated, GoalFailed)),
    ]
    assert len(set(digests)) == len(digests)
    assert made() == digests[0]
    assert made(reads=(GoalFailed, GoalCreated)) == digests[-1]


def test_a_row_without_a_beginning_stays_away():
    creators = {
        "goal.created", "run.queued", "run.started", "lesson.learned", "loop.opened", "session.started",
        "project.registered",
    }  # fmt: skip
    for projection in (goal_definitions, goal_runs, lessons, open_loops, sessions, projects):
        for recorded, _ in history(projection):
            if recorded.name not in creators:
                assert projection.fold(None, recorded) is None
