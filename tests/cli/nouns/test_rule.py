"""goal-ledger rule."""

import pytest

from goal_ledger.domain.learning.rule import RULE, Arm, RuleTried
from goal_ledger.ledger import Ledger
from goal_ledger.projections.learning.playbook_rules import RuleRow
from tests.cli.running import Cli

TEXT = "Prune old dumps before a new one"
NOBODY = "rule_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
WHY = ("--reason", "let us see")


def lesson(gl: Cli, text: str = TEXT, confidence: str = "0.9") -> str:
    found = gl.json("lesson", "add", text, "--category", "safe_default", "--confidence", confidence).data
    lesson_id: str = found["lesson_id"]
    return lesson_id


def drafted(gl: Cli, text: str = TEXT) -> str:
    rule_id: str = gl.json("rule", "draft", lesson(gl, text)).data["rule_id"]
    return rule_id


def tried(gl: Cli, rule_id: str, arm: Arm, won: int, of: int) -> None:
    """So many runs of one side were counted."""
    events = [RuleTried(run_id=f"grun_{n:026d}", arm=arm, success=n < won) for n in range(of)]
    with Ledger.open(gl.db) as ledger:
        ledger.act(rule_id, RULE, lambda _: events)


def test_a_rule_is_drafted_from_a_lesson_that_is_sure_enough(gl: Cli):
    row = gl.json("rule", "draft", lesson(gl), "--title", "Prune first", "--reason", "seen twice").data
    assert list(row) == list(RuleRow._fields)
    assert (row["title"], row["rule_text"], row["activation_mode"]) == ("Prune first", TEXT, "shadow")
    refused = gl.json("rule", "draft", lesson(gl, "Hope for the best", "0.79"))
    assert (refused.code, refused.error["code"]) == (3, "confidence_too_low")
    assert "lesson confirm les_" in refused.error["hint"]


def test_a_rule_goes_from_shadow_over_canary_to_full_and_back(gl: Cli):
    rule_id = drafted(gl)
    row = gl.json("rule", "canary", rule_id, "--share", "0.25", *WHY).data
    assert (row["activation_mode"], row["share"], row["round"]) == ("canary", 0.25, 1)
    tried(gl, rule_id, Arm.TREATMENT, 3, 3)
    assert gl.json("rule", "promote", rule_id, *WHY).data["activation_mode"] == "full"
    row = gl.json("rule", "rollback", rule_id, "--reason", "complaints").data
    assert (row["activation_mode"], row["round"], row["cause"]) == ("canary", 2, "by hand")
    assert gl.json("rule", "rollback", rule_id, "--reason", "complaints").data["activation_mode"] == "shadow"
    assert gl.json("rule", "retire", rule_id, "--reason", "moot").data["active"] is False
    told = [row["event"] for row in gl.json("rule", "timeline", rule_id).data if row["event"] != "rule.tried"]
    assert told == [
        "rule.drafted", "rule.canaried", "rule.promoted", "rule.rolled_back", "rule.rolled_back", "rule.retired",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "code", "exit_code"),
    [
        (("promote", *WHY), "skips_canary", 3),
        (("canary",), "no_reason", 3),
        (("canary", "--share", "1", *WHY), "bad_share", 2),
        (("retire",), "no_reason", 3),
    ],
)
def test_a_step_that_a_rule_forbids_is_refused_and_writes_nothing(
    gl: Cli, args: tuple[str, ...], code: str, exit_code: int
):
    rule_id = drafted(gl)
    before = gl.events()
    refused = gl.json("rule", args[0], rule_id, *args[1:])
    assert (refused.code, refused.error["code"]) == (exit_code, code)
    assert gl.events() == before


