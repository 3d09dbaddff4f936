"""What other programs and packages add: projections, reactions, duties, by `Ledger.open` and by entry points."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded, GoalActivated, GoalCreated
from goal_ledger.domain.runs.run import RunFinished
from goal_ledger.ledger import (
    Duty,
    Invalid,
    Ledger,
    LedgerError,
    LocalOutcome,
    NotFound,
    Projection,
    Reaction,
    Recorded,
    Tx,
)
from goal_ledger.ledger.duties import DUTIES
from goal_ledger.ledger.engine import extensions
from goal_ledger.projections.registry import PROJECTIONS
from tests.places import Place
from tests.tools import START, package, recorded

LATER = START + timedelta(days=30)
WON = {"local_outcome": LocalOutcome.SUCCEEDED}


class Titled(NamedTuple):
    goal_id: str
    words: int


def titles(name: str = "titles") -> Projection[Titled]:
    """How many words there are in each title."""
    projection = Projection(name, Titled, key="goal_id")

    @projection.on(GoalCreated)
    def _(row: Titled | None, recorded: Recorded, event: GoalCreated) -> Titled:
        return Titled(recorded.stream, len(event.title.split()))

    return projection


def note(text: str, on: type[Event] = GoalActivated, name: str | None = None) -> Reaction:
    def do(_: Ledger, tx: Tx, one: Recorded) -> None:
        tx.act(str(getattr(one.event, "goal_id", one.stream)), GOAL, lambda _: [ActivityRecorded(activity=text)])

    return Reaction(frozenset({on}), do, name or text)


def activities(ledger: Ledger) -> list[str]:
    return [one.event.activity for one in recorded(ledger) if isinstance(one.event, ActivityRecorded)]


def active(ledger: Ledger) -> str:
    goal_id = ledger.goals.create("Cut errors").goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def refusal(**more: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        Ledger.open(":memory:", actor="test:open", **more).close()
    return refused.value


# --- Given to `open`


def test_a_projection_of_ones_own_is_asked_shown_and_rebuilt_like_the_others(place: Place):
    mine = titles()
    with Ledger.open(place.url, actor="test:open") as ledger:
        first = ledger.goals.create("Cut checkout errors").goal_id
        ledger.goals.list()
        hash_before = ledger.log.state_hash().sha256
    with Ledger.open(place.url, actor="test:open", projections=[mine]) as ledger:
        assert ledger.views.select(mine, order=("goal_id",)) == [Titled(first, 3)]
        second = ledger.goals.create("Sleep").goal_id
        assert ledger.views.get(mine, second) == Titled(second, 1)
        assert {one.name: one.rows for one in ledger.views.rebuilds.status()}["titles"] == 2
        assert ledger.views.rebuilds.rebuild(["titles"]) == ledger.head
        assert ledger.views.get(mine, first) == Titled(first, 3)
        then = ledger.as_of(ledger.head - 1)
        assert then.views.select(mine, order=("goal_id",)) == [Titled(first, 3)]
        assert then.log.state_hash().sha256 == hash_before  # of what is built in alone
    with Ledger.open(place.url, actor="test:open") as ledger:
        ledger.goals.create("Unseen by the program that counts")
        assert set(PROJECTIONS) == {one.name for one in ledger.views.rebuilds.status()}
        with pytest.raises(NotFound):
            ledger.views.rebuilds.rebuild(["titles"])
    with Ledger.open(place.url, actor="test:open", projections=[mine], read_only=True) as ledger:
        assert len(ledger.views.select(mine, order=("goal_id",))) == 3


def test_a_reaction_of_ones_own_follows_after_the_built_in_ones(place: Place):
    with Ledger.open(place.url, actor="test:open", reactions=[note("won", RunFinished)]) as ledger:
        run = ledger.runs.start(active(ledger))
        ledger.runs.finish(run.run_id, **WON)  # type: ignore[arg-type]
        finished = next(one for one in recorded(ledger) if isinstance(one.event, RunFinished))
        [noted] = [one for one in recorded(ledger) if isinstance(one.event, ActivityRecorded)]
        assert (noted.cause, noted.stream, noted.position) == (finished.position, run.goal_id, ledger.head)


def test_reactions_of_ones_own_chain_and_a_refusal_is_kept(place: Place):
    def refuse(ledger: Ledger, tx: Tx, one: Recorded) -> None:
        tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity="undone")])
        raise NotFound("no_pager", "nobody is on call")

    def again(_: Ledger, tx: Tx, one: Recorded) -> None:
        if one.event == ActivityRecorded(activity="first"):
            tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity="second")])

    reactions = [
        note("first"),
        Reaction(frozenset({GoalActivated}), refuse, "page"),
        Reaction(frozenset({ActivityRecorded}), again, "again"),
    ]
    with Ledger.open(place.url, actor="test:open", reactions=reactions) as ledger:
        goal_id = active(ledger)
        assert activities(ledger) == ["first", "second"]
        [kept] = ledger.loops.list().rows
        assert (kept.goal_id, kept.question.partition(": ")[2]) == (goal_id, "page: nobody is on call (no_pager)")
    with Ledger.open(place.url, actor="test:open") as ledger:
        active(ledger)
        assert activities(ledger) == ["first", "second"]


def test_read_only_and_in_the_past_no_reaction_runs_and_none_is_imported(tmp_path: Path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:open") as ledger:
        active(ledger)
    broken = Reaction(frozenset({GoalActivated}), "no_such_module:do", "broken")
    with Ledger.open(path, reactions=[broken], read_only=True) as ledger:
        for asked in (ledger, ledger.as_of(3)):
            with pytest.raises(LedgerError) as refused:
                asked.goals.create("B")
            assert refused.value.code == "read_only"
        assert len(ledger.goals.list().rows) == 1


def test_a_duty_of_ones_own_runs_after_the_built_in_ones_and_before_conditions(place: Place):
    def remind(ledger: Ledger, now: datetime) -> Iterator[str]:
        yield f"{len(ledger.goals.list().rows)} goals"

    with Ledger.open(place.url, actor="test:open", duties={"remind": Duty(remind, period_s=86_400)}) as ledger:
        active(ledger)
        ticked = ledger.using(actor="test:tick").tick(LATER)
        assert [one.name for one in ticked.duties] == [*list(DUTIES)[:-1], "remind", "conditions"]
        assert [one.done for one in ticked.duties if one.name == "remind"] == [["1 goals"]]
        assert [one.name for one in ledger.tick(LATER, duties=["remind"]).duties] == ["remind"]
    with Ledger.open(place.url, actor="test:open") as ledger:
        assert "remind" not in [one.name for one in ledger.tick(LATER).duties]


@pytest.mark.parametrize(
    "more",
    [
        {"projections": [titles("goal_runs")]},
        {"projections": [titles(), titles()]},
        {"reactions": [note("a", name="settle")]},
        {"reactions": [note("a"), note("b", name="a")]},
        {"duties": {"leases": Duty(lambda ledger, now: [])}},
        {"duties": {"conditions": Duty(lambda ledger, now: [])}},
    ],
    ids=["projection", "projections", "reaction", "reactions", "duty", "the last duty"],
)
def test_a_name_that_another_has_is_refused(more: dict[str, Any]):
    error = refusal(**more)
    assert (type(error), error.code) == (Invalid, "duplicate_name")


def test_a_projection_of_events_that_a_ledger_does_not_hold_is_refused():
    class Barked(Event):
        loud: bool

    barks = Projection("barks", Titled, key="goal_id")
    barks.on(Barked)(lambda row, recorded, event: None)
    error = refusal(projections=[barks])
    assert (error.code, "Barked" in error.message) == ("unknown_event", True)


# --- Declared by packages

ACME = """
from typing import NamedTuple
from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded, GoalActivated, GoalCreated
from goal_ledger.ledger import Detector, Duty, Finding, NotFound, Projection, Reaction

