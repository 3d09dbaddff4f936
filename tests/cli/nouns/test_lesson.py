"""goal-ledger lesson."""

import pytest

from goal_ledger.projections.learning.lessons import LessonRow
from tests.cli.running import Cli

TEXT = "Prune old dumps before a new one"
NOBODY = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
NO_RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


def learned(gl: Cli, text: str = TEXT, *options: str) -> str:
    lesson_id: str = gl.json("lesson", "add", text, "--category", "safe_default", *options).data["lesson_id"]
    return lesson_id


def runs(gl: Cli, count: int) -> list[str]:
    goal_id = gl.active_goal()
    return [gl.json("run", "start", goal_id, "--allow-overlap").data["run_id"] for _ in range(count)]


def test_add_makes_the_ledger_and_answers_with_the_whole_lesson(gl: Cli):
    added = gl.json(
        "lesson", "add", TEXT, "--category", "winning_strategy", "--goal-type", "objective", "--action-type", "shell",
        "--confidence", "0.8", "--reason", "seen twice",
    ).data  # fmt: skip

    assert list(added) == list(LessonRow._fields)
    assert added["lesson_id"].startswith("les_")
    assert added | {
        "lesson_text": TEXT, "category": "winning_strategy", "goal_type": "objective", "action_type": "shell",
        "confidence": 0.8, "stated_confidence": 0.8, "active": True, "created_by": "cli:test", "evidence_run_ids": [],
    } == added  # fmt: skip
    assert gl.json("lesson", "timeline", added["lesson_id"]).data[0]["reason"] == "seen twice"


def test_the_same_text_and_scope_from_a_second_run_is_evidence_for_the_same_lesson(gl: Cli):
    first, second = runs(gl, 2)

    lesson_id = learned(gl, TEXT, "--run", first)
    assert learned(gl, f"  {TEXT.upper()} ", "--run", second) == lesson_id

    (row,) = gl.json("lesson", "list").data
    assert (row["evidence_run_ids"], row["evidence_for"], row["confidence"]) == ([first, second], 2, 0.75)
    assert learned(gl, TEXT, "--action-type", "shell", "--run", second) != lesson_id


def test_repeating_a_lesson_writes_nothing(gl: Cli):
    (run_id,) = runs(gl, 1)
    lesson_id = learned(gl, TEXT, "--run", run_id)
    gl.json("lesson", "apply", lesson_id, "--run", run_id)
    gl.json("lesson", "retire", learned(gl, "Another"), "--reason", "moot")
    before = gl.events()

    learned(gl, TEXT)
    learned(gl, TEXT, "--run", run_id)
    assert gl.json("lesson", "confirm", lesson_id, "--run", run_id).code == 0
    assert gl.json("lesson", "apply", lesson_id, "--run", run_id).code == 0
    (retired,) = gl.json("lesson", "list", "--retired").data
    assert gl.json("lesson", "retire", retired["lesson_id"], "--reason", "again").code == 0

    assert gl.events() == before


