"""What read models hold: the fold of the log, whenever and in whatever portions it is folded."""

from decimal import Decimal

import pytest

from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.registry import EVENTS
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.state_events import goal_state_events
from goal_ledger.projections.registry import PROJECTIONS
from goal_ledger.projections.runs.goal_runs import goal_runs
from tests.adapters.views.histories import (
    Stop,
    Tally,
    append,
    begin,
    by_hand,
    everything,
    failed,
    fill,
    ready,
    tally,
    tell,
)
from tests.adapters.views.homes import Home, PlaceHome
from tests.golden.files import stored
from tests.places import FilePlace, ServerPlace


@pytest.mark.parametrize("page", [1, 2, 7, 50, 5_000])
def test_rows_are_the_fold_of_the_log_whatever_the_page(home: Home, page: int):
    fill(home.log, repeat=3)
    with home.views(page=page) as views:
        expected = {projection: by_hand(home.log, projection) for projection in PROJECTIONS.values()}
        for projection, rows in expected.items():
            assert everything(views, projection) == rows
            assert repr(everything(views, projection)) == repr(rows)  # enums, decimals, tuples and booleans too
        many = [projection for projection, rows in expected.items() if len(rows) >= 3]
        assert len(many) > len(PROJECTIONS) / 2  # some hold only goals that are open, or few groups


def test_it_makes_no_difference_when_they_catch_up(kept: Home):
    versions: dict[str, int] = {}
    with kept.views() as views:
        for name, event_type in EVENTS.items():
            stream = f"{name.partition('.')[0]}_1"
            versions[stream] = versions.get(stream, 0) + 1
            body = stored(name, event_type.schema_version)[0]
            append(kept.log, (stream, versions[stream], name, body))
            assert views.catch_up() == kept.log.head()
        often = kept.tables()
        for name in [name for (name,) in kept.ask("SELECT name FROM folded")]:
            kept.ask(f'DROP TABLE "{name}"')
        kept.ask("DELETE FROM folded")
    with kept.views() as views:
        views.catch_up()
    assert kept.tables() == often


def test_rows_have_the_types_that_they_declare(home: Home):
    fill(home.log)
    with home.views() as views:
        [goal] = views.select(goal_definitions, {"goal_id": "goal_0_0"}, order=("goal_id",))
        [run] = views.select(goal_runs, {"run_id": "run_0_0"}, order=("run_id",))
    assert (goal.status, goal.learning_required, goal.auto_approved) == (GoalStatus.ARCHIVED, False, True)
    assert [type(cell) for cell in (goal.status, goal.learning_required, goal.value)] == [GoalStatus, bool, float]
    assert (run.cost_usd, type(run.cost_usd), run.status) == (Decimal("0.10"), Decimal, RunStatus.FINISHED)
    assert (run.actions_taken, goal.failure_conditions[0]) == (("copied",), "two nights without one")
    assert [type(cell) for cell in (run.actions_taken, goal.criteria, goal.metadata)] == [tuple, tuple, dict]


def test_both_databases_hold_the_same_rows_to_the_letter(tmp_path, postgres):
    homes = [PlaceHome(FilePlace(tmp_path / "ledger.db")), PlaceHome(ServerPlace(postgres))]
    found = []
    for home in homes:
        fill(home.log, repeat=2)
        tell(home.log, *begin("a", "é", "Z", "z", "_"), ready("é", "nonsense"), ready("z"), failed("Z"))
        with home.views(*PROJECTIONS.values(), tally()) as views:
            rows = {name: everything(views, each) for name, each in (PROJECTIONS | {"tally": tally()}).items()}
            lacking = [item[:4] for item in views.repairs.quarantined()]
        heads = home.ask("SELECT name, projection, digest, role, position, ledger FROM folded ORDER BY name")
        stored_events = [row[1:] for row in home.log.page(0, 1_000)]
        found.append((repr(rows), lacking, heads, stored_events))
        home.log.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 5_000 and len(found[0][1]) == 1


def test_one_row_is_found_by_its_key(home: Home):
    fill(home.log)
    with home.views() as views:
        assert views.get(goal_definitions, "goal_0_1") == by_hand(home.log, goal_definitions)[1]
        assert views.get(goal_definitions, "goal_gone") is None
        [first, *_] = everything(views, goal_state_events)
        assert views.get(goal_state_events, first.position) == first


def test_an_empty_log_has_no_rows(home: Home):
    with home.views() as views:
        assert [everything(views, projection) for projection in PROJECTIONS.values()] == [[]] * len(PROJECTIONS)
        assert views.catch_up() == 0
        fill(home.log)
        assert everything(views, goal_definitions) == by_hand(home.log, goal_definitions)


@pytest.mark.parametrize("page", [1, 3, 5_000])
def test_a_handler_that_gives_nothing_deletes_the_row_and_it_may_come_again(home: Home, page: int):
    mine = tally()
    with home.views(mine, page=page) as views:
        tell(home.log, *begin("a", "b"), ready("a"), failed("a"), ready("a"), failed("c"))
        assert everything(views, mine) == [Tally("b", 0, None, False)]
        tell(home.log, *begin("a"), ready("a"))
        assert everything(views, mine) == [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]
        views.rebuilds.rebuild()
        assert everything(views, mine) == [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]


# --- Several projections, several processes


def test_a_new_version_of_a_fold_gets_its_own_table_from_the_beginning(kept: Home):
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(tally()) as views:
        assert everything(views, tally()) == [Tally("a", 1, 0.5, True)]
    twice = tally(step=2, version=2)
    with kept.views(twice) as views:
        assert everything(views, twice) == [Tally("a", 2, 0.5, True)]
    with kept.views(tally()) as views:  # and older code still finds its own
        assert everything(views, tally()) == [Tally("a", 1, 0.5, True)]


def test_a_new_read_model_joins_those_that_are_there(kept: Home):
    tell(kept.log, *begin("a", "b"))
    with kept.views(tally()) as views:
        views.catch_up()
    tell(kept.log, ready("a"))
    with kept.views(tally(), tally("other"), page=1) as views:
        expected = [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]
        assert everything(views, tally("other")) == everything(views, tally()) == expected


def test_read_models_that_stand_at_different_places_catch_up_together(kept: Home):
    mine, other = tally(), tally("other")
    tell(kept.log, *begin("a", "b"))
    with kept.views(mine, other) as views:
        views.catch_up()
    tell(kept.log, ready("a"), ready("a"))
    with kept.views(other) as views:
        views.catch_up()  # one is ahead now
    tell(kept.log, ready("a"), ready("b"))
    with kept.views(mine, other) as views:
        expected = [Tally("a", 3, 0.5, True), Tally("b", 1, 0.5, True)]
        assert everything(views, mine) == everything(views, other) == expected


def test_another_process_that_catches_up_in_between_is_noticed(kept: Home):
    mine = tally()
    with kept.views(mine, page=1) as one, kept.views(mine) as other:
        tell(kept.log, *begin("a", "b"))
        one.catch_up()
        tell(kept.log, ready("a"), ready("a"), ready("a"), ready("b"), ready("b"))

        def interfere(done: int, of: int) -> None:
            if done > 3:
                raise Stop
            other.catch_up()

        with pytest.raises(Stop):
            one.catch_up(interfere)
        with kept.views(mine) as third:
            expected = [Tally("a", 3, 0.5, True), Tally("b", 2, 0.5, False)]
            assert everything(third, mine) == everything(one, mine) == everything(other, mine) == expected
