"""Texts that say nearly the same: what comes first, and what is left out."""

from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.similar import Candidate, Near, nearest

TITLES = [
    Candidate("a", "Fix recurring timeouts of the backup"),
    Candidate("b", "Speed up the nightly report"),
    Candidate("c", "Backups keep timing out"),
    Candidate("d", "日本語"),
]


def best(text: str) -> str:
    return nearest(text, TITLES, limit=1)[0].id


def test_the_nearest_comes_first_in_another_order_with_other_endings_and_typing_errors():
    assert best("backup timeout recurs") == "a"
    assert best("the backup is timing out") == "c"
    assert best("nihgtly reports") == "b"
    assert best("日本語の") == "d"


def test_the_same_text_scores_one_whatever_its_case_and_spaces():
    assert nearest("  SPEED up the\tnightly report ", TITLES, limit=1) == [Near("b", 1.0)]
    assert nearest("x", [Candidate("one", "X")], limit=1) == [Near("one", 1.0)]


def test_a_rare_piece_weighs_more_than_one_that_all_have():
    common = [Candidate(str(number), f"fix the report of team {number}") for number in range(9)]
    rare = Candidate("rare", "unicorn stable")
    assert nearest("fix the unicorn", [*common, rare], limit=1)[0].id == "rare"


def test_what_has_nothing_in_common_is_left_out():
    assert nearest("xyz", TITLES, limit=10) == []
    assert nearest("xyz", [], limit=10) == []


def test_equal_ones_go_by_id_whatever_order_they_come_in():
    same = [Candidate("2", "one text"), Candidate("1", "one text"), Candidate("3", "one text")]
    assert [near.id for near in nearest("one text", same, limit=2)] == ["1", "2"]


@given(text=st.text(), others=st.lists(st.text(), max_size=8), limit=st.integers(1, 9))
def test_scores_fall_from_one_to_nought_and_a_shorter_list_is_the_beginning_of_a_longer_one(
    text: str, others: list[str], limit: int
):
    candidates = [Candidate(f"{number}", other) for number, other in enumerate(others)]
    found = nearest(text, candidates, limit=9)
    scores = [near.score for near in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert nearest(text, candidates, limit=limit) == found[:limit]