def test_evidence_moves_the_confidence_and_a_rebuild_gives_the_same(gl: Cli):
    one, two, three = runs(gl, 3)
    lesson_id = learned(gl, TEXT, "--run", one)

    assert gl.json("lesson", "apply", lesson_id, "--run", two).data["times_applied"] == 1
    confirmed = gl.json("lesson", "confirm", lesson_id, "--run", two).data
    assert (confirmed["confidence"], confirmed["times_validated"]) == (0.75, 1)
    assert gl.json("lesson", "confirm", lesson_id, "--reason", "I saw it").data["confidence"] == 0.8
    contradicted = gl.json("lesson", "contradict", lesson_id, "--run", three).data
    assert contradicted["confidence"] == pytest.approx(4 / 6)
    before = gl.json("lesson", "list").data
    gl.json("projection", "rebuild")
    assert gl.json("lesson", "list").data == before == [contradicted]


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("add", "x", "--category", "safe_default", "--confidence", "1.1"), 2, "invalid_value"),
        (("add", "x", "--category", "safe_default", "--confidence", "-0.1"), 2, "invalid_value"),
        (("add", " ", "--category", "safe_default"), 3, "no_text"),
        (("add", "x", "--category", "hunch"), 2, "usage"),
        (("add", "x"), 2, "usage"),
        (("add", "x", "--category", "safe_default", "--run", NO_RUN), 5, "unknown_run"),
        (("add", "x", "--category", "safe_default", "--run", "yesterday"), 5, "unknown_run"),
        (("show", NOBODY), 5, "unknown_lesson"),
        (("show", "nonsense"), 5, "unknown_lesson"),
        (("timeline", NOBODY), 5, "unknown_lesson"),
        (("confirm", NOBODY), 5, "unknown_lesson"),
        (("contradict", NOBODY), 5, "unknown_lesson"),
        (("apply", NOBODY, "--run", NO_RUN), 5, "unknown_run"),
        (("apply", NOBODY), 2, "usage"),
        (("retire", NOBODY, "--reason", "x"), 5, "unknown_lesson"),
        (("recall", NOBODY, "--reason", "x"), 5, "unknown_lesson"),
        (("recall", NOBODY, "--dry-run"), 5, "unknown_lesson"),
        (("context",), 2, "no_goal"),
        (("context", "--goal", NOBODY.replace("les", "goal")), 5, "unknown_goal"),
        (("context", "--run", NO_RUN), 5, "unknown_run"),
        (("context", "--goal", NOBODY.replace("les", "goal"), "--max-tokens", "-1"), 2, "usage"),
        (("list", "--all", "--retired"), 2, "usage"),
        (("list", "--after", "page two"), 2, "bad_cursor"),
        (("list", "--after", "9" * 30), 2, "bad_cursor"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_is_refused_with_a_hint_and_nothing_is_written(
    gl: Cli, args: tuple[str, ...], code: int, error: str
):
    gl.goal()
    before = gl.events()

    ran = gl.json("lesson", *args)

    assert (ran.code, ran.error["code"]) == (code, error)
    assert gl.events() == before
    assert "goal-ledger" in ran.error["hint"] or "next" in ran.error["hint"]


def test_an_unsaid_category_names_the_four(gl: Cli):
    message = gl.json("lesson", "add", "x").error["message"]

    assert "anti_pattern, safe_default, winning_strategy, policy_patch" in message


def test_a_retired_lesson_takes_no_evidence_and_is_not_listed_as_active(gl: Cli):
    (run_id,) = runs(gl, 1)
    lesson_id, other = learned(gl), learned(gl, "Another")

    assert gl.json("lesson", "retire", lesson_id).error["code"] == "no_reason"
    retired = gl.json("lesson", "retire", lesson_id, "--reason", "the tool is gone").data
    assert (retired["active"], retired["retired_reason"]) == (False, "the tool is gone")

    for verb in ("confirm", "contradict", "apply"):
        ran = gl.json("lesson", verb, lesson_id, "--run", run_id)
        assert (ran.code, ran.error["code"]) == (3, "retired")
        assert f"goal-ledger lesson show {lesson_id}" in ran.error["hint"]

    def found(*options: str) -> list[str]:
        return [row["lesson_id"] for row in gl.json("lesson", "list", *options).data]

    assert found() == [other]
    assert found("--retired") == [lesson_id]
    assert found("--all") == [lesson_id, other]


def test_one_run_is_evidence_on_one_side_only(gl: Cli):
    (run_id,) = runs(gl, 1)
    lesson_id = learned(gl, TEXT, "--run", run_id)

    assert gl.json("lesson", "contradict", lesson_id, "--run", run_id).error["code"] == "already_evidence"


def test_lists_filter_and_follow_the_cursor(gl: Cli):
    ids = [learned(gl, f"lesson {number}") for number in range(5)]
    shell = learned(gl, "With a shell", "--action-type", "shell", "--goal-type", "objective")
    pattern = gl.json("lesson", "add", "Never on Fridays", "--category", "anti_pattern").data["lesson_id"]

    def found(*options: str) -> list[str]:
        return [row["lesson_id"] for row in gl.json("lesson", "list", *options).data]

    assert found("--action-type", "shell") == found("--goal-type", "objective") == [shell]
    assert found("--category", "anti_pattern") == [pattern]
    seen: list[str] = []
    cursor: list[str] = []
    while True:
        page = gl.json("lesson", "list", "--limit", "3", *cursor).document
        seen += [row["lesson_id"] for row in page["data"]]
        if page["next"] is None:
            break
        cursor = ["--after", page["next"]]
    assert seen == found() == [pattern, shell, *ids[::-1]]


def test_people_see_lessons_with_how_sure_they_are(gl: Cli):
    (run_id,) = runs(gl, 1)
    lesson_id = learned(gl, TEXT, "--run", run_id)

    assert gl("lesson", "list").text.splitlines()[1] == f"{lesson_id}  0.67  {TEXT}"
    assert gl("lesson", "show", lesson_id).text.startswith(f"{lesson_id}  active  confidence 0.67\n")
    timeline = " ".join(gl("lesson", "timeline", lesson_id).text.split())
    assert run_id in timeline and TEXT in timeline
    gl("lesson", "retire", lesson_id, "--reason", "moot")
    assert "(retired)" in gl("lesson", "list", "--all").text


def test_an_empty_list_says_how_to_fill_it(gl: Cli):
    gl.goal()

    assert "goal-ledger lesson add" in gl("lesson", "list").err
    assert "goal-ledger lesson list --all" in gl("lesson", "list", "--retired").err


def test_the_timeline_of_a_lesson_names_the_runs(gl: Cli):
    one, two = runs(gl, 2)
    lesson_id = learned(gl, TEXT, "--run", one)
    gl.json("lesson", "contradict", lesson_id, "--run", two, "--reason", "it made things worse")

    rows = gl.json("lesson", "timeline", lesson_id).data

    assert [(row["event"], row["run_id"], row["reason"]) for row in rows] == [
        ("lesson.learned", one, None),
        ("lesson.contradicted", two, "it made things worse"),
    ]


# --- What agents are told, and what turns out false


def test_context_prints_what_a_run_would_be_told_and_what_a_run_was(gl: Cli):
    lesson_id = learned(gl)
    goal_id = gl.active_goal()
    line = f"- Lesson (safe default, confidence 0.50): {TEXT} [{lesson_id}]"

    assert gl("lesson", "context", "--goal", goal_id).text == line + "\n"
    asked = gl.json("lesson", "context", "--goal", goal_id).data
    assert (asked["text"], asked["left_out"], asked["max_tokens"]) == (line, 0, 2000)
    assert asked["lessons"] == [
        {"lesson_id": lesson_id, "lesson_text": TEXT, "category": "safe_default", "confidence": 0.5}
    ]
    assert gl("lesson", "context", "--goal", goal_id, "--format", "json").data == asked

    run_id = gl.json("run", "start", goal_id).data["run_id"]
    gl.json("lesson", "confirm", lesson_id, "--reason", "seen")
    assert gl("lesson", "context", "--run", run_id).text == line + "\n"
    assert gl.json("run", "show", run_id).data["context"]["lessons"] == [lesson_id]
    assert "given lessons" in gl("run", "show", run_id).text
    assert lesson_id in gl("run", "timeline", run_id).text


def test_context_says_what_found_no_room_and_that_there_is_nothing(gl: Cli):
    goal_id = gl.active_goal()
    assert gl("lesson", "context", "--goal", goal_id).err == "Nothing to tell.\n"
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    assert gl("lesson", "context", "--run", run_id).err == "It was told nothing.\n"
    learned(gl)
    ran = gl("lesson", "context", "--goal", goal_id, "--max-tokens", "3")
    assert (ran.out, ran.err.splitlines()[0]) == (b"", "1 left out: 3 tokens are full; see --max-tokens")


def test_contradictions_name_both_sides(gl: Cli):
    assert gl("lesson", "add", TEXT, "--category", "safe_default").code == 0
    assert "No two active lessons" in gl("lesson", "contradictions").err
    never = learned(gl, f"Never {TEXT}")
    [pair] = gl.json("lesson", "contradictions").data
    assert never in (pair["first"], pair["second"])
    assert f"Never {TEXT}" in gl("lesson", "contradictions").text


def test_recall_shows_what_falls_and_marks_it(gl: Cli):
    (taught,) = runs(gl, 1)
    lesson_id = learned(gl, TEXT, "--run", taught)
    for _ in range(4):
        gl.json("lesson", "confirm", lesson_id, "--reason", "seen")
    rule_id = gl.json("rule", "draft", lesson_id).data["rule_id"]
    (told,) = runs(gl, 1)
    before = gl.events()

    shown = gl.json("lesson", "recall", lesson_id, "--dry-run").data
    assert shown == {
        "lesson_id": lesson_id, "dry_run": True, "lessons": [lesson_id], "rules": [rule_id], "runs": [told],
    }  # fmt: skip
    assert "would fall" in gl("lesson", "recall", lesson_id, "--dry-run").text
    assert gl.json("lesson", "recall", lesson_id).error["code"] == "no_reason"
    assert gl.events() == before

    assert gl.json("lesson", "recall", lesson_id, "--reason", "luck").data == shown | {"dry_run": False}
    assert "(recalled)" in gl("lesson", "list", "--all").text
    assert "recalled" in gl("lesson", "show", lesson_id).text
    row = gl.json("lesson", "show", lesson_id).data
    assert (row["recalled"], row["recalled_root"], row["recalled_reason"]) == (True, lesson_id, "luck")
    head = gl.events()
    assert rule_id in gl("lesson", "recall", lesson_id, "--reason", "again").text
    assert gl.json("lesson", "add", "Another", "--category", "safe_default", "--run", told).error["code"] == "tainted"
    assert gl.json("lesson", "confirm", lesson_id).error["code"] == "recalled"
    assert gl.events() == head


def test_the_lineage_of_a_rule_is_a_tree_that_marks_what_fell(gl: Cli):
    (taught,) = runs(gl, 1)
    lesson_id = learned(gl, TEXT, "--run", taught, "--confidence", "0.9")
    rule_id = gl.json("rule", "draft", lesson_id).data["rule_id"]

    behind = gl.json("rule", "lineage", rule_id).data
    [below] = behind["lessons"]
    assert (behind["rule_id"], below["lesson_id"], below["recalled"]) == (rule_id, lesson_id, False)
    assert [(each["aar_id"], [run["run_id"] for run in each["runs"]]) for each in below["reviews"]] == [
        (None, [taught])
    ]
    tree = gl("rule", "lineage", rule_id).text
    assert tree.index(rule_id) < tree.index(lesson_id) < tree.index("without a review") < tree.index(taught)
    assert "recalled" not in tree

    gl.json("lesson", "recall", lesson_id, "--reason", "luck")
    assert f"recalled with {lesson_id}" in " ".join(gl("rule", "lineage", rule_id).text.split())
    assert gl.json("rule", "lineage", rule_id).data["lessons"][0]["recalled_root"] == lesson_id
