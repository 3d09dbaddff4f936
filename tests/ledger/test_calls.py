"""Ways out as calls in Python."""

import subprocess
import sys

import pytest

from goal_ledger.ledger import Blank, Hint, Ledger, Rejected, as_call


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (Hint("goal", "ready", "goal_1"), 'ledger.goals.ready("goal_1")'),
        (Hint("goal", "show", "goal_1"), 'ledger.goals.get("goal_1")'),
        (Hint("kr", "list"), "ledger.key_results.list()"),
        (Hint("run", "take-over", "grun_1"), 'ledger.runs.take_over("grun_1")'),
        (Hint("rule", "rollback", "rule_1", reason=Blank()), 'ledger.rules.roll_back("rule_1", reason="…")'),
        (Hint("next", claim=True), "ledger.work.claim()"),
        (Hint("next"), "ledger.work.next()"),
        (Hint("projection", "rebuild", ("a", "b")), 'ledger.views.rebuilds.rebuild(["a", "b"])'),
        (Hint("projection", "rebuild", ("a",), no_swap=True), 'ledger.views.rebuilds.build(["a"])'),
        (Hint("goal", "amend", "g", arms=(Blank("A"), Blank("B"))), 'ledger.goals.amend("g", arms=[A, B])'),
        (Hint("goal", "amend", "g", target=Blank(95), unit=None), 'ledger.goals.amend("g", target=95, unit=None)'),
        (Hint("goal", "amend", "g", watch=Blank("a = b")), 'ledger.goals.amend("g", watch="a = b")'),
        (Hint("goal", "create", 'A "b"', db="c.db"), 'Ledger.open("c.db").goals.create("A \\"b\\"")'),
        ("see " + Hint("follow") + " or " + Hint("ledger", "stats"), "see ledger.events() or ledger.log.stats()"),
        ("without " + Hint(strict=True) + ", with " + Hint(goal_id=Blank("")), "without strict=True, with goal_id"),
        ("try again", "try again"),
    ],
    ids=str,
)
def test_a_hint_is_shown_as_it_is_written_in_python(hint: str, shown: str):
    assert as_call(hint) == shown


def test_the_calls_of_a_refusal_do_what_it_takes():
    with Ledger.open(":memory:") as ledger:
        goal = ledger.goals.create("Cut checkout errors")
        with pytest.raises(Rejected) as refused:
            ledger.goals.wait(goal.goal_id)
        assert refused.value.hint is not None
        way = as_call(refused.value.hint).split(", then ")
        assert len(way) == 2
        for call in way:
            eval(call, {"ledger": ledger})
        assert ledger.goals.wait(goal.goal_id).status == "waiting"


def test_programs_that_show_no_way_out_do_not_load_it():
    program = "import sys, goal_ledger.ledger as it; assert 'goal_ledger.ledger.calls' not in sys.modules; it.as_call"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
