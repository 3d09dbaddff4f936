"""Read models in a file: what they hold, what they notice, what they survive."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.adapters.views.sqlite import sqlite_views
from goal_ledger.adapters.views.views import Quarantined, State, Status, Views
from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.errors import LedgerError, NotFound, Unavailable
from goal_ledger.domain.goals.goal import GoalCreated, GoalFailed, GoalReadied
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.registry import EVENTS
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.ledger import Ledger
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.board import GoalRow, goal_board
from goal_ledger.projections.goals.state_events import goal_state_events
from goal_ledger.projections.registry import PROJECTIONS
from goal_ledger.projections.runs.runs import runs
from tests.golden.files import stored
from tests.tools import Clock, recorded, rows, tables

# --- What they hold: golden events of every kind, folded by hand


@pytest.fixture
def log() -> Iterator[SqliteStore]:
    store = SqliteStore(None)
    yield store
    store.close()


def fill(log: SqliteStore, repeat: int = 1) -> None:
    """Every golden event, on a few streams of each kind."""
    versions: dict[str, int] = {}
    for number in range(repeat):
        for name, event_type in EVENTS.items():
            for which, body in enumerate(stored(name, event_type.schema_version)):
                stream = f"{name.partition('.')[0]}_{number}_{which}"
                versions[stream] = versions.get(stream, 0) + 1
                log.insert_events([StoredEvent(stream, versions[stream], name, body)])


def by_hand(log: SqliteStore, projection: Projection[Any]) -> list[Any]:
    """The rows, folded in plain Python, in order of their keys."""
    rows: dict[Any, Any] = {}
    for item in map(log.decode, log.page(0, 1_000_000)):
        if isinstance(item, Recorded) and (fold := projection.folds.get(type(item.event))):
            key = item.stream if fold.at is None else fold.at(item, item.event)
            rows[key] = fold.handler(rows.get(key), item, item.event)
    return [rows[key] for key in sorted(rows) if rows[key] is not None]


def opened(log: SqliteStore, path: Path | None = None, *projections: Projection[Any], **options: Any) -> Any:
    options = {"ledger": "meta_1", **options}
    return closing(sqlite_views(path, log, projections or PROJECTIONS.values(), **options))


def everything(views: Views, projection: Projection[Any]) -> list[Any]:
    return views.select(projection, order=(projection.key,))


@pytest.mark.parametrize("page", [1, 2, 7, 50, 5_000])
def test_rows_are_the_fold_of_the_log_whatever_the_page(log: SqliteStore, page: int):
    fill(log, repeat=3)
    with opened(log, page=page) as views:
        for projection in PROJECTIONS.values():
            expected = by_hand(log, projection)
            assert len(expected) >= 3
            assert everything(views, projection) == expected
            assert repr(everything(views, projection)) == repr(expected)  # enums, decimals, tuples and booleans too


def test_it_makes_no_difference_when_they_catch_up(log: SqliteStore, tmp_path: Path):
    with opened(log, tmp_path / "often.db") as often, opened(log, tmp_path / "once.db") as once:
        versions: dict[str, int] = {}
        for name, event_type in EVENTS.items():
            stream = f"{name.partition('.')[0]}_1"
            versions[stream] = versions.get(stream, 0) + 1
            body = stored(name, event_type.schema_version)[0]
            log.insert_events([StoredEvent(stream, versions[stream], name, body)])
            assert often.catch_up() == log.head()
        once.catch_up()
    assert tables(tmp_path / "often.db") == tables(tmp_path / "once.db")


def test_rows_have_the_types_that_they_declare(log: SqliteStore):
    fill(log)
    with opened(log) as views:
        [goal] = views.select(goal_board, {"goal_id": "goal_0_0"}, order=("goal_id",))
        [run] = views.select(runs, {"run_id": "run_0_0"}, order=("run_id",))
    assert (goal.status, goal.learning_required, goal.auto_approved) == (GoalStatus.ARCHIVED, False, True)
    assert [type(cell) for cell in (goal.status, goal.learning_required, goal.value)] == [GoalStatus, bool, float]
    assert (run.cost_usd, type(run.cost_usd), run.status) == (Decimal("0.10"), Decimal, RunStatus.FINISHED)
    assert (run.actions_taken, goal.failure_conditions[0]) == (("copied",), "two nights without one")
    assert [type(cell) for cell in (run.actions_taken, goal.criteria, goal.metadata)] == [tuple, tuple, dict]


def test_one_row_is_found_by_its_key(log: SqliteStore):
    fill(log)
    with opened(log) as views:
        assert views.get(goal_board, "goal_0_1") == by_hand(log, goal_board)[1]
        assert views.get(goal_board, "goal_gone") is None
        [first, *_] = everything(views, goal_state_events)
        assert views.get(goal_state_events, first.position) == first


def test_an_empty_log_has_no_rows(log: SqliteStore):
    with opened(log) as views:
        assert [everything(views, projection) for projection in PROJECTIONS.values()] == [[]] * len(PROJECTIONS)
        assert views.catch_up() == 0
        fill(log)
        assert everything(views, goal_board) == by_hand(log, goal_board)


# --- A read model of the tests' own


class Tally(NamedTuple):
    stream: str
    moves: int
    share: float | None
    odd: bool


def tally(name: str = "tally", *, step: int = 1, version: int = 1) -> Projection[Tally]:
    projection = Projection(name, Tally, key="stream", indexes=(("moves", "stream"),), version=version)

    @projection.on(GoalCreated)
    def begun(_: Tally | None, item: Recorded, event: GoalCreated) -> Tally:
        return Tally(item.stream, 0, None, False)

    @projection.on(GoalReadied)
    def moved(row: Tally | None, item: Recorded, event: GoalReadied) -> Tally | None:
        if event.reason == "raise":
            raise RuntimeError("cannot count that")
        if event.reason == "overflow" and row is not None:
            return row._replace(moves=2**64)
        if event.reason == "nonsense" and row is not None:
            return row._replace(share=object())  # type: ignore[arg-type]
        return None if row is None else row._replace(moves=row.moves + step, share=0.5, odd=not row.odd)

    @projection.on(GoalFailed)
    def gone(row: Tally | None, item: Recorded, event: GoalFailed) -> Tally | None:
        return None

    return projection


def tell(log: SqliteStore, *told: tuple[str, Event]) -> None:
    """Append events to streams."""
    from goal_ledger.adapters.store.codec import encode, envelope, name_of

    for stream, event in told:
        shared = envelope(at="2026-02-24T09:00:00.000000Z", occurred_at=None, by="x", command=None, cause=None)
        body = encode(event, shared, text_limit=100)
        log.insert_events([StoredEvent(stream, len(log.stream(stream)) + 1, name_of(event), body)])


def begin(*streams: str) -> list[tuple[str, Event]]:
    return [(stream, GoalCreated(title=stream, status=GoalStatus.PLANNED)) for stream in streams]


def ready(stream: str, reason: str | None = None) -> tuple[str, Event]:
    return stream, GoalReadied(from_status=GoalStatus.PLANNED, reason=reason)


FAILED = GoalFailed(from_status=GoalStatus.ACTIVE, reason="x")


@pytest.mark.parametrize("page", [1, 3, 5_000])
def test_a_handler_that_gives_nothing_deletes_the_row_and_it_may_come_again(log: SqliteStore, page: int):
    mine = tally()
    with opened(log, None, mine, page=page) as views:
        tell(log, *begin("a", "b"), ready("a"), ("a", FAILED), ready("a"), ("c", FAILED))
        assert everything(views, mine) == [Tally("b", 0, None, False)]
        tell(log, *begin("a"), ready("a"))
        assert everything(views, mine) == [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]
        views.rebuild()
        assert everything(views, mine) == [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]


# --- Poison


@pytest.mark.parametrize("page", [1, 2, 5_000])
@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize(
    ("reason", "problem"), [("raise", "RuntimeError: cannot count that"), ("overflow", "Overflow"), ("nonsense", "")]
)
def test_an_event_that_cannot_be_folded_is_set_aside_and_the_rest_goes_on(
    log: SqliteStore, page: int, rebuilt: bool, reason: str, problem: str
):
    mine, other = tally(), tally("other")
    tell(log, *begin("a", "b"), ready("b"))
    with opened(log, None, mine, other, page=page) as views:
        assert len(everything(views, mine)) == 2
        tell(log, ready("a", reason), ready("b"), *begin("c"))
        if rebuilt:
            views.rebuild()
        assert [row.stream for row in everything(views, mine)] == ["a", "b", "c"]
        assert everything(views, mine)[1:] == [Tally("b", 2, 0.5, False), Tally("c", 0, None, False)]
        assert everything(views, goal_like := other) == everything(views, mine) and goal_like.name == "other"

        found = views.quarantined()
        assert [(item.projection, item.position, item.stream, item.event) for item in found] == [
            ("other", 4, "a", "goal.readied"),
            ("tally", 4, "a", "goal.readied"),
        ]
        assert all(item.problem.startswith(problem) and item.problem for item in found)
        assert [status.quarantined for status in views.status()] == [1, 1]
        tell(log, ready("a"))
        assert views.get(mine, "a") == Tally("a", 1, 0.5, True)


def test_events_that_nobody_can_read_are_set_aside_for_everybody(log: SqliteStore):
    mine = tally()
    tell(log, *begin("a"))
    log.insert_events([StoredEvent("a", 2, "goal.teleported", b"{}"), StoredEvent("a", 3, "goal.readied", b"nonsense")])
    log.insert_events([StoredEvent("a", 4, "run.heartbeat", b"nonsense")])  # it does not read that
    tell(log, ready("a"))
    with opened(log, None, mine) as views:
        assert everything(views, mine) == [Tally("a", 1, 0.5, True)]
        assert [item[:4] for item in views.quarantined()] == [
            ("tally", 2, "a", "goal.teleported"),
            ("tally", 3, "a", "goal.readied"),
        ]
        assert "newer code" in views.quarantined()[0].problem


def test_what_was_set_aside_is_healed_by_a_rebuild_after_the_fix(log: SqliteStore, tmp_path: Path):
    broken = Projection("tally", Tally, key="stream", indexes=(("moves", "stream"),))
    mended = tally()

    @broken.on(GoalCreated, GoalReadied, GoalFailed)
    def _(row: Tally | None, item: Recorded, event: Event) -> Tally | None:
        raise RuntimeError("not yet written")

    tell(log, *begin("a"), ready("a"))
    assert broken.digest == mended.digest
    with opened(log, tmp_path / "v.db", broken) as views:
        assert (everything(views, broken), len(views.quarantined())) == ([], 2)
    with opened(log, tmp_path / "v.db", mended) as views:
        assert len(views.quarantined()) == 2
        views.rebuild(["tally"])
        assert (everything(views, mended), views.quarantined()) == ([Tally("a", 1, 0.5, True)], [])


# --- Rebuild


def test_a_rebuild_gives_byte_identical_tables(log: SqliteStore, tmp_path: Path):
    fill(log, repeat=2)
    with opened(log, tmp_path / "v.db", page=9) as views:
        views.catch_up()
        before = tables(tmp_path / "v.db")
        assert views.rebuild() == log.head()
        assert tables(tmp_path / "v.db") == before
        assert views.rebuild(["runs"]) == log.head()
        assert tables(tmp_path / "v.db") == before
        assert sum(len(found) for found in before.values()) > 20


def test_a_rebuild_mends_rows_that_somebody_changed(log: SqliteStore, tmp_path: Path):
    mine = tally()
    tell(log, *begin("a", "b"))
    with opened(log, tmp_path / "v.db", mine) as views:
        views.catch_up()
        from tests.tools import tamper

        tamper(tmp_path / "v.db", f'UPDATE "tally__{mine.digest}" SET moves = 99', f'DELETE FROM "tally__{mine.digest}"'
               " WHERE stream = 'b'")  # fmt: skip
        assert everything(views, mine) == [Tally("a", 99, None, False)]
        views.rebuild()
        assert everything(views, mine) == [Tally("a", 0, None, False), Tally("b", 0, None, False)]


def test_only_a_known_read_model_can_be_rebuilt(log: SqliteStore):
    with opened(log) as views, pytest.raises(NotFound) as missing:
        views.rebuild(["goal_board", "gaol_board"])
    assert missing.value.code == "unknown_projection"


def test_long_work_tells_how_far_it_is(log: SqliteStore):
    tell(log, *begin(*"abcde"))
    told: list[tuple[int, int]] = []
    with opened(log, None, tally(), page=2) as views:
        views.catch_up(lambda done, of: told.append((done, of)))
        assert told[-1] == (5, 5) and told == sorted(told)
        told.clear()
        views.rebuild(progress=lambda done, of: told.append((done, of)))
        assert told == [(2, 5), (4, 5), (5, 5)]  # the last page with the swap


def test_status_says_where_each_stands_without_moving_it(log: SqliteStore):
    mine = tally()
    with opened(log, None, mine) as views:
        tell(log, *begin("a", "b"))
        assert views.status() == [Status("tally", State.MISSING, None, 0, 2, 0, 0, None, [])]
        views.catch_up()
        tell(log, ready("a", "raise"), ready("b"), *begin("c"))
        assert views.status() == [Status("tally", State.CURRENT, f"tally__{mine.digest}", 2, 3, 2, 0, None, [])]
        views.catch_up()
        assert views.status() == [Status("tally", State.CURRENT, f"tally__{mine.digest}", 5, 0, 3, 1, None, [])]
        assert views.quarantined() == [Quarantined("tally", 3, "a", "goal.readied", "RuntimeError: cannot count that")]


def test_a_new_version_of_a_fold_gets_its_own_table_from_the_beginning(log: SqliteStore, tmp_path: Path):
    tell(log, *begin("a"), ready("a"))
    with opened(log, tmp_path / "v.db", tally()) as views:
        assert everything(views, tally()) == [Tally("a", 1, 0.5, True)]
    twice = tally(step=2, version=2)
    with opened(log, tmp_path / "v.db", twice) as views:
        assert everything(views, twice) == [Tally("a", 2, 0.5, True)]
    with opened(log, tmp_path / "v.db", tally()) as views:  # and older code still finds its own
        assert everything(views, tally()) == [Tally("a", 1, 0.5, True)]


def test_a_new_read_model_joins_those_that_are_there(log: SqliteStore, tmp_path: Path):
    tell(log, *begin("a", "b"))
    with opened(log, tmp_path / "v.db", tally()) as views:
        views.catch_up()
    tell(log, ready("a"))
    with opened(log, tmp_path / "v.db", tally(), tally("other"), page=1) as views:
        expected = [Tally("a", 1, 0.5, True), Tally("b", 0, None, False)]
        assert everything(views, tally("other")) == everything(views, tally()) == expected


def test_read_models_that_stand_at_different_places_catch_up_together(log: SqliteStore, tmp_path: Path):
    mine, other = tally(), tally("other")
    tell(log, *begin("a", "b"))
    with opened(log, tmp_path / "v.db", mine, other) as views:
        views.catch_up()
    tell(log, ready("a"), ready("a"))
    with opened(log, tmp_path / "v.db", other) as views:
        views.catch_up()  # one is ahead now
    tell(log, ready("a"), ready("b"))
    with opened(log, tmp_path / "v.db", mine, other) as views:
        expected = [Tally("a", 3, 0.5, True), Tally("b", 1, 0.5, True)]
        assert everything(views, mine) == everything(views, other) == expected


class Stop(Exception):
    """Somebody pressed a key."""


def test_another_process_that_catches_up_in_between_is_noticed(log: SqliteStore, tmp_path: Path):
    mine = tally()
    with opened(log, tmp_path / "v.db", mine, page=1) as one, opened(log, tmp_path / "v.db", mine) as other:
        tell(log, *begin("a", "b"))
        one.catch_up()
        tell(log, ready("a"), ready("a"), ready("a"), ready("b"), ready("b"))

        def interfere(done: int, of: int) -> None:
            if done > 3:
                raise Stop
            other.catch_up()

        with pytest.raises(Stop):
            one.catch_up(interfere)
        with opened(log, tmp_path / "v.db", mine) as third:
            expected = [Tally("a", 3, 0.5, True), Tally("b", 2, 0.5, False)]
            assert everything(third, mine) == everything(one, mine) == everything(other, mine) == expected


# --- Questions


FIVE = [Tally(letter, number % 3, number / 8 or None, number % 2 == 1) for number, letter in enumerate("abcde")]


@pytest.fixture
def five(log: SqliteStore) -> Iterator[tuple[Views, Projection[Tally]]]:
    mine = Projection("five", Tally, key="stream", indexes=())

    @mine.on(GoalCreated)
    def _(row: Tally | None, item: Recorded, event: GoalCreated) -> Tally:
        return FIVE["abcde".index(item.stream)]

    tell(log, *begin(*"decab"))
    with opened(log, None, mine) as views:
        yield views, mine


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, "abcde"),
        ({"stream": "b"}, "b"),
        ({"stream": "z"}, ""),
        ({"stream": ["b", "e", "z"]}, "be"),
        ({"stream": ()}, ""),
        ({"moves": 1}, "be"),
        ({"odd": True}, "bd"),
        ({"odd": False, "moves": [0, 1]}, "ae"),
        ({"share": 0.25}, "c"),
        ({"stream": "' OR 1=1 --"}, ""),
    ],
    ids=str,
)
def test_rows_are_filtered_by_what_columns_equal(five: Any, where: Any, found: str):
    views, mine = five
    assert views.select(mine, where, order=("stream",)) == [row for row in FIVE if row.stream in found]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", [("stream",), ("moves", "stream"), ("odd", "moves", "stream")])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_paging_returns_each_row_once_in_order(five: Any, order: tuple[str, ...], descending: bool, limit: int):
    views, mine = five
    expected = sorted(FIVE, key=lambda row: [getattr(row, column) for column in order], reverse=descending)
    found: list[Tally] = []
    after = None
    for _ in range(6):
        page = views.select(mine, order=order, descending=descending, after=after, limit=limit)
        if not page:
            break
        assert len(page) <= limit
        found += page
        after = [getattr(page[-1], column) for column in order]
    assert found == expected
    assert views.select(mine, order=order, descending=descending) == expected


def test_some_columns_are_picked_in_order_and_in_pages(five: Any):
    views, mine = five
    first = views.pick(mine, ("stream", "moves"), {"moves": [0, 1]}, order=("stream",), limit=2)
    rest = views.pick(mine, ("stream", "moves"), {"moves": [0, 1]}, order=("stream",), after=first[-1][:1])
    assert first + rest == [(row.stream, row.moves) for row in FIVE if row.moves in (0, 1)]
    with pytest.raises(ValueError, match="no column"):
        views.pick(mine, ("colour",), {}, order=("stream",))


@pytest.mark.parametrize("bad", [{"where": {"colour": "red"}}, {"order": ("colour",)}, {"order": ("1; DROP",)}])
def test_only_columns_can_be_asked_for(five: Any, bad: Any):
    views, mine = five
    with pytest.raises(ValueError, match="no column"):
        views.select(mine, **{"order": ("stream",), **bad})


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(1, 7))
def test_goals_are_listed_by_priority_then_age_each_once(priorities: list[int], limit: int):
    with Ledger.open(":memory:", actor="test:views", clock=Clock()) as ledger:
        made = [ledger.goals.create(f"{n}", priority=priority) for n, priority in enumerate(priorities)]
        pages = [ledger.goals.list(limit=limit)]
        while pages[-1].next is not None:
            pages.append(ledger.goals.list(limit=limit, after=pages[-1].next))
        found = list(itertools.chain.from_iterable(page.goals for page in pages))

        assert found == sorted(made, key=lambda row: (row.priority, row.goal_id)) == ledger.goals.list().goals
        assert [len(page.goals) for page in pages[:-1]] == [limit] * (len(pages) - 1)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_holds_at_least_one_row(limit: int):
    with Ledger.open(":memory:", actor="test:views") as ledger:
        for ask in (ledger.goals.list, ledger.runs.list):
            with pytest.raises(LedgerError) as refused:
                ask(limit=limit)
            assert refused.value.code == "bad_limit"


# --- The file beside the log


def written(path: Path, *titles: str) -> list[GoalRow]:
    with Ledger.open(path, actor="test:views", clock=Clock()) as ledger:
        for title in titles:
            ledger.goals.create(title)
        return list(ledger.goals.list().goals)


def listed(path: Path, **options: Any) -> list[GoalRow]:
    with Ledger.open(path, **options) as ledger:
        return list(ledger.goals.list().goals)


def folded(path: Path) -> list[GoalRow]:
    """The goals, folded by hand from the log alone."""
    with Ledger.open(path, read_only=True) as ledger:
        found: dict[str, Any] = {}
        for event in recorded(ledger):
            found[event.stream] = goal_board.fold(found.get(event.stream), event)
    return sorted((row for row in found.values() if row), key=lambda row: (row.priority, row.goal_id))


def test_without_the_file_nothing_is_lost(tmp_path: Path):
    path = tmp_path / "a.db"
    before = written(path, "A", "B")
    (tmp_path / "a.views.db").unlink()
    assert listed(path) == before == folded(path)
    assert (tmp_path / "a.views.db").is_file()


def test_read_only_there_is_no_file(tmp_path: Path):
    path = tmp_path / "a.db"
    before = written(path, "A", "B")
    (tmp_path / "a.views.db").unlink()
    assert listed(path, read_only=True) == before
    assert not (tmp_path / "a.views.db").exists()


def test_the_views_of_another_ledger_are_noticed(tmp_path: Path):
    written(tmp_path / "a.db", "A", "B")
    written(tmp_path / "b.db", "C", "D")
    shutil.copy(tmp_path / "b.views.db", tmp_path / "a.views.db")
    assert [goal.title for goal in listed(tmp_path / "a.db")] == ["A", "B"]
    assert listed(tmp_path / "a.db") == folded(tmp_path / "a.db")


def test_a_restored_older_log_is_noticed(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(path, tmp_path / "backup.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "backup.db", path)
    assert [goal.title for goal in listed(path)] == ["A"]


def test_a_restored_log_that_went_another_way_is_noticed(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(path, tmp_path / "backup.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "backup.db", path)
    with Ledger.open(path, actor="test:views", clock=Clock()) as ledger:
        for title in "XYZ":  # the log is as long as the views remember it, and longer
            ledger.goals.create(title)
    assert sorted(goal.title for goal in listed(path)) == ["A", "X", "Y", "Z"]
    assert listed(path) == folded(path)


def test_views_older_than_the_log_catch_up(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(tmp_path / "a.views.db", tmp_path / "old.views.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "old.views.db", tmp_path / "a.views.db")
    assert sorted(goal.title for goal in listed(path)) == ["A", "B", "C"]
    assert listed(path) == folded(path)


@pytest.mark.parametrize("damage", ["nonsense", "half", "holes", "empty"])
def test_a_corrupt_views_file_is_thrown_away(tmp_path: Path, damage: str):
    path, views = tmp_path / "a.db", tmp_path / "a.views.db"
    before = written(path, *"ABCDEFGH")
    content = views.read_bytes()
    assert len(content) > 3 * 4096
    views.write_bytes(
        {
            "nonsense": b"Dear diary,\n" * 500,
            "half": content[: len(content) // 2],
            "holes": content[:4096] + b"\xff" * (len(content) - 4096),
            "empty": b"",
        }[damage]
    )
    assert listed(path) == before
    assert listed(path) == before


def test_a_ledger_where_the_views_belong_is_refused_and_kept(tmp_path: Path):
    written(tmp_path / "a.db", "A")
    (tmp_path / "a.views.db").unlink()
    written(tmp_path / "x.db", "X")
    (tmp_path / "x.db").rename(tmp_path / "a.views.db")
    with pytest.raises(Unavailable) as refused:
        listed(tmp_path / "a.db")
    assert refused.value.code == "not_views"
    assert [goal.title for goal in folded(tmp_path / "a.views.db")] == ["X"]


def test_the_views_file_is_caught_up_when_asked_and_not_before(tmp_path: Path):
    with Ledger.open(tmp_path / "a.db", actor="test:views") as ledger:
        goal = ledger.goals.create("A")
        assert not (tmp_path / "a.views.db").exists()
        assert ledger.goals.list().goals == [goal]
        assert ledger.views.status()[0].behind == 0
        ledger.goals.ready(goal.goal_id)
        assert ledger.views.status()[0].behind == 1
        assert ledger.goals.list().goals[0].status is GoalStatus.READY


def test_what_another_process_wrote_is_seen(tmp_path: Path):
    path = tmp_path / "a.db"
    with Ledger.open(path, actor="test:one") as one, Ledger.open(path, actor="test:two") as two:
        for number in range(5):
            ledger, other = (one, two) if number % 2 else (two, one)
            made = ledger.goals.create(str(number))
            assert made in other.goals.list().goals
            assert one.goals.list() == two.goals.list()


def test_views_file_is_private_to_its_log(tmp_path: Path):
    written(tmp_path / "a.db", "A")
    with Ledger.open(tmp_path / "a.db") as ledger:
        assert {name for (name,) in rows(tmp_path / "a.views.db", "SELECT ledger FROM folded")} == {ledger.id}
