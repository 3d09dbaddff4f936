"""Write a new history, or record what the histories fold into after a fold changed on purpose.

    python -m tests.histories.write 0.2.0                  a new history, told by the code as it is now
    python -m tests.histories.write --state goal_board     the state of one projection, in every history

The events of a history are never rewritten. The state of a projection whose `version=` stayed the same is refused.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from random import Random

from goal_ledger.ledger import Ledger
from tests.histories.files import (
    NAMES,
    State,
    as_recorded,
    changed_silently,
    line,
    log_of,
    recorded_state,
    state_file,
    state_of,
)
from tests.histories.scenario import tell
from tests.tools import Clock

SEED = 7


def write_history(name: str) -> str:
    """Tell the scenario to a new ledger and keep its events. What was done, or why not."""
    if not re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", name):
        return f"{name!r} is no version of the code"
    if log_of(name).exists() or state_file(name).exists():
        return f"{name} exists; what was stored once is never rewritten"
    with Ledger.open(":memory:", actor="test:history", clock=Clock()) as ledger:
        tell(ledger, Random(SEED))
        log_of(name).write_bytes(b"".join(map(line, ledger.rows())))
        keep(name, as_recorded(ledger.state_hash()))
    return ""


def record_state(projections: list[str]) -> str:
    """Record the present state of some projections. Why not, when one changed silently."""
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            now = as_recorded(state_of(name, Path(folder)))
        before = recorded_state(name)
        if silent := changed_silently(before, {each: now[each] for each in projections if each in now}):
            return f"{', '.join(silent)}: {name} folds into another state; add 1 to version="
        for projection in projections:
            before.pop(projection, None)
        keep(name, before | {each: now[each] for each in projections if each in now})
    return ""


def keep(name: str, state: State) -> None:
    state_file(name).write_text(json.dumps(dict(sorted(state.items())), indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.histories.write", description=__doc__)
    parser.add_argument("name", nargs="?", help="a new history, named after the version that writes it")
    parser.add_argument("--state", nargs="+", metavar="PROJECTION", default=[], help="projections changed on purpose")
    given = parser.parse_args()
    if (given.name is None) is (not given.state):
        parser.error("give a new name, or --state")
    problem = record_state(given.state) if given.state else write_history(given.name)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    raise SystemExit(main())
