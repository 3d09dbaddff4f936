"""A mistake in a fold, whatever the history: a dry run shows exactly the rows that it changed, and why."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.goals.goal import GoalBlocked, GoalCreated, GoalFailed, GoalReadied
from goal_ledger.projections.base import Projection
from tests.adapters.views.histories import begin, blocked, by_hand, changes_of, everything, failed, ready, tally, tell
from tests.adapters.views.homes import Home, PlaceHome
from tests.places import FilePlace, ServerPlace
from tests.tools import examples

MOVES = st.sampled_from([GoalCreated, GoalReadied, GoalFailed, GoalBlocked])


def planted(wrong: frozenset[int]) -> Projection[Any]:
    """The tally, by a fold that overlooks the events at some positions."""
    mistaken = tally()

    for event_type, fold in tally().folds.items():

        @mistaken.on(event_type)
        def _(row: Any, item: Recorded, event: Event, handler: Any = fold.handler) -> Any:
            return row if item.position in wrong else handler(row, item, event)

    return mistaken


@settings(max_examples=examples(20))
@given(
    moves=st.lists(st.tuples(st.sampled_from("abcd"), MOVES), max_size=25),
    wrong=st.frozensets(st.integers(1, 25), max_size=6),
    version=st.sampled_from([1, 2]),
    page=st.sampled_from([1, 4, 5_000]),
)
def test_a_planted_mistake_shows_in_exactly_the_rows_that_it_changed(moves, wrong, version, page):
    with tempfile.TemporaryDirectory() as folder:
        check_planted(PlaceHome(FilePlace(Path(folder) / "ledger.db")), moves, wrong, version, page)


@settings(max_examples=examples(5))
@given(
    moves=st.lists(st.tuples(st.sampled_from("abcd"), MOVES), min_size=5, max_size=25),
    wrong=st.frozensets(st.integers(1, 25), max_size=6),
    version=st.sampled_from([1, 2]),
)
def test_a_planted_mistake_shows_on_a_server_too(postgres, moves, wrong, version):
    check_planted(PlaceHome(ServerPlace(postgres)), moves, wrong, version, page=4)


EVENTS = {type(event): event for _, event in [*begin("x"), ready("x"), failed("x"), blocked("x")]}


def check_planted(
    home: Home, moves: list[tuple[str, type[Event]]], wrong: frozenset[int], version: int, page: int
) -> None:
    """A dry run of the right code against rows of the mistaken code, beside a naive comparison."""
    mistaken, right = planted(wrong), tally(version=version)
    tell(home.log, *((stream, EVENTS[kind]) for stream, kind in moves))
    with home.views(mistaken, page=page) as views:
        assert everything(views, mistaken) == by_hand(home.log, mistaken)
    with home.views(right, page=page) as views:
        [diff] = views.rebuilds.dry_run()
    before, after = ({row.stream: row for row in by_hand(home.log, each)} for each in (mistaken, right))
    expected = []
    for key in sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)):
        was, now = (side[key]._asdict() if key in side else {} for side in (before, after))
        fields = {name: (was[name], now[name]) for name in was if now and was[name] != now[name]}
        what = "changed" if was and now else "added" if now else "removed"
        expected.append((key, what, fields, since(home, right, key, list(fields))))
    home.log.close()
    assert changes_of(diff) == expected


def since(home: Home, projection: Projection[Any], key: str, fields: list[str]) -> int:
    """The position of the first event of a row after which it had its present value, in some fields, for good."""
    row, values = None, []
    for item in home.log.stream(key):
        if isinstance(item, Recorded) and type(item.event) in projection.folds:
            row = projection.fold(row, item)
            values.append((item.position, row and [getattr(row, field) for field in fields]))
    present = values[-1][1]
    lasting = [position for at, (position, _) in enumerate(values) if all(v == present for _, v in values[at:])]
    return lasting[0]
