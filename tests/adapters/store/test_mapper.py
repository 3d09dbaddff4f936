"""A stock application of the eventsourcing library reads a ledger, and cannot write to it."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import MapperDeserialisationError, PersistenceError, StoredEvent

from goal_ledger.adapters.store.mapper import LedgerEvent
from goal_ledger.domain.runs.run import LocalOutcome
from goal_ledger.ledger import Ledger, Rejected
from tests.places import Place
from tests.tools import Clock, recorded


@pytest.fixture
def made(place: Place) -> Place:
    with Ledger.open(place.url, actor="test:app", clock=Clock()) as ledger:
        goal = ledger.goals.create("Back up nightly")
        ledger.goals.ready(goal.goal_id)
        run = ledger.runs.start(goal.goal_id)
        ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
    return place


class Stock(Application[str]):
    name = "stored"  # on a server the library names its table after the application


@pytest.fixture
def application(made: Place) -> Iterator[Application[str]]:
    application = Stock(
        env={
            **made.stock(),
            "ORIGINATOR_ID_TYPE": "text",
            "MAPPER_TOPIC": "goal_ledger.adapters.store.mapper:LedgerMapper",
        }
    )
    yield application
    application.close()


def test_an_application_reads_every_event_in_order(made: Place, application: Application[str]):
    with Ledger.open(made.url, read_only=True) as ledger:
        ours = recorded(ledger)
    notifications = application.recorder.select_notifications(start=1, limit=100)

    assert [notification.id for notification in notifications] == [event.position for event in ours]
    assert [application.mapper.to_domain_event(notification) for notification in notifications] == [
        LedgerEvent(event.stream, event.version, datetime.fromisoformat(event.at), event.name, event.event)
        for event in ours
    ]
    assert application.recorder.max_notification_id() == ours[-1].position


def test_an_application_reads_one_stream(made: Place, application: Application[str]):
    with Ledger.open(made.url, read_only=True) as ledger:
        [goal] = ledger.goals.list().rows
        ours = recorded(ledger, goal.goal_id)
    theirs = list(application.events.get(goal.goal_id))
    assert [(event.originator_version, event.event) for event in theirs] == [  # type: ignore[attr-defined]
        (event.version, event.event) for event in ours
    ]


def test_an_application_reads_the_notification_log(made: Place, application: Application[str]):
    section = application.notification_log["1,10"]
    assert [item.topic for item in section.items] == [
        "ledger.created", "goal.created", "goal.readied", "goal.activated", "goal.run_dispatched", "run.started",
        "run.finished",
    ]  # fmt: skip


def test_an_application_cannot_write(made: Place, application: Application[str]):
    before = made.rows("SELECT * FROM stored_events")
    with pytest.raises(Rejected) as refused:
        application.save(Aggregate())  # type: ignore[arg-type]
    assert refused.value.code == "not_writable"
    with pytest.raises(PersistenceError):
        application.recorder.insert_events([StoredEvent("goal_x", 1, "goal.created", b"{}")])

    assert made.rows("SELECT * FROM stored_events") == before
    with Ledger.open(made.url) as ledger:
        assert ledger.log.verify() == len(before)


def test_what_cannot_be_read_is_an_error_of_the_library(made: Place, application: Application[str]):
    made.tamper("UPDATE stored_events SET topic = 'goal.teleported' WHERE rowid = 2")
    [notification] = application.recorder.select_notifications(start=2, limit=1)
    with pytest.raises(MapperDeserialisationError, match=r"goal\.teleported"):
        application.mapper.to_domain_event(notification)
