"""Events that cannot be folded: set aside with their reason, and folded after the fix."""

from typing import NamedTuple

import pytest

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.errors import NotFound
from goal_ledger.domain.goals.goal import GoalCreated, GoalFailed, GoalReadied
from goal_ledger.projections.base import Projection
from tests.adapters.views.histories import Tally, append, begin, everything, ready, tally, tell
from tests.adapters.views.homes import Home

REASONS = {
    "raise": ("RuntimeError: cannot count that",),
    "overflow": ("OverflowError: ", "NumericValueOutOfRange: "),
    "nonsense": ("ProgrammingError: ",),
}


@pytest.mark.parametrize("page", [1, 2, 5_000])
@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("reason", REASONS)
def test_an_event_that_cannot_be_folded_is_set_aside_and_the_rest_goes_on(
    home: Home, page: int, rebuilt: bool, reason: str
):
    mine, other = tally(), tally("other")
    tell(home.log, *begin("a", "b"), ready("b"))
    with home.views(mine, other, page=page) as views:
        assert len(everything(views, mine)) == 2
        tell(home.log, ready("a", reason), ready("b"), *begin("c"))
        if rebuilt:
            views.rebuilds.rebuild()
        assert [row.stream for row in everything(views, mine)] == ["a", "b", "c"]
        assert everything(views, mine)[1:] == [Tally("b", 2, 0.5, False), Tally("c", 0, None, False)]
        assert everything(views, other) == everything(views, mine)

        found = views.repairs.quarantined()
        assert [(item.projection, item.position, item.stream, item.event) for item in found] == [
            ("other", 4, "a", "goal.readied"),
            ("tally", 4, "a", "goal.readied"),
        ]
        assert all(item.problem.startswith(REASONS[reason]) for item in found)
        assert [status.quarantined for status in views.rebuilds.status()] == [1, 1]
        tell(home.log, ready("a"))
        assert views.get(mine, "a") == Tally("a", 1, 0.5, True)


def test_events_that_nobody_can_read_are_set_aside_for_everybody(home: Home):
    mine, other = tally(), tally("other")
    tell(home.log, *begin("a"))
    append(
        home.log,
        ("a", 2, "goal.teleported", b"{}"),
        ("a", 3, "goal.readied", b"nonsense"),
        ("a", 4, "run.heartbeat", b"nonsense"),  # they do not read that
    )
    tell(home.log, ready("a"))
    with home.views(mine, other) as views:
        assert everything(views, mine) == everything(views, other) == [Tally("a", 1, 0.5, True)]
        assert [item[:4] for item in views.repairs.quarantined()] == [
            (name, position, "a", event)
            for position, event in ((2, "goal.teleported"), (3, "goal.readied"))
            for name in ("other", "tally")
        ]
        assert "newer code" in views.repairs.quarantined()[0].problem
        assert views.repairs.retry() == 0
        assert len(views.repairs.quarantined()) == 4


def broken() -> Projection[Tally]:
    """The same by its digest, but nobody wrote its handlers."""
    projection = Projection("tally", Tally, key="stream", indexes=(("moves", "stream"),))

    @projection.on(GoalCreated, GoalReadied, GoalFailed)
    def _(row: Tally | None, item: Recorded, event: Event) -> Tally | None:
        raise RuntimeError("not yet written")

    assert projection.digest == tally().digest
    return projection


def test_what_was_set_aside_is_healed_by_a_rebuild_after_the_fix(kept: Home):
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(broken()) as views:
        assert (everything(views, broken()), len(views.repairs.quarantined())) == ([], 2)
    with kept.views(tally()) as views:
        assert len(views.repairs.quarantined()) == 2
        views.rebuilds.rebuild(["tally"])
        assert (everything(views, tally()), views.repairs.quarantined()) == ([Tally("a", 1, 0.5, True)], [])


# --- Retry


def test_a_retry_heals_exactly_what_can_be_healed(kept: Home):
    tell(kept.log, *begin("a", "b", "c"), ready("a"), ready("b", "raise"), ready("b"))
    with kept.views(broken()) as views:
        views.catch_up()
        tell(kept.log, ready("c"))
        assert len(everything(views, broken())) == 0 and len(views.repairs.quarantined()) == 7
    with kept.views(tally()) as views:
        assert views.repairs.retry() == 6
        assert [item[1:] for item in views.repairs.quarantined()] == [
            (5, "b", "goal.readied", "RuntimeError: cannot count that")
        ]
        expected = [Tally("a", 1, 0.5, True), Tally("b", 1, 0.5, True), Tally("c", 1, 0.5, True)]
        assert everything(views, tally()) == expected
        assert views.repairs.retry() == 0
        assert len(views.repairs.quarantined()) == 1 and everything(views, tally()) == expected


def test_only_the_named_read_models_are_retried(kept: Home):
    mine, other = tally(), tally("other")
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(mine, other) as views:
        views.catch_up()
        kept.ask("INSERT INTO quarantine SELECT name, 2, 'a', 'goal.readied', 'was broken' FROM folded")
        assert views.repairs.retry(["other"]) == 1
        assert [item.projection for item in views.repairs.quarantined()] == ["tally"]
        with pytest.raises(NotFound) as missing:
            views.repairs.retry(["others"])
        assert missing.value.code == "unknown_projection"
        assert views.repairs.retry() == 1 and views.repairs.quarantined() == []


class Move(NamedTuple):
    position: int
    event: str


def by_position(*reads: type[Event]) -> Projection[Move]:
    """A row for each event."""
    projection = Projection("moves", Move, key="position")

    @projection.on(*reads, at=lambda item, _: item.position)
    def _(row: Move | None, item: Recorded, event: Event) -> Move:
        return Move(item.position, item.name)

    return projection


def test_an_event_that_turns_out_not_to_concern_a_read_model_is_lacking_no_more(kept: Home):
    mine = by_position(GoalCreated)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(mine) as views:
        views.catch_up()  # and code that did not know the second event had set it aside
        kept.ask("INSERT INTO quarantine SELECT name, 2, 'a', 'goal.readied', 'a newer event' FROM folded")
        assert views.repairs.retry() == 1
        assert views.repairs.quarantined() == []
        assert everything(views, mine) == [Move(1, "goal.created")]
