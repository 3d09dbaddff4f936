"""The analysis of imported incidents: each answer by its definition, from the export alone."""

import gzip
from pathlib import Path

import pytest

from benchmarks.analysis import Answers, analyse, exported, main
from goal_ledger.ledger import Ledger

DATA = Path(__file__).parents[2] / "shared" / "data"

CLOSED = """case,what,when,team
straight,Accepted,2026-01-01T00:00:00Z,red
straight,Completed,2026-01-02T00:00:00Z,red
straight,Completed,2026-01-03T00:00:00Z,blue
"""
REOPENED = """back,Completed,2026-01-02T00:00:00Z,red
back,Accepted,2026-01-03T00:00:00Z,red
back,Completed,2026-01-04T00:00:00Z,red
"""
OPEN = """open,Accepted,2026-01-01T00:00:00Z,red
open,Queued,2026-01-02T00:00:00Z,blue
open,Queued,2026-01-03T00:00:00Z,green
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def answers(path: Path, *logs: str, prefix: str = "desk") -> Answers:
    """What is answered after these logs were imported, one after the other."""
    with Ledger.open(path, actor="test:analysis") as ledger:
        for text in logs:
            log = path.with_name("log.csv")
            log.write_text(text if text.startswith("case,") else CLOSED.splitlines()[0] + "\n" + text)
            ledger.imports.events(log, case="case", activity="what", time="when", prefix=prefix)
    with exported(path) as lines:
        return analyse(lines)[prefix]


def test_cases_are_counted_by_what_happened_to_them(path: Path):
    assert answers(path, CLOSED + REOPENED + OPEN) == Answers(3, 1, 1, 1)


@pytest.mark.parametrize(
    ("rows", "reopened"),
    [
        ("Completed,02T00:00:00Z Accepted,02T00:00:00Z", True),
        ("Accepted,02T00:00:00Z Completed,02T00:00:00Z", False),
        ("Completed,03T00:00:00Z Accepted,02T00:00:00Z", False),
        ("Completed,02T01:00:00+03:00 Accepted,02T00:00:00Z", True),
        ("Completed,02T00:00:00Z Accepted,", True),
        ("Completed, Accepted,02T00:00:00Z", False),
        ("Completed,02T00:00:00Z Completed,03T00:00:00Z", False),
        ("Accepted,02T00:00:00Z", False),
    ],
)
def test_a_case_is_reopened_when_something_else_follows_its_completion(path: Path, rows: str, reopened: bool):
    lines = [row.partition(",") for row in rows.split()]
    log = "".join(f"a,{what},{'2026-01-' + when if when else ''},red\n" for what, _, when in lines)
    assert answers(path, log).reopened == reopened


def test_rows_that_are_imported_late_count_where_they_belong(path: Path):
    late = "straight,Queued,2026-01-01T12:00:00Z,green\nback,Queued,2026-01-01T12:00:00Z,green\n"
    assert answers(path, CLOSED + REOPENED, late) == Answers(2, 1, 1, 0)


def test_every_prefix_is_answered_in_its_own_line(path: Path, capsys: pytest.CaptureFixture[str]):
    for prefix in ("one", "two-and-more"):
        answers(path, CLOSED + REOPENED, prefix=prefix)
    with Ledger.open(path, actor="test:analysis") as ledger:
        ledger.goals.create("Not imported")
        ledger.log.export(path.with_name("export.ndjson"))
    packed = path.with_name("export.ndjson.gz")
    packed.write_bytes(gzip.compress(path.with_name("export.ndjson").read_bytes()))
    for source in (path, path.with_name("export.ndjson"), packed):
        main([str(source)])
        assert capsys.readouterr().out.splitlines() == [
            "one           2 cases  1 reopened  0 with 3 or more teams  0 never completed",
            "two-and-more  2 cases  1 reopened  0 with 3 or more teams  0 never completed",
        ]


@pytest.mark.parametrize(("text", "words"), [(None, "there is no file"), ("{}", "not an export"), ("x", "not an exp")])
def test_what_is_no_export_is_refused_in_one_line(
    path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
):
    if text is not None:
        path.write_text(text + "\n")
    with pytest.raises(SystemExit):
        main([str(path)])
    assert words in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real histories are not here")
def test_the_known_answers_of_the_real_incidents(path: Path):
    with Ledger.open(path, actor="test:analysis") as ledger:
        log = DATA / "events_bpic2013_incidents.csv.gz"
        for prefix in ("north", "south"):
            ledger.imports.events(log, case="case_id", activity="activity", time="ts", prefix=prefix)
        ledger.log.export(path.with_name("export.ndjson"))
    with exported(path.with_name("export.ndjson")) as lines:
        assert analyse(lines) == dict.fromkeys(("north", "south"), Answers(5287, 442, 1329, 1))
