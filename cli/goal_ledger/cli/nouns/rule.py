"""The playbook: rules that prove themselves before they are in force.

Listed: noun 90
"""

from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, as_of, pages, position_place, writes
from goal_ledger.cli.show import render, render_learning
from goal_ledger.cli.show.data import evaluation_data, lineage_data, timeline_data
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.rule import Mode

ID = "rule_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
LESSON = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger rule list --mode canary", f"goal-ledger rule evaluate {ID}"))
def rule() -> None:
    """The playbook: rules drawn from lessons, tried on some goals before they are in force for all."""


# --- From shadow to full, and back


@rule.command("draft", examples=(f"goal-ledger rule draft {LESSON}",))
@click.argument("lesson_id", metavar="LESSON", type=Id("lesson"))
@click.option("--title", metavar="TEXT", help="That of the lesson unless said.")
@click.option("--text", metavar="TEXT", help="What agents are told; the lesson's text unless said.")
@writes
def draft(app: App, lesson_id: str, **wish: Any) -> None:
    """Draw a rule from LESSON when that is sure enough; it begins in shadow."""
    app.show(app.ledger.rules.draft(lesson_id, **wish)._asdict(), render_learning.rule_line)


@rule.command("canary", examples=(f'goal-ledger rule canary {ID} --reason "seen often enough"',))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@click.option("--share", type=float, metavar="0-1", help="Of the goals; as the settings say unless said.")
@writes
def canary(app: App, rule_id: str, **wish: Any) -> None:
    """Try RULE on a share of the goals and compare; say why."""
    app.show(app.ledger.rules.canary(rule_id, **wish)._asdict(), render_learning.rule_line)


@rule.command("promote", examples=(f'goal-ledger rule promote {ID} --reason "the release cannot wait"',))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@writes
def promote(app: App, rule_id: str, reason: str | None) -> None:
    """Put RULE in force for all goals, ahead of what the learning cycle waits for; say why."""
    app.show(app.ledger.rules.promote(rule_id, reason=reason)._asdict(), render_learning.rule_line)


@rule.command("rollback", examples=(f'goal-ledger rule rollback {ID} --reason "customers complain"',))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@writes
def rollback(app: App, rule_id: str, reason: str | None) -> None:
    """Take RULE back, from full to canary, from canary to shadow; say why."""
    app.show(app.ledger.rules.roll_back(rule_id, reason=reason)._asdict(), render_learning.rule_line)


@rule.command("retire", examples=(f'goal-ledger rule retire {ID} --reason "the tool is gone"',))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@writes
def retire(app: App, rule_id: str, reason: str | None) -> None:
    """Tell RULE to nobody any more; say why. Its history stays."""
    app.show(app.ledger.rules.retire(rule_id, reason=reason)._asdict(), render_learning.rule_line)


# --- Looking


@rule.command("evaluate", examples=(f"goal-ledger rule evaluate {ID}",))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@as_of()
def evaluate(app: App, rule_id: str) -> None:
    """What the runs with and without RULE say, and how many more would settle it.

    Look as often as you like: that makes no error more likely.
    """
    app.show(evaluation_data(app.ledger.rules.evaluate(rule_id)), render_learning.evaluation)


@rule.command("show", examples=(f"goal-ledger rule show {ID}",))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@as_of()
def show(app: App, rule_id: str) -> None:
    """Everything about RULE as it stands, or stood."""
    app.show(app.ledger.rules.get(rule_id)._asdict(), render_learning.rule)


@rule.command("list", examples=("goal-ledger rule list --mode canary", "goal-ledger rule list --retired"))
@click.option("--all", "every", is_flag=True, help="The retired ones too.")
@click.option("--retired", is_flag=True, help="The retired and recalled ones only.")
@click.option("--mode", type=OneOf(Mode), help="Those that are there.")
@click.option("--goal-type", type=OneOf(GoalType), metavar="TYPE", help=f"One of {', '.join(GoalType)}.")
@click.option("--action-type", metavar="TEXT", help="For actions of this type.")
@as_of(folds=True)
@pages
def list_(app: App, every: bool, retired: bool, after: str | None, limit: int | None, **where: Any) -> None:
    """Active rules, the one that changed last first."""
    if every and retired:
        raise click.UsageError("--all and --retired exclude each other; give one of them.")
    place = None if after is None else position_place(after)
    page = app.ledger.rules.list(active=None if every else not retired, after=place, limit=limit, **where)
    chosen = retired or any(where.values()) or after
    app.show_list(
        [row._asdict() for row in page.rows],
        render_learning.rules,
        next_page=None if page.next is None else str(page.next[0]),
        empty="No rule matches; see all: goal-ledger rule list --all"
        if chosen
        else "No active rules; draw one from a lesson that is sure enough: goal-ledger rule draft LESSON",
    )


@rule.command("lineage", examples=(f"goal-ledger rule lineage {ID}",))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@as_of()
def lineage(app: App, rule_id: str) -> None:
    """Where RULE comes from: its lessons, their reviews, and the runs that speak for them."""
    app.show(lineage_data(app.ledger.rules.lineage(rule_id)), render_learning.lineage)


@rule.command("timeline", examples=(f"goal-ledger rule timeline {ID}",))
@click.argument("rule_id", metavar="RULE", type=Id("rule"))
@as_of()
def timeline(app: App, rule_id: str) -> None:
    """Every event of RULE, in order: each run that was counted, each step and why it was taken."""
    events = app.ledger.rules.timeline(rule_id)
    app.show_list(timeline_data(events), render.timeline, empty="No events.")
