"""Tables: what stands where, and what gives way on a narrow screen."""

import pytest

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
ROW = {"id": ID, "count": 7, "owner": "ana", "words": "many words " * 20, "state": "failed", "nothing": None}


def drawn(capsys: pytest.CaptureFixture[str], *columns: Column, **how: bool) -> list[str]:
    draw.table([ROW], *columns, **how)
    return capsys.readouterr().out.splitlines()


def test_numbers_stand_on_the_right_unless_they_are_last(capsys: pytest.CaptureFixture[str]):
    count = Column("how many", "count", number=True)

    assert drawn(capsys, count, Column("owner", "owner")) == ["how many  owner", "       7  ana"]
    assert drawn(capsys, Column("owner", "owner"), count) == ["owner  how many", "ana    7"]


def test_a_wide_column_shows_where_there_is_room(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    columns = (Column("count", "count"), Column("owner", "owner", wide=True))

    monkeypatch.setenv("COLUMNS", "131")
    assert drawn(capsys, *columns)[0] == "count"
    monkeypatch.setenv("COLUMNS", "132")
    assert drawn(capsys, *columns)[0] == "count  owner"


@pytest.mark.parametrize("width", ["60", "80"])
def test_an_id_is_whole_and_words_give_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
):
    monkeypatch.setenv("COLUMNS", width)

    lines = drawn(capsys, draw.ids("goal", "id"), Column("words", "words"))

    assert lines[1].startswith(ID) and len(lines) > 3
    assert max(map(len, lines)) <= int(width)


def test_a_column_can_be_made_of_the_row_have_a_style_or_several_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    columns = (
        Column("twice", lambda row: row["count"] * 2),
        draw.statuses("status", "state"),
        Column("none", "nothing"),
        Column("lines", lambda row: ["one", "two"]),
    )

    assert drawn(capsys, *columns, header=False) == ["14  failed    one", "              two"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31mfailed" in drawn(capsys, *columns)[1]


def test_details_leave_out_what_is_hidden_and_what_is_not_set(capsys: pytest.CaptureFixture[str]):
    draw.details(ROW, {"owner": "bo", "more": (1, 2)}, hidden={"id", "words", "state"})

    assert capsys.readouterr().out.splitlines() == ["  count  7", "  owner  bo", "  more   1", "         2"]