def test_two_wins_and_a_regression_are_not_enough_for_full(gl: Cli):
    rule_id = drafted(gl)
    gl.json("rule", "canary", rule_id, *WHY)
    tried(gl, rule_id, Arm.TREATMENT, 2, 2)
    assert gl.json("rule", "promote", rule_id, *WHY).error["code"] == "not_validated"
    tried(gl, rule_id, Arm.TREATMENT, 1, 4)
    tried(gl, rule_id, Arm.CONTROL, 4, 5)
    assert gl.json("rule", "promote", rule_id, *WHY).error["code"] == "regression"


def test_repeating_a_step_writes_nothing(gl: Cli):
    rule_id = drafted(gl)
    gl.json("rule", "canary", rule_id, *WHY)
    before = gl.events()
    assert gl.json("rule", "canary", rule_id, *WHY).data["activation_mode"] == "canary"
    assert drafted(gl) == rule_id
    assert gl.events() == before


def test_an_evaluation_tells_how_far_each_question_got(gl: Cli):
    rule_id = drafted(gl)
    assert "nothing is compared in shadow" in gl("rule", "evaluate", rule_id).text
    gl.json("rule", "canary", rule_id, *WHY)
    tried(gl, rule_id, Arm.TREATMENT, 15, 20)
    tried(gl, rule_id, Arm.CONTROL, 15, 20)
    told = gl.json("rule", "evaluate", rule_id).data
    assert (told["choice"], told["cause"], told["missing"] > 100) == ("wait", None, True)
    assert [one["name"] for one in told["questions"]] == [
        "promote", "success", "cost", "duration", "business_outcome",
    ]  # fmt: skip
    assert f"about {told['missing']:,} more runs would settle it" in gl("rule", "evaluate", rule_id).text
    tried(gl, rule_id, Arm.TREATMENT, 100, 100)
    assert gl.json("rule", "evaluate", rule_id).data["choice"] == "promote"
    assert "\npromote" in gl("rule", "evaluate", rule_id).text
    tried(gl, rule_id, Arm.CONTROL, 300, 300)
    tried(gl, rule_id, Arm.TREATMENT, 0, 100)
    assert "roll_back  success" in gl("rule", "evaluate", rule_id).text


def test_rules_are_listed_by_mode_and_shown_whole(gl: Cli):
    first, second = drafted(gl), drafted(gl, "Keep two dumps")
    gl.json("rule", "canary", second, *WHY)
    assert [row["rule_id"] for row in gl.json("rule", "list").data] == [second, first]
    assert [row["rule_id"] for row in gl.json("rule", "list", "--mode", "shadow").data] == [first]
    assert "Keep two dumps" in gl("rule", "list", "--mode", "canary").text
    page = gl.json("rule", "list", "--limit", "1")
    assert [row["rule_id"] for row in gl.json("rule", "list", "--after", page.document["next"]).data] == [first]
    gl.json("rule", "retire", first, "--reason", "moot")
    assert [row["rule_id"] for row in gl.json("rule", "list", "--retired").data] == [first]
    assert [row["rule_id"] for row in gl.json("rule", "list", "--all").data] == [first, second]
    assert "retired" in gl("rule", "show", first).text
    assert "No rule matches" in gl("rule", "list", "--mode", "full").text + gl("rule", "list", "--mode", "full").err
    assert gl.json("rule", "list", "--all", "--retired").error["code"] == "usage"
    assert gl.json("rule", "list", "--after", "x").error["code"] == "bad_cursor"


def test_a_rule_is_shown_as_it_was(gl: Cli):
    rule_id = drafted(gl)
    then = gl.events()
    gl.json("rule", "canary", rule_id, *WHY)
    assert gl.json("rule", "show", rule_id, "--as-of", str(then)).data["activation_mode"] == "shadow"


@pytest.mark.parametrize("verb", ["show", "evaluate", "timeline", "retire", "canary", "promote", "rollback"])
def test_a_rule_that_is_not_there_is_not_found(gl: Cli, verb: str):
    lesson(gl)
    reason = WHY if verb in ("retire", "canary", "promote", "rollback") else ()
    missing = gl.json("rule", verb, NOBODY, *reason)
    assert (missing.code, missing.error["code"]) == (5, "unknown_rule")
