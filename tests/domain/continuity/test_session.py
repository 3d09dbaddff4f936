"""The rules of sessions."""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.continuity.session import (
    LISTED,
    SESSION,
    LastStop,
    SessionDraining,
    SessionStarted,
    SessionStopped,
    dispatch_allowed,
    drain,
    listed,
    require_dispatch,
    session_stream,
    start,
    stop,
    told,
)
from goal_ledger.domain.errors import Rejected
from tests.golden.examples import NO_LOOPS, NONE
from tests.golden.files import examples
from tests.spec import Spec

_, STARTED = examples("session.started")
assert isinstance(STARTED, SessionStarted)
REPORT = STARTED.report
DRAINING = SessionDraining(number=1)
STOPPED = SessionStopped(
    number=1, stopped_at="2026-02-24T18:00:00.000000Z", summary="all quiet", checkpointed_runs=NONE,
    active_goals=NONE, blocked_goals=NONE, open_loops=NO_LOOPS,
)  # fmt: skip
LAID_DOWN: dict[str, Any] = {
    "summary": "all quiet", "checkpointed_runs": NONE, "active_goals": NONE, "blocked_goals": NONE, "key_results": (),
    "open_loops": NO_LOOPS,
}  # fmt: skip
NOW = datetime(2026, 2, 24, 18, tzinfo=UTC)


def test_sessions_are_numbered_from_one():
    Spec(SESSION).when(start, report=REPORT).then(STARTED)
    Spec(SESSION).given(STARTED, STOPPED).when(start, report=REPORT, owner="host/1/2", reason="up").then(
        SessionStarted(number=2, report=REPORT, owner="host/1/2", reason="up")
    )


def test_how_the_last_one_ended_is_known():
    assert Spec(SESSION).state().last_stop is LastStop.NONE
    assert Spec(SESSION).given(STARTED).state().last_stop is LastStop.UNCLEAN
    assert Spec(SESSION).given(STARTED, DRAINING).state().last_stop is LastStop.UNCLEAN
    stopped = Spec(SESSION).given(STARTED, DRAINING, STOPPED).state()
    assert (stopped.last_stop, stopped.last_clean_shutdown_at) == (LastStop.CLEAN, "2026-02-24T18:00:00.000000Z")


def test_draining_happens_once_and_only_while_it_runs():
    Spec(SESSION).given(STARTED).when(drain, reason="upgrade").then(SessionDraining(number=1, reason="upgrade"))
    Spec(SESSION).given(STARTED, DRAINING).when(drain).then_quiet()
    Spec(SESSION).given(STARTED, STOPPED).when(drain).then_rejected("stopped")
    Spec(SESSION).when(drain).then_rejected("no_session")


def test_a_session_is_stopped_once():
    Spec(SESSION).given(STARTED, DRAINING).when(stop, now=NOW, **LAID_DOWN).then(STOPPED)
    Spec(SESSION).given(STARTED, STOPPED).when(stop, now=NOW, **LAID_DOWN).then_quiet()
    Spec(SESSION).when(stop, now=NOW, **LAID_DOWN).then_rejected("no_session")


@pytest.mark.parametrize(
    ("history", "code"),
    [((), None), ((STARTED,), None), ((STARTED, DRAINING), "draining"), ((STARTED, STOPPED), "stopped"),
     ((STARTED, STOPPED, STARTED), None)],
)  # fmt: skip
def test_work_is_handed_out_unless_a_session_drains_or_stopped(history, code):
    session = Spec(SESSION, history).state()
    assert dispatch_allowed(session) is (code is None)
    if code is None:
        require_dispatch(session)
    else:
        with pytest.raises(Rejected) as refused:
            require_dispatch(session)
        assert (refused.value.code, refused.value.hint) == (code, "session start")


def test_the_stream_is_named_after_the_ledger():
    assert session_stream("meta_01KJ7E0WM0JN74MNPW0ARN644K") == "session_01KJ7E0WM0JN74MNPW0ARN644K"


def test_of_many_ids_the_first_are_named_and_all_are_counted_and_digested():
    few = listed(["b", "a"])
    assert (few.count, few.ids, few.digest) == (2, ("a", "b"), sha256(b"a\nb\n").hexdigest())
    many = [f"{number:05}" for number in range(LISTED + 1)]
    assert (listed(many).count, listed(many).ids) == (LISTED + 1, tuple(many[:LISTED]))
    assert listed(many).digest != listed(many[:LISTED]).digest


def test_of_many_sentences_the_first_are_told():
    assert told(["a"]) == ("a",)
    assert told(["a"] * (LISTED + 1200))[LISTED - 1 :] == ("a", "and 1,200 more")


def test_the_last_three_events_say_as_much_as_all():
    assert SESSION.recent == 3
    rest: dict[str, Any] = {
        "checkpointed_runs": NONE,
        "active_goals": NONE,
        "blocked_goals": NONE,
        "open_loops": NO_LOOPS,
    }
    for chosen in product(("stop", "drain", "drain stop", ""), repeat=4):
        history: list[Event] = []
        for number, ways in enumerate(chosen, start=1):
            before = Spec(SESSION, tuple(history)).state()
            report = REPORT.model_copy(update={"last_clean_shutdown_at": before.last_clean_shutdown_at})
            history.append(SessionStarted(number=number, report=report, owner=f"host/{number}/1"))
            if "drain" in ways:
                history.append(SessionDraining(number=number))
            if "stop" in ways:
                history.append(SessionStopped(number=number, stopped_at=f"day {number}", summary="", **rest))
            assert Spec(SESSION, tuple(history[-3:])).state() == Spec(SESSION, tuple(history)).state()
