"""A story to tamper with, and what a proof finds in it."""

from typing import Any

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import LocalOutcome
from goal_ledger.ledger import Damaged, Ledger
from tests.places import Place
from tests.tools import Clock, recorded


def tell(place: Place) -> list[Recorded]:
    """Twelve events on four streams, two of them under one command id, one alone under another."""
    with Ledger.open(place.url, actor="test:verify", clock=Clock()) as ledger:
        backup = ledger.goals.create("Back up nightly")
        ledger.using(command_id="restore").goals.create("Restore", parent_goal_id=backup.goal_id)
        ledger.using(command_id="ready").goals.ready(backup.goal_id, reason="letter")
        run = ledger.runs.start(backup.goal_id)
        for note in ("a", "b", "c"):
            ledger.runs.heartbeat(run.run_id, note=note)
        ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
        told = recorded(ledger)
        ledger.views.catch_up()
    assert [event.name for event in told] == [
        "ledger.created", "goal.created", "goal.created", "goal.child_added", "goal.readied", "goal.activated",
        "goal.run_dispatched", "run.started", "run.heartbeat", "run.heartbeat", "run.heartbeat", "run.finished",
    ]  # fmt: skip
    return told


def problems(place: Place, **options: Any) -> tuple[str, ...]:
    with Ledger.open(place.url, actor="test:verify", **options) as ledger:
        try:
            ledger.log.verify()
        except Damaged as error:
            damaged = error
        else:
            return ()
    assert (damaged.code, damaged.exit_code) == ("damaged", 6)
    assert damaged.message.startswith(damaged.problems[0])
    return damaged.problems


def at(event: Recorded) -> str:
    return f"position {event.position}, stream {event.stream}: "
