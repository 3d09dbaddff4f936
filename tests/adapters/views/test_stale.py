"""What happens to a question when this code has not folded the log yet: the setting `stale`."""

import threading

import pytest

from goal_ledger.domain.errors import Unavailable
from goal_ledger.domain.settings import Stale
from tests.adapters.views.histories import begin, by_hand, everything, ready, tally, tell
from tests.adapters.views.homes import Home, MemoryHome
from tests.tools import PATIENCE_S

PAGE = 10


def long(home: Home) -> None:
    """More than a page, and folded by other code only."""
    tell(home.log, *begin("a", "b"), *[ready("a")] * PAGE)
    with home.views(tally(version=2)) as views:
        views.catch_up()


def tables(kept: Home) -> list[tuple[str, str]]:
    return [(role, name) for role, name in kept.ask("SELECT role, name FROM folded")]


@pytest.mark.parametrize("stale", [Stale.REFUSE, Stale.WAIT])
def test_a_question_is_refused_and_nothing_is_folded(kept: Home, stale: Stale):
    long(kept)
    before = tables(kept)
    with kept.views(tally(), tally("other"), page=PAGE, stale=stale, wait_s=0.1) as views:
        for ask in (lambda: everything(views, tally()), lambda: views.get(tally(), "a"), views.catch_up):
            with pytest.raises(Unavailable) as refused:
                ask()
            assert (refused.value.code, refused.value.exit_code) == ("stale_views", 1)
            assert "tally, other" in refused.value.message
            assert refused.value.hint == "projection rebuild tally other, or set stale to rebuild"
        assert tables(kept) == before
        assert [status.behind for status in views.rebuilds.status()] == [12, 12]


@pytest.mark.parametrize("stale", Stale)
def test_a_rebuild_that_was_asked_for_is_done_whatever_the_setting(kept: Home, stale: Stale):
    long(kept)
    with kept.views(tally(), page=PAGE, stale=stale, wait_s=0.1) as views:
        assert len(views.rebuilds.dry_run()) == 1
        views.rebuilds.build()
        views.rebuilds.swap(["tally"])
        assert everything(views, tally()) == by_hand(kept.log, tally())
        tell(kept.log, *[ready("b")] * 2 * PAGE)  # and then it follows
        assert everything(views, tally()) == by_hand(kept.log, tally())


def test_waiting_ends_when_another_process_has_built_them(kept: Home):
    long(kept)
    found = []
    with kept.views(tally(), page=PAGE, stale=Stale.WAIT) as waiting, kept.views(tally(), page=1) as builder:
        asker = threading.Thread(target=lambda: found.append(everything(waiting, tally())))
        halfway = threading.Event()

        def ask_now(done: int, _of: int) -> None:
            if done == 5:
                asker.start()
                halfway.set()
                asker.join(0.1)
                assert found == []  # only half of it is there

        builder.rebuilds.rebuild(progress=ask_now)
        asker.join(PATIENCE_S)
    assert halfway.is_set() and found == [by_hand(kept.log, tally())]


@pytest.mark.parametrize("stale", Stale)
def test_a_short_log_is_folded_sooner_than_asked_about(kept: Home, stale: Stale):
    tell(kept.log, *begin("a"), *[ready("a")] * (PAGE - 1))
    with kept.views(tally(), page=PAGE, stale=stale) as views:
        assert everything(views, tally()) == by_hand(kept.log, tally())


@pytest.mark.parametrize("stale", Stale)
def test_in_memory_they_are_always_folded(stale: Stale):
    home = MemoryHome()
    long(home)
    with home.views(tally(), page=PAGE, stale=stale) as views:
        assert everything(views, tally()) == by_hand(home.log, tally())
    home.log.close()