class Seen(NamedTuple):
    goal_id: str

seen = Projection("seen", Seen, key="goal_id")
seen.on(GoalCreated)(lambda row, recorded, event: Seen(recorded.stream))

def tell(ledger, tx, one):
    tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity="told")])

def again(ledger, tx, one):
    if one.event.activity == "told":
        tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity="told again")])
        raise NotFound("no_pager", "nobody is on call")

TELL = Reaction(frozenset({GoalActivated}), "acme:tell", "tell")
AGAIN = Reaction(frozenset({ActivityRecorded}), again, "again")
REMIND = Duty(lambda ledger, now: [f"{len(ledger.views.select(seen, order=('goal_id',)))} seen"])
IDLE = Detector("idle", lambda settings: lambda history, *, now: [])
"""

DECLARED = """[console_scripts]
acme = acme:main

[goal_ledger.projections]
seen = acme:seen

[goal_ledger.reactions]
tell = acme:TELL
again = acme:AGAIN

[goal_ledger.duties]
remind = acme:REMIND

[goal_ledger.detectors]
idle = acme:IDLE
"""


def child(folder: Path, code: str, *arguments: object) -> str:
    """What a program prints that runs with the packages of a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "LOGNAME": "ana"}
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def command(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command line with the packages of a folder, on a ledger in it."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "LOGNAME": "ana", "COLUMNS": "200"}
    program = "import sys; from goal_ledger.cli.frame.main import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", program, "--db", str(folder / "ledger.db"), *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=100, env=environment)


