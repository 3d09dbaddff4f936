"""Exports and backups: whole, provable, and never half-written."""

import json
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest

from goal_ledger.adapters.export.ndjson import ID_OF
from goal_ledger.domain.registry import EVENTS
from goal_ledger.ledger import Damaged, Ledger, NotFound, Rejected, Unavailable

START = datetime(2025, 11, 9, 14, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    ticks = iter(range(1_000_000))
    with Ledger.open(
        tmp_path / "l.db", actor="cli:ana", clock=lambda: START + timedelta(seconds=next(ticks))
    ) as opened:
        goal = opened.goals.create("Fix the nightly backup", category="capability")
        opened.goals.ready(goal.goal_id)
        opened.runs.start(goal.goal_id, agent="agent:fixer")
        yield opened


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_event_is_a_line_in_the_order_of_the_log(ledger, tmp_path):
    path = tmp_path / "identity_ledger.ndjson"
    done = ledger.log.export(path)
    told = [recorded.name.replace(".", "_") for recorded in ledger.events()]
    assert [line["event"] for line in lines(path)] == told
    assert (done.events, done.head) == (len(told), len(told))


def test_the_line_of_a_new_goal_says_who_created_what(ledger, tmp_path):
    ledger.log.export(tmp_path / "x")
    line = lines(tmp_path / "x")[1]
    [goal] = ledger.goals.list().rows
    assert (line["schema"], line["event"]) == (2, "goal_created")
    asked = {name: line["meta"][name] for name in ("goal_id", "category", "source", "created_by")}
    assert asked == {
        "goal_id": goal.goal_id,
        "category": "capability",
        "source": "user",
        "created_by": "cli:ana",
    }
    assert line["ts"] == datetime.fromisoformat(goal.created_at).timestamp()


def test_ts_never_goes_back_when_the_clock_does(tmp_path):
    times = iter([START, START - timedelta(days=1), START + timedelta(seconds=1)])
    with Ledger.open(":memory:", clock=lambda: next(times)) as ledger:
        ledger.goals.create("one")
        ledger.goals.create("two")
        ledger.log.export(tmp_path / "x")
    assert [line["ts"] for line in lines(tmp_path / "x")] == [
        START.timestamp(),
        START.timestamp(),
        START.timestamp() + 1,
    ]


def test_an_export_is_a_byte_prefix_of_every_later_one(ledger, tmp_path):
    ledger.log.export(tmp_path / "first")
    ledger.goals.create("another")
    ledger.log.export(tmp_path / "second")
    first, second = (tmp_path / "first").read_bytes(), (tmp_path / "second").read_bytes()
    assert second.startswith(first) and len(second) > len(first)


def test_the_chain_begins_with_genesis_and_links_each_line_to_the_one_before(ledger, tmp_path):
    ledger.log.export(tmp_path / "x")
    told = lines(tmp_path / "x")
    assert [line["prev"] for line in told] == ["genesis", *(line["sha"] for line in told[:-1])]


def test_a_changed_letter_is_named_by_its_line(ledger, tmp_path):
    path = tmp_path / "x"
    ledger.log.export(path)
    told = path.read_bytes().splitlines(keepends=True)
    told[2] = told[2].replace(b"goal_readied", b"goal_Readied")
    path.write_bytes(b"".join(told))
    with pytest.raises(Damaged, match="line 3") as found:
        ledger.log.verify_file(path)
    assert found.value.code == "damaged_export"


def test_a_line_rewritten_with_a_fitting_sha_is_found_against_the_ledger(ledger, tmp_path):
    path, other = tmp_path / "x", tmp_path / "other.db"
    ledger.log.export(path)
    with Ledger.open(other) as stranger:
        stranger.goals.create("another history")
        stranger.log.export(path)
    with pytest.raises(Damaged, match="line 1: the line is not what the log says"):
        ledger.log.verify_file(path)


@pytest.mark.parametrize("cut", [1, 2])
def test_a_missing_tail_is_noticed_unless_an_older_export_will_do(ledger, tmp_path, cut):
    path = tmp_path / "x"
    whole = ledger.log.export(path).events
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-cut]))
    with pytest.raises(Damaged, match=f"line {whole - cut + 1}: the file ends here, the log holds {cut} more"):
        ledger.log.verify_file(path)
    assert ledger.log.verify_file(path, partial=True) == whole - cut


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text + b"{}\n", lambda text: b"\n" + text])
def test_a_file_that_is_cut_or_longer_or_shifted_is_refused(ledger, tmp_path, damage):
    path = tmp_path / "x"
    ledger.log.export(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Damaged):
        ledger.log.verify_file(path)


def test_a_missing_export_is_not_found(ledger, tmp_path):
    with pytest.raises(NotFound):
        ledger.log.verify_file(tmp_path / "none")


def test_an_export_that_cannot_be_written_leaves_what_was_there(ledger, tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(Unavailable):
        ledger.log.export(path)
    assert sorted(item.name for item in tmp_path.iterdir() if item.name.startswith(".")) == []


def test_a_backup_opens_as_the_same_ledger(ledger, tmp_path):
    done = ledger.log.backup(tmp_path / "backup" / "copy.db")
    with Ledger.open(tmp_path / "backup" / "copy.db", create=False) as copy:
        assert (copy.id, copy.log.verify()) == (ledger.id, done.events)
        assert copy.goals.list() == ledger.goals.list()
        copy.goals.create("life goes on")
    assert sorted(item.name for item in (tmp_path / "backup").iterdir()) == ["copy.db", "copy.views.db"]


def test_a_backup_never_replaces_a_file(ledger, tmp_path):
    target = tmp_path / "there"
    target.write_text("precious")
    with pytest.raises(Rejected) as refused:
        ledger.log.backup(target)
    assert refused.value.code == "file_exists"
    assert target.read_text() == "precious"


def test_a_damaged_ledger_gives_no_backup(ledger, tmp_path):
    ledger.close()
    with sqlite3.connect(tmp_path / "l.db") as raw:
        raw.execute("DROP TRIGGER events_are_never_changed")
        raw.execute("UPDATE stored_events SET topic = 'goal.gone' WHERE rowid = 2")
    raw.close()
    with Ledger.open(tmp_path / "l.db") as damaged, pytest.raises(Damaged):
        damaged.log.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


WRITER = textwrap.dedent(
    """
    import sys
    from goal_ledger.ledger import Ledger

    with Ledger.open(sys.argv[1]) as ledger:
        for number in range(1_000_000):
            ledger.goals.create(f"goal {number}")
            print(ledger.log.stats().head, flush=True)
    """
)


def test_a_backup_while_four_writers_go_on_holds_every_event_acknowledged_before_it(ledger, tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "l.db")], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        acknowledged = max(int(writer.stdout.readline()) for writer in writers if writer.stdout for _ in range(5))
        done = ledger.log.backup(tmp_path / "copy.db")
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert done.head >= acknowledged
    with Ledger.open(tmp_path / "copy.db", create=False) as copy:
        assert copy.log.verify() == done.head


def test_every_event_says_in_an_export_what_it_is_about_by_a_name_of_its_own():
    assert ID_OF.keys() == {name.split(".")[0] for name in EVENTS}
    assert len(set(ID_OF.values())) == len(ID_OF)
