"""Goals that may be the same, for a person to confirm."""

from collections.abc import Iterator

import pytest

from goal_ledger.ledger import GoalStatus, Invalid, Ledger, NotFound
from tests.places import Place
from tests.tools import Clock


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:similar", clock=Clock()) as opened:
        yield opened


def test_the_goals_most_like_a_text_or_another_goal_are_found(ledger: Ledger):
    backup = ledger.goals.create("Fix the backup that times out").goal_id
    again = ledger.goals.create("Backup times out").goal_id
    ledger.goals.create("Write the yearly report")

    [first, second] = ledger.goals.similar("backup time-out", limit=2)
    assert {first.goal_id, second.goal_id} == {backup, again}
    assert 1.0 > first.score >= second.score > 0.0
    [other] = ledger.goals.similar(backup, limit=1)
    assert other[:3] == (again, "Backup times out", GoalStatus.PLANNED)
    assert ledger.goals.similar("Backup times out")[0] == (again, "Backup times out", GoalStatus.PLANNED, 1.0)


def test_goals_that_are_over_come_only_when_asked_for(ledger: Ledger):
    over = ledger.goals.create("Backup times out").goal_id
    ledger.goals.archive(over)
    assert ledger.goals.similar("Backup times out") == []
    assert [one.goal_id for one in ledger.goals.similar("Backup times out", closed=True)] == [over]
    later = ledger.goals.create("Backup times out").goal_id
    assert [one.goal_id for one in ledger.goals.similar(over)] == [later]


def test_a_goal_of_the_same_title_is_shown_and_left_alone(ledger: Ledger):
    one = ledger.goals.create("Backup times out").goal_id
    other = ledger.goals.create("backup  times OUT").goal_id
    events = len(ledger.stream(one, other))
    assert [(found.goal_id, found.score) for found in ledger.goals.similar(one)] == [(other, 1.0)]
    assert len(ledger.stream(one, other)) == events


def test_blank_text_and_unknown_goals_are_refused(ledger: Ledger):
    with pytest.raises(Invalid, match="nothing to compare") as blank:
        ledger.goals.similar(" \n")
    assert blank.value.code == "no_text"
    for goal_id in ("goal_nope", "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"):
        with pytest.raises(NotFound) as unknown:
            ledger.goals.similar(goal_id)
        assert unknown.value.code == "unknown_goal"
    with pytest.raises(Invalid) as none:
        ledger.goals.similar("text", limit=0)
    assert none.value.code == "bad_limit"
    assert ledger.goals.similar("goal_ of the year") == []