def test_what_an_installed_package_declares_is_there_for_everybody(tmp_path: Path):
    package(tmp_path, "acme", ACME, DECLARED)
    code = """
from goal_ledger.ledger import Ledger
with Ledger.open(":memory:", actor="test:open") as ledger:
    goal_id = ledger.goals.create("A").goal_id
    ledger.goals.ready(goal_id); ledger.goals.activate(goal_id)
    print([one.event.activity for one in ledger.events() if one.name == "goal.activity_recorded"])
    print([loop.question for loop in ledger.loops.list().rows])
    print([(one.name, one.done) for one in ledger.tick().duties if one.done])
    print([one.name for one in ledger.tick().duties][-2:], [one.name for one in ledger.views.rebuilds.status()][-1])
    print(ledger.proposals.scan().failed, "idle" in ledger.proposals.scan().detectors)
    import acme
    past = ledger.as_of(1)
    print(past.views.select(acme.seen, order=("goal_id",)), past.head)
"""
    printed = child(tmp_path, code).splitlines()
    assert printed[:1] + printed[2:] == [
        "['told']", "[('remind', ['1 seen'])]", "['remind', 'conditions'] seen", "{} True", "[] 1",
    ]  # fmt: skip
    assert "again: nobody is on call (no_pager)" in printed[1]


def test_the_command_line_has_what_is_installed_and_doctor_names_it(tmp_path: Path):
    package(tmp_path, "acme", ACME, DECLARED)
    assert command(tmp_path, "goal", "create", "A").returncode == 0
    assert "seen" in command(tmp_path, "projection", "list").stdout
    assert "seen" in command(tmp_path, "projection", "status").stdout
    assert "remind: 1 seen" in command(tmp_path, "tick").stdout
    told = command(tmp_path, "doctor")
    assert told.returncode == 0 and "goal_ledger.duties 'remind' of the package acme (acme:REMIND)" in told.stdout
    (tmp_path / "acme.py").unlink()
    (tmp_path / "acme-1.0.dist-info" / "entry_points.txt").unlink()
    told = command(tmp_path, "doctor")
    assert told.returncode == 0 and "also those of other programs: seen" in told.stdout


BROKEN = "raise OSError('no licence\\nand more')"


def test_a_broken_package_is_named_on_one_line_wherever_it_is_needed(tmp_path: Path):
    package(tmp_path, "acme", ACME, DECLARED.replace("acme:", "broken:"))
    package(tmp_path, "broken", BROKEN, "")
    with Ledger.open(tmp_path / "ledger.db", actor="test:open") as ledger:
        goal_id = active(ledger)
        head = ledger.head
    because = "of the package acme (broken:{}) cannot be used: OSError: no licence"
    written = command(tmp_path, "goal", "create", "B")
    assert written.returncode != 0
    assert because.format("AGAIN") in written.stderr and len(written.stderr.splitlines()) == 1
    asked = command(tmp_path, "goal", "list")
    assert asked.returncode != 0 and because.format("seen") in asked.stderr
    assert command(tmp_path, "goal", "show", goal_id).returncode == 0  # one goal is not theirs to refuse
    assert command(tmp_path, "ledger", "verify").returncode == 0
    told = command(tmp_path, "doctor")
    assert told.returncode == 1
    for attribute in ("seen", "TELL", "AGAIN", "REMIND", "IDLE"):
        assert because.format(attribute) in told.stdout
    with Ledger.open(tmp_path / "ledger.db", actor="test:open", read_only=True) as ledger:
        assert ledger.head == head  # nothing was written without what follows from it


