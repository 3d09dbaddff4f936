"""When each run finished: what a window of time is cut from."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import RunFinished
from goal_ledger.projections.base import Projection

UNTIMED = ""
"""In the place of a time that nobody knows; it sorts before every time."""


class RunEnd(NamedTuple):
    """A run that finished. ended_at: UTC text, or `UNTIMED`."""

    run_id: str
    ended_at: str


run_ends = Projection("run_ends", RunEnd, key="run_id", indexes=(("ended_at", "run_id"),))


@run_ends.on(RunFinished)
def _finished(_: RunEnd | None, recorded: Recorded, _event: RunFinished) -> RunEnd:
    return RunEnd(recorded.stream, recorded.occurred_at or UNTIMED)
