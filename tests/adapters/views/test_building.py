"""Building goes on where it stopped, and only one process builds."""

import os
import socket
import subprocess
import sys
import threading
import time
from operator import attrgetter
from typing import Any

import pytest

from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.errors import Conflict
from goal_ledger.projections.registry import PROJECTIONS
from tests.adapters.views.histories import Stop, begin, by_hand, everything, fill, ready, stop_at, tally, tell
from tests.adapters.views.homes import Home, Watched
from tests.tools import PATIENCE_S

ME = f"{socket.gethostname()}/{os.getpid()}"


def long(kept: Home) -> int:
    """A history that is written in more than one go when its pages are of one event; how long it is."""
    tell(kept.log, *begin("a", "b"), *[ready("a"), ready("b")] * 59)
    return kept.log.head()


def lease(kept: Home, builder: str, until: float) -> None:
    kept.ask(f"UPDATE folded SET builder = '{builder}', lease_until = {until} WHERE role = 'new'")


def dead() -> int:
    """The number of a process that is no more."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return gone.pid


# --- Going on


@pytest.mark.parametrize("how", ["rebuilds.rebuild", "rebuilds.build", "catch_up"])
def test_what_was_cut_off_goes_on_where_it_stopped_and_reads_no_event_twice(kept: Home, how: str):
    mine, head = tally(), long(kept)
    first, second = Watched(kept.log), Watched(kept.log)
    with kept.views(mine, log=first, page=1) as views:
        with pytest.raises(Stop):
            attrgetter(how)(views)(progress=stop_at(110))
        [status] = views.rebuilds.status()
        assert (status.building, status.table, max(first.decoded)) == (100, None, 110)
    with kept.views(mine, log=second, page=1) as views:
        attrgetter(how)(views)()
        assert second.decoded == list(range(101, head + 1))
        if how == "rebuilds.build":
            views.rebuilds.swap(["tally"])
        assert second.decoded == list(range(101, head + 1))
        assert everything(views, mine) == by_hand(kept.log, mine)


def test_all_that_were_cut_off_together_go_on_together(kept: Home):
    fill(kept.log, repeat=3)
    with kept.views(page=1) as views, pytest.raises(Stop):
        views.rebuilds.rebuild(progress=stop_at(60))
    watched = Watched(kept.log)
    with kept.views(log=watched, page=1) as views:
        assert {status.building for status in views.rebuilds.status()} == {50}
        views.rebuilds.rebuild()
        assert min(watched.decoded) > 50 and len(set(watched.decoded)) == len(watched.decoded)
        assert all(everything(views, each) == by_hand(kept.log, each) for each in PROJECTIONS.values())


def test_one_that_is_ahead_waits_for_the_others(kept: Home):
    mine, other = tally(), tally("other")
    head = long(kept)
    with kept.views(mine, page=1) as views, pytest.raises(Stop):
        views.rebuilds.rebuild(progress=stop_at(60))
    watched = Watched(kept.log)
    with kept.views(mine, other, log=watched, page=7) as views:
        views.rebuilds.rebuild()
        assert watched.decoded == list(range(1, head + 1))
        assert everything(views, mine) == everything(views, other) == by_hand(kept.log, mine)


def test_readers_are_answered_from_the_table_in_use_while_a_new_one_is_built(kept: Home):
    mine, head = tally(), long(kept)
    with kept.views(mine) as views, kept.views(mine, page=1) as builder:
        views.catch_up()
        kept.ask(f'UPDATE "{views.rebuilds.status()[0].table}" SET moves = -1')
        seen = []
        builder.rebuilds.rebuild(progress=lambda done, of: seen.append([row.moves for row in everything(views, mine)]))
        assert len(seen) == head and {tuple(moves) for moves in seen[:-1]} == {(-1, -1)}
        assert seen[-1] == [59, 59]


def test_events_that_are_written_while_it_is_built_are_in_the_new_table(kept: Home):
    mine, head = tally(), long(kept)
    with kept.views(mine, page=10) as views:
        left = [ready("a"), ready("b")] * 3

        def write(_done: int, _of: int) -> None:
            if left:
                tell(kept.log, left.pop())

        assert views.rebuilds.rebuild(progress=write) == head + 6
        assert everything(views, mine) == by_hand(kept.log, mine)


# --- The lease


@pytest.mark.parametrize("how", ["catch_up", "rebuilds.rebuild"])
def test_while_one_builds_another_waits_and_does_no_work_twice(kept: Home, how: str):
    mine, head = tally(), long(kept)
    ours, theirs = Watched(kept.log), Watched(kept.log)
    begun, may_go_on, waiting = threading.Event(), threading.Event(), threading.Event()
    found: list[Any] = []

    def pause(done: int, _of: int) -> None:
        if done == 60:
            begun.set()
            assert may_go_on.wait(PATIENCE_S)

    with kept.views(mine, log=ours, page=1) as one, kept.views(mine, log=theirs, page=1) as other:

        def ask() -> None:
            attrgetter(how)(other)(progress=lambda _done, _of: waiting.set())
            found.append(everything(other, mine))

        builder, asker = (
            threading.Thread(target=attrgetter(how)(one), kwargs={"progress": pause}),
            threading.Thread(target=ask),
        )
        builder.start()
        assert begun.wait(PATIENCE_S)
        asker.start()
        assert waiting.wait(PATIENCE_S)  # it was told how far the other one is
        assert theirs.decoded == []
        may_go_on.set()
        builder.join()
        asker.join()
    assert found == [by_hand(kept.log, mine)]
    assert sorted(ours.decoded + theirs.decoded) == list(range(1, head + 1))


def test_one_that_makes_no_way_is_waited_for_as_long_as_the_setting_says(kept: Home):
    mine = tally()
    long(kept)
    with kept.views(mine, page=1, wait_s=0.1) as views:
        views.rebuilds.build()
        lease(kept, f"{ME}/other", time.time() + 20)
        with pytest.raises(Conflict) as busy:
            views.rebuilds.rebuild()
        assert busy.value.code == "busy" and f"{ME}/other builds tally" in busy.value.message
        assert kept.ask("SELECT builder FROM folded") == [(f"{ME}/other",)]  # it is still theirs


@pytest.mark.parametrize("lost", ["its process is gone", "it gave no sign of life", "its clock was wrong"])
def test_what_a_dead_builder_left_is_taken_at_once_and_gone_on_with(kept: Home, lost: str):
    mine, head = tally(), long(kept)
    with kept.views(mine, page=1) as views, pytest.raises(Stop):
        views.rebuilds.rebuild(progress=stop_at(60))
    builder, until = {
        "its process is gone": (f"{socket.gethostname()}/{dead()}/x", time.time() + 20),
        "it gave no sign of life": ("elsewhere/1/x", time.time() - 1),
        "its clock was wrong": ("elsewhere/1/x", time.time() + 86_400),
    }[lost]
    lease(kept, builder, until)
    watched = Watched(kept.log)
    with kept.views(mine, log=watched, page=1, wait_s=0.0) as views:
        views.rebuilds.rebuild()
        assert watched.decoded == list(range(51, head + 1))
        assert everything(views, mine) == by_hand(kept.log, mine)


def test_a_builder_elsewhere_is_believed_while_its_lease_lasts(kept: Home):
    mine = tally()
    long(kept)
    with kept.views(mine, page=1, wait_s=0.1) as views:
        views.rebuilds.build()
        lease(kept, "elsewhere/1/x", time.time() + 20)
        with pytest.raises(Conflict):
            views.rebuilds.rebuild()


def test_a_builder_that_was_overtaken_leaves_it_to_the_other(kept: Home):
    mine, head = tally(), long(kept)
    with kept.views(mine, page=1) as slow, kept.views(mine, page=1) as quick:

        def overtaken(done: int, _of: int) -> None:
            if done == 60:  # it slept for long, and its lease ran out
                kept.ask("UPDATE folded SET lease_until = 1")
                quick.catch_up()
            if done >= 60:  # and what it goes on with is not written over what the other wrote
                assert quick.rebuilds.status()[0].position == head

        slow.catch_up(overtaken)
        assert everything(slow, mine) == everything(quick, mine) == by_hand(kept.log, mine)
        assert [row[0] for row in kept.ask("SELECT role FROM folded ORDER BY role")] == ["live"]
        assert slow.rebuilds.status()[0].position == head


def test_a_table_that_somebody_builds_is_not_dropped_with_the_old_ones(kept: Home):
    old, new = tally(), tally(step=2, version=2)
    long(kept)
    with kept.views(old, page=1) as mine:
        mine.catch_up()
        with kept.views(new, page=1) as theirs:
            theirs.rebuilds.build()
        lease(kept, f"{ME}/theirs", time.time() + 20)
        assert mine.rebuilds.drop_old() == []
        lease(kept, f"{ME}/theirs", time.time() - 1)
        assert mine.rebuilds.drop_old() == [f"tally__{new.digest}"]


# --- Following together


def test_two_that_follow_one_read_model_fold_each_event_once(kept: Home):
    mine, rounds = tally(), 12
    tell(kept.log, *begin("a", "b"))
    logs = [Watched(kept.log), Watched(kept.log)]
    failures: list[BaseException] = []
    together = threading.Barrier(2, action=lambda: tell(kept.log, *[ready("a"), ready("b")] * 4))

    def follow(views: Views) -> None:
        try:
            for _ in range(rounds):
                together.wait(PATIENCE_S)
                views.catch_up()
        except BaseException as error:
            failures.append(error)
            together.abort()

    with kept.views(mine, log=logs[0], page=3) as one, kept.views(mine, log=logs[1], page=3) as other:
        one.catch_up()
        followers = [threading.Thread(target=follow, args=[views]) for views in (one, other)]
        for thread in followers:
            thread.start()
        for thread in followers:
            thread.join()
        assert failures == []
        assert everything(one, mine) == everything(other, mine) == by_hand(kept.log, mine)
    assert sorted(logs[0].decoded + logs[1].decoded) == list(range(1, 2 + rounds * 8 + 1))