def test_a_broken_duty_or_detector_fails_and_the_others_run(tmp_path: Path):
    only = "[goal_ledger.duties]\nremind = acme:REMIND\nleases = acme:REMIND\n[goal_ledger.detectors]\nidle = acme:X\n"
    package(tmp_path, "acme", "X = 5\nraise SystemExit(3)", only)
    code = """
from goal_ledger.ledger import Ledger
with Ledger.open(":memory:", actor="test:open") as ledger:
    done = ledger.tick().duties
    print([one.name for one in done])
    for one in done:
        if one.problem: print(one.problem)
    scanned = ledger.proposals.scan()
    print(len(scanned.detectors), scanned.failed)
"""
    names, leases, remind, scanned = child(tmp_path, code).splitlines()
    assert names == str([*list(DUTIES)[:-1], "leases of acme", "remind", "conditions"])
    assert "'leases' of the package acme" in leases and "(duplicate_name)" in leases
    assert "cannot be used: SystemExit: 3 (bad_extension)" in remind
    assert scanned.startswith("5 {'idle': ") and "SystemExit: 3" in scanned


@pytest.mark.parametrize(
    ("declared", "ask"),
    [
        ("[goal_ledger.projections]\ngoal_runs = acme:seen", "ledger.goals.list()"),
        ("[goal_ledger.reactions]\ntell = acme:TELL\nother = acme:TELL", "ledger.goals.create('A')"),
    ],
    ids=["projection", "reaction"],
)
def test_two_of_one_name_are_refused(tmp_path: Path, declared: str, ask: str):
    package(tmp_path, "acme", ACME.replace('"seen"', '"goal_runs"'), declared)
    code = f"""
from goal_ledger.ledger import Ledger, LedgerError
try:
    with Ledger.open(":memory:", actor="test:open") as ledger: {ask}
except LedgerError as error: print(error.code, error.message)
"""
    told = child(tmp_path, code)
    assert told.startswith("duplicate_name goal_ledger.") and "of the package acme" in told


def test_what_is_of_another_type_is_named(tmp_path: Path):
    package(tmp_path, "acme", ACME, "[goal_ledger.reactions]\ntell = acme:REMIND\n")
    with pytest.raises(AssertionError, match="cannot be used: Duty is no Reaction"):
        child(tmp_path, "from goal_ledger.ledger import Ledger\nLedger.open(':memory:', actor='test:open')")


# --- What it costs


def test_while_nothing_is_declared_the_entry_points_of_no_package_are_parsed(tmp_path: Path):
    code = """
import importlib.metadata
asked = importlib.metadata.entry_points
def watched(*, group):
    assert not group.startswith("goal_ledger."), group
    return asked(group=group)
importlib.metadata.entry_points = watched
from goal_ledger.ledger import Ledger
with Ledger.open(":memory:", actor="test:open") as ledger:
    ledger.goals.create("A"); ledger.goals.list(); ledger.tick(duties=["leases"])
"""
    child(tmp_path, code)


def test_what_authors_need_is_imported_when_it_is_asked_for(tmp_path: Path):
    code = """
import sys, goal_ledger.ledger as public
before = set(sys.modules)
assert "goal_ledger.ledger.duties" not in before
for name in public.__all__: getattr(public, name)
try: public.nothing
except AttributeError as error: print(error)
"""
    assert child(tmp_path, code) == "module 'goal_ledger.ledger' has no attribute 'nothing'\n"


def test_a_group_is_seen_in_every_form_of_a_distribution(tmp_path: Path):
    forms = {"a-1.dist-info": "", "b.egg-info": "", "c-1.egg": "EGG-INFO"}
    for number, (form, inner) in enumerate(forms.items()):
        folder = tmp_path / str(number)
        (folder / form / inner).mkdir(parents=True)
        assert extensions._declared((str(folder),)) == set()
        extensions._declared.cache_clear()
        (folder / form / inner / "entry_points.txt").write_text("[goal_ledger.duties]\nx = y:z\n")
        assert extensions._declared((str(folder), "/no/such/folder")) == {extensions.DUTIES}
    archive = tmp_path / "packages.zip"
    archive.write_bytes(b"")
    assert extensions._declared((str(archive),)) == set(extensions.GROUPS)
