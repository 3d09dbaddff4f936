"""Write a new history, or record what the histories fold into after a fold changed on purpose.

    python -m tests.histories.write 0.2.0                  a new history, told by the code as it is now
    python -m tests.histories.write 0.2.0-commands         one of wishes that have command ids
    python -m tests.histories.write --state goal_definitions     the state of one projection, in every history

The events of a history are never rewritten. The state of a projection whose `version=` stayed the same is refused.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path
from random import Random

from goal_ledger.ledger import Ledger
from tests.histories import commands, scenario
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
from tests.tools import Clock

SEED = 7


def refusal(name: str) -> str | None:
    """Why no history can be written under this name."""
    if not re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", name):
        return f"{name!r} is no version of the code"
    if log_of(name).exists() or state_file(name).exists():
        return f"{name} exists; what was stored once is never rewritten"
    return None


def write_history(name: str) -> None:
    """Tell a scenario to a new ledger, and keep its events and what they fold into."""
    if problem := refusal(name):
        raise SystemExit(problem)
    with Ledger.open(":memory:", actor="test:history", clock=Clock()) as ledger:
        told = commands if name.endswith("-commands") else scenario
        told.tell(ledger, Random(SEED))
        log_of(name).write_bytes(b"".join(map(line, ledger.rows())))
        state_file(name).write_text(as_text(as_recorded(ledger.log.state_hash())), encoding="utf-8")


def record_state(projections: list[str]) -> None:
    """Record the present state of some projections in every history; those that are gone are left out."""
    renewed: dict[str, State] = {}
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            now = as_recorded(state_of(name, Path(folder)))
        before, chosen = recorded_state(name), {each: now[each] for each in projections if each in now}
        if silent := changed_silently(before, chosen):
            raise SystemExit(f"{', '.join(silent)}: {name} folds into another state; add 1 to version=")
        renewed[name] = {each: before[each] for each in before if each not in projections} | chosen
    for name, state in renewed.items():
        state_file(name).write_text(as_text(state), encoding="utf-8")


def as_text(state: State) -> str:
    return json.dumps(dict(sorted(state.items())), indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.histories.write", description=__doc__)
    parser.add_argument("name", nargs="?", help="a new history, named after the version that writes it")
    parser.add_argument("--state", nargs="+", metavar="PROJECTION", default=[], help="projections changed on purpose")
    given = parser.parse_args()
    if (given.name is None) is (not given.state):
        parser.error("give a new name, or --state")
    if given.state:
        record_state(given.state)
    else:
        write_history(given.name)


if __name__ == "__main__":
    main()
