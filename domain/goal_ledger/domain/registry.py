"""The stored name of every event: stable strings, never module paths, never renamed."""

from collections.abc import Iterable
from types import ModuleType

from goal_ledger.domain.base import Event
from goal_ledger.domain.continuity import meta, session
from goal_ledger.domain.goals import experiment, goal, key_result, loop, maintenance, watchdog
from goal_ledger.domain.learning import cycle, lesson, review, rule
from goal_ledger.domain.proposals import proposal
from goal_ledger.domain.runs import feed, monitor, run
from goal_ledger.domain.strategy import belief, project


def events_of(modules: Iterable[ModuleType]) -> dict[str, type[Event]]:
    """The events that modules define, by stored name, in the order of the modules and of the definitions.

    ValueError: two events share a name.
    """
    found: dict[str, type[Event]] = {}
    for module in modules:
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__ and issubclass(kind, Event):
                if (name := vars(kind).get("stored")) is None:
                    continue  # what others derive from
                if found.setdefault(name, kind) is not kind:
                    raise ValueError(f"{kind.__name__} and {found[name].__name__} are both stored as {name}")
    return found


EVENTS = events_of(
    (
        *(meta, goal, key_result, maintenance, watchdog, experiment, run, lesson, review, cycle, rule, monitor),
        *(proposal, belief, loop, project, feed, session),
    )
)

NAMES: dict[type[Event], str] = {event_type: name for name, event_type in EVENTS.items()}
