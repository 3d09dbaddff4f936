"""Mending the rows of one stream in place."""

from typing import NamedTuple

import pytest

from goal_ledger.adapters.views.repairs import Repaired
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import GoalReadied
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.state_events import goal_state_events
from goal_ledger.projections.registry import PROJECTIONS
from tests.adapters.views.histories import (
    Tally,
    append,
    begin,
    by_hand,
    changes_of,
    everything,
    failed,
    fill,
    ready,
    tally,
    tell,
)
from tests.adapters.views.homes import Home


def table(views: Views, name: str) -> str:
    return next(str(status.table) for status in views.rebuilds.status() if status.name == name)


def test_the_rows_of_one_goal_are_mended_and_no_others(kept: Home):
    fill(kept.log, repeat=2)
    with kept.views() as views:
        views.catch_up()
        board, moves = table(views, "goal_definitions"), table(views, "goal_state_events")
        its_moves = [row.position for row in by_hand(kept.log, goal_state_events) if row.goal_id == "goal_0_0"]
        kept.ask(f"UPDATE \"{board}\" SET title = 'forged'")
        kept.ask(f"UPDATE \"{moves}\" SET reason = 'forged'")
        kept.ask(f'DELETE FROM "{moves}" WHERE position = {its_moves[0]}')

        done = {each.projection: each for each in views.repairs.repair("goal_0_0")}
        assert done["goal_definitions"] == Repaired("goal_definitions", 1, 1)
        assert done["goal_state_events"] == Repaired("goal_state_events", len(its_moves), len(its_moves))
        assert {each.changed for name, each in done.items() if not name.startswith("goal_")} == {0}

        for projection, forged in ((goal_definitions, {"title": "forged"}), (goal_state_events, {"reason": "forged"})):
            assert everything(views, projection) == [
                row if row.goal_id == "goal_0_0" else row._replace(**forged) for row in by_hand(kept.log, projection)
            ]
        assert {item.changed for item in views.repairs.repair("goal_0_0")} == {0}


def test_a_row_that_should_not_be_there_is_taken_away(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"), failed("a"))
    with kept.views(mine) as views:
        views.catch_up()
        kept.ask(f"UPDATE \"{table(views, 'tally')}\" SET stream = 'a'")
        assert views.repairs.repair("a") == [Repaired("tally", 1, 1)]
        assert views.repairs.repair("b") == [Repaired("tally", 1, 1)]
        assert everything(views, mine) == [Tally("b", 0, None, False)]


def test_a_stream_that_no_read_model_has_rows_of_gives_nothing(home: Home):
    fill(home.log)
    with home.views() as views:
        assert views.repairs.repair("goal_gone") == []
        assert all(everything(views, each) == by_hand(home.log, each) for each in PROJECTIONS.values())


def test_what_was_not_folded_yet_is_folded_first(kept: Home):
    mine = tally()
    with kept.views(mine) as views:
        tell(kept.log, *begin("a"), ready("a"))
        assert views.repairs.repair("a") == [Repaired("tally", 1, 0)]
        assert everything(views, mine) == [Tally("a", 1, 0.5, True)]


@pytest.mark.parametrize("reason", ["raise", "overflow", "nonsense"])
def test_a_repair_sets_aside_what_cannot_be_folded_as_before(kept: Home, reason: str):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("a", reason), ready("a"), ready("b", reason))
    append(kept.log, ("a", 4, "goal.teleported", b"{}"))
    with kept.views(mine) as views:
        views.catch_up()
        lacking = views.repairs.quarantined()
        assert [item.position for item in lacking] == [3, 5, 6]
        kept.ask(f"DELETE FROM \"{table(views, 'tally')}\" WHERE stream = 'a'")
        kept.ask("DELETE FROM quarantine WHERE stream = 'a'")
        assert views.repairs.repair("a") == [Repaired("tally", 1, 1)]
        assert views.repairs.quarantined() == lacking
        assert everything(views, mine)[0] == Tally("a", 1, 0.5, True)


# --- Rows that several streams share


class Reason(NamedTuple):
    reason: str
    times: int
    last: str


def reasons() -> Projection[Reason]:
    """How often each reason was given, over all goals."""
    projection = Projection("reasons", Reason, key="reason")

    @projection.on(GoalReadied, at=lambda _, event: event.reason or "none")
    def _(row: Reason | None, item: Recorded, event: GoalReadied) -> Reason:
        return Reason(event.reason or "none", (row.times if row else 0) + 1, item.stream)

    return projection


def test_a_row_that_several_streams_share_is_mended_and_explained_from_all_of_them(kept: Home):
    mine = reasons()
    tell(kept.log, *begin("a", "b"), ready("a", "key"), ready("b", "key"), ready("b", "day"), ready("a", "key"))
    with kept.views(mine) as views:
        views.catch_up()
        right = [Reason("day", 1, "b"), Reason("key", 3, "a")]
        assert everything(views, mine) == by_hand(kept.log, mine) == right
        kept.ask(f'UPDATE "{table(views, "reasons")}" SET times = 9')
        [diff] = views.rebuilds.dry_run()
        assert changes_of(diff) == [
            ("day", "changed", {"times": (9, 1)}, 5),
            ("key", "changed", {"times": (9, 3)}, 6),
        ]
        assert views.repairs.repair("a") == [Repaired("reasons", 1, 1)]
        assert everything(views, mine) == [Reason("day", 9, "b"), Reason("key", 3, "a")]
        assert views.repairs.repair("b") == [Repaired("reasons", 2, 1)]
        assert everything(views, mine) == right
