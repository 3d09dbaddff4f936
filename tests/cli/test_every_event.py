"""Whatever a ledger holds, every verb that looks at it answers: tried on one that holds every event there is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from goal_ledger.cli.frame.main import root
from goal_ledger.cli.frame.options import Id
from goal_ledger.domain.registry import EVENTS
from goal_ledger.ledger import Ledger
from goal_ledger.projections.registry import NOUNS
from tests.cli.running import Cli
from tests.golden.ledger import PREFIXES, fill_golden

IDS = {"kr": "goal", "experiment": "goal", "learn": "cycle"}
"""Nouns of the command line whose ids are those of another kind."""
SOME_GOALS = {"kr", "experiment"}
"""Nouns that refuse goals of other types."""

ROOT = Path(__file__).parents[2]


def verbs(path: Sequence[str] = (), command: click.Command = root) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb that can show what was, which is every one that looks at what happened."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from verbs((*path, name), found)
    elif any("--as-of" in param.opts for param in command.params):
        yield tuple(path), command


VERBS = dict(verbs())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that holds every event of the golden files."""
    path = tmp_path_factory.mktemp("golden") / "ledger.db"
    with Ledger.open(path) as ledger:
        fill_golden(ledger)
        assert ledger.views.repairs.quarantined() == []
    return path


@pytest.fixture
def gl(everything: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    return Cli(everything, capsysbinary)


@pytest.fixture(scope="module")
def streams(everything: Path) -> list[str]:
    with Ledger.open(everything) as ledger:
        events = list(ledger.events())
    assert {event.name for event in events} == EVENTS.keys()
    return sorted({event.stream for event in events})


def test_a_difference_tells_of_every_noun_in_both_forms(gl: Cli, streams: list[str]):
    told = gl.json("diff", "--from", "1").data
    assert {row["noun"] for row in told} == NOUNS.keys()
    assert {row["id"] for row in told} == {
        stream for noun in NOUNS for stream in streams if stream.startswith(PREFIXES[noun])
    }
    drawn = gl("diff", "--from", "1").text
    assert [row["id"] for row in told if row["id"] not in drawn] == []


@pytest.mark.parametrize("noun", NOUNS)
def test_a_difference_tells_what_every_single_event_changed(gl: Cli, noun: str):
    with Ledger.open(gl.db) as ledger:
        events = ledger.stream(f"{PREFIXES[noun]}01KJ7E0W00JN74MNPW0ARN644K")
    assert {event.name.partition(".")[0] for event in events} == {noun}
    changed = 0
    for event in events:
        between = ("--from", str(event.position - 1), "--to", str(event.position))
        told = gl.json("diff", *between).data
        assert [(row["noun"], row["id"], row["positions"]) for row in told] in (
            [(noun, event.stream, [event.position])], [],
        )  # fmt: skip
        drawn = gl("diff", *between)
        assert (drawn.code, event.stream in drawn.text) == (0, bool(told))
        changed += len(told)
    assert changed >= len({event.name for event in events})


def test_the_help_and_the_pages_name_every_noun():
    diff = root.get_command(click.Context(root), "diff")
    conditions = (ROOT / "docs" / "conditions.md").read_text(encoding="utf-8")
    assert diff is not None and diff.help is not None
    assert [noun for noun in NOUNS if f"{noun}s" not in diff.help or f"`{noun}`" not in conditions] == []


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_a_verb_that_looks_answers_now_and_then_in_both_forms(gl: Cli, streams: list[str], path: tuple[str, ...]):
    for words in asked(path, streams):
        for how in ((), ("--as-of", "300"), ("--valid-at", "2026-03-01")):
            ran, drawn = gl.json(*path, *words, *how), gl(*path, *words, *how)
            assert drawn.code == ran.code
            if ran.code == 0:
                assert drawn.out or drawn.err
            elif path[0] in SOME_GOALS and ran.code == 3:
                assert ran.error["code"] in ("not_a_key_result", "not_an_experiment")
            else:
                assert how and ran.code == 5, ran.error  # it was not there then


def asked(path: tuple[str, ...], streams: list[str]) -> list[list[str]]:
    """What a verb can be asked about in that ledger."""
    if path == ("lesson", "context"):
        return [["--run", stream] for stream in streams if stream.startswith(PREFIXES["run"])]
    for param in VERBS[path].params:
        if isinstance(param, click.Argument):
            if isinstance(param.type, Id):
                prefix = PREFIXES[IDS.get(param.type.noun, param.type.noun)]
                return [[stream] for stream in streams if stream.startswith(prefix)]
            return [["1"], ["3"]] if param.name == "number" else [[f"count({noun}.version > 1) > 0"] for noun in NOUNS]
    return [[]]
