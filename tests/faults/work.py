"""What children do, and what must be true of a ledger whatever happened to them."""

from collections.abc import Callable
from typing import Any

import goal_ledger.adapters.store.postgres
import goal_ledger.adapters.views.postgres
import goal_ledger.adapters.views.sqlite  # noqa: F401  # so that each child has them from its birth
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import GOAL, GoalCreated
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.ledger import Ledger, Settings
from goal_ledger.projections.registry import PROJECTIONS
from tests.tools import PATIENCE_S, recorded

Tell = Callable[[Any], None]
FAST = Settings(durable=False, lock_wait_s=PATIENCE_S)


def fill(ledger: Ledger, count: int) -> None:
    """Create so many goals at once."""

    def work(tx: Any) -> None:
        for number in range(count):
            tx.act(tx.new_id("goal_"), GOAL, lambda _, n=number: [GoalCreated(title=str(n), status=GoalStatus.PLANNED)])

    ledger.transact(work)


def write(tell: Tell, url: str, name: object) -> None:
    """Create goals without end, each under a command id of its own, and look at the lists now and then."""
    with Ledger.open(url, actor="agent:writer", settings=FAST) as ledger:
        number = 0
        while True:
            number += 1
            command_id = f"{name}-{number}"
            goal = ledger.using(command_id=command_id).goals.create(f"{number}")
            tell((goal.position, goal.goal_id, command_id))
            if number % 3 == 0:
                ledger.goals.list(limit=1)


def sound(url: str) -> list[Recorded]:
    """The events of a ledger that is as it must be: proven, its views a clean fold, and ready for the next command."""
    with Ledger.open(url, actor="test:faults", settings=FAST) as ledger:
        events = recorded(ledger)
        assert ledger.log.verify() == ledger.log.stats().events == len(events)
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        views_are_a_clean_fold(ledger)
        goal = ledger.goals.create("The next one")
        assert (goal.position, ledger.goals.get(goal.goal_id)) == (len(events) + 1, goal)
    return events


def views_are_a_clean_fold(ledger: Ledger) -> None:
    """Every row is what folding the log from its beginning gives, in plain Python; no event was set aside."""
    events = recorded(ledger)
    for projection in PROJECTIONS.values():
        folded: dict[Any, Any] = {}
        for event in events:
            if fold := projection.folds.get(type(event.event)):
                key = event.stream if fold.at is None else fold.at(event, event.event)
                folded[key] = fold.handler(folded.get(key), event, event.event)
        expected = [row for _, row in sorted(folded.items()) if row is not None]
        assert ledger.views.select(projection, order=(projection.key,)) == expected
    assert ledger.views.repairs.quarantined() == []
